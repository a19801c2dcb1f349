"""What of earlier grants is more than can be carried over: for who announces it, shows it and takes it alike."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy import lots as burning
from policy.kinds import LotKind
from policy.lots import OpenLot
from policy.period import Month, first_instant
from store.grants import lapses as store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from policy.handbook import Handbook
    from policy.units import MicroTokens
    from programme.handbooks import Handbooks
    from programme.moment import Moment
    from store.grants.lapses import Living
    from store.grants.monthly import Holding
    from store.ledger.wallets import Announced

TEN_THOUSAND = 10_000


@dataclass(frozen=True, slots=True)
class Excess:
    """What someone holds beyond the carry limit, and out of which lots it lapses: those that end first."""

    amount: int
    takes: tuple[tuple[int, int], ...]

    def at_most(self, amount: int) -> Excess:
        """The same, but no more than an amount."""
        if amount >= self.amount:
            return self
        takes: list[tuple[int, int]] = []
        left = amount
        for lot_id, taken in self.takes:
            if left:
                takes.append((lot_id, min(left, taken)))
                left -= takes[-1][1]
        return Excess(amount, tuple(takes))


def due(
    lots: Mapping[str, Sequence[Holding]],
    grants: Mapping[str, MicroTokens],
    book: Handbook,
    at: datetime,
    *,
    announced: Mapping[str, Announced] | None = None,
) -> dict[str, Excess]:
    """What lapses at the beginning of a month, by person; what ends then is not part of it.

    `grants` are the month's as they would be for the whole of it. Nothing lapses for people who get none. Where it has
    to be `announced`, no more lapses than was: the rest is carried once more.
    """
    limits = {id_: carry_limit(grant, book) for id_, grant in grants.items()}
    if announced is not None:
        limits = {id_: limit_of(limit, announced.get(id_)) for id_, limit in limits.items()}
    over = {id_: over_limit(lots.get(id_, ()), limit, at) for id_, limit in limits.items()}
    if announced is not None:
        over = {id_: one.at_most(announced[id_].amount if id_ in announced else 0) for id_, one in over.items()}
    return {person_id: one for person_id, one in over.items() if one.amount}


def is_announced(moment: Moment, month: Month, books: Handbooks | None = None) -> bool:
    """Whether balances show today what lapses on a coming month's first."""
    rules = (books or moment.handbooks).on(month.first_day).lots
    today = moment.today
    return (
        rules.announced_from is not None
        and Month.containing(today) == month.previous()
        and (today.day >= rules.announced_from)
    )


def since_the_first(
    moment: Moment, month: Month, grants: Mapping[str, MicroTokens], announced: Mapping[str, Announced]
) -> dict[str, Excess]:
    """What lapsed on a first, by person, as far as is known by now; it is taken out of what remains of lots now.

    It follows from what was left on the first once all use of before has burnt its lots, whenever that was posted.
    """
    at = first_instant(month.first_day, moment.zone)
    told = [person_id for person_id in grants if person_id in announced and announced[person_id].amount]
    living: defaultdict[str, list[Living]] = defaultdict(list)
    for lot in store.living(moment.session, at, told):
        living[lot.holding.person_id].append(lot)
    then = {person_id: _left_at(at, lots) for person_id, lots in living.items()}
    book = moment.handbooks.on(month.first_day)
    over = due(then, {id_: grants[id_] for id_ in then}, book, at, announced=announced)
    return {id_: _out_of((lot.holding for lot in living[id_]), one.amount) for id_, one in over.items()}


def _left_at(at: datetime, lots: Sequence[Living]) -> list[Holding]:
    """What was left of lots at an instant: what was posted since is undone, and late use burns what there was then."""
    older = [lot for lot in lots if lot.is_older]
    before = [
        OpenLot(lot.holding.lot_id, lot.priority, lot.holding.expires_at, lot.holding.remaining + lot.used)
        for lot in older
    ]
    late = max(sum(lot.late for lot in lots), 0)
    burnt = dict(burning.burn(before, late, at).movements)
    return [
        lot.holding._replace(remaining=lot.holding.remaining + lot.used - burnt.get(lot.holding.lot_id, 0))
        for lot in older
    ]


def carry_limit(whole_grant: int, book: Handbook) -> int:
    """How many micro-tokens of earlier grants may be carried over: `carry_over` × a whole month's grant."""
    return int(whole_grant) * int(book.lots.carry_over * TEN_THOUSAND) // TEN_THOUSAND


def limit_of(limit: int, announced: Announced | None) -> int:
    """How much may be carried over: not less than was announced, if a budget has made the grant smaller meanwhile.

    Else use in between, which lowered what the balance said, would not lower what is taken.
    """
    return limit if announced is None else max(limit, announced.carried_at_most)


def over_limit(lots: Iterable[Holding], limit: int, at: datetime) -> Excess:
    """What is left of monthly grants that live on at an instant, beyond the limit."""
    kept = [h for h in lots if h.kind == LotKind.MONTHLY and h.expires_at > at]
    return _out_of(kept, max(sum(h.remaining for h in kept) - limit, 0))


def _out_of(lots: Iterable[Holding], amount: int) -> Excess:
    """So much of monthly grants, from those that end first; no more than there is."""
    takes: list[tuple[int, int]] = []
    left = amount
    for holding in lots:
        taken = min(left, holding.remaining) if holding.kind == LotKind.MONTHLY else 0
        if taken:
            takes.append((holding.lot_id, taken))
            left -= taken
    return Excess(amount - left, tuple(takes))
