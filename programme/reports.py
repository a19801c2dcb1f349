"""A manager's report: what their team spends, on what, where it is heading, told so that it is about no single person.

Docs: docs/decisions/0013. Every figure comes from the daily roll-up of those who were in the team at the time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from policy import forecast
from policy.disclosure import FEW_PEOPLE, FEW_SPENDERS, TEAM_CHANGED, disclosed, is_of_few, why_hidden
from policy.jumps import unusual
from policy.period import Month, Week, day_of, first_instant
from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD
from programme import handbooks, lapses, teams, teams_below, valuation
from programme.team_report import AHEAD, EVERYTHING, OTHERS, WEEKS, Jump, MonthAhead, TeamReport, WeekAhead, WeekOfSpend
from store import teams as store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from policy.handbook import Handbook
    from programme.desk import Desk
    from store.engine import Session
    from store.grant_runs import Holding
    from store.teams import DaySpent, Grant

    Roster = frozenset[str]

NAMED_SERVICES = 5
"""More would not be told apart in a picture."""
JUMPS_TOLD = 3


@dataclass(frozen=True, slots=True)
class _Team:
    """A team over the weeks of its report: who was in it, and what those spent, by day."""

    now: Roster
    weeks: tuple[Week, ...]
    rosters: Mapping[Week, Roster]
    hidden: Mapping[Week, str]
    accounts: Mapping[int, str]
    """Wallet -> person."""
    spent: tuple[DaySpent, ...]
    """Only what somebody spent in a week that is told, while they were in the team."""
    grants: Mapping[tuple[str, Month], Grant]
    """Of all who were in the team, in the months of its weeks."""
    today: date
    least: int

    @property
    def month(self) -> Month:
        return Month.containing(self.today)

    @property
    def granted(self) -> dict[str, int]:
        """What those who are in the team now were granted for this month, in micro-tokens."""
        return {
            person: grant.amount
            for (person, month), grant in self.grants.items()
            if month == self.month and person in self.now
        }

    @property
    def told(self) -> tuple[Week, ...]:
        return tuple(week for week in self.weeks if not self.hidden[week])

    @property
    def spenders(self) -> set[int]:
        return {one.account_id for one in self.spent if one.usd}

    @property
    def wallets(self) -> list[int]:
        """Of those who are in the team now."""
        return sorted(account for account, person in self.accounts.items() if person in self.now)

    def is_steady(self, since: date) -> bool:
        """Whether nobody can be worked out from totals of today's team beside those told since a day."""
        rosters = [self.rosters[week] for week in self.weeks if week.next().first_day > since]
        return not any(0 < len(roster ^ self.now) < self.least for roster in rosters)


def team_report(
    session: Session, manager_id: str, *, desk: Desk, now: datetime, week: Week | None = None
) -> TeamReport | None:
    """What a manager is told; None for who has no reports. `week` is the one that is not over, else today's."""
    local = day_of(now, desk.zone)
    this_week = week or Week.containing(local)
    today = max(local, this_week.first_day)
    lines = store.lines_below(session, manager_id)
    if not teams.reports_of(lines, manager_id, today):
        return None
    book = handbooks.load(session).on(today)
    team = _team(session, manager_id, lines, this_week, today, book.digest.least_people)
    below, unseen = teams_below.totals(session, team.now, team.weeks[-2], today=today, least=team.least)
    quarter = Month.containing(today).quarter
    value = valuation.expected(session, quarter, desk.recent_handbooks.get(session, now))
    steady = team.is_steady(Month.containing(today).previous().first_day)
    idle, lapsing = _unused(session, team, book, desk=desk, now=now) if steady else (None, None)
    reason = _why_nothing(team)
    services = () if reason else _services(team)
    weeks = () if reason else _weeks(team, services)
    days = _days(team)
    month, ahead = (None, ()) if reason else _outlook(team, days, steady=steady)
    return TeamReport(
        manager_id=manager_id,
        today=today,
        people=len(team.now),
        hidden=reason,
        services=services,
        weeks=weeks,
        ahead=ahead,
        month=month,
        jumps=() if reason else _jumps(weeks, services, book),
        idle=None if reason else idle,
        lapsing=None if reason else lapsing,
        lapses_on=Month.containing(today).next().first_day,
        open_requests=0 if reason else store.count_undecided(session, team.now),
        teams=below,
        teams_hidden=unseen,
        per_token=value.per_token,
        contact=book.contact,
    )


def _team(  # noqa: PLR0917 - private, called once
    session: Session, manager_id: str, lines: store.Lines, this_week: Week, today: date, least: int
) -> _Team:
    weeks = [this_week]
    while len(weeks) < WEEKS:
        weeks.insert(0, weeks[0].previous())
    of = partial(teams.reports_of, lines, manager_id)
    history = {week: teams.memberships(of, lines, week, today=today) for week in weeks}
    rosters = {week: memberships[-1] for week, memberships in history.items()}
    hidden = {week: why_hidden(memberships, least) for week, memberships in history.items()}
    everybody = frozenset().union(*rosters.values())
    accounts = {m.account_id: m.person_id for m in store.members(session, everybody) if m.account_id is not None}
    told = [day for week in weeks if not hidden[week] for day in week.days() if day <= today]
    spent = tuple(
        one
        for one in store.spent(session, sorted(accounts), told)
        if accounts[one.account_id] in rosters[Week.containing(one.day)]
    )
    months = sorted({Month.containing(day) for week in weeks for day in week.days()})
    grants = {
        (g.person_id, Month.parse(g.month)): g for g in store.granted(session, everybody, [str(m) for m in months])
    }
    return _Team(rosters[this_week], tuple(weeks), rosters, hidden, accounts, spent, grants, today, least)


def _why_nothing(team: _Team) -> str:
    if len(team.now) < team.least:
        return FEW_PEOPLE
    return FEW_SPENDERS if is_of_few(len(team.spenders), team.least) else ""


def _services(team: _Team) -> tuple[str, ...]:
    """The services that may be told apart, the largest first; what is left of enough people comes last."""
    usd: defaultdict[str, int] = defaultdict(int)
    users: defaultdict[str, set[int]] = defaultdict(set)
    for one in team.spent:
        if one.usd:
            usd[one.service] += one.usd
            users[one.service].add(one.account_id)
    told = disclosed({name: frozenset(users[name]) for name in usd}, team.least)
    named = sorted(told, key=lambda name: (-usd[name], name))[:NAMED_SERVICES]
    if not named:
        return (EVERYTHING,) if usd else ()
    return (*named, OTHERS) if len(named) < len(usd) else tuple(named)


def _weeks(team: _Team, services: Sequence[str]) -> tuple[WeekOfSpend, ...]:
    usd: defaultdict[Week, list[int]] = defaultdict(lambda: [0] * len(services))
    tokens: defaultdict[Week, int] = defaultdict(int)
    place = {name: i for i, name in enumerate(services)}
    for one in (one for one in team.spent if one.usd):
        week = Week.containing(one.day)
        usd[week][place.get(one.service, len(services) - 1)] += one.usd
        tokens[week] += one.tokens
    paces = _paces(team)
    return tuple(
        WeekOfSpend(
            week=week,
            usd=tuple(NanoUSD(amount) for amount in usd[week]),
            spent=NanoUSD(sum(usd[week])),
            tokens=MicroTokens(tokens[week]),
            pace=paces.get(week),
            hidden=team.hidden[week],
        )
        for week in team.weeks
    )


def _paces(team: _Team) -> dict[Week, NanoUSD]:
    """What the team's grants come to in each week that is told, rounded so that no grant can be worked out."""
    a_day = {
        (person, month): Decimal(grant.amount) * grant.per_token / MICRO_PER_TOKEN / sum(1 for _ in month.days())
        for (person, month), grant in team.grants.items()
    }
    paces: dict[Week, NanoUSD] = {}
    for week in team.told:
        months = [Month.containing(day) for day in week.days()]
        granted = {person for person in team.rosters[week] if any((person, month) in a_day for month in months)}
        total = sum((a_day.get((person, month), Decimal(0)) for person in granted for month in months), Decimal(0))
        if len(granted) >= team.least and total:
            paces[week] = NanoUSD(_rounded(total))
    return paces


def _rounded(amount: Decimal) -> int:
    """To two significant digits."""
    return int(Decimal(f"{amount:.1e}"))


def _days(team: _Team) -> dict[date, int]:
    """What each told day before today cost the team; from the first with any spend on, the others at nothing."""
    cost: defaultdict[date, int] = defaultdict(int)
    for one in team.spent:
        cost[one.day] += one.usd
    first = min((day for day, usd in cost.items() if usd), default=team.today)
    days = [day for week in team.told for day in week.days() if first <= day < team.today]
    return {day: cost.get(day, 0) for day in days}


def _outlook(team: _Team, days: Mapping[date, int], *, steady: bool) -> tuple[MonthAhead | None, tuple[WeekAhead, ...]]:
    """How the month and the weeks to come look; no month while its total would tell of those who came or left."""
    month, this_week = team.month, team.weeks[-1]
    in_week, in_month = (
        sum(usd for day, usd in days.items() if day >= begin) for begin in (this_week.first_day, month.first_day)
    )
    ahead = forecast.ahead(
        list(days.items()), today=team.today, weeks=AHEAD, spent_this_week=in_week, spent_this_month=in_month,
        month_ends=month.next().first_day,
    )  # fmt: skip
    weeks = [this_week]
    while len(weeks) < AHEAD:
        weeks.append(weeks[-1].next())
    coming = () if ahead is None else tuple(
        WeekAhead(week, *(NanoUSD(usd) for usd in course)) for week, course in zip(weeks, ahead.weeks, strict=True)
    )  # fmt: skip
    if not steady or any(team.hidden[week] for week in team.weeks if week.next().first_day > month.first_day):
        return None, coming
    spent = sum(one.usd for one in team.spent if one.day >= month.first_day)
    low, middle, high = (None,) * 3 if ahead is None else (NanoUSD(usd) for usd in ahead.month)
    return MonthAhead(month, NanoUSD(spent), low, middle, high, _used(team)), coming


def _used(team: _Team) -> int | None:
    """The share of the month's grants that is spent, in thousandths."""
    if len(team.granted) < team.least:
        return None
    spent = sum(one.tokens for one in team.spent if one.day >= team.month.first_day)
    return spent * 1_000 // sum(team.granted.values())


def _unused(
    session: Session, team: _Team, book: Handbook, *, desk: Desk, now: datetime
) -> tuple[MicroTokens | None, MicroTokens | None]:
    """(left of earlier months, of all that what lapses when the next begins); None for amounts of too few."""
    begins, ends = (first_instant(one.first_day, desk.zone) for one in (team.month, team.month.next()))
    held = store.open_grants(session, team.wallets, now)
    idle = _of_enough([(lot.holding.person_id, lot.holding.remaining) for lot in held if lot.starts_at < begins], team)
    by_person: defaultdict[str, list[Holding]] = defaultdict(list)
    for lot in held:
        by_person[lot.holding.person_id].append(lot.holding)
    granted = team.granted
    lapsing = []
    for person, lots in by_person.items():
        ending = sum(lot.remaining for lot in lots if lot.expires_at <= ends)
        over = lapses.over_limit(lots, granted[person], book, ends).amount if person in granted else 0
        lapsing.append((person, ending + over))
    return idle, _of_enough(lapsing, team)


def _of_enough(amounts: Sequence[tuple[str, int]], team: _Team) -> MicroTokens | None:
    """The sum, where it is of enough people."""
    if len({person for person, amount in amounts if amount}) < team.least:
        return None
    return MicroTokens(sum(amount for _, amount in amounts))


def _jumps(weeks: Sequence[WeekOfSpend], services: Sequence[str], book: Handbook) -> tuple[Jump, ...]:
    """What stood out in the last week that is over: services, or all of them together where no single one did."""
    last = weeks[-2]
    if last.hidden:
        return ()
    begun = next((i for i, week in enumerate(weeks) if week.spent), 0)
    before = [week for week in weeks[begun:-2] if not week.hidden]
    found = []
    for i, name in enumerate(services):
        found += _jump(name, int(last.usd[i]), [int(week.usd[i]) for week in before], book)
    if not found:
        found = _jump("", int(last.spent), [int(week.spent) for week in before], book)
    return tuple(sorted(found, key=lambda jump: -abs(int(jump.spent) - int(jump.usual)))[:JUMPS_TOLD])


def _jump(name: str, spent: int, before: Sequence[int], book: Handbook) -> list[Jump]:
    odd = unusual(spent, before, book.reports)
    if odd is None:
        return []
    return [Jump(name, NanoUSD(spent), NanoUSD(odd.usual), NanoUSD(odd.low), NanoUSD(odd.high), odd.weeks)]


__all__ = ["FEW_PEOPLE", "FEW_SPENDERS", "TEAM_CHANGED", "team_report"]
