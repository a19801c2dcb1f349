"""A month of a million events beside a vendor's report, with five faults planted: how long naming them takes."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import ledgers
from policy.metering import UsageEvent
from policy.period import Month
from policy.units import NanoUSD
from policy.vendors import COST, USAGE, Line, Place
from programme.reconciliation import comparing, gathering
from programme.vendors import taking
from store.usage import events as usage_store
from store.usage.events import EventPosting
from store.vendors.lines import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from policy.metering import Meters
    from programme.moment import Moment

    Worth = Callable[[date, str, str, Meters], int]

BEGIN, MONTH = datetime(2026, 10, 1, tzinfo=UTC), Month(2026, 10)
SONNET, HAIKU, OPUS = "claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5"
EU, US = "gw-eu", "gw-us"
VENDOR = "anthropic"
WINDOW = Window(VENDOR, MONTH.first_day, max(MONTH.days()))
BATCH = 10_000
PLANTED = {
    ("lost_events", ""),
    ("double_reports", US),
    ("batch", EU),
    ("cache_as_input", EU),
    ("day_cut", US),
}


class Measured(NamedTuple):
    """Seconds to read both sides alone, and of a whole comparison, which reads them again; events in the ledger."""

    events: int
    reading: float
    whole: float


class Call(NamedTuple):
    source: str
    at: datetime
    model: str
    meters: Meters
    tier: str


def measure(kind: str, events: int) -> Measured:
    """Name the planted faults, and nothing else: both is asserted."""
    with ledgers.empty(kind) as app:
        with app.transaction() as moment:
            count = _plant(moment, events)
        with app.transaction() as moment:
            begun = time.perf_counter()
            gathering.books(moment, WINDOW, moment.handbook)
            read = time.perf_counter()
            found = comparing.reconcile(moment, VENDOR, MONTH)
            done = time.perf_counter()
        assert {(one.cause, one.source) for one in found} == PLANTED, [(one.cause, one.source) for one in found]
        return Measured(count, read - begun, done - read)


def _plant(moment: Moment, events: int) -> int:
    """Post calls as gateways report them, keep the vendor's lines of the same calls; how many events were posted."""
    worth = gathering.worth(moment, VENDOR, moment.handbook)
    billed: defaultdict[tuple[date, str, str], Meters] = defaultdict(dict)
    rows: list[tuple[UsageEvent, EventPosting]] = []
    count = 0
    for number, call in enumerate(_calls(events)):
        counted = billed[call.at.date(), call.model, call.tier]
        for meter, n in call.meters.items():
            counted[meter] = counted.get(meter, 0) + n
        for again, seen in enumerate(_reported(number, call)):
            cost = worth(seen.at.date(), seen.model, seen.tier, seen.meters)
            rows.append((_event(f"{number}-{again}", seen), EventPosting(1, "bench", cost, cost // 10, None)))
        if len(rows) >= BATCH:
            usage_store.insert_events(moment.session, rows)
            count, rows = count + len(rows), []
    usage_store.insert_events(moment.session, rows)
    taking.take(moment, WINDOW, list(_lines(billed, worth)), actor="bench")
    return count + len(rows)


def _event(id_: str, call: Call) -> UsageEvent:
    return UsageEvent(call.source, id_, call.at, (), VENDOR, call.model, call.tier, call.meters, "", b"")


def _lines(billed: Mapping[tuple[date, str, str], Meters], worth: Worth) -> Iterator[Line]:
    """The vendor's usage and costs of each day, model and tier."""
    for (day, model, tier), meters in billed.items():
        yield Line(Place(USAGE, day, "", "", model, tier, ""), meters, None, None)
        cost = NanoUSD(worth(day, model, tier, meters))
        yield Line(Place(COST, day, "", "", model, tier, model), {}, None, cost)


def _calls(events: int) -> Iterator[Call]:
    rng = random.Random(62)
    days = (MONTH.next().first_day - MONTH.first_day).days
    for _ in range(events):
        at = BEGIN + timedelta(seconds=rng.random() * 86_400 * days)
        source, model = rng.choice(((EU, SONNET), (US, SONNET), (EU, HAIKU), (US, HAIKU), (US, OPUS), (EU, OPUS)))
        meters: Meters = {
            "input_uncached": rng.randrange(500, 9_000),
            "cache_read": rng.randrange(500, 9_000),
            "output": rng.randrange(100, 2_000),
        }
        batch = source == EU and model == SONNET and at.day in {18, 19}
        yield Call(source, at, model, meters, "batch" if batch else "")


def _reported(number: int, call: Call) -> list[Call]:
    """What the gateways make of a call."""
    source, at, model, meters, tier = call
    if source == EU and model == HAIKU and at.day in {12, 13} and number % 2 == 0:
        return []
    if source == US and model == SONNET and at.day in {5, 6}:
        return [call, call]
    if tier:
        return [call._replace(tier="")]
    if source == EU and model == HAIKU and at.day >= 22:
        return [call._replace(meters={**meters, "input_uncached": meters["input_uncached"] + meters["cache_read"]})]
    return [call._replace(at=at + timedelta(hours=1))] if source == US and model == OPUS else [call]
