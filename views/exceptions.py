"""What is told about requests.

(Types of fields are imported at run time: msgspec reads the annotations.)
"""

# ruff: noqa: TC001, TC003 - the types of fields are needed at run time

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from policy.reasons import Reason
from policy.units import MicroTokens, NanoUSD


@dataclass(frozen=True, slots=True)
class Situation:
    """What a request was judged by, as it was when it was made."""

    monthly_grant: MicroTokens
    available: MicroTokens
    runs_out: date | None
    earlier: MicroTokens
    pool: NanoUSD | None
    value_version: str
    per_token: NanoUSD
    manager: str | None
    sponsor: str | None
    because: tuple[Reason, ...]
    is_small_group: bool = False
    """So few share the requester's pay band that the grant would tell it."""
