"""Slots of a basket: how it goes on when another model fills one, when a new one enters, and when one retires."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import dropwhile
from typing import TYPE_CHECKING

from policy.parameters.value import OVERLAP
from policy.reasons import Reason
from policy.value.basket import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from policy.parameters.value import Slot, SlotModel
    from policy.value.basket import Id, Index, Key, Line

    PriceOn = Callable[[Key, date], Fraction | None]
    """What a unit cost on a day; None where no one knows."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the day for which a basket was last worked out to the day for which it is now."""

    since: date
    until: date


def starting(slots: Sequence[Slot], day: date, price: PriceOn) -> list[Item]:
    """The handbook's basket, linked on a day."""
    return [_filled(slot, slot.filled_on(day), slot.share, day, price) for slot in slots]


def _filled(slot: Slot, by: SlotModel, share: Decimal, day: date, price: PriceOn) -> Item:
    key = _key(slot, by)
    return Item(key, slot.class_, share, None if slot.retired_by(day) else price(key, day), slot.name)


def _key(slot: Slot, by: SlotModel) -> Key:
    return (by.provider, by.model, slot.tier, slot.meter)


def carried(items: Iterable[Item], slots: Sequence[Slot], span: Span, price: PriceOn) -> list[Item]:
    """The basket's lines with the models that fill their slots now.

    A line of a model that fills a slot of a later handbook becomes that slot's. One that fills none stays as it is.
    """
    free = {slot.name: slot for slot in slots}
    items = list(items)
    mine = {item.id: free.pop(item.slot) for item in items if item.slot in free}
    covers = coverage(free.values())
    found: list[Item] = []
    for item in items:
        slot = mine.get(item.id)
        if slot is None and not item.slot:
            slot = free.pop(covers.get(item.key, ""), None)
        found.append(item if slot is None else _carried(item, slot, span, price))
    return found


def coverage(slots: Iterable[Slot]) -> dict[Key, str]:
    """Which slot the spend on a model belongs to: the one that it fills, or filled, or will fill."""
    return {_key(slot, one): slot.name for slot in slots for one in slot.models}


def _carried(item: Item, slot: Slot, span: Span, price: PriceOn) -> Item:
    item = replace(item, slot=slot.name, class_=slot.class_)
    for change in _changes(slot, span, item):
        key, link = _key(slot, change), item.link_price
        if change.compare == OVERLAP:
            day = max(change.from_, span.since)
            link = _linked(link, price(item.key, day), price(key, day))
        item = replace(item, key=key, link_price=link)
    return item


def _changes(slot: Slot, span: Span, item: Item) -> Iterator[SlotModel]:
    """The models that came after the one of a line, each on its day; one that a new handbook names at once, as well."""
    before = slot.filled_on(span.since)
    if _key(slot, before) != item.key:
        yield before
    later = dropwhile(lambda one: one is not before, slot.models)
    yield from (one for one in later if one is not before and one.from_ <= span.until)


def _linked(link: Fraction | None, old: Fraction | None, new: Fraction | None) -> Fraction | None:
    """The link price by which the new model stands to its link as the old one did; None where one has no price."""
    return None if link is None or not old or new is None else link * new / old


def _settled(lines: Iterable[Line]) -> list[Item]:
    """The lines' items; a slot's model with a price and nothing to compare it with goes on from its class's mean."""
    return [
        replace(line.item, link_price=line.price / line.relative)
        if line.imputed and line.item.slot and line.price is not None
        else line.item
        for line in lines
    ]


def entered(found: Index, slots: Sequence[Slot], day: date, price: PriceOn) -> tuple[list[Item], tuple[Reason, ...]]:
    """The basket with the slots that are new in the handbook, linked so that they move nothing by entering.

    Each has the handbook's share; the others make room in proportion. One without a price waits.
    """
    items = _settled(found.lines)
    known = {item.slot for item in items}
    level = sum((Fraction(line.item.share) * line.relative for line in found.lines), Fraction(0))
    new = [slot for slot in slots if slot.name not in known and slot.share and not slot.retired_by(day)]
    enter: list[Item] = []
    for slot in new:
        item = _filled(slot, slot.filled_on(day), slot.share, day, price)
        if item.link_price is not None:
            enter.append(replace(item, link_price=item.link_price / level))
    if not enter:
        return items, ()
    left = 1 - sum((item.share for item in enter), Decimal(0))
    stay = [replace(item, share=item.share * left) for item in items if left or item.slot]
    names = ", ".join(item.slot for item in enter)
    return [*stay, *enter], (Reason("slots_entered", f"New slots, linked so that they move nothing: {names}."),)


def of_spend(
    slots: Sequence[Slot], shares: Mapping[Key, Decimal], day: date, price: PriceOn
) -> tuple[list[Item], tuple[Reason, ...]]:
    """The basket of a year's spend, linked on a day. What fills no slot is a line of its own, of its meter's class."""
    covers = coverage(slots)
    by_id = by_line(shares, covers)
    lines = [
        _filled(slot, slot.filled_on(day), by_id.get((slot.name,), Decimal(0)), day, price)
        for slot in slots
        if (slot.name,) in by_id or not slot.retired_by(day)
    ]
    others = {key: share for key, share in sorted(shares.items()) if key not in covers}
    lines += [Item(key, key[3], share, price(key, day)) for key, share in others.items()]
    if not others:
        return lines, ()
    text = f"{sum(others.values()):.1%} of the year's spend is on models that fill no slot; each is a line of its own."
    return lines, (Reason("no_slot", text),)


def by_line(shares: Mapping[Key, Decimal], covers: Mapping[Key, str]) -> dict[Id, Decimal]:
    """Shares of spend by line of a basket: what is spent on models of one slot together."""
    found: dict[Id, Decimal] = {}
    for key, share in shares.items():
        id_: Id = (covers[key],) if key in covers else key
        found[id_] = found.get(id_, Decimal(0)) + share
    return found
