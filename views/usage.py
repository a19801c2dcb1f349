"""What administrators are told of usage that was not taken in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class RefusedOf:
    """Events of a gateway that were refused, and the fields that were wrong or that differ, most frequent first."""

    source: str
    rejected: int
    rejected_because: tuple[str, ...]
    conflicts: int
    conflicts_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefusalNote:
    """What was refused from one day to another, by gateway, most first."""

    first: date
    last: date
    gateways: tuple[RefusedOf, ...]
