"""A total of a group tells no one's own figure, neither alone nor beside the total of all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.disclosure import counts, disclosed, is_of_few, why_hidden


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


def people(first: int, count: int) -> frozenset[str]:
    return frozenset(str(number) for number in group(first, count))


def test_a_period_is_told_of_enough_people_who_stayed() -> None:
    """No one came or left, or at least as many as a total must be of."""
    assert why_hidden([people(0, 7), people(0, 7)], 5) == ""
    assert why_hidden([people(0, 12), people(0, 7)], 5) == ""
    assert why_hidden([people(0, 4), people(0, 9)], 5) == ""
    assert why_hidden([people(0, 4)], 5) == "few_people"


def test_a_period_in_which_a_few_came_or_left_is_not_told() -> None:
    """Neither when they came since the period before, nor when they came and went within it, nor one for another."""
    assert why_hidden([people(0, 7), people(0, 8)], 5) == "team_changed"
    assert why_hidden([people(0, 8), people(0, 7)], 5) == "team_changed"
    assert why_hidden([people(0, 7), people(1, 7)], 5) == "team_changed"
    assert why_hidden([people(0, 7), people(0, 8), people(0, 7)], 5) == "team_changed"
    # Five went, and then one more came: the total before that day and the one after it differ by one.
    assert why_hidden([people(0, 12), people(0, 7), people(0, 8)], 5) == "team_changed"


def test_who_was_not_told_of_needs_no_hiding() -> None:
    """A team of four that grows to five was never told of as four."""
    assert why_hidden([people(0, 4), people(0, 5)], 5) == ""


def test_nothing_at_all_is_of_nobody() -> None:
    """An amount that comes from one to four people is about them; one that comes from no one is about no one."""
    assert [is_of_few(count, 5) for count in (0, 1, 4, 5)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ((), ()),
        ((0, 0), (0, 0)),
        ((9, 0, 7), (9, 0, 7)),
        ((9, 3, 2, 7), (9, None, None, 7)),
        # One that is left out alone could be worked out, and so could few who are left out together.
        ((9, 3, 7, 12), (9, None, None, 12)),
        ((9, 1, 2, 7, 12), (9, None, None, None, 12)),
        # Who is in which is not told either: an empty one is left out with those of few.
        ((20, 0, 4, 8), (20, None, None, None)),
        ((2, 1), (None, None)),
    ],
)
def test_counts_of_few_are_not_told(groups: tuple[int, ...], told: tuple[int | None, ...]) -> None:
    """No group of fewer than five is told, and none can be worked out from the others and the total."""
    assert counts(groups, 5) == told


@given(groups=st.lists(st.integers(0, 12), min_size=1, max_size=11))
def test_what_is_not_told_is_of_enough_people(groups: list[int]) -> None:
    """What is told is right and of at least five; what is left out is of several groups and enough people, or all."""
    told = counts(groups, 5)
    hidden = [count for count, shown in zip(groups, told, strict=True) if shown is None]
    assert all(shown in (None, count) for count, shown in zip(groups, told, strict=True))
    if hidden:
        assert all(shown is None or shown >= 5 for shown in told)
        assert len(hidden) == len(groups) or (len(hidden) > 1 and sum(hidden) >= 5)
