"""What a report of the return follows from, read month by month: who was in which team, what they made and spent."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from policy import rollout
from policy.outcomes import THOUSANDTHS
from policy.period import DAYS_PER_WEEK, Month, Week, first_instant
from policy.reasons import Refusal
from policy.roi.report import NO_TEAM, Basis, TeamMonth, TeamWeek
from programme.outcomes import intake
from programme.people import teams
from programme.people.participation import participant
from programme.value import rates
from store.outcomes import records as outcomes_store
from store.people import teams as teams_store
from store.people import terms
from store.reviews import sources
from store.roi import reports as store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policy.handbook import Handbook
    from policy.units import NanoUSD
    from programme.moment import Moment
    from store.people.teams import Lines
    from store.people.terms import Participant
    from store.roi.reports import Spent

THURSDAY, MIDDLE = 3, 15


class Gathered(NamedTuple):
    """What is frozen with a report."""

    basis: Basis
    rows: tuple[TeamMonth, ...]
    weeks: tuple[TeamWeek, ...]


def gather(moment: Moment, through: Month) -> Gathered:
    """Everything as it is known now, from the baseline to the end of a month that is over."""
    book = moment.handbooks.on(through.first_day)
    launched = book.rollout.launched_on
    if launched is None or Month.containing(launched).first_day > through.first_day:
        raise Refusal(
            "not_launched", f"The programme had not begun in {through}.", next_step="Set rollout.launched_on."
        )
    launch = Month.containing(launched)
    months = list(_months(launch.plus(-book.roi.baseline_months), through))
    missing: Counter[str] = Counter()
    output = _Output(moment, months)
    rows: list[TeamMonth] = []
    for month in months:
        rows += _of_month(moment, month, moment.handbooks.on(month.first_day), output, missing)
    missing["outcomes_waiting"] = outcomes_store.count_waiting(moment.session)
    begin, end = launch.bounds(moment.zone)[0], through.bounds(moment.zone)[1]
    missing["events_quarantined"] = sources.count_quarantined(moment.session, begin, end)
    missing["months_without_outcomes"] = len(output.unknown)
    by_lot = store.drawn_before(moment.session, first_instant(launched, moment.zone))
    told = tuple(sorted((code, count) for code, count in missing.items() if count))
    return Gathered(
        Basis(str(through), str(launch), book.version, by_lot, told), tuple(rows), tuple(_weeks(moment, rows, book))
    )


def _months(first: Month, last: Month) -> Iterator[Month]:
    while first.first_day <= last.first_day:
        yield first
        first = first.next()


def _of_month(
    moment: Moment, month: Month, book: Handbook, output: _Output, missing: Counter[str]
) -> Iterator[TeamMonth]:
    """The teams of a month; who is in none is a team of its own, for the money."""
    people = terms.participants(moment.session, month, book.rollout.role_families)
    lines = outcomes_store.lines_of(moment.session, [one.id for one in people])
    in_usd = rates.in_usd(moment, terms.midpoints(moment.session, month.first_day), month.quarter).usd
    spent = store.spent(moment.session, month)
    members: defaultdict[str, list[Participant]] = defaultdict(list)
    for one in people:
        members[_team(lines, one, month)].append(one)
    if NO_TEAM in members:
        missing["people_without_team"] = max(missing["people_without_team"], len(members[NO_TEAM]))
    for team in sorted(members):
        some = members[team]
        inside = [one for one in some if rollout.takes_part(participant(one), month, book.rollout)]
        unknown = [one for one in inside if one.pay_band is None or one.pay_band not in in_usd]
        missing["people_without_midpoint"] = max(missing["people_without_midpoint"], len(unknown))
        yield TeamMonth(
            team,
            str(month),
            output.of(team, month),
            output.weeks[month],
            _posts(some),
            _posts(inside),
            *_spent(inside, spent),
            _payroll(inside, in_usd),
        )


def _weeks(moment: Moment, rows: list[TeamMonth], book: Handbook) -> Iterator[TeamWeek]:
    """The weeks since the last team joined, of all teams that take part in each of their months."""
    begun: dict[str, str] = {}
    for row in rows:
        if row.team != NO_TEAM and row.taking_part >= float(book.roi.treated_share) * max(1, row.posts):
            begun.setdefault(row.team, row.month)
    if not begun:
        return
    monday = _first_week(Month.parse(max(begun.values())))
    end = _first_week(Month.parse(max(row.month for row in rows)).next())
    made = Counter[tuple[str, date]]()
    for one in intake.weekly(moment, monday, end) if monday < end else ():
        of = one.unit_id if one.unit == "team" else _team_of(moment, one.unit_id, _month_of(one.week))
        made[of, one.week.first_day] += one.output
    lines = teams_store.lines_far_below(moment.session, sorted(begun))
    while monday < end:
        after = monday + timedelta(days=DAYS_PER_WEEK)
        spent: Counter[str] = Counter()
        for person, tokens in sources.debits(moment.session, monday, after).items():
            team = teams.manager_on(lines, person, monday + timedelta(days=THURSDAY)) if person in lines else None
            spent[team or NO_TEAM] += tokens
        yield from (TeamWeek(team, monday.isoformat(), made[team, monday], spent[team]) for team in sorted(begun))
        monday = after


def _team(lines: Lines, one: Participant, month: Month) -> str:
    """Whose report someone is in the middle of the month."""
    day = month.first_day.replace(day=MIDDLE)
    return (teams.manager_on(lines, one.id, day) if one.id in lines else None) or NO_TEAM


def _posts(people: list[Participant]) -> int:
    return round(sum(one.fte_permille for one in people))


def _spent(people: list[Participant], spent: Mapping[str, Spent]) -> tuple[int, int]:
    some = [spent[one.id] for one in people if one.id in spent]
    return sum(one.tokens for one in some), sum(one.cost for one in some)


def _payroll(people: list[Participant], in_usd: Mapping[str, NanoUSD]) -> int:
    """Posts at the midpoints of their bands, for a year; never a salary."""
    known = [(one.fte_permille, in_usd[one.pay_band]) for one in people if one.pay_band and one.pay_band in in_usd]
    return sum(round(int(midpoint) * Fraction(fte) / THOUSANDTHS) for fte, midpoint in known)


class _Output:
    """What teams made in each month. A week counts in the month that has its Thursday, and so most of its days."""

    def __init__(self, moment: Moment, months: list[Month]) -> None:
        first, last = _first_week(months[0]), _first_week(months[-1].next())
        self._made: Counter[tuple[str, Month]] = Counter()
        for one in intake.weekly(moment, first, last):
            month = _month_of(one.week)
            team = one.unit_id if one.unit == "team" else _team_of(moment, one.unit_id, month)
            self._made[team, month] += one.output
        self.weeks = {m: (_first_week(m.next()) - _first_week(m)).days // DAYS_PER_WEEK for m in months}
        told = sources.first_outcomes(moment.session, "team") | sources.first_outcomes(moment.session, "person")
        since = min(told.values(), default=date.max)
        self.unknown = [month for month in months if _first_week(month) < since - timedelta(days=DAYS_PER_WEEK)]

    def of(self, team: str, month: Month) -> int | None:
        """None before anybody told of any outcome: that is not the same as none."""
        return None if month in self.unknown else self._made[team, month]


def _team_of(moment: Moment, person_id: str, month: Month) -> str:
    lines = outcomes_store.lines_of(moment.session, [person_id])
    return (teams.manager_on(lines, person_id, month.first_day.replace(day=MIDDLE)) if lines else None) or NO_TEAM


def _first_week(month: Month) -> date:
    """The Monday of the first week whose Thursday is in the month."""
    first = Week.containing(month.first_day).first_day
    inside = first + timedelta(days=THURSDAY) >= month.first_day
    return first if inside else first + timedelta(days=DAYS_PER_WEEK)


def _month_of(week: Week) -> Month:
    return Month.containing(week.first_day + timedelta(days=THURSDAY))
