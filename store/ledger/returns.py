"""Which lots get back what is undone: those that the entry burnt, and those that settled its debt since."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.lots import Burnt, OpenLot, Return, give_back
from store import bulk
from store.tables.ledger import entries, lot_movements, lots, postings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from store.engine import Session


class Returnable(NamedTuple):
    """A lot that may get back up to `most`, also one of which nothing remains."""

    lot: OpenLot
    amount: int
    most: int


class Returnables:
    """What can be given back when entries are corrected; their wallets are locked."""

    def __init__(self, session: Session, corrected: Iterable[int], now: datetime) -> None:
        self._session, self._now = session, now
        self._by_entry = _burnt_by(session, corrected)
        self._by_wallet: dict[int, list[Returnable]] = {}

    def plan(
        self, corrected: int, amount: int, owed: int, wallet: Wallet, moved: Iterable[tuple[int, int, int]]
    ) -> tuple[Return, list[OpenLot]]:
        """What the reversal of an entry does with an amount, and the lots that it is about.

        The lots that the entry burnt get back first, the last that burnt before the others. Where that is not all (its
        debt was settled since, by a later lot or another reversal) the others get back what usage has burnt of them.
        `moved` are the movements of the batch, which are not in the database yet.
        """
        own = self._by_entry.get(corrected, [])
        done = give_back(amount, owed, self._burnt(own, wallet), self._now)
        if not done.left:
            return done, [one.lot for one in own]
        others = self._others(wallet, own, moved)
        burnt = [*self._burnt(own, wallet), *self._burnt(others, wallet)]
        return give_back(amount, owed, burnt, self._now), [one.lot for one in (*own, *others)]

    def _burnt(self, some: Iterable[Returnable], wallet: Wallet) -> list[Burnt]:
        left = {lot.id: lot.remaining for lot in wallet.lots}
        return [
            Burnt(one.lot.id, one.lot.expires_at, min(one.most, one.amount - left.get(one.lot.id, one.lot.remaining)))
            for one in some
        ]

    def _others(
        self, wallet: Wallet, own: Iterable[Returnable], moved: Iterable[tuple[int, int, int]]
    ) -> list[Returnable]:
        if wallet.id not in self._by_wallet:
            self._by_wallet[wallet.id] = _burnt_in(self._session, wallet.id, self._now)
        taken: Counter[int] = Counter()
        for _, lot_id, amount in moved:
            taken[lot_id] += amount
        for one in own:
            taken[one.lot.id] -= one.most
        nets = ((one, one.most + taken[one.lot.id]) for one in self._by_wallet[wallet.id])
        return [one._replace(most=most) for one, most in nets if most > 0]


class Wallet(Protocol):
    """An account under lock, with its open lots as they stand by now."""

    @property
    def id(self) -> int: ...
    @property
    def lots(self) -> Sequence[OpenLot]: ...


_LOT = (lots.c.id, lots.c.priority, lots.c.expires_at, lots.c.remaining, lots.c.amount)
_LAST_BURNT_FIRST = (lots.c.priority.desc(), lots.c.expires_at.desc(), lots.c.id.desc())


def _burnt_by(session: Session, entry_ids: Iterable[int]) -> dict[int, list[Returnable]]:
    """What entries took from lots and corrections of them have not given back, the last that burnt first."""
    found: defaultdict[int, list[Returnable]] = defaultdict(list)
    for some in bulk.chunks(sorted(set(entry_ids))):
        taken = sa.select(lot_movements.c.entry_id.label("of"), lot_movements.c.lot_id, lot_movements.c.amount)
        given = sa.select(entries.c.corrects_entry_id, lot_movements.c.lot_id, lot_movements.c.amount)
        given = given.join_from(lot_movements, entries).where(
            entries.c.corrects_entry_id.in_(some), entries.c.kind == EntryKind.REVERSAL, lot_movements.c.amount < 0
        )
        moved = sa.union_all(taken.where(lot_movements.c.entry_id.in_(some)), given).subquery()
        net = sa.func.sum(moved.c.amount)
        query = sa.select(moved.c.of, *_LOT, net).join(lots, lots.c.id == moved.c.lot_id)
        query = query.group_by(moved.c.of, *_LOT).having(net > 0)
        for of, *row in session.execute(query.order_by(*_LAST_BURNT_FIRST)):
            found[of].append(_returnable(*row))
    return found


def _burnt_in(session: Session, account_id: int, now: datetime) -> list[Returnable]:
    """What usage, and debt that was settled, took of a wallet's lots that have not ended.

    Found by the wallet's own lines: the movements have no index by lot, and this is asked of few wallets.
    """
    m, p = lot_movements.c, postings.c
    mine = sa.select(p.entry_id).where(p.account_id == account_id).scalar_subquery()
    net = sa.func.sum(m.amount)
    usage = entries.c.kind.in_((EntryKind.USAGE, EntryKind.REVERSAL))
    query = (
        sa.select(*_LOT, net)
        .join_from(lots, lot_movements, m.lot_id == lots.c.id)
        .join(entries, entries.c.id == m.entry_id)
        .where(m.entry_id.in_(mine), lots.c.account_id == account_id, lots.c.expires_at > now)
        .where(sa.or_(usage, m.entry_id == lots.c.entry_id))
        .group_by(*_LOT)
        .having(net > 0)
    )
    return [_returnable(*row) for row in session.execute(query.order_by(*_LAST_BURNT_FIRST))]


def _returnable(*row: Any) -> Returnable:  # noqa: ANN401 - the columns of `_LOT`, and a sum
    lot_id, priority, expires_at, remaining, amount, most = row
    return Returnable(OpenLot(lot_id, priority, expires_at, remaining), amount, int(most))
