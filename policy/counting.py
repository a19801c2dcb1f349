"""How many of a thing, in words."""

from __future__ import annotations


def many(count: int, one: str, several: str = "") -> str:
    """So many of a thing: `1 name`, `2,000 names`, `3 people`; `several` where it is more than an s behind the word."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
