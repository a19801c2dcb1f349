"""ATT(g,t) and what is averaged from it, each a weighted sum of the cohorts' mean figures.

    ATT(g,t) = (mean of cohort g at t − at its base) − (mean of the controls at t − at g's base)

The base is the last period before the cohort's treatment, for periods before it as well: those leads test whether the
teams ran in parallel. Controls are never treated, or not yet in either of the two periods (Callaway and Sant'Anna
2021). Every estimate is linear in the cohorts' means, so that one product of matrices gives all of them at once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from policy.reviews.robust import Floats
    from policy.roi.panel import Design

Control = Literal["never", "not-yet"]
Kind = Literal["simple", "event", "group", "calendar", "cell"]
MOST_CELLS = 4_000
"""Cohorts × periods: weights grow with its square."""
AVERAGES: tuple[Kind, ...] = ("event", "group", "calendar")


class Cell(NamedTuple):
    """One comparison: a cohort and a period by their places, how many units are treated, and how many compared with."""

    cohort: int
    period: int
    treated: int
    controls: int


class Name(NamedTuple):
    """What an estimate is: `key` is the event time, the group, the period or the cell; None the mean over them."""

    kind: Kind
    key: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Estimands:
    """All estimates of a design: a row of weights for each name, over cohorts × periods."""

    cells: tuple[Cell, ...]
    names: tuple[Name, ...]
    weights: Floats

    def place(self, kind: Kind, key: int | None = None) -> int:
        return self.names.index(Name(kind, key))

    def places(self, kind: Kind) -> list[tuple[int, int]]:
        """(key, place) of each estimate of a kind, without the mean over them."""
        return [(name.key, i) for i, name in enumerate(self.names) if name.kind == kind and name.key is not None]

    def of(self, means: Floats) -> Floats:
        """The estimates from the cohorts' means, a row for each draw."""
        return means.reshape(-1, self.weights.shape[1]) @ self.weights.T


def estimands(design: Design, control: Control) -> Estimands:
    """What can be estimated; a Refusal where there is nothing to compare with."""
    if len(design.firsts) * len(design.periods) > MOST_CELLS:
        text = f"{len(design.firsts)} dates of first treatment in {len(design.periods)} periods are too many."
        raise Refusal("panel_too_fine", text, next_step="Take longer periods, such as quarters.")
    found = [(cell, row) for cohort in design.treated for cell, row in _of_cohort(design, cohort, control)]
    after = [(cell, row) for cell, row in found if design.periods[cell.period] >= design.firsts[cell.cohort]]
    if not after:
        kind = "never treated" if control == "never" else "not yet treated"
        raise Refusal("nobody_to_compare", f"No unit is {kind} while another one is treated.")
    names, rows = [Name("simple")], [_mean(after)]
    for kind in AVERAGES:
        more, weighted = _averaged(kind, design, found if kind == "event" else after)
        names, rows = names + more, rows + weighted
    names += [Name("cell", i) for i in range(len(found))]
    return Estimands(tuple(cell for cell, _ in found), tuple(names), np.vstack(rows + [row for _, row in found]))


def _of_cohort(design: Design, cohort: int, control: Control) -> list[tuple[Cell, Floats]]:
    base, size, found = design.base(cohort), design.sizes[cohort], []
    for period in range(len(design.periods)):
        controls = _controls(design, cohort, max(period, base), control)
        count = sum(design.sizes[one] for one in controls)
        if period == base or not count:
            continue
        weights = np.zeros((len(design.firsts), len(design.periods)))
        weights[cohort, [period, base]] = 1, -1
        for one in controls:
            weights[one, [period, base]] = np.array([-1, 1]) * (design.sizes[one] / count)
        found.append((Cell(cohort, period, size, count), weights.ravel()))
    return found


def _controls(design: Design, cohort: int, latest: int, control: Control) -> list[int]:
    """The cohorts that are treated in neither of two periods, of which `latest` is the later one."""
    until = design.periods[-1] if control == "never" else design.periods[latest]
    return [one for one, first in enumerate(design.firsts) if first > until and one != cohort]


Weighted = tuple[Cell, "Floats"]


def _mean(cells: Sequence[Weighted]) -> Floats:
    """Each cell counts by the units that are treated in it."""
    return np.average([row for _, row in cells], axis=0, weights=[cell.treated for cell, _ in cells])


def _averaged(kind: Kind, design: Design, cells: Sequence[Weighted]) -> tuple[list[Name], list[Floats]]:
    """The mean over event times (from the treatment on), groups or periods, and each of them."""
    by_key: defaultdict[int, list[Weighted]] = defaultdict(list)
    for cell, row in cells:
        by_key[_key(kind, design, cell)].append((cell, row))
    keys = sorted(by_key)
    rows = {key: _mean(by_key[key]) for key in keys}
    counted = [key for key in keys if kind != "event" or key >= 0]
    sizes = [by_key[key][0][0].treated if kind == "group" else 1 for key in counted]
    mean = np.average([rows[key] for key in counted], axis=0, weights=sizes)
    return [Name(kind), *(Name(kind, key) for key in keys)], [mean, *(rows[key] for key in keys)]


def _key(kind: Kind, design: Design, cell: Cell) -> int:
    first, period = design.firsts[cell.cohort], design.periods[cell.period]
    return {"event": period - first, "group": first}.get(kind, period)


def cohort_means(outcome: Floats, cohort: NDArray[np.int64], sizes: Sequence[int]) -> Floats:
    """The mean of each cohort (in rows) in each period."""
    member = (np.arange(len(sizes))[:, None] == cohort[None, :]).astype(np.float64)
    return np.asarray(member @ outcome / np.array(sizes)[:, None])
