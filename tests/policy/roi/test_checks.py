"""The checks beside the headline: fixed effects as anybody computes them, the naive claim, Student's t, association."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from policy.reasons import Refusal
from policy.roi import association, checks, student
from policy.roi.spread import Draws
from tests.policy.roi.panels import company


def test_fixed_effects_are_those_of_least_squares() -> None:
    """The coefficient of a regression with a dummy for each unit and period."""
    panel = company([(4, 3), (8, 4), (0, 3)], effect=0.3)
    units, periods = panel.outcome.shape
    by_unit = np.kron(np.eye(units), np.ones((periods, 1)))
    by_period = np.kron(np.ones((units, 1)), np.eye(periods))
    columns = np.hstack([panel.treated.reshape(-1, 1), by_unit, by_period[:, 1:]])
    coefficient = np.linalg.lstsq(columns, panel.outcome.ravel())[0][0]
    found = checks.two_way(panel, 0.9)
    assert found is not None
    assert found.estimate == pytest.approx(coefficient)
    assert found.low is not None
    assert found.low < 0.3 < (found.high or 0)


def test_fixed_effects_weigh_some_treated_months_with_the_wrong_sign() -> None:
    """Where an effect grows and all are treated in the end, they tell less than any month's effect."""
    panel = company([(2, 5), (9, 5)], noise=0)
    since = np.array(panel.periods)[None, :] - panel.first[:, None]
    found = checks.two_way(panel.with_outcome(panel.outcome + np.where(since >= 0, 1.0 + since, 0)), 0.9)
    assert found is not None
    assert found.negative_share > 0
    assert found.negative_weight < 0
    assert found.estimate < 1


def test_two_groups_and_one_date_have_no_negative_weights() -> None:
    """The plain design, in which fixed effects and the headline are the same."""
    found = checks.two_way(company([(5, 4), (0, 4)], effect=0.2, noise=0), 0.9)
    assert found is not None
    assert (found.negative_share, found.negative_weight) == (0, 0)
    assert found.estimate == pytest.approx(0.2)


def test_before_and_after_takes_a_common_trend_for_an_effect() -> None:
    """It is told so that the report can say what it would have claimed."""
    panel = company([(7, 4), (0, 4)], noise=0)
    growing = panel.with_outcome(np.zeros_like(panel.outcome) + 0.1 * np.arange(12)[None, :])
    assert checks.before_after(growing) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 6.313751515), (2, 2.919985580), (3, 2.353363435), (5, 2.015048373), (10, 1.812461123), (30, 1.697260887)],
)
def test_quantiles_of_t_are_those_of_the_tables(freedom: float, expected: float) -> None:
    """At 95 %, as printed everywhere."""
    assert student.quantile(0.95, freedom) == pytest.approx(expected, abs=1e-8)


def test_many_degrees_of_freedom_are_the_normal_distribution() -> None:
    """And in between the quantile falls without a jump."""
    assert student.quantile(0.95, 1e7) == pytest.approx(1.644853627, abs=1e-8)
    fall = [student.quantile(0.95, freedom) for freedom in np.arange(1, 40, 0.5)]
    assert all(a > b for a, b in pairwise(fall))


# --- Association ----------------------------------------------------------------------------------------------------


def weeks(lag: int, teams: int = 30, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Tokens, and output that follows them so many weeks later."""
    chance = np.random.default_rng(7)
    tokens = chance.normal(0, 1, (teams, count))
    return tokens, 0.8 * np.roll(tokens, lag, axis=1) + chance.normal(0, 1, (teams, count))


def test_output_that_follows_tokens_is_seen_at_its_lag() -> None:
    """And nothing goes before."""
    found = association.lagged(*weeks(3), Draws(most=500))
    strongest = max(found.lags, key=lambda lag: abs(lag.correlation))
    assert strongest.weeks == 3
    assert strongest.low > 0.4
    assert [lag.weeks for lag in found.lags] == list(range(-4, 9))


def test_output_that_goes_before_tokens_signals_the_reverse() -> None:
    """Busy teams that then spend are not made busy by spending."""
    assert association.lagged(*weeks(-2), Draws(most=500)).reversed


def test_too_few_teams_or_weeks_have_no_association() -> None:
    """One team has nothing to be compared with."""
    with pytest.raises(Refusal, match=r"^Too few for a lag: 1 team in 60 weeks\.$"):
        association.lagged(*weeks(1, teams=1), Draws())


def test_output_per_token_is_told_in_both_its_parts() -> None:
    """13 % fewer tokens and flat output raise it as much as 15 % more output."""
    spending_less = association.split((100, 100), (1_000, 1_000 / 1.15))
    delivering_more = association.split((100, 115), (1_000, 1_000))
    assert spending_less is not None
    assert delivering_more is not None
    assert spending_less.ratio == pytest.approx(delivering_more.ratio) == pytest.approx(math.log(1.15))
    assert (spending_less.output, delivering_more.tokens) == (0, 0)
    assert association.split((0, 5), (1, 1)) is None


def test_chance_seldom_signals_the_reverse() -> None:
    """With nothing in it, and with output that follows tokens, one of ten at most."""
    chance = np.random.default_rng(5)
    nothing, following = [], []
    for _ in range(60):
        tokens, luck = chance.normal(0, 1, (2, 20, 30))
        nothing.append(association.lagged(tokens, luck, Draws(most=400)).reversed)
        output = 0.8 * np.roll(tokens, 2, axis=1) + luck
        following.append(association.lagged(tokens, output, Draws(most=400)).reversed)
    assert np.mean(nothing) <= 0.2
    assert np.mean(following) <= 0.05
