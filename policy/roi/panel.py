"""A panel: one figure for each unit (a team) and period (a month), and when each unit was first treated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from policy.reasons import Refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from policy.reviews.robust import Floats

NEVER = 2**31
"""After every period: the first treatment of what is never treated."""


class LeftOut(NamedTuple):
    """A unit that the estimate does without, and why: `gaps` (so many periods without a figure) or `always_treated`."""

    unit: str
    why: str
    periods: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Units in rows, periods in columns, in the order of their numbers; a figure that is missing is not a number."""

    units: tuple[str, ...]
    periods: tuple[int, ...]
    outcome: Floats
    first: NDArray[np.int64]
    """The period from which on each unit is treated, or NEVER."""

    @property
    def treated(self) -> Floats:
        """1 where a unit is treated, else 0."""
        return (np.array(self.periods)[None, :] >= self.first[:, None]).astype(np.float64)

    def only(self, rows: NDArray[np.bool_]) -> Panel:
        """Some of the units, in the order of their names: the same draws then fall on the same units."""
        places = sorted(map(int, np.flatnonzero(rows)), key=lambda place: self.units[place])
        units = tuple(self.units[place] for place in places)
        return Panel(units, self.periods, self.outcome[places], self.first[places])

    def with_outcome(self, outcome: Floats) -> Panel:
        return replace(self, outcome=outcome)


def complete(panel: Panel) -> tuple[Panel, tuple[LeftOut, ...]]:
    """The units with a figure in every period and a period before their treatment; the others are named."""
    gaps = np.isnan(panel.outcome).sum(axis=1)
    always = panel.first <= panel.periods[0]
    left = [
        LeftOut(unit, "gaps", int(count)) if count else LeftOut(unit, "always_treated")
        for unit, count, early in zip(panel.units, gaps, always, strict=True)
        if count or early
    ]
    return panel.only((gaps == 0) & ~always), tuple(left)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Which cohorts there are (units first treated in one period), how large, and in which periods they are seen."""

    periods: tuple[int, ...]
    firsts: tuple[int, ...]
    """In their order; NEVER comes last."""
    sizes: tuple[int, ...]

    @property
    def treated(self) -> tuple[int, ...]:
        """Places of the cohorts that are treated within the periods."""
        return tuple(i for i, first in enumerate(self.firsts) if first <= self.periods[-1])

    def base(self, cohort: int) -> int:
        """The place of the last period before a cohort's treatment."""
        return int(np.searchsorted(self.periods, self.firsts[cohort])) - 1


def design_of(panel: Panel) -> tuple[Design, NDArray[np.int64]]:
    """The design, and the cohort of each unit. Whoever comes after the last period is not yet treated in any."""
    firsts, cohort, sizes = np.unique(panel.first, return_inverse=True, return_counts=True)
    design = Design(panel.periods, tuple(map(int, firsts)), tuple(map(int, sizes)))
    return design, cohort.astype(np.int64)


def require(panel: Panel) -> None:
    """A Refusal for a panel from which no effect follows."""
    design, _ = design_of(panel)
    if len(panel.units) == 0 or len(panel.periods) <= 1:
        raise Refusal("panel_too_small", f"{len(panel.units)} units in {len(panel.periods)} periods have no effect.")
    if not design.treated:
        raise Refusal("nobody_treated", "No unit is treated within the periods after its first one.")
    if len(design.firsts) == 1:
        raise Refusal("nobody_to_compare", "All units are first treated in the same period: there is no comparison.")


def logarithms(outcome: Floats) -> Floats | None:
    """Natural logarithms; None where a figure is not above 0, because then there are none."""
    known = outcome[~np.isnan(outcome)]
    return np.log(outcome) if known.size and bool((known > 0).all()) else None
