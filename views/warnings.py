"""What people are told when they have spent a share of what they can spend in a month.

(Types of fields are imported at run time: msgspec reads the annotations.)
"""

# ruff: noqa: TC001, TC003 - the types of fields are needed at run time

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from policy.period import Month
from policy.units import MicroTokens, NanoUSD


@dataclass(frozen=True, slots=True)
class SpendWarning:
    """That a person has spent a share of what they can spend in a month; `debt` is what they spent beyond it.

    `earliest` and `lasts_until` are the forecast's: the last day with tokens left, in a bad course and in a usual one.
    `can_tell` is False while it is too early for that; a day that is None is farther than one should look.
    """

    percent: int
    month: Month
    spent: MicroTokens
    left: MicroTokens
    debt: MicroTokens
    per_token: NanoUSD
    can_tell: bool
    earliest: date | None
    lasts_until: date | None
    next_grant_on: date | None
    contact: str
    debt_grants: int | None = None
    """How many monthly grants settle the debt at the present pace; None where no number of them does, or none comes."""
    has_grant: bool = True
    person_id: str = ""
