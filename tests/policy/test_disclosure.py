"""A total of a group tells nobody's own figure, neither alone nor beside the total of all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policy.disclosure import disclosed


def group(first: int, count: int) -> frozenset[int]:
    return frozenset(range(first, first + count))


def test_small_groups_are_left_out() -> None:
    """Five are told of, four are not."""
    assert disclosed({"a": group(0, 5), "b": group(10, 4), "c": group(20, 4)}, 5) == ["a"]


def test_a_difference_that_would_tell_is_left_out_too() -> None:
    """One group of two is hidden by leaving out the smallest of the others with it."""
    assert disclosed({"a": group(0, 9), "b": group(10, 6), "c": group(20, 2)}, 5) == ["a"]


def test_all_large_groups_are_told() -> None:
    """Where nothing is left out, no difference tells anything."""
    assert disclosed({"a": group(0, 9), "b": group(10, 6)}, 5) == ["a", "b"]


@given(st.dictionaries(st.text(max_size=3), st.frozensets(st.integers(0, 40)), max_size=8), st.integers(1, 6))
def test_what_is_hidden_is_of_enough_people(groups: dict[str, frozenset[int]], least: int) -> None:
    """Every group told of has enough people, and so has all that is left out together, or it has none."""
    told = disclosed(groups, least)
    assert all(len(groups[name]) >= least for name in told)
    hidden = frozenset().union(*(groups[name] for name in groups if name not in told))
    assert not told or not hidden or len(hidden) >= least
