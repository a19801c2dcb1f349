"""Which lots get back what an entry burnt: how much of it is not returned yet, and where its debt was settled since."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.lots import Burnt, OpenLot, Return, give_back
from store import bulk
from store.tables.ledger import entries, lot_movements, lots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from store.engine import Session


@dataclass(slots=True)
class Returnable:
    """A lot that may get back up to `most`, also one of which nothing remains; `most` falls with what it got."""

    account_id: int
    lot: OpenLot
    amount: int
    most: int


class Returnables(NamedTuple):
    """Of a batch of reversals: what each corrected entry burnt, and which lots settled debt."""

    by_entry: Mapping[int, Sequence[Returnable]]
    settled: Sequence[Returnable]
    now: datetime

    def lots(self) -> Iterator[tuple[int, OpenLot]]:
        """(wallet, lot) of all of them."""
        for some in (*self.by_entry.values(), self.settled):
            yield from ((one.account_id, one.lot) for one in some)

    def plan(self, corrected: int, amount: int, owed: int, remaining: Mapping[int, int]) -> Return:
        """What a reversal of an entry does with an amount; `remaining` is what is left of the wallet's lots by now."""
        chances = [*self.by_entry.get(corrected, ()), *self.settled]
        chances = [one for one in chances if one.lot.id in remaining]
        most: Counter[int] = Counter()
        for one in chances:
            room = one.amount - remaining[one.lot.id]
            most[one.lot.id] = min(most[one.lot.id] + one.most, room)
        ends = {one.lot.id: one.lot.expires_at for one in chances}
        done = give_back(amount, owed, [Burnt(id_, ends[id_], some) for id_, some in most.items()], self.now)
        given = dict(done.movements)
        for one in chances:
            used = min(one.most, given.get(one.lot.id, 0))
            one.most -= used
            given[one.lot.id] = given.get(one.lot.id, 0) - used
        return done


def read(session: Session, corrected: Iterable[int], wallets: Sequence[int], now: datetime) -> Returnables:
    """What can be given back when entries are corrected; the wallets are locked."""
    return Returnables(_burnt_by(session, corrected), _settled_in(session, wallets, now), now)


_LOT = (lots.c.account_id, lots.c.id, lots.c.priority, lots.c.expires_at, lots.c.remaining, lots.c.amount)


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
        for of, *row in session.execute(
            query.order_by(lots.c.priority.desc(), lots.c.expires_at.desc(), lots.c.id.desc())
        ):
            found[of].append(_returnable(*row))
    return found


def _settled_in(session: Session, account_ids: Sequence[int], now: datetime) -> list[Returnable]:
    """The lots of some wallets that settled debt when they were opened and have not ended, the latest first."""
    found: list[Returnable] = []
    m = lot_movements.c
    for some in bulk.chunks(sorted(set(account_ids))):
        query = sa.select(*_LOT, m.amount).join(
            lot_movements, sa.and_(m.lot_id == lots.c.id, m.entry_id == lots.c.entry_id)
        )
        query = query.where(lots.c.account_id.in_(some), lots.c.expires_at > now).order_by(lots.c.id.desc())
        found += [_returnable(*row) for row in session.execute(query)]
    return found


def _returnable(account_id: int, *row: Any) -> Returnable:  # noqa: ANN401 - the columns of `_LOT`, and a sum
    lot_id, priority, expires_at, remaining, amount, most = row
    return Returnable(account_id, OpenLot(lot_id, priority, expires_at, remaining), amount, int(most))
