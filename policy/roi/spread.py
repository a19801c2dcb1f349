"""How far estimates stray by chance: by permuting who came when, or by drawing teams again.

Both give draws of all estimates around nothing. Where waves were drawn by lot, the lot itself is the source of chance,
and permuting it needs no other assumption; all permutations are taken where they are few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from policy.roi import student

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from policy.reviews.robust import Floats
    from policy.roi.effects import Estimands

    Ints = NDArray[np.int64]

Method = Literal["permutation", "bootstrap"]
AT_ONCE = 2_000_000
"""Memberships that are held at once, so that memory does not grow with the company."""
TIE = 1e-9
"""Draws that differ by less, relative to the largest, are equal: what differs is their rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A complete panel: its figures, where it is treated, the cohort of each unit and their sizes."""

    outcome: Floats
    treated: Floats
    cohort: Ints
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Draws:
    """How many at most, from which seed, and how much of them an interval holds."""

    most: int = 2_000
    seed: int = 1
    level: float = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Draws around nothing, a row for each and a column for each estimate; the headline's interval where it is exact.

    `tails` says for each estimate by how much its interval is to be wider, because few units tell their own spread.
    """

    method: Method
    deviations: Floats
    tails: Floats
    exact: bool
    headline: tuple[float | None, float | None] | None = None

    @property
    def draws(self) -> int:
        return len(self.deviations)

    def half_widths(self, level: float) -> Floats | None:
        """Half of each estimate's interval; None where the draws are too few for the level."""
        # Of N draws as far as the k-th largest, N·(1 − level) or fewer may lie outside.
        place = math.floor((1 - level) * self.draws + TIE)
        if self.draws == 0 or (self.method == "permutation" and place < 1):
            return None
        sizes = np.sort(np.abs(self.deviations), axis=0)
        return np.asarray(sizes[-(place + 1)] * self.tails)

    @property
    def errors(self) -> Floats:
        """The standard error of each estimate."""
        return np.asarray(np.sqrt(np.mean(self.deviations**2, axis=0)) * self.tails)


# --- Permuting ------------------------------------------------------------------------------------------------------


def possible(sizes: Sequence[int]) -> int:
    """In how many ways the lot could have fallen."""
    ways, placed = 1, 0
    for size in sizes:
        placed += size
        ways *= math.comb(placed, size)
    return ways


def permuted(sample: Sample, found: Estimands, draws: Draws) -> Spread:
    """What the same panel would have shown had the lot fallen otherwise, and the headline's interval by inversion.

    An effect x is not refused while the panel without it looks like one of the draws: the draw's headline is then
    a − x·d, with a that of the outcome and d that of the treatment itself, and ours is τ − x.
    """
    exact = possible(sample.sizes) <= draws.most
    lots = every(sample.sizes) if exact else _drawn(sample.cohort, draws)
    ours = found.of(_means(sample.cohort[None, :], sample.outcome, sample.sizes))[0, 0]
    of_outcome, of_treated = _estimates(lots, sample, found, 0 if exact else draws.most)
    bounds = inverted(ours, of_outcome[:, 0], of_treated[:, 0], draws.level)
    return Spread("permutation", of_outcome - ours * of_treated, np.ones(of_outcome.shape[1]), exact, bounds)


def _estimates(lots: Iterator[Ints], sample: Sample, found: Estimands, count: int) -> tuple[Floats, Floats]:
    """All estimates in all lots, of the outcome and of the treatment as outcome."""
    both = np.hstack([sample.outcome, sample.treated])
    count = count or possible(sample.sizes)
    results = np.empty((2, count, len(found.names)))
    at_once, periods, done = max(1, AT_ONCE // (len(sample.cohort) * len(sample.sizes))), sample.outcome.shape[1], 0
    while done < count:
        some = np.stack([next(lots) for _ in range(min(at_once, count - done))])
        means = _means(some, both, sample.sizes)
        for k, part in enumerate((means[:, :, :periods], means[:, :, periods:])):
            results[k, done : done + len(some)] = found.of(part)
        done += len(some)
    return results[0], results[1]


def _means(lots: Ints, outcome: Floats, sizes: Sequence[int]) -> Floats:
    """The means of the cohorts in each lot: lots × cohorts × periods."""
    member = (lots[:, None, :] == np.arange(len(sizes))[None, :, None]).astype(np.float64)
    sums = member.reshape(-1, lots.shape[1]) @ outcome
    return np.asarray(sums.reshape(len(lots), len(sizes), -1) / np.array(sizes)[None, :, None])


def every(sizes: Sequence[int]) -> Iterator[Ints]:
    """All ways in which units can be in cohorts of such sizes."""

    def fill(lot: list[int], left: list[int]) -> Iterator[Ints]:
        if len(lot) == sum(sizes):
            yield np.array(lot, dtype=np.int64)
            return
        for cohort, count in enumerate(left):
            if count:
                left[cohort] -= 1
                yield from fill([*lot, cohort], left)
                left[cohort] += 1

    return fill([], list(sizes))


def _drawn(cohort: Ints, draws: Draws) -> Iterator[Ints]:
    """The lot as it fell, and others by chance: the same for the same seed."""
    chance = np.random.default_rng(draws.seed)
    yield cohort
    while True:
        yield chance.permutation(cohort)


def inverted(ours: float, outcome: Floats, treated: Floats, level: float) -> tuple[float | None, float | None]:
    """The effects that are not refused: |a − x·d| ≥ |τ − x| in more than 1 − level of the draws."""
    # A lot that treats the same teams says nothing of any effect.
    same = np.abs(treated) > 1 - TIE
    d = np.where(same, 0, treated)
    ends = np.stack([(ours - outcome) / (1 - d), (ours + outcome) / (1 + d)])
    low, high = np.sort(np.where(same, -np.inf, ends.min(axis=0))), np.sort(np.where(same, np.inf, ends.max(axis=0)))
    place = math.floor((1 - level) * len(outcome) + TIE)
    return _finite(low[place]), _finite(high[-(place + 1)])


def _finite(bound: float) -> float | None:
    return float(bound) if math.isfinite(bound) else None


# --- Drawing units again --------------------------------------------------------------------------------------------


def bootstrapped(sample: Sample, found: Estimands, draws: Draws) -> Spread:
    """Units drawn again with all their periods, each cohort for itself.

    What a few units differ from their own mean is too little by √((n−1)/n), and few units tell their spread badly:
    both are made up for (Rao and Wu's scaling; Student's t with Welch's degrees of freedom). A cohort of one has the
    spread of all the others.
    """
    sizes = np.array(sample.sizes)
    weights = found.weights.reshape(len(found.names), len(sizes), -1)
    rest, alone = _residuals(sample)
    deviations = np.zeros((draws.most, len(found.names)))
    variance, freedom = np.zeros((2, len(found.names)))
    chance = np.random.default_rng(draws.seed)
    for cohort, size in enumerate(sizes):
        pool = rest[sample.cohort == cohort] if size > 1 else alone
        if len(pool) <= 1:
            return Spread("bootstrap", np.zeros((0, len(found.names))), np.ones(len(found.names)), exact=False)
        strayed = pool @ weights[:, cohort].T
        counts = chance.multinomial(size, np.full(len(pool), 1 / len(pool)), size=draws.most)
        deviations += counts @ strayed / size
        own = (strayed**2).mean(axis=0) / size
        variance += own
        freedom += own**2 / ((size if size > 1 else len(pool)) - 1)
    return Spread("bootstrap", deviations, _tails(variance, freedom, draws.level), exact=False)


def _residuals(sample: Sample) -> tuple[Floats, Floats]:
    """How each unit strays from its cohort, to the scale of what it strays from the truth; and that of no lone unit."""
    sizes = np.array(sample.sizes)
    means = _means(sample.cohort[None, :], sample.outcome, sample.sizes)[0]
    own = sizes[sample.cohort]
    rest = (sample.outcome - means[sample.cohort]) * np.sqrt(own / np.maximum(own - 1, 1))[:, None]
    return rest, rest[own > 1]


def _tails(variance: Floats, freedom: Floats, level: float) -> Floats:
    """How much farther Student's t reaches than the normal distribution."""
    share = (1 + level) / 2
    normal = student.normal_quantile(share)
    degrees = np.divide(variance**2, freedom, out=np.full_like(variance, np.inf), where=freedom > 0)
    return np.array([student.quantile(share, max(1.0, round(float(one), 6))) / normal for one in degrees])
