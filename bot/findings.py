"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `remedy` is what to do about it."""

    level: Level
    what: str
    remedy: str = ""
