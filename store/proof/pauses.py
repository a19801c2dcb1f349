"""Whether lots end where they were granted to, or where the leaves of their owners put them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from policy import handbook, leaves
from policy.kinds import LotKind
from policy.period import day_of
from store import time_zones
from store.handbook import reference
from store.tables.handbook import handbooks
from store.tables.ledger import accounts, entries, lots
from store.tables.people import absences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime

    from policy.leaves import Leave
    from policy.parameters.grants import SizingRules
    from store.engine import Session


class _Away(NamedTuple):
    """A person's leaves as they were last counted, and when that was."""

    leaves: list[Leave]
    counted_at: datetime


def ends_as_paused(session: Session) -> Iterator[str]:
    """Every lot ends when it was granted to, or where leaves that were counted moved that; nothing else moves it."""
    zone = time_zones.zone(reference.fact(session, "time_zone"), ZoneInfo("UTC"))
    away, books = _away(session), _Books(session)
    c = lots.c
    query = sa.select(
        c.id, c.kind, c.starts_at, c.expires_at, c.granted_until, accounts.c.person_id, entries.c.posted_at
    )
    query = query.join_from(lots, accounts, accounts.c.id == c.account_id).join(entries, entries.c.id == c.entry_id)
    # Of all others nothing is said: they were never moved.
    touched = sa.or_(c.granted_until.is_not(None), accounts.c.person_id.in_(sorted(away)))
    for lot in session.execute(query.where(touched).order_by(c.id)):
        granted = lot.granted_until or lot.expires_at
        whose = away.get(lot.person_id) if lot.kind != LotKind.EXCEPTION else None
        expected = {granted}
        if whose is not None:
            still = leaves.pauses(whose.leaves, books.as_of(whose.counted_at), day_of(whose.counted_at, zone))
            moved = leaves.moved(lot.starts_at, granted, still, zone)
            # A lot that came since is counted with the next leave or day.
            expected = {moved} if lot.posted_at < whose.counted_at else {moved, granted}
        if lot.expires_at not in expected:
            yield f"lot {lot.id}: ends at {lot.expires_at}, its owner's leaves say {max(expected)}"


def _away(session: Session) -> dict[str, _Away]:
    a = absences.c
    some: defaultdict[str, list[Leave]] = defaultdict(list)
    counted: dict[str, datetime] = {}
    query = sa.select(a.person_id, a.first_day, a.last_day, a.counted_at).where(a.counted_at.is_not(None))
    for person_id, first, last, counted_at in session.execute(query):
        some[person_id].append((first, last))
        counted[person_id] = max(counted_at, counted.get(person_id, counted_at))
    return {person_id: _Away(of_person, counted[person_id]) for person_id, of_person in some.items()}


class _Books:
    """The rules of each day, as the handbooks of an instant had them."""

    def __init__(self, session: Session) -> None:
        h = handbooks.c
        rows = session.execute(sa.select(h.applied_at, h.body).order_by(h.effective_from, h.applied_at))
        self._applied = [(applied_at, handbook.parse(body)) for applied_at, body in rows]

    def as_of(self, instant: datetime) -> Callable[[date], SizingRules]:
        known = [book for applied_at, book in self._applied if applied_at <= instant] or [self._applied[0][1]]
        begins = [book.effective_from for book in known]
        return lambda day: known[max(bisect_right(begins, day) - 1, 0)].sizing


CHECKS: Sequence[Callable[[Session], Iterator[str]]] = (ends_as_paused,)
