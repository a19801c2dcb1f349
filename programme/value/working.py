"""The steps from prices and spend to a value, kept as plain values: the basket, its index, the buffer."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from policy.period import first_instant
from policy.units import MicroTokens
from policy.value import basket, buffer, concentration, records, slots
from policy.value.basket import Item
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from policy.handbook import Handbook
    from policy.period import Quarter
    from policy.value.basket import Id, Index, Key
    from policy.value.records import Calculation
    from policy.value.valuation import TokenValue
    from programme.moment import Moment

QUARTERS_PER_YEAR = 4


def of(moment: Moment, quarter: Quarter, book: Handbook, old: TokenValue) -> Calculation:
    """What a quarter's value follows from."""
    return _Working(moment, quarter, book, old).calculation()


class _Working:
    def __init__(self, moment: Moment, quarter: Quarter, book: Handbook, old: TokenValue) -> None:
        self._session, self._quarter, self._book, self._old, self._moment = moment.session, quarter, book, old, moment
        # Of a quarter that was adopted before, the basket is still that of the quarters before it.
        self._before = [one for one in reference.calculations(moment.session) if one[0].quarter < quarter]
        self._covers = slots.coverage(book.value.slots)

    def calculation(self) -> Calculation:
        rules = self._book.value
        linked, link_index, items, before = self._basket()
        later = slots.by_line(self._shares_of_spend(self._quarter.previous(), 1), self._covers)
        carried = found = self._index(items, link_index, later)
        notes = [reason.text for reason in found.because]
        if self._before and rules.slots:
            items, because = slots.entered(found, rules.slots, self._quarter.first_day, self._listed)
            notes += [reason.text for reason in because]
            found = self._index(items, link_index, later)
        if refresh := self._refresh(linked, found, notes):
            linked, link_index, items = self._quarter, found.level, refresh
            found = self._index(items, link_index, later)
        levels = self._levels(link_index)
        held = buffer.buffer([*levels, found.level], rules.buffer)
        outstanding = MicroTokens(reference.outstanding(self._session))
        nano_usd = buffer.value_in_nano_usd(int(rules.usd_per_token), found.level)
        return {
            "handbook": self._book.version,
            "base_nano_usd": int(rules.usd_per_token),
            "linked_at": str(linked),
            "link_index": str(link_index),
            "items": [records.written(line) for line in found.lines],
            "later_shares": [[*id_, str(share)] for id_, share in sorted(later.items())],
            "laspeyres": str(found.laspeyres),
            "paasche": records.text(found.paasche),
            "fisher": records.text(found.fisher),
            "divergence": records.text(found.divergence),
            "mix": records.text(found.mix),
            "index": str(found.level),
            "nano_usd_per_token": nano_usd,
            "levels": [str(level) for level in levels],
            "quarters": held.quarters,
            "seen": str(held.seen),
            "sigma": str(held.sigma),
            "buffer_permille": held.permille,
            "outstanding_micro_tokens": int(outstanding),
            "notes": notes,
            **self._largest(items, carried, before),
        }

    def _largest(self, items: Sequence[Item], carried: Index, before: Sequence[Fraction]) -> Calculation:
        """The provider with the largest share, where none is capped."""
        if self._book.value.index.provider_cap is not None:
            return {}
        found = concentration.largest(items, carried.lines, before)
        return {
            "largest_provider": found.provider,
            "largest_share": str(found.share),
            "largest_change": records.text(found.change),
        }

    def _levels(self, link_index: Decimal) -> list[Decimal]:
        """The levels that were worked out, one a quarter, after the first link's; what is carried over is no news."""
        worked_out = {value.quarter: value.price_index for value, _ in self._before}
        first = Decimal(self._before[0][1]["link_index"]) if self._before else link_index
        return [first, *worked_out.values()]

    def _index(self, items: Sequence[Item], link_index: Decimal, later: Mapping[Id, Decimal]) -> Index:
        prices = {item.id: self._price(item) for item in items}
        return basket.index(items, prices, link_index=link_index, later_shares=later)

    def _basket(self) -> tuple[Quarter, Decimal, list[Item], Sequence[Fraction]]:
        """(quarter of its link, index there, items, how they stood last): the last adopted basket, else the first."""
        rules = self._book.value
        if self._before:
            last_value, last = self._before[-1]
            items = slots.carried(records.items(last), rules.slots, self._since(last_value.quarter), self._listed)
            linked = type(self._quarter).parse(last["linked_at"])
            return linked, Decimal(last["link_index"]), items, records.relatives(last)
        linked = self._quarter.previous()
        items = slots.starting(rules.slots, linked.first_day, self._listed)
        items = slots.carried(items, rules.slots, self._since(linked), self._listed)
        for item in rules.basket:
            key = (item.provider, item.model, item.tier, item.meter)
            price = None if self._retired(key, linked.first_day) else self._listed(key, linked.first_day)
            items.append(Item(key, item.class_, item.share, price))
        return linked, self._old.price_index, items, [Fraction(1)] * len(items)

    def _since(self, quarter: Quarter) -> slots.Span:
        return slots.Span(quarter.first_day, self._quarter.first_day)

    def _price(self, item: Item) -> Fraction | None:
        """What a unit costs at the quarter's first instant; None for what is retired."""
        day = self._quarter.first_day
        if item.slot:
            slot = next((one for one in self._book.value.slots if one.name == item.slot), None)
            # Without slots in the handbook, a line goes on as that of the model that filled its slot last.
            gone = bool(self._book.value.slots) if slot is None else slot.retired_by(day)
        else:
            gone = self._retired(item.key, day)
        return None if gone else self._listed(item.key, day)

    def _retired(self, key: Key, day: date) -> bool:
        """Whether a handbook of fixed models has retired one, this or, since its basket was left, an earlier one."""
        if self._book.value.slots and self._before:
            last = self._before[-1][1]
            return any(one.id == key and price is None for one, price in zip(*_priced(last), strict=True))
        return any(
            (item.provider, item.model, item.tier, item.meter) == key
            and item.retired_on is not None
            and item.retired_on <= day
            for item in self._book.value.basket
        )

    def _listed(self, key: Key, day: date) -> Fraction | None:
        """What a unit cost at a day's first instant: the handbook's own price wins."""
        provider, model, tier, meter = key
        at = first_instant(day, self._moment.zone)
        price = self._book.negotiated_price(provider, model, day) or self._moment.prices.listed(
            provider, model, tier, at
        )
        unit = None if price is None else price.meters.get(meter)  # type: ignore[call-overload]  # a meter, as the basket's
        return None if unit is None or not unit.nano_usd else Fraction(unit.nano_usd, unit.per)

    def _shares_of_spend(self, last: Quarter, quarters: int) -> dict[Key, Decimal]:
        """Shares of what was spent in some quarters, the last of which is given; empty where nothing was."""
        first = last
        for _ in range(quarters - 1):
            first = first.previous()
        begin, end = first.bounds(self._moment.zone)[0], last.bounds(self._moment.zone)[1]
        spend = reference.spend_by_meter(self._session, begin, end)
        return basket.shares_of(spend, self._book.value.index.provider_cap) if any(spend.values()) else {}

    def _refresh(self, linked: Quarter, found: Index, notes: list[str]) -> list[Item] | None:
        """A new basket from a year of spend, once the old one is a year old or has drifted for two quarters."""
        age, quarter = 0, linked
        while quarter < self._quarter:
            quarter, age = quarter.next(), age + 1
        limit = self._book.value.index.reweight_divergence
        drifted = bool(self._before) and all(
            Decimal(d or 0) > limit for d in (found.divergence, self._before[-1][1]["divergence"])
        )
        if age < QUARTERS_PER_YEAR and not drifted:
            return None
        last = self._quarter.previous()
        if not all(self._shares_of_spend(q, 1) for q in _year_until(last)):
            notes.append("The basket is due for new shares, but there is no year of spend to take them from yet.")
            return None
        if age < QUARTERS_PER_YEAR:
            notes.append("Laspeyres and Fisher have drifted apart for two quarters, so the basket has new shares.")
        shares = self._shares_of_spend(last, QUARTERS_PER_YEAR)
        return self._of_spend(shares, notes)

    def _of_spend(self, shares: Mapping[Key, Decimal], notes: list[str]) -> list[Item]:
        rules, day = self._book.value, self._quarter.first_day
        if rules.slots:
            items, because = slots.of_spend(rules.slots, shares, day, self._listed)
            notes += [reason.text for reason in because]
            return items
        classes: dict[Key, str] = {(i.provider, i.model, i.tier, i.meter): i.class_ for i in rules.basket}
        return [
            Item(key, classes.get(key, key[3]), share, None if self._retired(key, day) else self._listed(key, day))
            for key, share in sorted(shares.items())
        ]


def _priced(kept: Calculation) -> tuple[list[Item], list[Fraction | None]]:
    return records.items(kept), list(records.prices(kept).values())


def _year_until(last: Quarter) -> list[Quarter]:
    quarters = [last]
    while len(quarters) < QUARTERS_PER_YEAR:
        quarters.append(quarters[-1].previous())
    return quarters
