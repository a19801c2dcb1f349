"""How far the clock of whoever reports something may be before ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FARTHEST_AHEAD = timedelta(minutes=15)


def ahead(when: datetime, now: datetime, field: str) -> str:
    """Why an instant is too far ahead of the clock to be true; empty if it is not."""
    if when <= now + FARTHEST_AHEAD:
        return ""
    minutes = FARTHEST_AHEAD // timedelta(minutes=1)
    expected = f"at most {minutes} minutes ahead of the bot's clock, which says {_utc(now)}"
    return f"{field}: expected {expected}, got {_utc(when)}"


def _utc(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
