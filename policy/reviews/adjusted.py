"""What becomes of a person's grant at a quarter's review, with everything that it follows from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from decimal import Decimal

    from policy.parameters.reviews import AdjustmentRules
    from policy.reviews.efficiency import Score


WIDER = "wider"
"""Whose score it is, where the person's team is too small and the wider team's counts."""


class Change(NamedTuple):
    """Δ and its terms: efficiency, LOW, HIGH, and what the bounds of quarter and year add or take."""

    efficiency: Decimal
    low: Decimal
    high: Decimal
    bounded: Decimal

    @property
    def delta(self) -> Decimal:
        return self.efficiency + self.low + self.high + self.bounded


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A person's change for the next quarter with everything that it follows from.

    `score` is the person's, the team's or the wider team's (`unit`); where it is None, `missing` says why. `weeks` are
    those with figures, `team_size` the people who count in the team and `unit_size` in whose score it is. `peers` has
    the median of the peers' use in the last quarters, where it matters. `spared` is who is LOW and not cut for it.
    """

    person_id: str
    unit: str
    change: Change
    state: str
    before: str
    utilisation: tuple[Decimal | None, ...]
    deltas: tuple[Decimal, ...]
    score: Score | None
    missing: str
    weeks: int
    team_size: int
    unit_size: int
    peers: tuple[Decimal | None, ...]
    spared: bool
    rules: AdjustmentRules

    @property
    def delta(self) -> Decimal:
        """Δ in thousandths."""
        return self.change.delta

    @property
    def theta(self) -> float | None:
        return self.score.theta if self.score else None

    @property
    def lcb(self) -> float | None:
        return self.score.lcb if self.score else None
