"""What an input or output token costs in the basket: for what other companies offer in them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from policy import offers
from policy.period import Quarter, first_instant
from policy.value import records, slots
from policy.value.basket import Item
from programme.price_book import PER_TOKEN
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from decimal import Decimal

    from policy.value.basket import Key
    from programme.moment import Moment


def price(moment: Moment) -> Fraction | None:
    """Nano-USD for one, blended over the basket's meters of tokens at today's prices; None where it has none."""
    return offers.blended(_lines(moment))


def _lines(moment: Moment) -> Iterator[tuple[Decimal, Fraction]]:
    for item in _basket(moment):
        found = _listed(moment, item.key, moment.today) if item.key[3] in PER_TOKEN else None
        if found is not None and item.share:
            yield item.share, found


def _basket(moment: Moment) -> list[Item]:
    """The basket that the value in force follows from; before there is one, the handbook's own."""
    quarter, rules = Quarter.containing(moment.today), moment.handbook.value
    adopted = [kept for value, kept in reference.calculations(moment.session) if value.quarter <= quarter]
    if adopted:
        return records.items(adopted[-1])
    if rules.slots:
        return slots.starting(rules.slots, moment.today, lambda key, day: _listed(moment, key, day))
    return [Item((one.provider, one.model, one.tier, one.meter), one.class_, one.share, None) for one in rules.basket]


def _listed(moment: Moment, key: Key, day: date) -> Fraction | None:
    """The handbook's own price of a day, else the public one."""
    provider, model, tier, meter = key
    found = moment.handbook.negotiated_price(provider, model, day)
    found = found or moment.prices.listed(provider, model, tier, first_instant(day, moment.zone))
    unit = None if found is None else found.meters.get(meter)  # type: ignore[call-overload]  # a meter, as the basket's
    return None if unit is None or not unit.nano_usd else Fraction(unit.nano_usd, unit.per)
