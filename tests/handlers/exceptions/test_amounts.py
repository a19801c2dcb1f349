"""Amounts as people write them: what is read, what is refused because it has two meanings, and what to write then."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.exceptions import amounts
from policy.period import Quarter
from policy.units import MicroTokens
from policy.value.valuation import TokenValue

CENT = TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_000_000)

READ = {
    "5000": "5000",
    "5,000": "5000",
    "5 000": "5000",
    "5\u00a0000": "5000",
    "5\u202f000": "5000",
    "5'000": "5000",
    "5\u2019000": "5000",
    "5_000": "5000",
    "1,234,567.5": "1234567.5",
    "1 234 567": "1234567",
    ".5": "0.5",
    "5,000 tokens": "5000",
    "1 token": "1",
    "20k": "20000",
    "20 K": "20000",
    "20k.": "20000",
    "1.5M": "1500000",
    "1.5 million": "1500000",
    "2 mio": "2000000",
    "0.5k tokens": "500",
    "\uff15\uff10\uff10\uff10": "5000",
    "USD 50": "5000",
    "usd 50": "5000",
    "$50": "5000",
    "50 USD": "5000",
    "US$ 50": "5000",
    "$1.5k": "150000",
    "\u200b 300 \n": "300",
    "5000\ntokens": "5000",
    "5,000.": "5000",
    "5.": "5",
    "5000, ": "5000",
    "\u0662\u0665\u0660\u0660": "2500",
    "\u0662\u066c\u0665\u0660\u0660": "2500",
    "\u0968\u096b\u0966\u0966": "2500",
    "\u200f2,500\u200f": "2500",
    "25\u200e00": "2500",
    "\u20672 500\u2069 tokens": "2500",
}
TWO_WAYS = {
    "5.000": "'5.000' can be read in two ways. Write 5,000 or 5.",
    "1.250": "'1.250' can be read in two ways. Write 1,250 or 1.25.",
    "1.500.000": "'1.500.000' has points where I read commas. Write 1,500,000.",
    "5,000k": "'5,000k' can be read in two ways. Write 5,000,000 or 5,000.",
    "1.500M": "'1.500M' can be read in two ways. Write 1,500,000,000 or 1,500,000.",
    "5,5": "'5,5' has a comma where I read a point. Write 5.5.",
    "1,5M": "'1,5M' has a comma where I read a point. Write 1,500,000.",
    "1.500,50": "'1.500,50' has a comma where I read a point. Write 1,500.50.",
    "1\u00a0500,5": "'1 500,5' has a comma where I read a point. Write 1,500.5.",
}
WRONG = {
    "-5": "'-5' is less than 0. Write an amount above 0, for example 2,500.",
    "\u22125,000": "'\u22125,000' is less than 0. Write an amount above 0, for example 2,500.",
    "USD -50": "'USD -50' is less than 0. Write an amount above 0, for example 2,500.",
    "1e3": "'1e3' is written with a power of ten. Write 1,000.",
    "2.5E+3": "'2.5E+3' is written with a power of ten. Write 2,500.",
    "2\n500": "'2 500' stands on several lines. Write one amount on one line, for example 2,500.",
    "2,\u2028500": "'2, 500' stands on several lines. Write one amount on one line, for example 2,500.",
    "\u202e005,2": "'005,2' has marks in it that turn digits around. Type it anew, for example 2,500.",
    "9" * 30: f"'{'9' * 30}' is too much. You may ask for at most 1,000,000,000 tokens in one request.",
    "1001M": "'1001M' is too much. You may ask for at most 1,000,000,000 tokens in one request.",
    "USD 9000000000000": (
        "'USD 9000000000000' is too much. You may ask for at most 1,000,000,000 tokens in one request."
    ),
    "0.0000001": "'0.0000001' has too many decimals. Write a whole number, for example 2,500.",
}
NONE = (
    "",
    "lots",
    "5-000",
    "10 - 20",
    "1e400",
    "1e99",
    "+5",
    "5 000 0",
    "50,00,000",
    "5 EUR",
    "USD 5 tokens",
    "$5 USD",
    "5kk",
    "0x10",
    "k",
)


@pytest.mark.parametrize("text", READ)
def test_an_amount_is_read_as_its_writer_means_it(text: str) -> None:
    """Groups by comma, apostrophe or any space; `k` and `M`; tokens unless it says USD; digits of any script."""
    assert amounts.parse(text, CENT) == MicroTokens.parse(READ[text])


@pytest.mark.parametrize("text", TWO_WAYS)
def test_what_has_two_meanings_is_refused_with_what_to_write(text: str) -> None:
    """A point or comma that means thousands in one country and decimals in another is never guessed."""
    with pytest.raises(ValueError, match="Write") as refused:
        amounts.parse(text, CENT)
    assert str(refused.value) == TWO_WAYS[text]


@pytest.mark.parametrize("text", WRONG)
def test_a_refusal_says_what_is_wrong_and_what_to_write(text: str) -> None:
    """Below zero, powers of ten, two lines, turned digits, too much, too fine: each has its sentence and an example."""
    with pytest.raises(ValueError, match="'") as refused:
        amounts.parse(text, CENT)
    assert str(refused.value) == WRONG[text]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_amount_is_shown_as_it_was_written(text: str) -> None:
    """The refusal quotes the text with plain spaces, and gives an example."""
    with pytest.raises(ValueError, match="Write an amount such as 5,000, 20k or USD 50"):
        amounts.parse(text, CENT)


def test_a_refusal_shows_spaces_as_spaces() -> None:
    """No one typed a backslash: `5 000 each` is quoted like that, whatever the width of its spaces."""
    with pytest.raises(ValueError, match="'5 000 each' is no amount"):
        amounts.parse("5\u202f000 each", CENT)


@given(st.decimals(Decimal("0.000001"), 10**9, places=6))
def test_every_amount_that_is_shown_can_be_written_back(number: Decimal) -> None:
    """What the bot writes, with commas and a point, it reads as the same amount, with every kind of space as well."""
    shown = f"{number:,f}"
    meant = MicroTokens.parse(number)
    assert amounts.parse(shown, CENT) == meant
    for space in (" ", "\u00a0", "\u2009", "\u202f"):
        assert amounts.parse(shown.replace(",", space), CENT) == meant


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    """Nothing that can be typed into the field is a failure."""
    with contextlib.suppress(ValueError):
        assert amounts.parse(text, CENT) >= 0
