"""The time zones of the packaged `tzdata`: the same on every machine, whatever its own files say.

Days, periods and opening hours follow from them, and `verify` works them out again: two replicas must not tell them
differently. Whatever makes a zone of stored text does it here.
"""

from __future__ import annotations

import zoneinfo
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

_NOWHERE = frozenset({"Factory"})
"""Names in the list that are no place's time."""


def use_packaged() -> None:
    """Let `zoneinfo` read the packaged zones only, neither the machine's nor those of PYTHONTZPATH."""
    if zoneinfo.TZPATH:
        zoneinfo.reset_tzpath(to=())
        ZoneInfo.clear_cache()
        known.cache_clear()


@cache
def names() -> tuple[str, ...]:
    """Every zone by its name, in order; `localtime` and the like are none."""
    listed = (resources.files("tzdata") / "zones").read_text("utf-8").split()
    return tuple(sorted(set(listed) - _NOWHERE))


@cache
def known(name: str) -> ZoneInfo | None:
    """The zone with a name, or None where `tzdata` has none, or has it no longer."""
    return ZoneInfo(name) if name in names() else None


def zone(name: str | None, otherwise: ZoneInfo) -> ZoneInfo:
    """The zone that was stored under a name; `otherwise` where there is no such zone any more.

    One person's zone must not stop everybody's month. `doctor` names those whom it concerns.
    """
    return (known(name) if name else None) or otherwise
