"""Rates of currencies: the worked example, and what both conversions hold to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.reasons import Refusal
from policy.units import NanoUSD
from policy.value import currencies
from policy.value.currencies import PAR, Money, Rate

EUR = Rate("EUR", NanoUSD.parse("1.08"))


def test_the_worked_example() -> None:
    """A midpoint of EUR 150,000 at USD 1.08 is USD 162,000; USD 42.12 of tokens are EUR 39."""
    midpoint = Money("EUR", 150_000 * 10**9)
    assert EUR.in_usd(midpoint) == NanoUSD.parse("162000")
    assert EUR.of_usd(NanoUSD.parse("42.12")) == Money("EUR", 39 * 10**9)


def test_usd_is_at_par() -> None:
    """USD converts to itself, to the last digit."""
    assert PAR.in_usd(Money("USD", 123_456_789)) == NanoUSD(123_456_789)


@given(st.integers(1, 10**18), st.integers(10_000, 10**11))
def test_a_conversion_is_within_half_a_unit_of_exact(nano: int, per_unit: int) -> None:
    """No amount loses or gains more than half a nano-USD; there and back it is off by less than a unit's worth."""
    rate = Rate("EUR", NanoUSD(per_unit))
    usd = rate.in_usd(Money("EUR", nano))
    assert abs(2 * (int(usd) * 10**9 - nano * per_unit)) <= 10**9
    assert abs(rate.of_usd(usd).nano - nano) * per_unit <= 10**9


@given(st.lists(st.integers(0, 10**15), min_size=2, max_size=2), st.integers(10_000, 10**11))
def test_a_larger_amount_stays_larger(amounts: list[int], per_unit: int) -> None:
    """Conversion keeps the order of amounts."""
    rate = Rate("EUR", NanoUSD(per_unit))
    small, large = sorted(amounts)
    assert rate.in_usd(Money("EUR", small)) <= rate.in_usd(Money("EUR", large))


def test_a_rate_converts_its_own_currency_only() -> None:
    """Another currency's amount is a mistake of the program, not a figure."""
    with pytest.raises(ValueError, match="EUR doesn't convert GBP"):
        EUR.in_usd(Money("GBP", 1))


@pytest.mark.parametrize("text", ["", "EU", "EURO", "E1R", "€", "eür"])
def test_a_currency_has_three_letters(text: str) -> None:
    """Anything else is refused by name; small letters are taken."""
    assert currencies.require_code(" eur ") == "EUR"
    with pytest.raises(Refusal, match="expected three letters"):
        currencies.require_code(text)
