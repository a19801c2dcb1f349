"""A person at a quarter's review: who they are, what they delivered and spent, and how their use counted before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.sizing import WHOLE

if TYPE_CHECKING:
    from decimal import Decimal

    from policy.units import Permille

LOW, USUAL, HIGH = "low", "usual", "high"

Weekly = tuple[float | None, ...]
"""A figure for each week of the quarter; None where the person was not there."""


@dataclass(frozen=True, slots=True)
class Person:
    """What one person's adjustment follows from.

    `output` is quality-weighted and may be empty where it is measured by team alone; `debits` are micro-tokens. Both
    have an entry for each week of the quarter. `utilisation` (debits ÷ regular grants; None where there were none) and
    `deltas` are quarter by quarter, the latest last; `state` is that of the quarter before. Someone whose weeks count
    for a team alone has no `utilisation`, and is nobody's peer in use.
    """

    person_id: str
    role_family: str
    level: str
    team: str
    output: Weekly
    debits: Weekly
    utilisation: tuple[Decimal | None, ...]
    state: str = USUAL
    deltas: tuple[Decimal, ...] = ()
    fte_permille: Permille = WHOLE
