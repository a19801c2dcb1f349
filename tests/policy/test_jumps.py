"""What counts as an unusual week: far from the usual ones, judged by their middle, not by their mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook
from policy.jumps import UsualRange, unusual

RULES = handbook.parse(handbook.packaged()).reports


def test_a_week_far_from_the_others_is_unusual() -> None:
    """Its usual figure, and the middle half of the weeks before, say how far."""
    assert unusual(500, [100, 110, 90, 105, 95, 100, 120, 80], RULES) == UsualRange(100, 95, 105, 8)
    assert unusual(0, [100, 110, 90, 105, 95, 100, 120, 80], RULES) == UsualRange(100, 95, 105, 8)


def test_one_odd_week_before_hides_no_other() -> None:
    """A mean and its deviation would take the second jump for usual."""
    assert unusual(500, [100, 110, 90, 105, 900, 100, 120, 80], RULES) is not None


@pytest.mark.parametrize("last", [60, 100, 140])
def test_less_than_half_more_or_less_is_usual(last: int) -> None:
    """However even the weeks before were: no one wants to read of a tenth."""
    assert unusual(last, [100] * 8, RULES) is None


def test_weeks_that_differ_much_have_no_usual_one() -> None:
    """Where anything happens, nothing is unusual."""
    assert unusual(500, [10, 300, 40, 600, 90, 250, 5, 420], RULES) is None


def test_too_few_weeks_have_no_usual_one() -> None:
    """So many must be known as the handbook says."""
    weeks = [100] * (RULES.jump_weeks - 1)
    assert unusual(900, weeks, RULES) is None
    assert unusual(900, [*weeks, 100], RULES) == UsualRange(100, 100, 100, RULES.jump_weeks)


def test_the_first_use_of_a_service_is_unusual() -> None:
    """Something after weeks of nothing."""
    assert unusual(5, [0] * 6, RULES) == UsualRange(0, 0, 0, 6)
    assert unusual(0, [0] * 6, RULES) is None


@given(st.lists(st.integers(0, 10**9), min_size=6, max_size=11), st.integers(0, 10**9), st.integers(1, 1_000))
def test_the_currency_does_not_matter(before: list[int], last: int, factor: int) -> None:
    """The same weeks in another unit are as usual as before."""
    told = unusual(last, before, RULES)
    scaled = unusual(last * factor, [one * factor for one in before], RULES)
    assert (told is None) == (scaled is None)
