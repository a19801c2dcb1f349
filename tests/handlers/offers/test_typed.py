"""Offers as people type them: read as meant, or answered with what to write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.offers import typed
from policy.value.currencies import Money
from tests.support.offered import money, rival
from views.offers import GivenRival

MANY = {"base": 240_000, "bonus": 20_000, "equity": 30_000, "credits": 5_000}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("180k", money(180_000)),
        ("180,000", money(180_000)),
        ("180 000 a year", money(180_000)),
        ("EUR 180k", money(180_000, "EUR")),
        ("€180k", money(180_000, "EUR")),
        ("180k eur", money(180_000, "EUR")),
        ("£1.2M", money(1_200_000, "GBP")),
        ("US$ 99.50", Money("USD", 99_500_000_000)),
    ],
)
def test_amounts_are_read_as_meant(text: str, read: Money) -> None:
    """A currency may stand on either side, as a code or a sign; without one it is the usual one."""
    assert typed.money(text, "USD") == read


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a lot", "Write an amount such as 180k"),
        ("", "no amount to me"),
        ("180.000", "can be read in two ways. Write 180,000 or 180."),
        ("EUR 180k USD", "names two currencies"),
        ("50,00", "has a comma where I read a point"),
    ],
)
def test_what_is_no_amount_is_answered(text: str, says: str) -> None:
    """What can't be read, or in two ways, is refused with what to write instead."""
    with pytest.raises(ValueError, match=says):
        typed.money(text, "USD")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("240k", rival("Offer B", base=240_000)),
        ("B: 240k base", rival("B", base=240_000)),
        ("240k, 20k bonus; 30k equity + 5k credits", rival("Offer B", **MANY)),
        ("Northwind: $220,000 salary; 2 seats at 39 a month", rival("Northwind", base=220_000, seats_a_month=78)),
        ("240k pay\nseat for $20; 50M tokens", rival("Offer B", base=240_000, seats_a_month=20, tokens=50_000_000)),
    ],
)
def test_another_offer_is_one_line(text: str, read: GivenRival) -> None:
    """A label, and amounts with what they are, however they are set apart."""
    assert typed.rival(text, "Offer B", "USD") == read


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("20k bonus", "has no base salary"),
        ("240k base; 230k base", "says its base twice"),
        ("240k base; a car", "'a car' is nothing that I know"),
        ("240.000 base", "can be read in two ways"),
        ("B:", "has no base salary"),
    ],
)
def test_what_is_no_offer_is_answered(text: str, says: str) -> None:
    """Each part that can't be read is shown, with an example of what can."""
    with pytest.raises(ValueError, match=says):
        typed.rival(text, "Offer B", "USD")


amounts = st.integers(1, 10**9)
codes = st.sampled_from(["USD", "EUR", "GBP", "CHF"])


@given(amounts, amounts, st.integers(0, 10**9), st.integers(0, 10**9), codes)
def test_what_was_typed_can_be_typed_again(base: int, seats: int, credits_: int, tokens: int, code: str) -> None:
    """An offer that is adjusted has in its form what was meant when it was made."""
    one = GivenRival(
        label="B",
        base=money(base, code),
        bonus=money(0),
        equity=money(0),
        credits=money(credits_, code) if credits_ else money(0),
        seats_a_month=money(seats, code),
        model_tokens_a_month=tokens,
    )
    assert typed.rival(typed.written(one), "Offer B", "USD") == one
