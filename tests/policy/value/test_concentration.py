"""The largest provider: its share as it is, and what its prices alone did."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from policy.value import basket, concentration
from policy.value.basket import Item
from policy.value.concentration import Largest

ratios = st.lists(st.fractions(Fraction(1, 5), 5), min_size=3, max_size=3)


def items(*of: tuple[str, str]) -> list[Item]:
    return [
        Item((provider, f"m{n}", "", "output"), "frontier", Decimal(share), Fraction(10))
        for n, (provider, share) in enumerate(of)
    ]


def now(of: list[Item], relatives: list[Fraction]) -> basket.Index:
    prices = {one.id: Fraction(10) * r for one, r in zip(of, relatives, strict=True)}
    return basket.index(of, prices, link_index=Decimal(1))


def test_the_change_that_one_provider_caused() -> None:
    """70 % of the basket is one provider's; half of that rose by a fifth: + 7 %, whatever the others did."""
    of = items(("acme", "0.35"), ("acme", "0.35"), ("other", "0.3"))
    found = now(of, [Fraction(6, 5), Fraction(1), Fraction(1, 2)])
    assert concentration.largest(of, found.lines, [Fraction(1)] * 3) == Largest(
        "acme", Decimal("0.70"), Decimal("0.07")
    )


def test_the_change_is_since_the_last_quarter() -> None:
    """What had risen by then counts no more: from 1.2 to 1.2 is no change, of a basket that stood at 1.1."""
    of = items(("acme", "0.5"), ("other", "0.5"))
    found = now(of, [Fraction(6, 5), Fraction(2)])
    assert concentration.largest(of, found.lines, [Fraction(6, 5), Fraction(1)]).change == 0
    assert concentration.largest(of, found.lines, [Fraction(1), Fraction(6, 5)]).change == Decimal("0.090909091")


def test_what_the_class_says_is_not_the_providers_doing() -> None:
    """A line without a price follows others' prices."""
    of = items(("acme", "0.6"), ("other", "0.4"))
    found = basket.index(of, {of[1].id: Fraction(20)}, link_index=Decimal(1))
    assert found.level == 2
    assert concentration.largest(of, found.lines, [Fraction(1)] * 2).change == 0


@given(ratios, ratios)
def test_all_providers_changes_add_up_to_the_whole(before: list[Fraction], after: list[Fraction]) -> None:
    """With one line each, the change of the largest and those of the others make the index's own."""
    of = items(("a", "0.5"), ("b", "0.3"), ("c", "0.2"))
    was, found = now(of, before), now(of, after)
    alone = [concentration.largest([one], found.lines, before).change for one in of]
    whole = Fraction(found.laspeyres) / Fraction(was.laspeyres) - 1
    assert abs(Fraction(sum(alone)) - whole) < Fraction(1, 10_000_000)
