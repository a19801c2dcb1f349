"""In which month's file a posting stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import first_instant

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from policy.period import Month


def settled_at(month: Month, settle_days: int, zone: ZoneInfo) -> datetime:
    """From when a month's figures are final: what is posted about it later is an adjustment of a later month."""
    return first_instant(month.next().first_day + timedelta(days=settle_days), zone)
