"""Who belongs to a manager's team on a day, and the days on which that is on record."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from store.people import teams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from policy.period import Week
    from programme.moment import Moment
    from store.people.teams import Lines


def reports_of(lines: Lines, manager_id: str, day: date) -> frozenset[str]:
    """Who reports to a manager on a day."""
    return frozenset(person for person in lines if manager_on(lines, person, day) == manager_id)


def memberships(
    of: Callable[[date], frozenset[str]], lines: Lines, week: Week, *, today: date
) -> tuple[frozenset[str], ...]:
    """Who was in a team at the end of the week before, and on each day of a week on which someone's line began."""
    last = min(week.next().first_day - timedelta(days=1), today)
    begun = {since for of_person in lines.values() for since, _ in of_person if week.first_day <= since <= last}
    return tuple(of(day) for day in (week.first_day - timedelta(days=1), *sorted(begun | {last})))


def manager_on(lines: Lines, person: str, day: date) -> str | None:
    return next((manager for since, manager in reversed(lines[person]) if since <= day), None)


def record(moment: Moment, records: Iterable[Mapping[str, Any]], *, today: date) -> None:
    """Keep whom people report to, from the day after it is known; after their last day it is no one.

    What was told of a team today, and of days before, stays true (docs/decisions/0013): whatever is imported today, and
    however often, makes one team from tomorrow on. Only while nothing can have been told lines begin with the hiring.
    """
    since = today + timedelta(days=1) if teams.is_anything_told(moment.session) else date.min
    for person in records:
        teams.record(moment.session, person["id"], since, _lines(person, since))


def _lines(person: Mapping[str, Any], known_since: date) -> list[tuple[date, str | None]]:
    begins = max(person["hired_on"], known_since)
    if person["left_on"] is None:
        return [(begins, person["manager_id"])]
    ends = max(person["left_on"] + timedelta(days=1), known_since)
    return [(begins, person["manager_id"]), (ends, None)] if begins < ends else [(ends, None)]
