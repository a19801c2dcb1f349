"""Which lots a debit burns, and how a new lot settles debt."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


class OpenLot(NamedTuple):
    """What burning needs to know of a lot; `remaining` is in micro-tokens."""

    id: int
    priority: int
    expires_at: datetime
    remaining: int


@dataclass(frozen=True, slots=True)
class Burn:
    """What a debit took from each lot, and what no lot could cover."""

    movements: tuple[tuple[int, int], ...]
    """(lot id, micro-tokens taken), in the order in which the lots burnt."""
    overdraft: int


def burn_order(lots: Iterable[OpenLot]) -> list[OpenLot]:
    """Lowest priority number first, then the soonest expiry, then the oldest."""
    return sorted(lots, key=lambda lot: (lot.priority, lot.expires_at, lot.id))


def burn(lots: Sequence[OpenLot], amount: int, at: datetime) -> Burn:
    """Take `amount` from lots, already in burn order, that had not expired when the use happened.

    A lot that starts later than the use still counts: without it the use would be debt, and the lot would
    settle that debt at its start.
    """
    movements: list[tuple[int, int]] = []
    for lot in lots:
        if not amount:
            break
        if lot.remaining and at < lot.expires_at:
            taken = min(amount, lot.remaining)
            movements.append((lot.id, taken))
            amount -= taken
    return Burn(tuple(movements), amount)


class Burnt(NamedTuple):
    """A lot that a debit took from, and the micro-tokens that may come back to it at most."""

    id: int
    expires_at: datetime
    most: int


@dataclass(frozen=True, slots=True)
class Return:
    """What a reversal does with what it gives back: it settles debt and fills lots again, in micro-tokens."""

    settled: int
    movements: tuple[tuple[int, int], ...]
    """(lot id, micro-tokens given back)"""
    ended: int
    """What would have come back to lots that have ended, and cannot be spent there."""
    left: int
    """What no lot could take."""

    @property
    def fresh(self) -> int:
        """What needs a new lot."""
        return self.ended + self.left


def give_back(amount: int, owed: int, burnt: Iterable[Burnt], at: datetime) -> Return:
    """Undo a debit: `burnt` stand in the order in which they get back; one may stand there twice."""
    settled = min(amount, owed)
    left, ended = amount - settled, 0
    movements: Counter[int] = Counter()
    for lot in burnt:
        given = min(left, lot.most)
        left -= given
        if at < lot.expires_at:
            movements[lot.id] += given
        else:
            ended += given
    return Return(settled, tuple((id_, given) for id_, given in movements.items() if given), ended, left)


def debt(balance: int, remaining: Iterable[int]) -> int:
    """What was spent beyond all lots: a wallet's lots hold more than its balance by exactly that much."""
    return sum(remaining) - balance


def settled_by(amount: int, owed: int) -> int:
    """How much of a new lot goes into debt at once."""
    return min(amount, owed)
