"""Intervals: by permuting the lot, exactly where few ways exist, and by drawing units again."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from policy.roi import effects, panel, spread, student
from policy.roi.estimate import estimate
from policy.roi.panel import Panel
from policy.roi.spread import Draws, Sample
from tests.policy.roi.panels import company


def test_every_lot_is_tried_once_where_they_are_few() -> None:
    """All ways in which five teams can be in waves of two, two and one, each once."""
    lots = {tuple(map(int, lot)) for lot in spread.every((2, 2, 1))}
    assert lots == set(permutations([0, 0, 1, 1, 2]))
    assert len(lots) == spread.possible((2, 2, 1)) == 30


def test_the_interval_holds_the_effects_that_the_lot_does_not_refuse() -> None:
    """As a search over effects finds them: each taken off, the teams permuted, the headline compared."""
    given = company([(4, 2), (6, 2), (0, 3)], effect=0.4, seed=4)
    found = estimate(given, "not-yet", "permutation", Draws(most=1_000))
    assert found.inference.exact
    assert found.inference.draws == math.comb(7, 2) * math.comb(5, 2)
    low, high = found.mean.low, found.mean.high
    assert low is not None
    assert high is not None
    step = 1e-6
    assert not _refused(given, low + step)
    assert not _refused(given, high - step)
    assert _refused(given, low - step)
    assert _refused(given, high + step)


def headline(given: Panel) -> float:
    design, cohort = panel.design_of(given)
    means = effects.cohort_means(given.outcome, cohort, design.sizes)
    return float(effects.estimands(design, "not-yet").of(means)[0, 0])


def _refused(given: Panel, effect: float) -> bool:
    without = given.outcome - effect * given.treated
    first = given.first
    ours = abs(headline(given.with_outcome(without)))
    kinds, cohort = np.unique(first, return_inverse=True)
    sizes = np.bincount(cohort)
    as_far = [
        abs(headline(Panel(given.units, given.periods, without, kinds[lot]))) >= ours - 1e-9
        for lot in spread.every(tuple(map(int, sizes)))
    ]
    return bool(np.mean(as_far) <= 0.1)


def test_too_few_ways_make_no_interval() -> None:
    """Of four ways none is rarer than one in four: at 90 % there is nothing to tell, and no invented bound."""
    found = estimate(company([(4, 1), (0, 3)]), "not-yet", "permutation", Draws())
    assert (found.mean.low, found.mean.high) == (None, None)
    assert found.detectable is None
    assert found.inference.draws == 4


def test_the_same_seed_gives_the_same_interval_and_another_one_nearly() -> None:
    """Repeatable to the last digit; what another seed moves is little."""
    given = company([(4, 8), (7, 8), (0, 8)], seed=2)
    one, same, other = (estimate(given, "not-yet", "permutation", Draws(seed=seed)).mean for seed in (1, 1, 2))
    assert one == same
    assert one.low is not None
    assert one.high is not None
    assert other.low == pytest.approx(one.low, abs=0.2 * (one.high - one.low))


def test_both_ways_agree_where_units_are_many() -> None:
    """Permuting and drawing again see the same spread in a large company without an effect."""
    given = company([(4, 40), (7, 40), (0, 40)])
    widths = [
        (found.mean.high or 0) - (found.mean.low or 0)
        for found in (estimate(given, "not-yet", method, Draws()) for method in ("permutation", "bootstrap"))
    ]
    assert widths[0] == pytest.approx(widths[1], rel=0.15)


def test_the_bootstrap_knows_the_error_of_a_plain_difference() -> None:
    """With two periods the headline is a difference of two means, whose error is in every textbook."""
    given = company([(2, 12), (0, 15)], periods=2, seed=9)
    design, cohort = panel.design_of(given)
    found = effects.estimands(design, "never")
    sample = Sample(given.outcome, given.treated, cohort, design.sizes)
    strayed = spread.bootstrapped(sample, found, Draws(most=20_000))
    change = given.outcome[:, 1] - given.outcome[:, 0]
    treated, others = change[cohort == 0], change[cohort == 1]
    parts = treated.var(ddof=1) / 12, others.var(ddof=1) / 15
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / 11 + parts[1] ** 2 / 14)
    assert strayed.deviations[:, 0].std() == pytest.approx(math.sqrt(sum(parts)), rel=0.03)
    assert strayed.tails[0] == pytest.approx(student.quantile(0.95, freedom) / 1.6448536, rel=1e-6)


def test_lone_units_have_the_spread_of_the_others_and_none_where_all_are_alone() -> None:
    """One team as a wave of its own still has an interval; nothing but lone teams has none."""
    some = estimate(company([(4, 1), (7, 4), (0, 4)]), "not-yet", "bootstrap", Draws())
    assert some.mean.low is not None
    alone = estimate(company([(4, 1), (7, 1), (0, 1)]), "not-yet", "bootstrap", Draws())
    assert (alone.mean.low, alone.mean.high, alone.leads.p) == (None, None, None)


def test_parts_of_the_draws_give_what_all_at_once_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by working in parts; the figures do not know."""
    given = company([(4, 8), (7, 8), (0, 8)])
    whole = estimate(given, "not-yet", "permutation", Draws())
    monkeypatch.setattr(spread, "AT_ONCE", 1_000)
    parts = estimate(given, "not-yet", "permutation", Draws())
    assert parts.mean == pytest.approx(whole.mean)
