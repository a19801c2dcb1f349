"""In which month's file a posting stands, and how a bill that nobody is named on is divided."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy.parameters.finance import BY_USE, POOL
from policy.period import Month, first_instant
from policy.units import split_by_largest_remainder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo


def settled_at(month: Month, settle_days: int, zone: ZoneInfo) -> datetime:
    """From when a month's figures are final: what is posted about it later is an adjustment of a later month."""
    return first_instant(month.next().first_day + timedelta(days=settle_days), zone)


class Portion(NamedTuple):
    """A cost centre's share of a cost, in nano-USD; "" is the programme itself."""

    cost_centre: str
    nano_usd: int


def divided(nano_usd: int, key: str, used: Mapping[str, int], people: Mapping[str, int]) -> list[Portion]:
    """A cost, or what is credited where it is below 0, among cost centres; the portions add up to it exactly.

    `used` is what each of them used, in nano-USD, `people` how many people they have. Where nothing was used, or there
    is no one, the programme bears it, as it does by the key `pool`.
    """
    weights = {centre: weight for centre, weight in (used if key == BY_USE else people).items() if weight > 0}
    if key == POOL or not weights:
        return [Portion("", nano_usd)]
    centres = sorted(weights)
    parts = split_by_largest_remainder(abs(nano_usd), [weights[centre] for centre in centres])
    sign = -1 if nano_usd < 0 else 1
    return [Portion(centre, sign * part) for centre, part in zip(centres, parts, strict=True) if part]
