"""When the bot may write to someone of its own accord: on working days, between two hours of their own time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from policy.period import require_aware

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from policy.parameters.messages import MessageRules


def next_opening(now: datetime, zone: ZoneInfo, rules: MessageRules) -> datetime:
    """`now` where it falls into working hours, else the instant at which the next ones begin; in UTC."""
    local = require_aware(now).astimezone(zone)
    day = local.date()
    if rules.is_open(day, zone.key) and local.hour < rules.until_hour:
        return max(now.astimezone(UTC), _opening(day, zone, rules))
    day += timedelta(days=1)
    while not rules.is_open(day, zone.key):
        day += timedelta(days=1)
    return _opening(day, zone, rules)


def last_opening(before: datetime, zone: ZoneInfo, rules: MessageRules) -> datetime:
    """The latest instant before another at which working hours began; in UTC."""
    day = require_aware(before).astimezone(zone).date()
    while not rules.is_open(day, zone.key) or _opening(day, zone, rules) > before:
        day -= timedelta(days=1)
    return _opening(day, zone, rules)


def _opening(day: date, zone: ZoneInfo, rules: MessageRules) -> datetime:
    return datetime.combine(day, time(rules.from_hour), tzinfo=zone).astimezone(UTC)
