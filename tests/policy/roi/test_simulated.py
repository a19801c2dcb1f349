"""Simulated companies with planted effects: what is found of them, and what simpler methods would have claimed."""

from __future__ import annotations

import pytest

from benchmarks.effects import Company, measure
from tests.support import depth

RUNS = depth.either(quick=60, deep=240)
DRAWS = 200


def test_what_is_planted_is_found_within_the_interval() -> None:
    """Hardly any bias, and the interval of 90 % holds the truth about nine times of ten."""
    found = measure(Company(24, 0.15), RUNS, DRAWS)
    assert abs(found.bias) < 0.04
    assert 0.80 <= found.covered <= 0.98
    assert found.claimed > 0.3


@pytest.mark.parametrize("teams", [6, 24])
def test_where_nothing_is_planted_little_is_claimed(teams: int) -> None:
    """About one time of ten at 90 %, with few teams as with many; before and after claims 13 % each time."""
    found = measure(Company(teams, 0), RUNS, DRAWS)
    assert found.claimed <= 0.2
    assert found.naive > 0.1
    assert abs(found.bias) < 0.06


def test_an_effect_that_grows_misleads_fixed_effects_more() -> None:
    """The headline is the mean of the months that there were; fixed effects tell less of it."""
    found = measure(Company(24, 0.3, grows=True), RUNS, DRAWS)
    assert abs(found.bias) < 0.04
    assert found.twfe - found.truth < found.bias - 0.005


def test_seniors_first_is_no_bias() -> None:
    """Better teams in the first wave are compared with themselves before; the interval comes of drawing teams again."""
    found = measure(Company(24, 0.15, by_lot=False), RUNS, DRAWS)
    assert abs(found.bias) < 0.04
    assert found.covered >= 0.82
