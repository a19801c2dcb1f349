"""What is held for a call is what it can cost at most, and never stops what would have fitted by far."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import estimates, handbook
from policy.estimates import Asked
from policy.units import NanoUSD

RULES = handbook.parse(handbook.packaged()).holds


@given(st.integers(0, 10**9))
def test_bytes_become_tokens_rounded_up(size: int) -> None:
    """Never fewer than the bytes need, and never a whole token more."""
    tokens = estimates.tokens_in(size, Decimal("3.5"))
    assert tokens * 7 >= size * 2 > (tokens - 1) * 7


@pytest.mark.parametrize(
    ("asked", "usual", "meters"),
    [
        (Asked({}, input_bytes=4_200), None, {"input_uncached": 1_200, "output": 4_096}),
        (Asked({}, input_bytes=4_200), 800, {"input_uncached": 1_200, "output": 800}),
        (Asked({}, input_bytes=1, most_output=50), 800, {"input_uncached": 1, "output": 50}),
        (Asked({"input_uncached": 7}, input_bytes=4_200), 9, {"input_uncached": 7, "output": 9}),
        (Asked({"output": 5}), 800, {"output": 5}),
        (Asked({}, most_output=0), 800, {"output": 0}),
    ],
)
def test_what_is_not_told_is_estimated(asked: Asked, usual: int | None, meters: dict[str, int]) -> None:
    """What was counted counts; then the limit that was asked for; then the usual; then a round figure."""
    assert estimates.worst_case(asked, RULES, usual) == meters


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=200), st.sampled_from(["0.5", "0.95", "1"]))
def test_a_quantile_is_one_of_the_sizes_and_covers_its_share(sizes: list[int], share: str) -> None:
    """That share of all calls stays within it, and no smaller size does as much."""
    found = estimates.quantile(sizes, Decimal(share))
    assert found in sizes
    within = sum(size <= found for size in sizes)
    below = sum(size < found for size in sizes)
    assert within >= Decimal(share) * len(sizes) > below


def test_of_too_few_there_is_no_quantile_and_no_usual() -> None:
    """A model that nobody called yet has no history to go by, and four calls say little."""
    assert estimates.quantile([], Decimal("0.95")) is None
    assert estimates.usual(4, 1_000, RULES) is None


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_only_a_worst_case_far_above_the_usual_gives_way_to_it(worst: int, mean: int) -> None:
    """More than four times as much: then a call counts as the usual, else as its worst case."""
    assert estimates.likely(NanoUSD(worst), NanoUSD(mean), RULES) == (mean if worst > 4 * mean else worst)
    assert estimates.likely(NanoUSD(worst), None, RULES) == worst


@given(st.integers(5, 50), st.integers(0, 10**9))
def test_the_usual_times_their_number_covers_all_calls(calls: int, cost: int) -> None:
    """The mean for each is at least what they cost together, and less than one unit a call more."""
    mean = estimates.usual(calls, cost, RULES)
    assert mean is not None
    assert cost <= int(mean) * calls < cost + calls


def test_a_job_holds_a_fifth_more_than_its_estimate() -> None:
    """8 GPUs for 6 hours at USD 2.35 are USD 112.80, and hold USD 135.36."""
    assert estimates.of_job(NanoUSD.parse("112.80"), RULES) == NanoUSD.parse("135.36")


@given(st.integers(0, 10**13), st.integers(1, 10**7), st.integers(0, 10**13))
def test_a_lease_is_never_more_than_its_share_of_what_is_left(spent: int, seconds: int, room: int) -> None:
    """However fast someone spends, nine tenths stay for others; too little to share is not leased."""
    found = estimates.lease(NanoUSD(spent), seconds, NanoUSD(room), RULES)
    assert found is None or RULES.lease_least_usd <= found <= NanoUSD(room // 10)
    assert (found is None) == (room // 10 < int(RULES.lease_least_usd))


def test_a_lease_is_about_a_minute_of_the_persons_pace() -> None:
    """USD 60 in an hour is a dollar a minute."""
    rules = replace(RULES, lease_seconds=60)
    assert estimates.lease(NanoUSD.parse("60"), 3_600, NanoUSD.parse("1000"), rules) == NanoUSD.parse("1")
