"""A basket of slots: what a change of model, a new slot, a retired one and a year of spend do to the index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.parameters.value import OVERLAP, PRICE, Slot, SlotModel
from policy.value import basket, slots
from policy.value.slots import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.value.basket import Index, Item, Key

LINKED, Q1, Q2, Q3 = date(2026, 10, 1), date(2027, 1, 1), date(2027, 4, 1), date(2027, 7, 1)
MARCH = date(2027, 3, 1)
prices_of = st.fractions(Fraction(1, 10), 100)


Prices = Sequence[tuple[date, Fraction | int | None]]


class Market:
    """Prices per model from a day on; a model without any has none."""

    def __init__(self, **prices: Prices) -> None:
        self._prices = prices

    def __call__(self, key: Key, day: date) -> Fraction | None:
        held = [price for begins, price in self._prices.get(key[1], ()) if begins <= day]
        return None if not held or held[-1] is None else Fraction(held[-1])


def slot(name: str, share: str, *models: SlotModel, class_: str = "frontier", retired_on: date | None = None) -> Slot:
    filled = models or (fills(name, LINKED),)
    return Slot(name=name, class_=class_, meter="output", share=Decimal(share), models=filled, retired_on=retired_on)


def fills(model: str, day: date, compare: str = PRICE) -> SlotModel:
    return SlotModel(from_=day, provider="acme", model=model, compare=compare)


def at(items: Iterable[Item], day: date, market: Market, *, gone: tuple[str, ...] = ()) -> Index:
    items = list(items)
    now = {item.id: None if item.slot in gone else market(item.key, day) for item in items}
    return basket.index(items, now, link_index=Decimal(1))


def changing(compare: str) -> list[Slot]:
    """Half of the basket is filled by `old` until March 2027, then by `new`."""
    return [slot("top", "0.5", fills("old", LINKED), fills("new", MARCH, compare)), slot("rest", "0.5")]


@pytest.mark.parametrize(
    ("compare", "level"),
    [
        # The new model costs 12 where the old one cost 10: half of the basket is a fifth dearer.
        (PRICE, "1.1"),
        (OVERLAP, "1"),
    ],
)
def test_a_change_of_model_counts_as_the_handbook_says(compare: str, level: str) -> None:
    """By price it is what users of the class now pay; by overlap it moves nothing, and the next rise does."""
    market = Market(old=[(LINKED, 10)], new=[(LINKED, 12), (Q3, 18)], rest=[(LINKED, 4)])
    rules = changing(compare)
    items = slots.carried(slots.starting(rules, LINKED, market), rules, Span(LINKED, Q2), market)
    assert [item.key[1] for item in items] == ["new", "rest"]
    assert at(items, Q2, market).level == Decimal(level)
    later = slots.carried(items, rules, Span(Q2, Q3), market)
    # Half as dear again: 18 against 10 by price, or 18 against 12 by overlap.
    assert at(later, Q3, market).level == Decimal("1.4" if compare == PRICE else "1.25")


@given(prices_of, prices_of, prices_of, prices_of)
def test_overlap_moves_nothing_by_itself(link: Fraction, old: Fraction, new: Fraction, rest: Fraction) -> None:
    """Whatever the two models cost on the day of the change, the index is what the old model alone made it."""
    market = Market(old=[(LINKED, link), (MARCH, old)], new=[(LINKED, new)], rest=[(LINKED, rest)])
    rules, kept = changing(OVERLAP), [slot("top", "0.5", fills("old", LINKED)), slot("rest", "0.5")]
    changed = slots.carried(slots.starting(rules, LINKED, market), rules, Span(LINKED, Q2), market)
    unchanged = slots.carried(slots.starting(kept, LINKED, market), kept, Span(LINKED, Q2), market)
    assert at(changed, Q2, market).level == at(unchanged, Q2, market).level


@given(prices_of, prices_of)
def test_price_compares_what_is_paid(link: Fraction, new: Fraction) -> None:
    """By price a slot's change is the new model's price over the one at the link, through any model in between."""
    market = Market(old=[(LINKED, link)], between=[(LINKED, 7)], new=[(LINKED, new)])
    models = (fills("old", LINKED), fills("between", Q1), fills("new", MARCH))
    [item] = slots.carried(
        slots.starting([slot("top", "1", *models)], LINKED, market),
        [slot("top", "1", *models)],
        Span(LINKED, Q2),
        market,
    )
    assert at([item], Q2, market).lines[0].relative == new / link


def test_an_overlap_without_a_price_goes_on_from_the_class() -> None:
    """Where the old model has no price any more, the slot takes its class's mean once and its own changes from then."""
    market = Market(
        old=[(LINKED, 10), (MARCH, None)], new=[(LINKED, 12), (Q3, 24)], rest=[(LINKED, 4), (Q2, 6), (Q3, 6)]
    )
    rules = changing(OVERLAP)
    items = slots.carried(slots.starting(rules, LINKED, market), rules, Span(LINKED, Q2), market)
    found = at(items, Q2, market)
    assert (found.lines[0].imputed, found.level) == (True, Decimal("1.5"))
    items, _ = slots.entered(found, rules, Q2, market)
    assert at(items, Q2, market).level == Decimal("1.5")
    # 1.5 × 2 for the one that doubled, 1.5 for the other.
    assert at(items, Q3, market).level == Decimal("2.25")


def test_a_new_slot_enters_without_moving_the_index() -> None:
    """At 1.3 it enters with a fifth: still 1.3; when it then doubles, a fifth of 1.3 is added."""
    market = Market(a=[(LINKED, 10), (Q2, 13)], new=[(LINKED, 5), (Q3, 10)])
    before = at(slots.starting([slot("a", "1")], LINKED, market), Q2, market)
    rules = [slot("a", "0.8"), slot("new", "0.2")]
    items, because = slots.entered(before, rules, Q2, market)
    assert [(item.slot, item.share) for item in items] == [("a", Decimal("0.8")), ("new", Decimal("0.2"))]
    assert [reason.code for reason in because] == ["slots_entered"]
    assert (at(items, Q2, market).level, at(items, Q3, market).level) == (Decimal("1.3"), Decimal("1.56"))
    assert slots.entered(at(items, Q3, market), rules, Q3, market)[1] == ()


@given(st.lists(prices_of, min_size=2, max_size=5), prices_of, st.integers(1, 9_999))
def test_entering_never_moves_the_index(now: list[Fraction], new: Fraction, share: int) -> None:
    """For all prices and any share of the new slot; shares still add up to exactly 1."""
    old = [slot(f"s{n}", str(Decimal(1) / len(now) if len(now) != 3 else "0")) for n in range(len(now))]
    if len(now) == 3:
        old = [slot("s0", "0.3"), slot("s1", "0.3"), slot("s2", "0.4")]
    moved: dict[str, Prices] = {f"s{n}": [(LINKED, 3), (Q2, price)] for n, price in enumerate(now)}
    market = Market(**moved, new=[(LINKED, new)])
    before = at(slots.starting(old, LINKED, market), Q2, market)
    entering = slot("new", str(Decimal(share) / 10_000))
    items, _ = slots.entered(before, [*old, entering], Q2, market)
    assert sum(item.share for item in items) == 1
    assert at(items, Q2, market).level == before.level


def test_a_slot_without_a_price_does_not_enter() -> None:
    """It would move the index by its class's mean; it waits until its model has a price."""
    market = Market(a=[(LINKED, 10), (Q2, 13)])
    before = at(slots.starting([slot("a", "1")], LINKED, market), Q2, market)
    items, because = slots.entered(before, [slot("a", "0.8"), slot("new", "0.2")], Q2, market)
    assert ([item.slot for item in items], because) == (["a"], ())


def test_a_retired_slot_takes_the_mean_of_its_class() -> None:
    """It moves as the other slots of its class do, not as those of another class."""
    market = Market(a=[(LINKED, 10)], b=[(LINKED, 10), (Q2, 12)], gpu=[(LINKED, 2), (Q2, 4)])
    rules = [slot("a", "0.5", retired_on=Q1), slot("b", "0.3"), slot("gpu", "0.2", class_="gpu")]
    found = at(slots.starting(rules, LINKED, market), Q2, market, gone=("a",))
    assert [line.relative for line in found.lines] == [Fraction(6, 5), Fraction(6, 5), Fraction(2)]


def test_a_basket_of_fixed_models_becomes_one_of_slots() -> None:
    """A line whose model fills a slot becomes that slot's, at its own share and link; another goes on as it is."""
    market = Market(a=[(LINKED, 10)], own=[(LINKED, 4)])
    items = [basket.Item(("acme", model, "", "output"), "x", Decimal("0.5"), Fraction(8)) for model in ("a", "own")]
    rules = [slot("top", "1", fills("a", LINKED))]
    found = slots.carried(items, rules, Span(LINKED, Q2), market)
    assert [(one.id, one.share, one.link_price) for one in found] == [
        (("top",), Decimal("0.5"), Fraction(8)),
        (("acme", "own", "", "output"), Decimal("0.5"), Fraction(8)),
    ]
    assert slots.carried(items, [], Span(LINKED, Q2), market) == items


def test_a_years_spend_is_that_of_slots() -> None:
    """Spend on any model of a slot is the slot's; what fills none is a line of its own, and a reason says how much."""
    market = Market(old=[(LINKED, 10)], new=[(LINKED, 12)], rest=[(LINKED, 4)], own=[(LINKED, 1)])
    spent = {"old": "0.3", "new": "0.45", "own": "0.25"}
    shares = {("acme", model, "", "output"): Decimal(share) for model, share in spent.items()}
    items, because = slots.of_spend(changing(PRICE), shares, Q2, market)
    assert [(item.id[0] if item.slot else item.key[1], item.share, item.link_price) for item in items] == [
        ("top", Decimal("0.75"), Fraction(12)),
        ("rest", Decimal(0), Fraction(4)),
        ("own", Decimal("0.25"), Fraction(1)),
    ]
    assert [reason.text for reason in because] == [
        "25.0% of the year's spend is on models that fill no slot; each is a line of its own."
    ]
