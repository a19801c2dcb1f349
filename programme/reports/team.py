"""A manager's report: what their team spends, on what, where it is heading, told so that it is about no single person.

Docs: docs/decisions/0013. Every figure comes from the daily roll-up of those who were in the team at the time.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from policy import forecast
from policy.disclosure import FEW_PEOPLE, FEW_SPENDERS, is_of_few
from policy.jumps import unusual
from policy.period import Month, Week, first_instant
from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD
from programme.grants import lapses
from programme.people import teams
from programme.reports import paces, team_weeks, teams_below
from programme.value import valuation
from store.holds import cash
from store.people import teams as store
from views.reports import AHEAD, APART, EVERYTHING, Jump, MonthAhead, TeamReport, WeekAhead, WeekOfSpend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from policy.handbook import Handbook
    from programme.handbooks import Handbooks
    from programme.moment import Moment
    from programme.reports.team_weeks import TeamWeeks
    from store.grants.monthly import Holding

NAMED_SERVICES = 5
"""More would not be told apart in a picture."""
JUMPS_TOLD = 3


def team_report(moment: Moment, manager_id: str, *, week: Week | None = None) -> TeamReport | None:
    """What a manager is told; None for a person without reports. `week` is the one that is not over, else today's."""
    local = moment.today
    this_week = week or Week.containing(local)
    today = max(local, this_week.first_day)
    lines = store.lines_below(moment.session, manager_id)
    if not teams.reports_of(lines, manager_id, today):
        return None
    books = moment.handbooks
    book = books.on(today)
    team = team_weeks.of_manager(moment, manager_id, lines, this_week, today, book.disclosure.least_people)
    led = [team.now & team.of(week) for week in team.weeks[-3:-1]]
    below, unseen = teams_below.totals(moment, led, team.weeks[-2], today=today, least=team.least)
    value = valuation.expected(moment, team.month.quarter, moment.recent_handbooks)
    reason = _why_nothing(team)
    services = () if reason else _services(team)
    weeks = () if reason else _weeks(team, services)
    steady = not reason and team.is_steady(team.month.previous().first_day)
    month, ahead = (None, ()) if reason else _outlook(team, steady=steady)
    idle, lapsing = _unused(moment, team, books) if steady else (None, None)
    return TeamReport(
        manager_id=manager_id,
        today=today,
        people=len(team.now),
        hidden=reason,
        services=services,
        weeks=weeks,
        ahead=ahead,
        month=month,
        jumps=() if reason else _jumps(team, weeks, services, book),
        idle=idle,
        lapsing=lapsing,
        lapses_on=team.month.next().first_day,
        open_requests=0 if reason else store.count_undecided(moment.session, team.now),
        teams=below,
        teams_hidden=unseen,
        per_token=value.per_token,
        contact=book.contact,
        stops=0 if reason else _stops(moment, team),
        as_of=moment.now.astimezone(moment.zone) if moment.is_copied else None,
        least=team.least,
    )


def _stops(moment: Moment, team: TeamWeeks) -> int:
    """How often, never whom: each of a team that is told was told by themselves."""
    last = team.weeks[-2]
    if team.hidden[last]:
        return 0
    begin, end = (first_instant(one.first_day, moment.zone) for one in (last, last.next()))
    return cash.count_stops(moment.session, team.of(last), begin, end)


def _why_nothing(team: TeamWeeks) -> str:
    if len(team.now) < team.least:
        return FEW_PEOPLE
    return FEW_SPENDERS if not team.told and FEW_SPENDERS in team.hidden.values() else ""


# --- The weeks -----------------------------------------------------------------------------------------------------


def _services(team: TeamWeeks) -> tuple[str, ...]:
    """The services that are told apart in some week, the largest first; all that is not comes last."""
    usd: defaultdict[str, int] = defaultdict(int)
    left_over = False
    for one in (one for one in team.spent if one.usd):
        week = Week.containing(one.day)
        if one.service in team.apart.get(week, ()):
            usd[one.service] += one.usd
        elif week != team.weeks[-1]:
            left_over = True
    named = sorted(usd, key=lambda name: (-usd[name], name))[:NAMED_SERVICES]
    if not named:
        return (EVERYTHING,) if team.spent else ()
    return (*named, APART) if left_over or len(named) < len(usd) else tuple(named)


def _weeks(team: TeamWeeks, services: Sequence[str]) -> tuple[WeekOfSpend, ...]:
    usd: defaultdict[Week, list[int]] = defaultdict(lambda: [0] * len(services))
    place = {name: i for i, name in enumerate(services)}
    for one in (one for one in team.spent if one.usd):
        week = Week.containing(one.day)
        at = place.get(one.service, len(services) - 1) if one.service in team.apart.get(week, ()) else len(services) - 1
        usd[week][at] += one.usd
    tokens = {week: sum(one.tokens for one in team.spent if week.contains(one.day)) for week in team.told}
    unsplit = {team.weeks[-1]} if services != (EVERYTHING,) else set()
    pace_of = _paces(team)
    last = team.of(team.weeks[-2])
    return tuple(
        WeekOfSpend(
            week=week,
            usd=() if week in unsplit else tuple(NanoUSD(amount) for amount in usd[week]),
            spent=NanoUSD(sum(usd[week])),
            tokens=MicroTokens(tokens.get(week, 0)),
            pace=pace_of.get(week),
            hidden=team.hidden[week],
            people=len(team.of(week)),
            same_team=team.of(week) == last,
        )
        for week in team.weeks
    )


def _paces(team: TeamWeeks) -> dict[Week, NanoUSD]:
    """What the team's grants come to in each told week of people who stand beside today's, rounded."""
    told: dict[Week, NanoUSD] = {}
    for week in team.told:
        pace = paces.a_week(team.grants, team.of(week), week, team.least)
        if pace and not 0 < len(team.of(week) ^ team.now) < team.least:
            told[week] = rounded(pace)
    return told


def rounded(amount: Decimal) -> NanoUSD:
    """Grants of a team to one digit: two teams' figures then do not tell the grant of a person in one of them only."""
    return NanoUSD(int(Decimal(f"{amount:.0e}")))


def _jumps(team: TeamWeeks, weeks: Sequence[WeekOfSpend], services: Sequence[str], book: Handbook) -> tuple[Jump, ...]:
    """What stood out in the last week that is over: services, or all of them together where no single one did."""
    last = weeks[-2]
    if last.hidden:
        return ()
    begun = next((i for i, week in enumerate(weeks) if week.spent), 0)
    before = [week for week in weeks[begun:-2] if not week.hidden and week.same_team]
    found = []
    for i, name in enumerate(services):
        told = [week for week in before if name in team.apart.get(week.week, ()) or not week.usd[i]]
        if name in team.apart.get(last.week, ()):
            found += _jump(name, last.usd[i], [week.usd[i] for week in told], last.spent, book)
    if not found:
        found = _jump("", last.spent, [week.spent for week in before], last.spent, book)
    return tuple(sorted(found, key=lambda jump: -abs(int(jump.spent) - int(jump.usual)))[:JUMPS_TOLD])


def _jump(name: str, spent: NanoUSD, before: Sequence[NanoUSD], whole: NanoUSD, book: Handbook) -> list[Jump]:
    odd = unusual(int(spent), [int(one) for one in before], book.reports)
    # A service that hardly counts may do what it likes.
    if odd is None or abs(int(spent) - odd.usual) < int(book.reports.jump_of_week * 1_000) * int(whole) // 1_000:
        return []
    return [Jump(name, spent, NanoUSD(odd.usual), NanoUSD(odd.low), NanoUSD(odd.high), odd.weeks)]


# --- Where it is heading, and what is left -------------------------------------------------------------------------


def _outlook(team: TeamWeeks, *, steady: bool) -> tuple[MonthAhead | None, tuple[WeekAhead, ...]]:
    """How the month and the weeks to come look, from the weeks of today's people.

    No month while its total would tell of those who came or left, would be of different people, or of too few: most
    of a week may have been spent before the month began in it. A present week of
    which nothing is told yet counts as not begun; if the month has begun in it, nothing is told of the month either.
    """
    this_week = team.weeks[-1]
    begin = this_week.first_day if team.hidden[this_week] else team.today
    days = _days(team, begin)
    month = Month.containing(begin)
    in_week, in_month = (
        sum(usd for day, usd in days.items() if day >= first) for first in (this_week.first_day, month.first_day)
    )
    ahead = forecast.ahead(
        list(days.items()),
        today=begin,
        weeks=AHEAD,
        spent_this_week=in_week,
        spent_this_month=in_month,
        month_ends=month.next().first_day,
    )
    weeks = [this_week]
    while len(weeks) < AHEAD:
        weeks.append(weeks[-1].next())
    coming = (
        ()
        if ahead is None
        else tuple(
            WeekAhead(week, *(NanoUSD(usd) for usd in course)) for week, course in zip(weeks, ahead.weeks, strict=True)
        )
    )
    of_month = team.since(month.first_day)
    over = [week for week in of_month if week != this_week]
    spent = [one for one in team.spent if one.day >= month.first_day and one.usd]
    if (
        not steady
        or month != team.month
        or any(team.hidden[week] for week in over)
        or any(team.of(week) != team.now for week in of_month)
        or is_of_few(len({one.account_id for one in spent}), team.least)
    ):
        return None, coming
    low, middle, high = (None,) * 3 if ahead is None else (NanoUSD(usd) for usd in ahead.month)
    return MonthAhead(month, NanoUSD(sum(one.usd for one in spent)), low, middle, high, _granted(team)), coming


def _days(team: TeamWeeks, end: date) -> dict[date, int]:
    """What each told day before one cost today's people; from the first with any spend on, the others at nothing."""
    cost: defaultdict[date, int] = defaultdict(int)
    same = [week for week in team.told if team.of(week) == team.now]
    for one in team.spent:
        if Week.containing(one.day) in same:
            cost[one.day] += one.usd
    first = min((day for day, usd in cost.items() if usd), default=end)
    return {day: cost.get(day, 0) for week in same for day in week.days() if first <= day < end}


def _granted(team: TeamWeeks) -> NanoUSD | None:
    """What the month's grants are worth, rounded; None where they would be of few."""
    grants = team.granted.values()
    if len(grants) < team.least:
        return None
    return rounded(sum((Decimal(g.amount) * g.per_token / MICRO_PER_TOKEN for g in grants), Decimal(0)))


def _unused(moment: Moment, team: TeamWeeks, books: Handbooks) -> tuple[MicroTokens | None, MicroTokens | None]:
    """(left of earlier months, of all that what lapses when the next begins); None for amounts of too few."""
    coming = team.month.next()
    begins, ends = (first_instant(one.first_day, moment.zone) for one in (team.month, coming))
    held = store.open_grants(moment.session, team.wallets, moment.now)
    idle = _of_enough([(lot.holding.person_id, lot.holding.remaining) for lot in held if lot.starts_at < begins], team)
    by_person: defaultdict[str, list[Holding]] = defaultdict(list)
    for lot in held:
        by_person[lot.holding.person_id].append(lot.holding)
    over = lapses.foreseen(moment, coming, by_person, books.on(coming.first_day))
    lapsing = []
    for person, lots in by_person.items():
        ending = sum(lot.remaining for lot in lots if lot.expires_at <= ends)
        lapsing.append((person, ending + (over[person].amount if person in over else 0)))
    return idle, _of_enough(lapsing, team)


def _of_enough(amounts: Sequence[tuple[str, int]], team: TeamWeeks) -> MicroTokens | None:
    """The sum, where it is of enough people."""
    if len({person for person, amount in amounts if amount}) < team.least:
        return None
    return MicroTokens(sum(amount for _, amount in amounts))
