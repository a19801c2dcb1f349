"""How an amount beside a monthly grant reads, and that no wording claims more than is so."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import multiples

NUMBER = re.compile(r"([\d,]+(?:\.\d+)?) times")
amounts = st.integers(1, 10**15)
near_a_whole = st.builds(
    lambda grant, whole, off: (max(grant * whole + off, 1), grant),
    st.integers(10**3, 10**12),
    st.integers(1, 40),
    st.integers(-5, 5),
)


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        (1, "far less than one month's grant"),
        (49, "far less than one month's grant"),
        (50, "less than a tenth of the monthly grant"),
        (95, "about a tenth of the monthly grant"),
        (100, "a tenth of the monthly grant"),
        (210, "about a fifth of the monthly grant"),
        (500, "half of the monthly grant"),
        (640, "about two thirds of the monthly grant"),
        (951, "almost one month's grant"),
        (999, "almost one month's grant"),
        (1_000, "as much as one month's grant"),
        (1_001, "slightly more than one month's grant"),
        (1_049, "slightly more than one month's grant"),
        (1_051, "about 1.1 times the monthly grant"),
        (1_600, "1.6 times the monthly grant"),
        (1_960, "almost 2 times the monthly grant"),
        (3_000, "3 times the monthly grant"),
        (3_001, "slightly more than 3 times the monthly grant"),
        (9_999, "almost 10 times the monthly grant"),
        (12_400, "slightly more than 12 times the monthly grant"),
        (1_234_000, "1,234 times the monthly grant"),
    ],
)
def test_a_multiple_reads_as_people_say_it(amount: int, read: str) -> None:
    """Beside a grant of 1,000: parts have names, whole numbers no decimals, and nothing reads as 0.00 of anything."""
    assert multiples.grants(amount, 1_000) == read


def said_of(words: str) -> Fraction:
    """The multiple that the words name."""
    if found := NUMBER.search(words):
        return Fraction(found[1].replace(",", ""))
    if "one month's" in words:
        return Fraction(1)
    return next(part for part, name in multiples.PARTS if f"{name} of" in words)


@given(st.one_of(st.tuples(amounts, amounts), near_a_whole))
def test_no_wording_is_untrue(pair: tuple[int, int]) -> None:
    """Without an adverb the words are exact; with one they are true: on that side, and at most a sixth away."""
    amount, grant = pair
    times, words = Fraction(amount, grant), multiples.grants(amount, grant)
    said = said_of(words)
    if words.startswith("far less than"):
        assert times < Fraction(1, 20)
    elif words.startswith("less than"):
        assert Fraction(1, 20) <= times < said
    elif words.startswith("almost"):
        assert said * Fraction(9, 10) < times < said
    elif words.startswith("slightly more than"):
        assert said < times < said * Fraction(11, 10)
    elif words.startswith("about"):
        assert times != said
        assert abs(times - said) <= said / 6
        assert (times < 1) == (said < 1)
    else:
        assert times == said


@given(amounts, amounts, st.integers(2, 50))
def test_only_the_proportion_counts(amount: int, grant: int, scale: int) -> None:
    """The same proportion reads the same, whatever the unit of both."""
    assert multiples.grants(amount * scale, grant * scale) == multiples.grants(amount, grant)


@pytest.mark.parametrize(
    ("times", "read"),
    [
        ("1", "the monthly grant"),
        ("1.00", "the monthly grant"),
        ("3", "3 times the monthly grant"),
        ("1.50", "1.5 times the monthly grant"),
        ("0.5", "half of the monthly grant"),
        ("0.15", "15 % of the monthly grant"),
        ("0.125", "an eighth of the monthly grant"),
    ],
)
def test_a_limit_is_told_to_the_last_digit(times: str, read: str) -> None:
    """A limit is exact: parts have names where there is one for just that part."""
    assert multiples.limit(Decimal(times)) == read
