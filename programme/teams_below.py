"""The teams below a manager's own reports, as totals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.disclosure import is_of_few, why_hidden
from policy.units import MicroTokens, NanoUSD
from programme import teams
from programme.team_report import TeamBelow
from store import teams as store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from policy.period import Week
    from store.engine import Session
    from store.teams import Lines, WeekSpent

    Roster = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Week:
    """A week of everybody below: each lead's memberships, and what was spent."""

    memberships: Mapping[str, tuple[Roster, ...]]
    spent: Mapping[str, WeekSpent]

    def total(self, lead: str, least: int) -> tuple[int, int] | None:
        """(nano-USD, micro-tokens) of a lead's team; None where they would tell of few."""
        members = self.memberships[lead][-1]
        of_members = [self.spent[person] for person in members if person in self.spent]
        spenders = sum(one.usd > 0 for one in of_members)
        if why_hidden(self.memberships[lead], least) or is_of_few(spenders, least):
            return None
        return sum(one.usd for one in of_members), sum(one.tokens for one in of_members)


def totals(
    session: Session, led: Sequence[Roster], last_week: Week, *, today: date, least: int
) -> tuple[tuple[TeamBelow, ...], int]:
    """(the teams that may be told of, by their leads' names; how many may not).

    `led` are today's reports who were reports at the end of the week before last, and of the last week: the total of a
    team that was part of another's then would tell of who led it.
    """
    before, leads = led
    lines = store.lines_far_below(session, leads)
    if not lines:
        return (), 0
    names = {member.person_id: member.name for member in store.members(session, leads)}
    person_of = {member.account_id: member.person_id for member in store.members(session, lines) if member.account_id}
    earlier, last = (_week(session, lines, leads, week, person_of) for week in (last_week.previous(), last_week))
    now = _below(lines, leads, today)
    told: list[TeamBelow] = []
    hidden = 0
    for lead in sorted((lead for lead in leads if now[lead]), key=lambda lead: (names[lead], lead)):
        total = last.total(lead, least)
        if total is None:
            hidden += 1
            continue
        comparable = lead in before and earlier.memberships[lead][-1] == last.memberships[lead][-1]
        spent_before = earlier.total(lead, least) if comparable else None
        told.append(
            TeamBelow(
                lead=names[lead],
                people=len(last.memberships[lead][-1]),
                spent=NanoUSD(total[0]),
                before=None if spent_before is None else NanoUSD(spent_before[0]),
                tokens=MicroTokens(total[1]),
            )
        )
    return tuple(told), hidden


def _week(session: Session, lines: Lines, leads: Roster, week: Week, person_of: Mapping[int, str]) -> _Week:
    last = week.next().first_day - timedelta(days=1)
    begun = {since for of_person in lines.values() for since, _ in of_person if week.first_day <= since <= last}
    by_day = [_below(lines, leads, day) for day in (week.first_day - timedelta(days=1), *sorted(begun | {last}))]
    memberships = {lead: tuple(of_day[lead] for of_day in by_day) for lead in leads}
    spent = {person_of[one.account_id]: one for one in store.spent_in_week(session, sorted(person_of), week)}
    return _Week(memberships, spent)


def _below(lines: Lines, leads: Roster, day: date) -> dict[str, Roster]:
    """Everybody below each of some people on a day; each person is looked at once, however many levels there are."""
    reports: defaultdict[str, list[str]] = defaultdict(list)
    for person in lines:
        if (manager := teams.manager_on(lines, person, day)) is not None:
            reports[manager].append(person)
    found: dict[str, Roster] = {}
    for lead in leads:
        seen: set[str] = set()
        waiting = list(reports[lead])
        while waiting:
            person = waiting.pop()
            if person not in seen:
                seen.add(person)
                waiting += reports[person]
        found[lead] = frozenset(seen)
    return found
