"""Whether a week's spend stands out from the weeks before, judged so that one odd week before does not count."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.parameters.messages import ReportRules

CONSISTENT = 1.4826
"""Makes the median absolute deviation of normal figures their standard deviation, as `reviews.robust` does."""


@dataclass(frozen=True, slots=True)
class UsualRange:
    """A figure far from its `usual` one: `low` and `high` are those of the middle half of the weeks before."""

    usual: int
    low: int
    high: int
    weeks: int


def unusual(last: int, before: Sequence[int], rules: ReportRules) -> UsualRange | None:
    """How the last of some whole figures stands out; None where it does not, or where too few are known.

    It must be so many robust deviations from the median of those before, and differ from that by a certain share of it.
    """
    if len(before) < rules.jump_weeks:
        return None
    usual = median(before)
    spread = CONSISTENT * median(abs(one - usual) for one in before)
    distance = abs(last - usual)
    if distance <= float(rules.jump_deviations) * spread or distance < float(rules.jump_share) * usual or not distance:
        return None
    ordered = sorted(before)
    quarter = len(ordered) // 4
    return UsualRange(round(usual), ordered[quarter], ordered[-1 - quarter], len(before))
