"""The sums that caps are judged by: kept by everyone who posts usage, held by everyone who reserves."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.caps import Reserved, Scope, SumKey, days_of, first_day_of, key_of
from policy.parameters.holds import SCOPES, WINDOWS
from store.holds import sums as store
from store.holds.sums import Sum
from store.people import directory, teams

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from programme.handbooks import Handbooks
    from programme.moment import Moment
    from store.usage.events import DayKey

COST = 3
"""Where a day's figures have the cost: calls, input tokens, output tokens, cost, debit."""
LONGEST = 31
OF_PERSONS = frozenset({"person", "person_service", "team"})


def pairs(books: Handbooks) -> tuple[tuple[str, str], ...]:
    """The scopes and windows of which any version of the handbook has a cap.

    Of all versions: a sum that is not kept for some days would be wrong once a later version asks for it again.
    """
    asked = {(cap.scope, cap.window) for book in books.versions for cap in book.caps}
    return tuple(sorted(asked, key=lambda pair: (SCOPES.index(pair[0]), WINDOWS.index(pair[1]))))


def add(moment: Moment, days: Mapping[DayKey, Sequence[int]], freed: Mapping[SumKey, Reserved]) -> None:
    """Add what is about to be added to the days' roll-up, and take off what is held no more.

    The accounts are locked. Nothing is asked of the database where no cap asks for a sum.
    """
    used: Counter[SumKey] = Counter()
    for line, keys in _keys_of(moment, [line for line, figures in days.items() if figures[COST]]).items():
        for key in keys:
            used[key] += days[line][COST]
    there = store.hold(moment.session, used.keys() | freed.keys(), make=lambda key: _matters(key, moment.today))
    store.add(moment.session, {key: Sum(used[key], *Reserved().less(freed.get(key, Reserved()))) for key in there})


def _matters(key: SumKey, today: date) -> bool:
    """Whether a sum is asked for still: not once its window was over for a day, which no clock is behind."""
    return days_of(key.window, key.first_day)[-1] >= today - timedelta(days=1)


def _keys_of(moment: Moment, lines: Collection[DayKey]) -> dict[DayKey, list[SumKey]]:
    asked = pairs(moment.handbooks)
    if not asked or not lines:
        return {}
    of_persons = any(scope in OF_PERSONS for scope, _ in asked)
    persons = store.persons(moment.session, {line.account_id for line in lines}) if of_persons else {}
    of_teams = any(scope == "team" for scope, _ in asked)
    managed = teams.lines_of(moment.session, set(persons.values())) if of_teams else {}
    found: dict[DayKey, list[SumKey]] = {}
    for line in lines:
        person_id = persons.get(line.account_id, "")
        team = teams.manager_before(managed.get(person_id, ()), line.day) or ""
        where = Scope(person_id, line.service_key, team, project=line.project)
        found[line] = [
            SumKey(scope, key, window, first_day_of(window, line.day))
            for scope, window in asked
            if (key := key_of(scope, where)) is not None
        ]
    return found


def scope_of(moment: Moment, person_id: str, service_key: str, project: str) -> Scope:
    """Where a call counts that runs today."""
    if not any(cap.scope == "team" for cap in moment.handbook.caps):
        return Scope(person_id, service_key, project=project)
    lines = teams.lines_of(moment.session, [person_id]).get(person_id, ())
    manager = teams.manager_before(lines, moment.today)
    email = directory.emails(moment.session, [manager]).get(manager, "") if manager else ""
    return Scope(person_id, service_key, manager or "", email, project)


def hold(moment: Moment, keys: Iterable[SumKey]) -> Mapping[SumKey, Sum]:
    """The sums of caps, held until the transaction ends; each is there."""
    return store.hold(moment.session, set(keys), make=lambda _: True)


def look(moment: Moment, keys: Iterable[SumKey]) -> Mapping[SumKey, Sum]:
    """The same for who only looks; what no one made yet is worked out."""
    wanted = set(keys)
    found = store.read(moment.session, wanted)
    for key in wanted - found.keys():
        days = days_of(key.window, key.first_day)
        found[key] = Sum(store.spent(moment.session, key.scope, days, only=key.key).get(key.key, 0))
    return found


def forget_past(moment: Moment) -> int:
    """Drop sums that no window asks for any more."""
    return store.forget(moment.session, moment.today - timedelta(days=2 * LONGEST))
