"""Both sides of a vendor's month, by the names that they share."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from policy.providers import known_as
from policy.reconciliation.books import Billed, Books, Charged, Posted
from policy.reconciliation.matching import MOST_HOURS
from policy.units import NanoUSD
from policy.vendors import COST, NOT_CHARGED, USAGE, billed_tier, family
from store.reconciliation import sums
from store.vendors import lines as vendor_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from policy.handbook import Handbook
    from policy.metering import Meter, Meters, Price, UnitPrice
    from policy.reconciliation.books import Worth
    from programme.moment import Moment
    from store.vendors.lines import Window

EDGE = timedelta(hours=MOST_HOURS)
"""Hours beyond both ends: a clock that is off brings calls from there."""


def books(moment: Moment, window: Window, book: Handbook) -> Books:
    """What a vendor says of its days, and what the ledger has of them in UTC."""
    lines = [one.line for one in vendor_lines.standing(moment.session, window)]
    source_of = {(one.vendor, one.key): one.source for one in book.reconciliation.keys}
    mapped = {source for (vendor, _), source in source_of.items() if vendor == window.vendor}
    billed = tuple(
        Billed(
            source_of.get((window.vendor, line.place.key), ""),
            family(line.place.model),
            line.place.day,
            line.place.tier,
            line.meters,
            line.calls,
        )
        for line in lines
        if line.place.kind == USAGE
    )
    return Books(
        first=window.first,
        last=window.last,
        billed=billed,
        charged=tuple(
            Charged(family(line.place.model), line.place.day, line.amount or NanoUSD(0))
            for line in lines
            if line.place.kind == COST
        ),
        posted=tuple(_posted(moment, window, mapped)),
        uncharged_tiers=NOT_CHARGED.get(window.vendor, frozenset()),
    )


def _posted(moment: Moment, window: Window, mapped: set[str]) -> list[Posted]:
    theirs = providers_of(moment, window.vendor, window.last)
    begin, end = _midnight(window.first), _midnight(window.last + timedelta(days=1))
    found = []
    for one in sums.hours(moment.session, begin - EDGE, end + EDGE):
        if theirs(one.provider):
            group = one.source if one.source in mapped else ""
            model, tier = family(one.model), billed_tier(one.tier)
            found.append(
                Posted(group, one.source, model, one.hour, tier, one.meters, one.calls, one.cost, waits=one.waits)
            )
    return found


def providers_of(moment: Moment, vendor: str, day: date) -> Callable[[str], bool]:
    """Whether a provider, as gateways spell it, is of the service that a vendor's bill is about."""
    book = moment.handbooks.on(day)
    service = book.service_of(vendor, day)
    return lambda provider: (
        service is not None
        and service
        in {
            book.service_of(provider, day),
            book.service_of(known_as(provider), day),
        }
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def worth(moment: Moment, vendor: str, book: Handbook) -> Worth:
    """What counts cost by our own prices: those of usual contexts, because sums tell nothing of single calls."""
    prices: dict[tuple[date, str, str], Price | None] = {}

    def price_of(day: date, model: str, tier: str) -> Price | None:
        key = (day, model, tier)
        if key not in prices:
            listed = moment.prices.listed
            at = _midnight(day)
            prices[key] = (
                book.negotiated_price(vendor, model, day)
                or listed(vendor, model, tier, at)
                or listed(vendor, model, "", at)
            )
        return prices[key]

    def of(day: date, model: str, tier: str, meters: Meters) -> int:
        price = price_of(day, model, tier)
        return _cost(price.meters, meters) if price else 0

    return of


def _cost(units: Mapping[Meter, UnitPrice], meters: Meters) -> int:
    known = [(count, units[meter]) for meter, count in meters.items() if meter in units]
    return sum(count * unit.nano_usd // unit.per for count, unit in known)
