"""The month's digest for everybody: the programme's figures, of groups that are large enough to be told of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from policy import rollout
from policy.disclosure import disclosed
from policy.units import MicroTokens
from programme.letters import DayOfSpend, Digest, Portion
from store import grant_runs

if TYPE_CHECKING:
    from policy.units import NanoUSD
    from programme.sizing import Plan
    from store.engine import Session
    from store.grant_runs import Spend

TOP = 5
KINDS = {"model_api": "Model calls", "training": "Training jobs"}
NO_PROJECT = "Without a project"


def of_run(session: Session, plan: Plan, *, carried: int, lapsed: int) -> Digest:
    """The digest that goes with a month's grants; spend is that of the month before."""
    before, rules = plan.month.previous(), plan.book.digest
    people, by_project = grant_runs.spenders(session, before)
    told = people >= rules.least_people
    lines = grant_runs.spend(session, before) if told else []
    days = Counter[object]()
    for line in lines:
        days[line.day] += line.spent
    spent = MicroTokens(sum(line.spent for line in lines))
    return Digest(
        month=plan.month,
        before=before,
        people=len(plan.sizing.grants),
        granted=plan.sizing.total,
        per_token=plan.value.per_token,
        entitled=plan.sizing.entitled,
        spent=spent if told else None,
        services=_portions(Counter(), lines, "service"),
        kinds=_portions(Counter(), lines, "kind"),
        projects=_projects(lines, by_project, rules.least_people),
        carried=MicroTokens(carried),
        lapsed=MicroTokens(lapsed),
        used_permille=_used(session, plan, spent) if told else None,
        rush=told and _is_rush(plan, days, int(spent)),
        rush_days=rules.rush_days,
        days=tuple(DayOfSpend(day, MicroTokens(days[day])) for day in before.days()) if told else (),
        contact=plan.book.contact,
    )


def _portions(sums: Counter[str], lines: list[Spend], by: str) -> tuple[Portion, ...]:
    for line in lines:
        sums[KINDS.get(getattr(line, by), getattr(line, by))] += line.spent
    return _ranked(sums)


def _ranked(sums: Counter[str]) -> tuple[Portion, ...]:
    ranked = sorted(((name, spent) for name, spent in sums.items() if spent), key=lambda one: (-one[1], one[0]))
    return tuple(Portion(name, MicroTokens(spent)) for name, spent in ranked[:TOP])


def _projects(lines: list[Spend], by_project: dict[str, set[int]], least: int) -> tuple[Portion, ...]:
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.project] += line.spent
    told = disclosed({project: frozenset(by_project.get(project, ())) for project in sums}, least)
    return _ranked(Counter({project: sums[project] for project in told if project}))


def _used(session: Session, plan: Plan, spent: MicroTokens) -> int | None:
    entitled: NanoUSD = grant_runs.totals(session, plan.month.previous())[0]
    return int(plan.value.worth(spent)) * 1_000 // int(entitled) if entitled else None


def _is_rush(plan: Plan, days: Counter[object], spent: int) -> bool:
    """Whether the last days' share of the month's spend exceeds so many times an even one."""
    rules, month = plan.book.digest, plan.month.previous()
    last = sum(days[day] for day in rollout.last_days(month, rules.rush_days))
    even = spent * rules.rush_days * int(rules.rush_factor * 10_000)
    return last * sum(1 for _ in month.days()) * 10_000 > even > 0
