"""A team over the weeks of its report: who was in it, what those spent, and which weeks may be told (decision 0013)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from policy.disclosure import FEW_SPENDERS, TEAM_CHANGED, disclosed, is_of_few, why_hidden
from policy.period import Month, Week
from programme.people import teams
from store.people import teams as store
from views.reports import WEEKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from programme.moment import Moment
    from store.people.teams import DaySpent, Grant, Lines

    Roster = frozenset[str]


@dataclass(frozen=True, slots=True)
class TeamWeeks:
    """`memberships` are those of each week, from the end of the week before on; the last of them is the week's own.

    `accounts` are those that pay -> person. `spent` is what members spent in weeks that are told, `apart` the services
    that are told apart in each of those. `grants` are all of theirs in the months of these weeks.
    """

    weeks: tuple[Week, ...]
    memberships: Mapping[Week, tuple[Roster, ...]]
    hidden: Mapping[Week, str]
    accounts: Mapping[int, str]
    spent: tuple[DaySpent, ...]
    apart: Mapping[Week, frozenset[str]]
    grants: Mapping[tuple[str, Month], Grant]
    today: date
    least: int

    @property
    def now(self) -> Roster:
        return self.of(self.weeks[-1])

    @property
    def month(self) -> Month:
        return Month.containing(self.today)

    @property
    def told(self) -> tuple[Week, ...]:
        return tuple(week for week in self.weeks if not self.hidden[week])

    @property
    def wallets(self) -> list[int]:
        """Of those who are in the team now."""
        return sorted(account for account, person in self.accounts.items() if person in self.now)

    @property
    def granted(self) -> dict[str, Grant]:
        """What those who are in the team now were granted for this month."""
        return {person: g for (person, month), g in self.grants.items() if month == self.month and person in self.now}

    def of(self, week: Week) -> Roster:
        return self.memberships[week][-1]

    def since(self, day: date) -> list[Week]:
        """The weeks that are over after a day, and the present one."""
        return [week for week in self.weeks if week.next().first_day > day]

    def is_steady(self, since: date) -> bool:
        """Whether today's team stands beside those of all days since one without telling of a few."""
        weeks = self.since(since)
        known = {members for week in weeks for members in self.memberships[week] if len(members) >= self.least}
        return not (
            any(0 < len(members ^ self.now) < self.least for members in known)
            or any(self.hidden[week] == TEAM_CHANGED for week in weeks)
        )


def of_manager(moment: Moment, manager_id: str, lines: Lines, this_week: Week, today: date, least: int) -> TeamWeeks:  # noqa: PLR0917 - private, called once
    """The last weeks of a manager's own reports, the present one included."""
    weeks = [this_week]
    while len(weeks) < WEEKS:
        weeks.insert(0, weeks[0].previous())
    reports_on = partial(teams.reports_of, lines, manager_id)
    memberships = {week: teams.memberships(reports_on, lines, week, today=today) for week in weeks}
    hidden = {week: why_hidden(of_week, least) for week, of_week in memberships.items()}
    everybody = frozenset().union(*(of_week[-1] for of_week in memberships.values()))
    accounts = {m.account_id: m.person_id for m in store.members(moment.session, everybody) if m.account_id is not None}
    days = [day for week in weeks if not hidden[week] for day in week.days() if day <= today]
    # A person counts once, also where the company paid for a part of the use.
    first = {person: account for account, person in sorted(accounts.items(), reverse=True)}
    spent = [
        one._replace(account_id=first[accounts[one.account_id]])
        for one in store.spent(moment.session, sorted(accounts), days)
        if accounts[one.account_id] in memberships[Week.containing(one.day)][-1]
    ]
    hidden |= dict.fromkeys(_weeks_of_few(spent, least), FEW_SPENDERS)
    months = sorted({Month.containing(day) for week in weeks for day in week.days()})
    grants = {
        (g.person_id, Month.parse(g.month)): g
        for g in store.granted(moment.session, everybody, [str(m) for m in months])
    }
    told = tuple(one for one in spent if not hidden[Week.containing(one.day)])
    apart = _told_apart(told, [week for week in weeks[:-1] if not hidden[week]], least)
    return TeamWeeks(tuple(weeks), memberships, hidden, accounts, told, apart, grants, today, least)


def _told_apart(spent: Iterable[DaySpent], over: Iterable[Week], least: int) -> dict[Week, frozenset[str]]:
    """The services that enough people used in each week that is over; what is left is of enough people as well.

    Of the present week none: what is told of it on one day and not on another would tell of few.
    """
    users: dict[Week, defaultdict[str, set[int]]] = {week: defaultdict(set) for week in over}
    for one in spent:
        if one.usd and (of_week := users.get(Week.containing(one.day))) is not None:
            of_week[one.service].add(one.account_id)
    return {
        week: frozenset(disclosed({name: frozenset(some) for name, some in of_week.items()}, least))
        for week, of_week in users.items()
    }


def _weeks_of_few(spent: list[DaySpent], least: int) -> list[Week]:
    """The weeks in which someone spent, but too few for a total that is not about them."""
    spenders: defaultdict[Week, set[int]] = defaultdict(set)
    for one in spent:
        if one.usd:
            spenders[Week.containing(one.day)].add(one.account_id)
    return [week for week, some in spenders.items() if is_of_few(len(some), least)]
