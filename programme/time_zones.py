"""The time zones of the packaged `tzdata`: the same on every machine, whatever its own files say.

Days, periods and opening hours follow from them, and `verify` works them out again: two replicas must not tell them
differently.
"""

from __future__ import annotations

import zoneinfo
from functools import cache
from importlib import resources

_NOWHERE = frozenset({"Factory"})
"""Names in the list that are no place's time."""


def use_packaged() -> None:
    """Let `zoneinfo` read the packaged zones only, neither the machine's nor those of PYTHONTZPATH."""
    if zoneinfo.TZPATH:
        zoneinfo.reset_tzpath(to=())
        zoneinfo.ZoneInfo.clear_cache()


@cache
def names() -> tuple[str, ...]:
    """Every zone by its name, in order; `localtime` and the like are none."""
    listed = (resources.files("tzdata") / "zones").read_text("utf-8").split()
    return tuple(sorted(set(listed) - _NOWHERE))
