"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Level = Literal["good", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `remedy` is what to do about it, and `who` are the e-mails of all whom it concerns."""

    level: Level
    what: str
    remedy: str = ""
    who: tuple[str, ...] = ()


MOST_NAMED = 5
"""So many people, or reasons, are named in the words of one finding."""


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
