"""Tokens and USD convert at the value of a quarter, and nowhere else."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy import handbook
from policy.period import Quarter
from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD, divide_half_even
from policy.value.valuation import TokenValue, fixed_value
from tests.support import depth

on_any_machine = settings(max_examples=depth.examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])

QUARTER = Quarter(2026, 4)
RULES = TokenValue(QUARTER, "2026-Q4.1", int(NanoUSD.parse("0.0102")))

values = st.integers(1, 10**12).map(lambda nano_usd: TokenValue(QUARTER, "2026-Q4.1", nano_usd))
costs = st.integers(-(10**15), 10**15).map(NanoUSD)


@pytest.mark.parametrize(
    ("usd", "tokens"), [("33.90", "3323.529412"), ("112.80", "11058.823529"), ("0.0102", "1"), ("0", "0")]
)
def test_debits_of_the_rules(usd: str, tokens: str) -> None:
    """At USD 0.0102 a token, the chat of the rules takes 3,323.5 tokens and the training job 11,058.8."""
    assert RULES.debit(NanoUSD.parse(usd)) == MicroTokens.parse(tokens)


def test_tokens_are_worth_their_value() -> None:
    """355,214 tokens at USD 0.0102 are worth USD 3,623.1828."""
    assert RULES.worth(MicroTokens.parse("355214")) == NanoUSD.parse("3623.1828")


@on_any_machine
@given(values, costs)
def test_a_debit_is_the_exact_quotient_rounded_once(value: TokenValue, cost: NanoUSD) -> None:
    """Cost over value, to the nearest micro-token, half to even; a refund is rounded as its charge was."""
    debit = value.debit(cost)
    assert type(debit) is MicroTokens
    assert int(debit) == divide_half_even(int(cost) * MICRO_PER_TOKEN, int(value.per_token))
    assert value.debit(-cost) == -debit


@on_any_machine
@given(values, costs)
def test_what_a_debit_took_is_worth_its_cost(value: TokenValue, cost: NanoUSD) -> None:
    """Converting there and back loses no more than half a micro-token's worth and half a nano-USD."""
    back = value.worth(value.debit(cost))
    assert type(back) is NanoUSD
    lost = abs(int(back) - int(cost))
    assert lost <= Fraction(value.nano_usd_per_token, 2 * MICRO_PER_TOKEN) + Fraction(1, 2)


@on_any_machine
@given(values, costs, costs)
def test_a_larger_cost_never_takes_less(value: TokenValue, one: NanoUSD, other: NanoUSD) -> None:
    """Debits and worths follow the order of what they convert."""
    low, high = sorted((one, other))
    assert value.debit(low) <= value.debit(high)
    assert value.worth(MicroTokens(low)) <= value.worth(MicroTokens(high))


@pytest.mark.parametrize("nano_usd", [0, -1])
def test_a_worthless_token_is_refused(nano_usd: int) -> None:
    """A token's value is positive, or every debit would be without bounds."""
    with pytest.raises(ValueError, match=f"must be positive, not {nano_usd} nano-USD"):
        TokenValue(QUARTER, "2026-Q4.1", nano_usd)


def test_the_handbook_fixes_the_value() -> None:
    """With a fixed value, each quarter has the handbook's own figure and says where it is from."""
    book = handbook.parse(handbook.packaged())
    value = fixed_value(QUARTER, book)
    assert (value.quarter, value.version) == (QUARTER, "2026-Q4.1")
    assert value.per_token == book.value.usd_per_token == NanoUSD.parse("0.01")
    (reason,) = value.because
    assert reason.code == "value_fixed"
    assert reason.text == f"handbook {book.version} fixes a token at USD 0.01"
    assert reason.figures == {"usd_per_token": "0.01"}


@pytest.mark.parametrize(("written", "shown"), [("10", "10"), ("0.000000001", "0.000000001"), ("1.50", "1.5")])
def test_the_reason_shows_the_figure_as_people_write_it(written: str, shown: str) -> None:
    """No exponents and no trailing zeros in what people read."""
    text = handbook.packaged().replace("usd_per_token = 0.01", f"usd_per_token = {written}")
    assert fixed_value(QUARTER, handbook.parse(text)).because[0].figures == {"usd_per_token": shown}
