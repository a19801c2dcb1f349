"""What differs between two texts of a handbook, key by key, whatever their order and layout."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from policy import handbook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

IN_THE_HEADING = ("version", "effective_from")
"""They differ between any two versions, and are told beside the changes."""
NAMES = {
    "caps": ("name",),
    "messages.calendars": ("zone",),
    "invoices.rules": ("service", "name"),
    "services": ("key",),
    "prices": ("provider", "model"),
    "roi.costs": ("name", "from"),
    "value.basket": ("provider", "model", "tier", "meter"),
    "value.slots": ("name",),
    "sizing.annual": ("name",),
    "models": ("from",),
}
"""What a table in a list is called by, so that one which is put in between changes nothing about the others.

`models` are those of each slot."""


class Difference(NamedTuple):
    """A key whose value changes; empty where the key is not in one of the two."""

    key: str
    old: str
    new: str


@lru_cache(maxsize=64)
def differences(old: str, new: str) -> tuple[Difference, ...]:
    """Every key that changes between two valid texts, in the order of the new one; what is gone comes last.

    A table that is left out has the values of the packaged handbook, as it has for everyone who is judged by it.
    """
    before, after = (dict(_flat(handbook.document(text), "")) for text in (old, new))
    keys = [*after, *(key for key in before if key not in after)]
    return tuple(
        Difference(key, _written(before.get(key)), _written(after.get(key)))
        for key in keys
        if key not in IN_THE_HEADING and before.get(key) != after.get(key)
    )


def _flat(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for name, table in zip(
            _names(value, NAMES.get(path) or NAMES.get(path.rpartition(".")[2], ())), value, strict=True
        ):
            yield from _flat(table, f"{path}.{name}")
    else:
        yield path, value


def _names(tables: Sequence[Mapping[str, Any]], by: Sequence[str]) -> Iterator[str]:
    """A name for each table of a list; of several with the same one, the later ones are numbered."""
    seen: dict[str, int] = {}
    for table in tables:
        name = "/".join(str(table[key]) for key in by if key in table)
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 and name else f"{name}#{seen[name]}"


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value) or "none"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
