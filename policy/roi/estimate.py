"""The whole estimate of a panel: the headline with its interval, what it is averaged from, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from policy.reasons import Refusal
from policy.roi import checks, effects, panel, spread, student

if TYPE_CHECKING:
    from policy.reviews.robust import Floats
    from policy.roi.checks import FixedEffects
    from policy.roi.effects import Control, Estimands, Kind
    from policy.roi.panel import Design, LeftOut, Panel
    from policy.roi.spread import Draws, Method, Spread

POWER = 0.8
Trust = Literal["directional", "no_percentage", "full"]


@dataclass(frozen=True, slots=True)
class SmallNumbers:
    """Below so many units an estimate is only a direction; below so many it makes no percentage in a headline."""

    directional: int = 8
    no_percentage: int = 12

    def trust(self, units: int) -> Trust:
        return "directional" if units < self.directional else "no_percentage" if units < self.no_percentage else "full"


class Figure(NamedTuple):
    """An estimate with its interval; None where the draws are too few for one."""

    estimate: float
    low: float | None
    high: float | None


class Att(NamedTuple):
    """ATT(g,t): `group` is the period of first treatment, below `period` once it has begun."""

    group: int
    period: int
    figure: Figure
    treated: int
    controls: int


class Leads(NamedTuple):
    """The largest lead beside chance: `p` is how often chance alone makes one as large. None without leads or draws."""

    tested: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Inference:
    """How the intervals came about; `exact` if every way in which the lot could have fallen was tried."""

    method: Method
    draws: int
    exact: bool
    level: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a panel says. Figures are in the outcome's own unit, in logarithms where it was taken so."""

    control: Control
    att: tuple[Att, ...]
    mean: Figure
    averages: dict[Kind, Figure]
    """The mean over event times, over groups and over periods."""
    of: dict[Kind, tuple[tuple[int, Figure], ...]]
    """Each event time (leads below 0), group and period."""
    leads: Leads
    detectable: float | None
    """The smallest effect that would have been found four times of five."""
    twfe: FixedEffects | None
    before_after: float
    inference: Inference
    trust: Trust
    units: int
    treated: int
    left_out: tuple[LeftOut, ...]

    @property
    def event_time(self) -> tuple[tuple[int, Figure], ...]:
        return self.of["event"]


def estimate(
    given: Panel, control: Control, method: Method, draws: Draws, small: SmallNumbers | None = None
) -> Estimate:
    """Everything that follows from a panel; a Refusal where nothing does.

    `method` is permutation only where chance decided who was treated when.
    """
    kept, left_out = panel.complete(given)
    panel.require(kept)
    design, cohort = panel.design_of(kept)
    found = effects.estimands(design, control)
    sample = spread.Sample(kept.outcome, kept.treated, cohort, design.sizes)
    strayed = (spread.permuted if method == "permutation" else spread.bootstrapped)(sample, found, draws)
    values = found.of(effects.cohort_means(kept.outcome, cohort, design.sizes))[0]
    figures = _figures(values, strayed, draws.level)
    treated = sum(design.sizes[one] for one in design.treated)
    return Estimate(
        control=control,
        att=_cells(found, design, figures),
        mean=figures[0],
        averages={kind: figures[found.place(kind)] for kind in effects.AVERAGES},
        of={kind: tuple((key, figures[i]) for key, i in found.places(kind)) for kind in effects.AVERAGES},
        leads=_leads(found, values, strayed),
        detectable=_detectable(strayed, draws.level),
        twfe=checks.two_way(kept, draws.level),
        before_after=checks.before_after(kept),
        inference=Inference(strayed.method, strayed.draws, strayed.exact, draws.level),
        trust=(small or SmallNumbers()).trust(len(kept.units)),
        units=len(kept.units),
        treated=treated,
        left_out=left_out,
    )


def _figures(values: Floats, strayed: Spread, level: float) -> list[Figure]:
    halves = strayed.half_widths(level)
    if halves is None:
        figures = [Figure(float(value), None, None) for value in values]
    else:
        figures = [Figure(float(v), float(v - half), float(v + half)) for v, half in zip(values, halves, strict=True)]
    if strayed.headline is not None:
        figures[0] = Figure(figures[0].estimate, *strayed.headline)
    return figures


def _cells(found: Estimands, design: Design, figures: list[Figure]) -> tuple[Att, ...]:
    placed = dict(found.places("cell"))
    return tuple(
        Att(design.firsts[cell.cohort], design.periods[cell.period], figures[placed[i]], cell.treated, cell.controls)
        for i, cell in enumerate(found.cells)
    )


def _leads(found: Estimands, values: Floats, strayed: Spread) -> Leads:
    places = [place for key, place in found.places("event") if key < 0]
    if not places or strayed.draws == 0:
        return Leads(len(places), None)
    errors = strayed.errors[places]
    if not bool((errors > spread.TIE).all()):
        return Leads(len(places), None)
    largest = float(np.max(np.abs(values[places]) / errors))
    by_chance = np.max(np.abs(strayed.deviations[:, places] * strayed.tails[places]) / errors, axis=1)
    return Leads(len(places), float(np.mean(by_chance >= largest - spread.TIE)))


def _detectable(strayed: Spread, level: float) -> float | None:
    halves = strayed.half_widths(level)
    if halves is None:
        return None
    return float(halves[0] + student.normal_quantile(POWER) * strayed.errors[0])


# --- How much rests on one unit, or on the unit of measurement ------------------------------------------------------


class WithoutOne(NamedTuple):
    """The headline without one unit: the lowest and the highest, and how many units there are to leave out."""

    low: float
    high: float
    tried: int


def without_one(given: Panel, control: Control) -> WithoutOne | None:
    """None where no unit can be left out."""
    kept, _ = panel.complete(given)
    design, cohort = panel.design_of(kept)
    means = effects.cohort_means(kept.outcome, cohort, design.sizes)
    tried = [
        mean
        for one in range(len(design.firsts))
        for mean in _without_each(kept.outcome[cohort == one], means, one, design, control)
    ]
    return WithoutOne(min(tried), max(tried), len(tried)) if tried else None


def _without_each(members: Floats, means: Floats, one: int, design: Design, control: Control) -> list[float]:
    """The headlines without each member of a cohort; none where that leaves nothing to compare."""
    size = design.sizes[one]
    left = [i for i in range(len(design.firsts)) if size > 1 or i != one]
    firsts = tuple(design.firsts[i] for i in left)
    sizes = tuple(design.sizes[i] - (i == one) for i in left)
    try:
        found = effects.estimands(panel.Design(design.periods, firsts, sizes), control)
    except Refusal:
        return []
    rest = np.repeat(means[None, left], size, axis=0)
    if size > 1:
        rest[:, one] = (size * means[one] - members) / (size - 1)
    return [float(value) for value in found.of(rest.reshape(size, -1))[:, 0]]


def counterfactual(given: Panel, found: Estimate) -> float:
    """What the treated would have shown without: their mean while treated less the headline."""
    kept, _ = panel.complete(given)
    return float(kept.outcome[kept.treated > 0].mean()) - found.mean.estimate
