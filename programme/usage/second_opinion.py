"""What a gateway itself reckons that a call cost: never posted, but where it differs from our price somebody looks."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from policy.period import day_of
from policy.units import NanoUSD
from store.usage import quotes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.metering import UsageEvent
    from programme.moment import Moment
    from store.usage.quotes import Apart, Difference


def tolerance(moment: Moment) -> Fraction:
    """The share of a quote from which on a difference counts, by today's handbook."""
    book = moment.handbooks.on(day_of(moment.now, moment.zone))
    return Fraction(book.usage.quote_tolerance)


def note(
    moment: Moment, costs: Iterable[tuple[UsageEvent, int]], waiting: Iterable[UsageEvent]
) -> list[tuple[UsageEvent, str]]:
    """Keep the quotes that differ from the costs posted, in nano-USD, and say so of each; and those of what waits.

    It takes a comparison for each event, and a row for each that differs.
    """
    share = tolerance(moment)
    more, whole = share.numerator, share.denominator
    differing: list[tuple[UsageEvent, str]] = []
    kept: list[tuple[UsageEvent, int]] = []
    for event, cost in costs:
        said = event.remarks
        if said is None or not said.quoted or abs(cost - said.quoted) * whole <= said.quoted * more:
            continue
        # A free event was free to the gateway as well, whatever it says.
        if event.meters:
            kept.append((event, said.quoted))
            differing.append((event, _told(cost, said.quoted)))
    kept += [(event, event.remarks.quoted) for event in waiting if event.remarks and event.remarks.quoted]
    quotes.note(moment.session, kept, now=moment.now)
    return differing


def _told(cost: int, quoted: int) -> str:
    return f"posted at USD {_usd(cost)}; the gateway reckons USD {_usd(quoted)}"


def _usd(nano_usd: int) -> str:
    return f"{NanoUSD(nano_usd).decimal.normalize():f}"


def differences(moment: Moment, *, limit: int, source: str | None = None) -> tuple[list[Apart], list[Difference]]:
    """What differs today, by model, and the latest of the events."""
    share = tolerance(moment)
    by_model = quotes.differences_by_model(moment.session, share, source=source)
    return by_model, quotes.differences(moment.session, share, limit=limit, source=source)


def count(moment: Moment) -> int:
    """How many events differ today."""
    return quotes.count_differences(moment.session, tolerance(moment))
