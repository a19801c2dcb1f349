"""The teams below a manager's own reports, as totals."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from policy.disclosure import is_of_few, why_hidden
from policy.period import Week
from policy.units import MicroTokens, NanoUSD
from programme import teams
from programme.team_report import TeamBelow
from store import teams as store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from store.engine import Session
    from store.teams import DaySpent, Lines


def totals(
    session: Session, leads: frozenset[str], last_week: Week, *, today: date, least: int
) -> tuple[tuple[TeamBelow, ...], int]:
    """(the teams that may be told of, by their leads' names; how many may not)."""
    lines = store.lines_far_below(session, leads)
    if not lines:
        return (), 0
    weeks = (last_week.previous(), last_week)
    names = {member.person_id: member.name for member in store.members(session, leads)}
    people = {member.account_id: member.person_id for member in store.members(session, lines) if member.account_id}
    days = [day for week in weeks for day in week.days()]
    spent = list(store.spent(session, sorted(people), days))
    told: list[TeamBelow] = []
    hidden = 0
    for lead in sorted(leads, key=lambda lead: (names[lead], lead)):
        if teams.everybody_below(lines, lead, today):
            found = _total(lines, lead, names[lead], weeks, spent, people, today, least)
            told += found
            hidden += not found
    return tuple(told), hidden


def _total(  # noqa: PLR0917 - private, called once
    lines: Lines, lead: str, name: str, weeks: Sequence[Week], spent: Sequence[DaySpent], people: dict[int, str],
    today: date, least: int,
) -> list[TeamBelow]:  # fmt: skip
    """The team's totals of the last week and the one before; nothing where the last one's would tell of few."""
    history = [teams.memberships(partial(teams.everybody_below, lines, lead), lines, w, today=today) for w in weeks]
    if why_hidden(history[1], least):
        return []
    rosters = [memberships[-1] for memberships in history]
    usd: defaultdict[Week, int] = defaultdict(int)
    spenders: defaultdict[Week, set[int]] = defaultdict(set)
    tokens = 0
    for one in spent:
        week = Week.containing(one.day)
        if people[one.account_id] in rosters[weeks.index(week)]:
            usd[week] += one.usd
            spenders[week] |= {one.account_id} if one.usd else set()
            tokens += one.tokens if week == weeks[1] else 0
    if is_of_few(len(spenders[weeks[1]]), least):
        return []
    comparable = not why_hidden(history[0], least) and not is_of_few(len(spenders[weeks[0]]), least)
    before = NanoUSD(usd[weeks[0]]) if comparable else None
    now = teams.everybody_below(lines, lead, today)
    return [TeamBelow(name, len(now), NanoUSD(usd[weeks[1]]), before, MicroTokens(tokens))]
