"""Whether it pays: the published scenario to the figure, payback, present value, and when nothing is established."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.returns import Assumptions, MonthOfPay, Uplift, judge, payback, present_value, returns, tornado
from policy.units import NANO_PER_USD, NanoUSD

CLAIMED = Assumptions(
    value=Decimal(2), realised=Decimal("0.70"), loaded=Decimal("1.3"), ramp_months=4, discount=Decimal("0.10")
)


def usd(amount: int | str) -> NanoUSD:
    return NanoUSD.parse(str(amount))


PAYROLL = usd(10 * 200_000)
ONE_OFF = usd(50_000)
# A quarter of pay in tokens, of which 24 % are used, and 1,000 of administration.
MONTHS = [MonthOfPay(PAYROLL, usd(2_000_000 * 25 * 24 // 10_000 // 12 + 1_000))] * 24
UPLIFT = Decimal("0.15")


def test_the_published_claims_follow_from_the_published_assumptions() -> None:
    """226 % in two years, paid back in 3.4 months, worth USD 634,000 today, even at an uplift of 4.6 %."""
    judged = judge(Uplift(UPLIFT), MONTHS, ONE_OFF, CLAIMED)
    found = judged.middle
    assert found.benefit == usd(1_023_750)
    assert found.cost == usd(314_000)
    assert found.roi is not None
    assert round(100 * found.roi) == 226
    assert found.payback is not None
    assert round(found.payback, 1) == Decimal("3.4")
    assert round(found.present_value.decimal, -3) == 634_000
    assert judged.break_even is not None
    assert round(100 * judged.break_even, 1) == Decimal("4.6")


def test_the_first_months_are_told_to_the_cent() -> None:
    """The one-off cost first, then each month's benefit on its ramp less its cost."""
    found = returns(UPLIFT, CLAIMED, MONTHS, ONE_OFF)
    assert [one.decimal for one in found.cumulative[:5]] == [-50_000, -49_625, -37_875, -14_750, 19_750]
    assert found.cumulative[-1] == found.net == usd(709_750)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        ("0.05", "0.25", "pays"),
        ("0.04", "0.25", "not_established"),
        (None, "0.25", "not_established"),
        ("0.05", None, "pays"),
        ("-0.10", "0.04", "does_not_pay"),
        (None, "0.04", "does_not_pay"),
        (None, None, "not_established"),
    ],
)
def test_only_an_interval_on_one_side_of_the_break_even_point_says_anything(
    low: str | None, high: str | None, verdict: str
) -> None:
    """An end that is not known could be anywhere."""
    uplift = Uplift(UPLIFT, low and Decimal(low), high and Decimal(high))  # type: ignore[arg-type]
    assert judge(uplift, MONTHS, ONE_OFF, CLAIMED).verdict == verdict


def test_the_interval_goes_through_every_formula() -> None:
    """Both ends have a return, a payback and a course of their own."""
    judged = judge(Uplift(UPLIFT, Decimal("0.02"), Decimal("0.28")), MONTHS, ONE_OFF, CLAIMED)
    assert judged.low is not None
    assert judged.high is not None
    assert judged.low == returns(Decimal("0.02"), CLAIMED, MONTHS, ONE_OFF)
    assert judged.low.payback is None
    assert judged.low.net < 0 < judged.middle.net < judged.high.net


@given(st.decimals("-0.5", "1", places=4), st.integers(0, 12), st.integers(1, 36))
def test_at_the_break_even_uplift_nothing_is_left(uplift: Decimal, ramp: int, count: int) -> None:
    """Whatever the ramp and the horizon: the net there is 0 to a nano-dollar a month."""
    assumed = replace(CLAIMED, ramp_months=ramp)
    even = judge(Uplift(uplift), MONTHS[:1] * count, ONE_OFF, assumed).break_even
    assert even is not None
    assert abs(int(returns(even, assumed, MONTHS[:1] * count, ONE_OFF).net)) <= count


def test_without_payroll_no_uplift_pays() -> None:
    """A month of which no pay is known brings nothing, and that is said instead of divided by."""
    judged = judge(Uplift(UPLIFT, Decimal("0.1"), Decimal("0.2")), [MonthOfPay(NanoUSD(0), usd(1))], ONE_OFF, CLAIMED)
    assert (judged.verdict, judged.break_even) == ("does_not_pay", None)


def test_what_costs_nothing_has_no_rate_of_return() -> None:
    """Nothing is divided by nothing."""
    found = returns(UPLIFT, CLAIMED, [MonthOfPay(PAYROLL, NanoUSD(0))], NanoUSD(0))
    assert found.roi is None
    assert found.payback == 0


@pytest.mark.parametrize(
    ("flows", "months"),
    [
        ([-10, -5, 5], "1.5"),
        ([-10, 0, 5], "1"),
        ([0, 3], "0"),
        ([0, -3, 3], "1.5"),
        ([-10, -5, -1], None),
        ([-10], None),
    ],
)
def test_payback_is_interpolated_within_its_month(flows: list[int], months: str | None) -> None:
    """Half a month's surplus covers the rest of the debt in half a month; never is never."""
    assert payback([NanoUSD(one) for one in flows]) == (months and Decimal(months))


def test_present_value_compounds_month_by_month_to_the_yearly_rate() -> None:
    """110 in a year are 100 today at 10 %; what comes at once is worth itself."""
    later = [NanoUSD(0)] * 12 + [NanoUSD(110 * NANO_PER_USD)]
    assert present_value(later, Decimal("0.10")) == usd(100)
    assert present_value([usd(7)], Decimal("0.10")) == usd(7)
    assert present_value(later, Decimal(0)) == usd(110)


def test_the_tornado_has_the_widest_assumption_first() -> None:
    """Each is moved alone; the uplift by its own interval."""
    ranges = {
        "value": (Decimal(1), Decimal(3)),
        "realised": (Decimal("0.6"), Decimal("0.8")),
        "loaded": (Decimal("1.2"), Decimal("1.4")),
        "ramp": (Decimal(2), Decimal(8)),
    }
    uplift = Uplift(UPLIFT, Decimal("0.02"), Decimal("0.28"))
    swings = tornado(uplift, MONTHS, ONE_OFF, CLAIMED, ranges)  # type: ignore[arg-type]
    assert [one.factor for one in swings] == ["uplift", "value", "realised", "loaded", "ramp"]
    assert swings[1].net_low == usd(1_023_750 // 2 - 314_000)
    assert swings[-1].net_low > swings[-1].net_high
    assert [one.factor for one in tornado(Uplift(UPLIFT), MONTHS, ONE_OFF, CLAIMED, {})] == []
