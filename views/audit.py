"""Where the audit log stood, as it is told outside of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the codec reads it


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last row at an instant and its hash, which follows from all rows before it; `occasion` is why it is told."""

    seq: int
    hash: str
    at: datetime
    occasion: str
