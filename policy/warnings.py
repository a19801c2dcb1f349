"""When a person is warned of what they have spent in a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from policy.period import require_aware

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from zoneinfo import ZoneInfo

    from policy.parameters.messages import WarningRules

ALL = 100
WHOLE = 1_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person wants: warnings at which percentages (None: all of them), and hours in which none come.

    Quiet hours go from an hour to another of the person's own time, over midnight if need be; none when both are equal.
    """

    percent: frozenset[int] | None = None
    quiet_from: int = 0
    quiet_until: int = 0


USUAL = Choice()


def permille(spent: int, left: int) -> int:
    """Thousandths of what a person can spend in a month that they have spent, rounded down; a debt is more than all."""
    whole = spent + max(left, 0)
    return spent * WHOLE // whole if whole > 0 else 0


def holds(share: int, percent: int) -> bool:
    """Whether a share, in thousandths, has reached a percentage."""
    return share >= percent * WHOLE // ALL


def in_percent(share: int) -> int:
    """A share as whole percent, rounded down."""
    return share * ALL // WHOLE


def crossed(share: int, rules: WarningRules, told: Collection[int]) -> tuple[int, ...]:
    """The percentages that a share (in thousandths) has reached and of which nothing was said yet, ascending."""
    return tuple(percent for percent in rules.percent if holds(share, percent) and percent not in told)


def fallen_below(share: int, told: Iterable[int]) -> tuple[int, ...]:
    """The percentages that were told and of which a share is below by now, ascending: they count anew."""
    return tuple(percent for percent in sorted(told) if not holds(share, percent))


def to_tell(reached: tuple[int, ...], choice: Choice) -> int | None:
    """Of several that were crossed at once the highest that the person wants; the last of all always comes."""
    wanted = [p for p in reached if p == ALL or choice.percent is None or p in choice.percent]
    return wanted[-1] if wanted else None


def due_at(now: datetime, percent: int, choice: Choice, zone: ZoneInfo) -> datetime:
    """When a warning goes out: at once, or when the quiet hours are over. That nothing is left does not wait."""
    local = require_aware(now).astimezone(zone)
    begin, end = choice.quiet_from, choice.quiet_until
    is_quiet = begin <= local.hour < end if begin < end else local.hour >= begin or local.hour < end
    if percent == ALL or begin == end or not is_quiet:
        return now
    day = local.date() + timedelta(days=1) if local.hour >= end else local.date()
    return datetime.combine(day, time(end), tzinfo=zone).astimezone(UTC)
