"""Offers: the worked example to the figure, and what holds for every offer."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policy import handbook, offers
from policy.offers import Better, Package, Pay, Perks, Use
from policy.units import NanoUSD
from policy.value.currencies import Money, Rate

RULES = handbook.parse(handbook.packaged()).offers
QUARTER = Decimal("0.25")
BUFFER = 150


def usd(thousands: str) -> NanoUSD:
    return NanoUSD.parse(Decimal(thousands) * 1_000)


def thousands(amount: NanoUSD) -> str:
    return f"{amount.decimal / 1_000:.1f}"


A = Package(Pay(usd("180"), usd("18"), usd("40")), offers.allowance(usd("180"), QUARTER, BUFFER))
B = Package(Pay(usd("240")))

amounts = st.integers(0, 10**16).map(NanoUSD)
pays = st.builds(Pay, amounts, amounts, amounts)
uses = st.builds(lambda cost, buffer: offers.allowance(cost, QUARTER, buffer), amounts, st.integers(0, 250))
packages = st.builds(Package, pays, uses)
shares = st.fractions(0, 1)


def test_the_worked_example() -> None:
    """180k, 18k bonus, 40k equity and 45k of tokens: 283k at cost, 242.4k as cash (238.0 to 246.8)."""
    assert thousands(A.use.cost) == "45.0"
    assert thousands(A.headline) == "283.0"
    found = offers.cash(A, RULES)
    assert [thousands(one) for one in (found.low, found.point, found.high)] == ["238.0", "242.4", "246.8"]


def test_the_worked_break_even() -> None:
    """Against 240k in cash, A is the better one only for those to whom more than 5.1 % of the issued value is worth."""
    found = offers.break_even(A, B)
    assert found.better is Better.ABOVE
    assert found.share is not None
    assert f"{float(found.share):.1%}" == "5.1%"
    assert found.share == Fraction(usd("2"), A.use.issued)


@given(packages, amounts)
def test_more_of_anything_is_never_less(package: Package, more: NanoUSD) -> None:
    """Headline and cash are monotone in every component, at each end of the range."""
    raised = [
        dataclasses.replace(package, pay=dataclasses.replace(package.pay, **{part: getattr(package.pay, part) + more}))
        for part in ("base", "bonus", "equity")
    ]
    raised.append(dataclasses.replace(package, use=Use(package.use.cost + more, package.use.issued + more)))
    before = offers.cash(package, RULES)
    for one in raised:
        after = offers.cash(one, RULES)
        assert one.headline == package.headline + more
        assert (after.low, after.point, after.high) >= (before.low, before.point, before.high)
        assert after.low >= before.low
        assert after.high >= before.high


@given(packages)
def test_a_range_contains_its_point(package: Package) -> None:
    """At least ≤ probably ≤ at most ≤ everything at cost, and no less than the pay alone."""
    found = offers.cash(package, RULES)
    assert package.pay.total <= found.low <= found.point <= found.high <= package.headline


@given(packages, packages, shares)
def test_the_break_even_is_consistent(ours: Package, other: Package, share: Fraction) -> None:
    """At every share of the issued value, ours comes to more exactly where the break-even says so."""
    found = offers.break_even(ours, other)
    ahead = ours.at(share) - other.at(share)
    if found.share is not None:
        assert ours.at(found.share) == other.at(found.share)
        assume(share != found.share)
    expected = {
        Better.ALWAYS: ahead >= 0,
        Better.NEVER: ahead <= 0,
        Better.SAME: ahead == 0,
        Better.ABOVE: found.share is not None and (ahead > 0) == (share > found.share),
        Better.BELOW: found.share is not None and (ahead > 0) == (share < found.share),
    }
    assert expected[found.better]


@given(packages, packages)
def test_two_offers_agree_on_their_break_even(ours: Package, other: Package) -> None:
    """Seen from the other offer, the same share decides, the other way round."""
    mirrored = {Better.ALWAYS: Better.NEVER, Better.ABOVE: Better.BELOW, Better.SAME: Better.SAME}
    mirrored |= {after: before for before, after in mirrored.items()}
    found, back = offers.break_even(ours, other), offers.break_even(other, ours)
    # At either end, where both come to the same, neither is strictly better.
    assume(ours.at(Fraction(0)) != other.at(Fraction(0)))
    assume(ours.at(Fraction(1)) != other.at(Fraction(1)))
    assert (back.better, back.share) == (mirrored[found.better], found.share)


@pytest.mark.parametrize(
    ("ours", "other", "better"),
    [
        (Package(Pay(usd("250")), Use(usd("10"), usd("10"))), B, Better.ALWAYS),
        (Package(Pay(usd("200")), Use(usd("40"), usd("40"))), B, Better.NEVER),
        (Package(Pay(usd("240")), Use(usd("40"), usd("40"))), B, Better.ABOVE),
        (Package(Pay(usd("250"))), Package(Pay(usd("240")), Use(usd("40"), usd("40"))), Better.BELOW),
        (Package(Pay(usd("240"))), B, Better.SAME),
        (Package(Pay(usd("241"))), B, Better.ALWAYS),
        (Package(Pay(usd("239"))), B, Better.NEVER),
        (B, Package(Pay(usd("240")), Use(usd("1"), usd("1"))), Better.NEVER),
        (Package(Pay(usd("300"))), Package(Pay(usd("240")), Use(usd("40"), usd("40"))), Better.ALWAYS),
    ],
)
def test_each_way_in_which_two_offers_compare(ours: Package, other: Package, better: Better) -> None:
    """Better whatever AI use is worth, never, from some worth on, or up to it."""
    assert offers.break_even(ours, other).better is better


def test_a_buffer_on_top_leaves_all_of_it_to_be_issued() -> None:
    """Only a buffer that is paid out of the allowance makes what is issued less than its cost."""
    assert offers.allowance(usd("180"), QUARTER, 0).issued == usd("45")
    assert offers.allowance(usd("180"), QUARTER, BUFFER).issued < usd("45")


def test_a_rivals_credits_seats_and_tokens_add_up() -> None:
    """1,000 of credits, seats at 39 a month and a million tokens a month at 2 per million: 1,000 + 468 + 24."""
    perks = Perks(NanoUSD.parse("1000"), NanoUSD.parse("39"), 1_000_000)
    assert perks.use(Fraction(2_000)) == Use(NanoUSD.parse("1492"), NanoUSD.parse("1492"))


def test_a_basket_is_blended_by_what_a_dollar_buys() -> None:
    """Half the money at 1 and half at 3 buys tokens at 1.5 on average, not at 2; nothing has no price."""
    assert offers.blended([(Decimal("0.5"), Fraction(1)), (Decimal("0.5"), Fraction(3))]) == Fraction(3, 2)
    assert offers.blended([]) is None


@given(st.integers(1, 10**16), st.integers(10_000, 10**11))
def test_currencies_make_the_round_trip(nano: int, per_unit: int) -> None:
    """An offer in another currency comes back as it was, but for less than a unit of the ledger's last digit."""
    rate = Rate("EUR", NanoUSD(per_unit))
    given_ = Money("EUR", nano)
    assert abs(rate.of_usd(rate.in_usd(given_)).nano - nano) * per_unit <= 10**9


def test_a_restriction_outside_of_its_range_is_named() -> None:
    """The probable restriction lies between the least and the most, or the handbook is refused with all three."""
    text = handbook.packaged().replace("restriction = 0.75", "restriction = 0.40", 1)
    with pytest.raises(handbook.HandbookError, match=r"offers\.restriction = 0\.40: not between"):
        handbook.parse(text)


@pytest.mark.parametrize(
    ("month", "used", "days"),
    [
        (93_700, [1_000] * 20, 94),
        (93_700, [100] * 20, 940),
        (93_750, [10, 1_000, 1_000] * 7, 94),
        (500, [1_000] * 20, None),
        (1_000, [1_000] * 20, 1),
        (93_700, [1_000] * 19, None),
        (93_700, [], None),
    ],
)
def test_working_days_are_told_of_enough_people(month: int, used: list[int], days: int | None) -> None:
    """To two digits, at the median; of fewer than twenty people, or of less than a day, nothing is told."""
    assert offers.working_days(month, used) == days
