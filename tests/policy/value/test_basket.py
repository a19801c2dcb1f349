"""The basket's index and the buffer: the programme's own example, and what an index must hold to."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook
from policy.value import basket, buffer
from policy.value.basket import Id, Item, Key

RULES = handbook.parse(handbook.packaged()).value.buffer
SHARES = ["0.30", "0.20", "0.20", "0.05", "0.05", "0.20"]
RATIOS = ["1.0", "1.5", "0.8", "0.2", "1.0", "1.0"]
LATER = ["0.30", "0.22", "0.19", "0.02", "0.06", "0.21"]

shares = st.lists(st.integers(1, 100), min_size=1, max_size=8).map(
    lambda parts: [Decimal(part) / sum(parts) for part in parts]
)


def key(number: int) -> Key:
    return (f"provider{number % 3}", f"model{number}", "", "output")


def items(of: list[Decimal], class_: str = "frontier") -> list[Item]:
    return [Item(key(n), class_, share, Fraction(100 + n)) for n, share in enumerate(of)]


def at(of: list[Item], ratios: list[Fraction]) -> dict[Id, Fraction | None]:
    return {item.id: (item.link_price or 0) * ratio for item, ratio in zip(of, ratios, strict=True)}


def test_the_programmes_example() -> None:
    """L 1.020, P 0.949, F 0.984: V is USD 0.010200."""
    lines = items([Decimal(share) for share in SHARES])
    later = {item.id: Decimal(share) for item, share in zip(lines, LATER, strict=True)}
    found = basket.index(lines, at(lines, [Fraction(r) for r in RATIOS]), link_index=Decimal(1), later_shares=later)
    assert (found.level, found.laspeyres) == (Decimal("1.02"), Decimal("1.02"))
    assert (round(found.paasche or 0, 3), round(found.fisher or 0, 3)) == (Decimal("0.949"), Decimal("0.984"))
    assert round(found.divergence or 0, 4) == Decimal("0.0369")
    assert found.mix == Decimal("0.07525")
    assert buffer.value_in_nano_usd(10_000_000, found.level) == 10_200_000


def test_a_link_carries_the_level_on() -> None:
    """A basket that was linked at 1.2 and has not moved since stands at 1.2."""
    lines = items([Decimal(1)])
    assert basket.index(lines, at(lines, [Fraction(1)]), link_index=Decimal("1.2")).level == Decimal("1.2")


def test_a_retired_item_takes_the_mean_of_its_class() -> None:
    """Without a price of its own it moves as the others of its class do by their shares, and a reason says so."""
    of = items([Decimal("0.4"), Decimal("0.3"), Decimal("0.1"), Decimal("0.2")])
    of = [dataclasses.replace(item, link_price=Fraction(100)) for item in of]
    of[3] = dataclasses.replace(of[3], class_="gpu")
    prices: dict[Id, Fraction | None] = {
        key(0): None,
        key(1): Fraction(120),
        key(2): Fraction(80),
        key(3): Fraction(100),
    }
    found = basket.index(of, prices, link_index=Decimal(1))
    assert found.lines[0].relative == Fraction(11, 10)
    assert found.laspeyres == Decimal("1.08")
    assert [reason.code for reason in found.because] == ["class_mean"]


def test_without_spend_there_is_no_check() -> None:
    """Paasche and Fisher need shares of what was spent later."""
    lines = items([Decimal(1)])
    found = basket.index(lines, at(lines, [Fraction(2)]), link_index=Decimal(1))
    assert (found.paasche, found.fisher, found.divergence, found.mix) == (None, None, None, None)


@given(shares, st.fractions(Fraction(1, 20), 20))
def test_prices_that_move_together_move_the_index(of: list[Decimal], ratio: Fraction) -> None:
    """All prices times r: the index times r, by either formula, with no mix effect."""
    lines = items(of)
    later = {item.id: share for item, share in zip(lines, reversed(of), strict=True)}
    found = basket.index(lines, at(lines, [ratio] * len(of)), link_index=Decimal(1), later_shares=later)
    assert float(found.laspeyres) == pytest.approx(float(ratio), abs=1e-8)
    assert float(found.paasche or 0) == pytest.approx(float(ratio), abs=1e-8)
    assert found.mix is not None
    assert abs(found.mix) < Decimal("1e-8")


spends = st.dictionaries(st.integers(0, 11), st.fractions(0, 1_000), min_size=1).filter(lambda d: any(d.values()))


@given(spends)
def test_no_provider_has_more_than_the_cap(spend: dict[int, Fraction]) -> None:
    """Shares add up to 1 exactly; no one exceeds half, unless there is no one else to take the rest."""
    found = basket.shares_of({key(n): spent for n, spent in spend.items()}, Decimal("0.5"))
    assert sum(found.values()) == 1
    by_provider: dict[str, Decimal] = {}
    for (provider, *_), share in found.items():
        by_provider[provider] = by_provider.get(provider, Decimal(0)) + share
    used = {key(n)[0] for n, spent in spend.items() if spent}
    bound = max(0.5, 1 / len(used)) + 0.00001
    assert max(float(share) for share in by_provider.values()) <= bound


@given(spends)
def test_without_a_cap_shares_are_those_of_the_spend(spend: dict[int, Fraction]) -> None:
    """Each within a millionth of what was spent on it; together exactly 1."""
    found = basket.shares_of({key(n): spent for n, spent in spend.items()}, None)
    assert sum(found.values()) == 1
    total = sum(spend.values())
    for number, spent in spend.items():
        assert abs(Fraction(found.get(key(number), Decimal(0))) - spent / total) <= Fraction(1, 1_000_000)


def test_the_buffer_of_the_example() -> None:
    """Five quarters with a spread of .0944 make σ .085 and a buffer of 15 %."""
    found = buffer.of_spread(5, Decimal("0.0944"), RULES)
    assert round(found.sigma, 3) == Decimal("0.085")
    assert found.permille == 150


def test_before_there_is_a_history_the_prior_speaks() -> None:
    """No change seen, or one: σ is .08, and the buffer 14.1 %."""
    for levels in ([], [Decimal(1)], [Decimal(1), Decimal("1.4")]):
        found = buffer.buffer(levels, RULES)
        assert (found.sigma, found.permille) == (Decimal("0.08"), 141)


def test_the_buffer_stays_within_bounds() -> None:
    """A wild market asks for no more than a quarter, a dead calm for no less than a twentieth."""
    wild = buffer.of_spread(40, Decimal("0.9"), RULES)
    calm = buffer.of_spread(400, Decimal(0), RULES)
    assert (wild.permille, calm.permille) == (250, 50)
    announced = buffer.of_spread(0, Decimal(0), dataclasses.replace(RULES, announced_change=Decimal("0.05")))
    assert announced.permille == 191


def test_the_spread_is_that_of_the_changes() -> None:
    """A steady rise has no spread; one that alternates between +10 % and −9.09 % has."""
    steady = [Decimal("1.1") ** n for n in range(6)]
    assert buffer.buffer(steady, RULES).seen == 0
    swinging = [Decimal("1.1") ** (n % 2) for n in range(6)]
    assert buffer.buffer(swinging, RULES).seen == Decimal("0.104407")
