"""Amounts never mix, never round unasked, and never get lost in a split."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from policy.units import (
    LARGEST_AMOUNT,
    MICRO_PER_TOKEN,
    NANO_PER_USD,
    MicroTokens,
    NanoUSD,
    divide_half_even,
    split_by_largest_remainder,
)
from tests.support import depth

on_any_machine = settings(max_examples=depth.examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])

amounts = st.integers(-LARGEST_AMOUNT, LARGEST_AMOUNT)
units = st.sampled_from([MicroTokens, NanoUSD])


@on_any_machine
@given(units, amounts, amounts)
def test_amounts_of_one_unit_add_up_to_that_unit(unit: type[MicroTokens], left: int, right: int) -> None:
    """Sums, differences and negatives of one unit are exact and stay in the unit."""
    total, difference, negative = unit(left) + unit(right), unit(left) - unit(right), -unit(left)
    assert (int(total), int(difference), int(negative)) == (left + right, left - right, -left)
    assert {type(total), type(difference), type(negative)} == {unit}


def test_the_two_units_never_mix() -> None:
    """Adding or subtracting tokens and USD is a TypeError that names both, in either order."""
    tokens, usd = MicroTokens(1), NanoUSD(1)
    with pytest.raises(TypeError, match="cannot combine MicroTokens with NanoUSD"):
        tokens + usd  # type: ignore[operator]
    with pytest.raises(TypeError, match="cannot combine MicroTokens with NanoUSD"):
        tokens - usd  # type: ignore[operator]
    with pytest.raises(TypeError, match="cannot combine NanoUSD with MicroTokens"):
        usd + tokens  # type: ignore[operator]
    with pytest.raises(TypeError, match="cannot combine NanoUSD with MicroTokens"):
        usd - tokens  # type: ignore[operator]


@pytest.mark.parametrize("bare", [0, 1, -3])
def test_an_amount_never_mixes_with_a_bare_number(bare: int) -> None:
    """A number without a unit, zero included, is a TypeError on either side."""
    amount = NanoUSD(5)
    with pytest.raises(TypeError, match="cannot combine NanoUSD with"):
        amount + bare
    with pytest.raises(TypeError, match="cannot combine NanoUSD with"):
        bare + amount
    with pytest.raises(TypeError, match="cannot combine NanoUSD with"):
        amount - bare
    with pytest.raises(TypeError, match="cannot combine NanoUSD with"):
        bare - amount


def test_a_sum_names_its_unit() -> None:
    """`sum` needs a start of the unit, because its own start is a bare zero."""
    amounts_of_usd = [NanoUSD(1), NanoUSD(2)]
    assert sum(amounts_of_usd, start=NanoUSD(0)) == NanoUSD(3)
    with pytest.raises(TypeError, match="cannot combine NanoUSD with int"):
        sum(amounts_of_usd)  # type: ignore[arg-type]


@on_any_machine
@given(units, amounts)
def test_an_amount_reads_back_from_its_decimal(unit: type[MicroTokens], number: int) -> None:
    """Writing an amount in whole units and parsing it returns the same amount, over the whole BIGINT range."""
    amount = unit(number)
    assert Fraction(amount.decimal) == Fraction(number, unit.scale)
    assert unit.parse(str(amount.decimal)) == unit.parse(amount.decimal) == amount
    assert type(unit.parse(str(amount.decimal))) is unit


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("4120.35", 4_120_350_000),
        ("0.000001", 1),
        ("-0.5", -500_000),
        ("1e3", 1_000_000_000),
        ("7.0000000000000000000000000000000000000", 7_000_000),
        ("0", 0),
    ],
)
def test_parse_reads_whole_units_exactly(text: str, micro: int) -> None:
    """Any way of writing a number that the unit can hold is read without loss."""
    assert MicroTokens.parse(text) == MicroTokens(micro)


@pytest.mark.parametrize(
    "text", ["0.0000001", "1.00000000000000000000000000001", "0.0000010000000000000000000000000001", "1e-999999999"]
)
def test_parse_refuses_what_is_finer_than_the_unit(text: str) -> None:
    """A number finer than the unit is refused however far behind the point it gets fine, never rounded."""
    with pytest.raises(ValueError, match=f"^{text!r} has more decimals than the MicroTokens unit holds$"):
        MicroTokens.parse(text)


@on_any_machine
@given(amounts, st.integers(1, 60), st.integers(1, 9))
def test_parse_refuses_every_digit_beyond_the_unit(number: int, zeros: int, digit: int) -> None:
    """One more digit than nine decimals, however many zeros come before it, makes USD too fine."""
    whole, part = divmod(abs(number), NANO_PER_USD)
    with pytest.raises(ValueError, match=r"has more decimals than the NanoUSD unit holds|out of range"):
        NanoUSD.parse(f"{whole}.{part:09}{'0' * zeros}{digit}")


@pytest.mark.parametrize(
    "text",
    ["9223372036.854775808", "-9223372036.854775808", "1e30", "1e999999", "-1e999999", "inf", "-Infinity", "NaN"],
)
def test_parse_refuses_what_no_column_holds(text: str) -> None:
    """Beyond BIGINT, infinite, or not a quantity at all: out of range, and the text is shown."""
    with pytest.raises(ValueError, match=f"^{text!r} is out of range$"):
        NanoUSD.parse(text)


def test_the_largest_amounts_are_in_range() -> None:
    """The bounds of the range themselves can be read."""
    assert NanoUSD.parse("9223372036.854775807") == NanoUSD(LARGEST_AMOUNT)
    assert NanoUSD.parse("-9223372036.854775807") == NanoUSD(-LARGEST_AMOUNT)


@pytest.mark.parametrize("text", ["", " ", "12,5", "0x10", "ten", "1.2.3", "$5"])
def test_parse_refuses_what_is_not_a_number(text: str) -> None:
    """Whatever is not a decimal number is refused with the text that was given."""
    with pytest.raises(ValueError, match="is not a number") as refused:
        MicroTokens.parse(text)
    assert repr(text) in str(refused.value)


def test_the_units_have_their_scales() -> None:
    """A token is a million micro-tokens, a US dollar a thousand million nano-USD."""
    assert MicroTokens.parse("1") == MicroTokens(MICRO_PER_TOKEN)
    assert NanoUSD.parse("1") == NanoUSD(NANO_PER_USD)


@on_any_machine
@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
@example(5, 10)
@example(15, 10)
@example(-5, 10)
@example(-15, 10)
@example(-25, 10)
def test_division_rounds_halves_to_the_even_number(numerator: int, denominator: int) -> None:
    """`divide_half_even` is what Decimal calls ROUND_HALF_EVEN, for negative numbers too."""
    exact = Context(prec=100).divide(Decimal(numerator), Decimal(denominator))
    assert divide_half_even(numerator, denominator) == int(exact.to_integral_value(ROUND_HALF_EVEN))


@on_any_machine
@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_exact_halves_go_to_the_even_neighbour(quotient: int, half: int) -> None:
    """A remainder of exactly one half ends on the even one of the two neighbours."""
    rounded = divide_half_even((2 * quotient + 1) * half, 2 * half)
    assert rounded in (quotient, quotient + 1)
    assert rounded % 2 == 0


splits = st.tuples(
    st.integers(0, 10**9),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any),
    st.sampled_from([1, 10, 1_000, MICRO_PER_TOKEN]),
)


@on_any_machine
@given(splits)
def test_a_split_loses_nothing(case: tuple[int, list[int], int]) -> None:
    """The shares sum to the total exactly, and each is a multiple of the step and not negative."""
    steps, weights, step = case
    shares = split_by_largest_remainder(steps * step, weights, step=step)
    assert sum(shares) == steps * step
    assert len(shares) == len(weights)
    assert all(share >= 0 and share % step == 0 for share in shares)


@on_any_machine
@given(splits)
def test_a_split_is_proportional_within_one_step(case: tuple[int, list[int], int]) -> None:
    """No share is a whole step away from its exact proportion, so a weight of zero gets nothing."""
    steps, weights, step = case
    shares = split_by_largest_remainder(steps * step, weights, step=step)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(steps * step * weight, sum(weights))) < step
        assert weight or not share


@on_any_machine
@given(splits)
def test_a_larger_weight_never_gets_less(case: tuple[int, list[int], int]) -> None:
    """Shares follow the order of the weights, and of equal weights the earlier gets at least as much."""
    steps, weights, step = case
    shares = split_by_largest_remainder(steps * step, weights, step=step)
    ranked = sorted(range(len(weights)), key=lambda i: (-weights[i], i))
    assert all(shares[before] >= shares[after] for before, after in pairwise(ranked))


@on_any_machine
@given(splits, st.integers(1, 1_000))
def test_a_split_depends_on_proportions_only(case: tuple[int, list[int], int], factor: int) -> None:
    """Weights in another unit give the same split."""
    steps, weights, step = case
    scaled = [weight * factor for weight in weights]
    assert split_by_largest_remainder(steps * step, scaled, step=step) == split_by_largest_remainder(
        steps * step, weights, step=step
    )


@pytest.mark.parametrize(
    ("total", "weights", "step", "shares"),
    [
        (100, [1, 1, 1], 1, [34, 33, 33]),
        (200, [1, 1, 1], 1, [67, 67, 66]),
        (10, [3, 3, 2, 2], 1, [3, 3, 2, 2]),
        (1, [1, 1], 1, [1, 0]),
        (100, [1, 1, 1], 10, [40, 30, 30]),
        (7, [0, 5, 0], 1, [0, 7, 0]),
        (0, [1, 2], 1, [0, 0]),
    ],
)
def test_ties_go_to_the_earlier(total: int, weights: list[int], step: int, shares: list[int]) -> None:
    """What proportion cannot divide goes to the largest remainders, and of equal ones to the earlier."""
    assert split_by_largest_remainder(total, weights, step=step) == shares


@pytest.mark.parametrize(
    ("total", "weights", "step", "wrong"),
    [
        (-1, [1], 1, "cannot split -1 into multiples of 1"),
        (25, [1], 10, "cannot split 25 into multiples of 10"),
        (10, [3, -1], 1, "weights must not be negative"),
        (10, [0, 0], 1, "at least one must be positive"),
        (10, [], 1, "at least one must be positive"),
    ],
)
def test_an_impossible_split_is_refused(total: int, weights: list[int], step: int, wrong: str) -> None:
    """A negative or indivisible total, a negative weight, and weights without any weight are errors."""
    with pytest.raises(ValueError, match=wrong):
        split_by_largest_remainder(total, weights, step=step)


@on_any_machine
@given(st.integers(1, 10**6), st.integers(2, 1_000))
def test_a_total_between_two_steps_is_refused(steps: int, step: int) -> None:
    """A total that is no multiple of the step cannot be split into whole steps."""
    with pytest.raises(ValueError, match="cannot split"):
        split_by_largest_remainder(steps * step - 1, [1, 2], step=step)
