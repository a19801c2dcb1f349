"""A second invented company, two years in: teams in four waves drawn by lot, four measures of work, an effect in two.

Nothing of it is in a ledger. Its rows are those that a report is worked out from, so everything after them is real.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from policy import handbook
from policy.parameters.roi import Cost
from policy.period import Month
from policy.roi import report
from policy.roi.report import Basis, TeamMonth
from policy.roi.spread import Draws
from policy.units import MICRO_PER_TOKEN, NANO_PER_USD, NanoUSD
from views.roi import FrozenReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.parameters.roi import RoiRules

LAUNCH, THROUGH = Month(2027, 1), Month(2028, 12)
STARTS = (0, 4, 6, 8)
TEAMS, POSTS, WEEKS = 24, 5, 4
MIDPOINT = 140_000
USD_PER_POST = (800, 1_000)
"""Tokens a month, in USD: a third of the usual ceiling, so that a small effect does not pay."""
DRAWS = Draws(most=600)
"""Fewer than in earnest: a newcomer waits for it."""
TREND = 0.01
"""By so much all teams make more each month, whether they take part or not."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of work: its planted effect, and how uneven its months are (a standard deviation, as a share)."""

    name: str
    effect: float
    noise: float
    seed: int


MEASURES = (
    Measure("changes merged", 0.18, 0.06, 5),
    Measure("tickets closed", 0.18, 0.45, 2),
    Measure("incidents resolved", 0.0, 0.03, 7),
    Measure("documents reviewed", 0.0, 0.35, 4),
)
"""Their luck is chosen so that each answer is seen. In one company of twenty, leads stand out by chance alone."""


def reports() -> Iterator[tuple[Measure, FrozenReport]]:
    """A report of each measure, worked out as those of a ledger are."""
    rules = _rules()
    for measure in MEASURES:
        rows = list(_rows(measure))
        basis = Basis(str(THROUGH), str(LAUNCH), "southwind.1", by_lot=True)
        digest = hashlib.sha256(repr(rows).encode()).hexdigest()
        made_at = datetime.combine(THROUGH.next().first_day, datetime.min.time(), UTC)
        yield measure, FrozenReport(report.of(basis, rows, rules, DRAWS), rules, made_at, "demo", digest, is_kept=False)


def _rules() -> RoiRules:
    """The packaged assumptions, with what Southwind pays beside tokens."""
    costs = (
        Cost("consulting", NanoUSD(40_000 * NANO_PER_USD), "once", date(2026, 11, 1)),
        Cost("administration", NanoUSD(1_000 * NANO_PER_USD), "month", LAUNCH.first_day),
    )
    return replace(handbook.parse(handbook.packaged()).roi, costs=costs)


def _rows(measure: Measure) -> Iterator[TeamMonth]:
    """Every team in every month. Who came when and what they spent is the same for all measures."""
    lot = random.Random("southwind")  # noqa: S311 - a story, not a secret
    waves = [number % len(STARTS) for number in range(TEAMS)]
    lot.shuffle(waves)
    begins = [LAUNCH.plus(STARTS[wave]) for wave in waves]
    levels = [lot.uniform(3_000, 9_000) for _ in range(TEAMS)]
    luck = random.Random(measure.seed)  # noqa: S311 - as above
    month, number = LAUNCH.plus(-6), 0
    while month.first_day <= THROUGH.first_day:
        for team in range(TEAMS):
            takes_part = month.first_day >= begins[team].first_day
            spent = POSTS * lot.randrange(*USD_PER_POST) * takes_part
            more = (1 + measure.effect * takes_part) * (1 + TREND) ** number
            made = levels[team] * more * luck.lognormvariate(0, measure.noise)
            yield TeamMonth(
                f"team {team + 1:02}",
                str(month),
                round(POSTS * WEEKS * made),
                WEEKS,
                1_000 * POSTS,
                1_000 * POSTS * takes_part,
                spent * 100 * MICRO_PER_TOKEN,
                spent * NANO_PER_USD,
                POSTS * MIDPOINT * NANO_PER_USD * takes_part,
            )
        month, number = month.next(), number + 1
