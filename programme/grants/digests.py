"""The month's digest for everyone: the programme's figures, of groups that are large enough to be told of."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from policy import rollout
from policy.disclosure import disclosed
from policy.units import MicroTokens
from store.grants import monthly
from views.grants import DayOfSpend, Digest, Portion

if TYPE_CHECKING:
    from datetime import date

    from policy.period import Month
    from programme.grants.sizing import Plan
    from programme.moment import Moment
    from store.grants.monthly import Spend, Spender

TOP = 5
SATURDAY = 5
KINDS = {"model_api": "Model calls", "training": "Training jobs"}


def of_run(moment: Moment, plan: Plan, *, carried: int, lapsed: int, taken_on: date | None = None) -> Digest:
    """The digest that goes with a month's grants; spend is that of the month before."""
    before, rules = plan.month.previous(), plan.book.digest
    who = monthly.spenders(moment.session, before)
    least = plan.book.disclosure.least_people
    told = len({one.person_id for one in who}) >= least
    lines = monthly.spend(moment.session, before) if told else []
    days: Counter[date] = Counter()
    for line in lines:
        days[line.day] += line.spent
    spent = MicroTokens(sum(line.spent for line in lines))
    services, kinds, projects = (_portions(lines, who, by, least) for by in ("service", "kind", "project"))
    return Digest(
        month=plan.month,
        before=before,
        people=len(plan.sizing.grants),
        granted=plan.sizing.total,
        per_token=plan.value.per_token,
        entitled=plan.sizing.entitled,
        spent=spent if told else None,
        services=services,
        kinds=tuple(Portion(KINDS.get(kind.name, kind.name), kind.spent) for kind in kinds),
        projects=tuple(project for project in projects if project.name),
        carried=MicroTokens(carried),
        lapsed=MicroTokens(lapsed),
        used_permille=_used(moment, plan, spent) if told else None,
        rush=told and _is_rush(plan, days, int(spent)),
        rush_days=rules.rush_days,
        days=_days(moment, before, days, least) if told else (),
        contact=plan.book.contact,
        taken_on=taken_on,
        weekday_before=_weekday(moment, before.previous(), least) if told else None,
    )


def _portions(lines: list[Spend], who: list[Spender], by: str, least: int) -> tuple[Portion, ...]:
    """What went where, the largest first; of enough people each, and so that no difference tells of fewer."""
    sums: Counter[str] = Counter()
    people: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        sums[getattr(line, by)] += line.spent
    for one in who:
        people[getattr(one, by)].add(one.person_id)
    told = disclosed({name: frozenset(people[name]) for name, spent in sums.items() if spent}, least)
    ranked = sorted(told, key=lambda name: (-sums[name], name))
    return tuple(Portion(name, MicroTokens(sums[name])) for name in ranked[:TOP])


def _days(moment: Moment, month: Month, spent: Counter[date], least: int) -> tuple[DayOfSpend, ...]:
    """The month's days; those of few spenders stand at their common mean, so that none tells of one of them."""
    counts = monthly.spenders_by_day(moment.session, month)
    few = [day for day, count in counts.items() if count < least]
    others = sorted((day for day in counts if day not in few), key=lambda day: (counts[day], day))
    while few and others and monthly.count_spenders_on(moment.session, few) < least:
        few.append(others.pop(0))
    mean = sum(spent[day] for day in few) // len(few) if few else 0
    return tuple(DayOfSpend(day, MicroTokens(mean if day in few else spent[day]), day in few) for day in month.days())


def _weekday(moment: Moment, month: Month, least: int) -> MicroTokens | None:
    """What an average weekday of a month took, of the days as they were drawn; None where nothing is told of it.

    To two digits: beside the picture of then, an exact figure would tell what one person's late usage added.
    """
    if len({one.person_id for one in monthly.spenders(moment.session, month)}) < least:
        return None
    spent: Counter[date] = Counter()
    for line in monthly.spend(moment.session, month):
        spent[line.day] += line.spent
    drawn = [int(one.spent) for one in _days(moment, month, spent, least) if one.day.weekday() < SATURDAY]
    return MicroTokens(int(Decimal(f"{Decimal(sum(drawn)) / len(drawn):.1e}")))


def _used(moment: Moment, plan: Plan, spent: MicroTokens) -> int | None:
    entitled = monthly.totals(moment.session, plan.month.previous()).entitled
    return int(plan.value.worth(spent)) * 1_000 // int(entitled) if entitled else None


def _is_rush(plan: Plan, days: Counter[date], spent: int) -> bool:
    """Whether the last days' share of the month's spend exceeds so many times an even one."""
    rules, month = plan.book.digest, plan.month.previous()
    last = sum(days[day] for day in rollout.last_days(month, rules.rush_days))
    even = spent * rules.rush_days * int(rules.rush_factor * 10_000)
    return last * sum(1 for _ in month.days()) * 10_000 > even > 0
