"""What gateways and people are told of caps and holds.

(Types of fields are imported at run time: msgspec reads the annotations.)
"""

# ruff: noqa: TC001, TC003 - the types of fields are needed at run time

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from policy.units import MicroTokens, NanoUSD


@dataclass(frozen=True, slots=True)
class CapTold:
    """A cap as it stands; `room_tokens` is what a wallet has left, None for every other cap."""

    name: str
    scope: str
    window: str
    action: str
    limit: NanoUSD
    used: NanoUSD
    held: NanoUSD
    resets_at: datetime | None
    subject: str = ""
    room_tokens: MicroTokens | None = None
    services: tuple[str, ...] = ()

    @property
    def left(self) -> NanoUSD:
        return self.limit - self.used - self.held


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call may not run, and what to do."""

    code: str
    cap: CapTold
    asked: NanoUSD
    model: str
    cheaper: str
    kind: str
    contact: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """That a person's calls are stopped by a cap; of a wallet, `credit` is the last that came in before."""

    denial: Denial
    at: datetime
    person_id: str = ""
    credit: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What of the answer to a hold is kept beside it: what was left (None where the company pays), caps that warn."""

    available: MicroTokens | None
    warnings: tuple[CapTold, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What someone's calls meet, the tightest cap first; the wallet's figures are None where the company pays."""

    person_id: str
    balance: MicroTokens | None
    held: MicroTokens
    overdraft: MicroTokens
    caps: tuple[CapTold, ...]
    stops: bool
    near_share: Decimal
    contact: str

    @property
    def available(self) -> MicroTokens | None:
        return None if self.balance is None else self.balance - self.held

    @property
    def near(self) -> tuple[CapTold, ...]:
        """Caps of the handbook of which most is used or held."""
        return tuple(
            cap
            for cap in self.caps
            if cap.room_tokens is None and int(cap.used + cap.held) >= self.near_share * int(cap.limit)
        )
