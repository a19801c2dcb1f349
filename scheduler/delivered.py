"""What became of the messages of one pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(slots=True)
class Delivered:
    """What a pass did; `stopped` names the trouble that ended it early, `ailing` says that it was no answer."""

    leased: int = 0
    sent: int = 0
    settled: int = 0
    postponed: int = 0
    parked: int = 0
    stopped: str = ""
    ailing: bool = False
    quiet_for: timedelta = timedelta(0)
