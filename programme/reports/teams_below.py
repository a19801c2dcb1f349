"""The teams below a manager's own reports, as totals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.disclosure import is_of_few, why_hidden
from policy.units import MicroTokens, NanoUSD
from programme.people import teams
from store.people import teams as store
from views.reports import TeamBelow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from policy.period import Week
    from programme.moment import Moment
    from store.people.teams import Lines, WeekSpent

    Roster = frozenset[str]


A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Week:
    """A week of everyone below: each lead's memberships, and what was spent."""

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
    moment: Moment, led: Sequence[Roster], last_week: Week, *, today: date, least: int
) -> tuple[tuple[TeamBelow, ...], int]:
    """(the teams that may be told of, by their leads' names; how many may not).

    `led` are today's reports who were reports at the end of the week before last, and of the last week: the total of a
    team that was part of another's then would tell of who led it.
    """
    before, leads = led
    lines = store.lines_far_below(moment.session, leads)
    if not lines:
        return (), 0
    names = {member.person_id: member.name for member in store.members(moment.session, leads)}
    person_of = {
        member.account_id: member.person_id for member in store.members(moment.session, lines) if member.account_id
    }
    tree = _Tree(lines, leads, last_week.previous().first_day - A_DAY)
    earlier, last = (
        _Week(tree.memberships_of(week), _spent(moment, person_of, week)) for week in (last_week.previous(), last_week)
    )
    tree.go_to(today)
    told: list[TeamBelow] = []
    hidden = 0
    for lead in sorted((lead for lead in leads if tree.reports[lead]), key=lambda lead: (names[lead], lead)):
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


def _spent(moment: Moment, person_of: Mapping[int, str], week: Week) -> dict[str, WeekSpent]:
    found: dict[str, WeekSpent] = {}
    for one in store.spent_in_week(moment.session, sorted(person_of), week):
        person = person_of[one.account_id]
        before = found.get(person)
        # Wallet and company may both have paid.
        found[person] = one._replace(usd=one.usd + before.usd, tokens=one.tokens + before.tokens) if before else one
    return found


class _Tree:
    """Who is below whom, moved forward from day to day: of each change only the teams that it touches are read anew."""

    def __init__(self, lines: Lines, leads: Roster, day: date) -> None:
        self._leads = leads
        self._manager = {person: teams.manager_on(lines, person, day) for person in lines}
        self.reports: defaultdict[str | None, set[str]] = defaultdict(set)
        for person, manager in self._manager.items():
            self.reports[manager].add(person)
        self._below = {lead: self._everybody(lead) for lead in leads}
        self._changes = sorted(
            (since, person, manager) for person, some in lines.items() for since, manager in some if since > day
        )

    def memberships_of(self, week: Week) -> dict[str, tuple[Roster, ...]]:
        """Who was below each lead at the end of the week before, and after each change of the week."""
        found = {lead: [below] for lead, below in self._below.items()}
        for day in week.days():
            for lead in self.go_to(day):
                found[lead].append(self._below[lead])
        return {lead: tuple(some) for lead, some in found.items()}

    def go_to(self, day: date) -> set[str]:
        """Make the changes up to a day; the leads whose teams they touched."""
        touched: set[str] = set()
        while self._changes and self._changes[0][0] <= day:
            _, person, manager = self._changes.pop(0)
            touched |= self._leads_above(person)
            self.reports[self._manager[person]].discard(person)
            self.reports[manager].add(person)
            self._manager[person] = manager
            touched |= self._leads_above(person)
        self._below |= {lead: self._everybody(lead) for lead in touched}
        return touched

    def _leads_above(self, person: str) -> set[str]:
        seen: set[str] = set()
        above: str | None = person
        while above is not None and above not in seen:
            seen.add(above)
            above = self._manager.get(above)
        return (seen - {person}) & self._leads

    def _everybody(self, lead: str) -> Roster:
        seen: set[str] = set()
        waiting = list(self.reports[lead])
        while waiting:
            person = waiting.pop()
            if person not in seen:
                seen.add(person)
                waiting += self.reports[person]
        return frozenset(seen)
