"""Taking in usage: each event once, at its own price and value, debited to the person who used it.

A usage event is the source document; the ledger holds one entry for all the events of one wallet, one service and one
day that a batch brings (docs/decisions/0004). What cannot be attributed or priced is kept in quarantine, whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy.exc import IntegrityError

from policy.kinds import EntryKind
from policy.metering import INPUT_METERS, OUTPUT_METERS, UnpricedMeterError, named
from policy.period import Quarter, day_of, first_instant
from policy.units import LARGEST_AMOUNT
from programme.value import valuation
from store import locks
from store.balance import warnings as warnings_store
from store.handbook import reference
from store.ledger import ledger
from store.ledger.ledger import Draft
from store.people import directory
from store.usage import events as usage_store
from store.usage.events import DayKey, EventPosting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from policy.metering import Identities, Identity, Price, UsageEvent
    from policy.value.valuation import TokenValue
    from programme.moment import Moment

Status = Literal["accepted", "duplicate", "conflict", "quarantined", "rejected"]
STATUSES: tuple[Status, ...] = ("accepted", "duplicate", "conflict", "quarantined", "rejected")

ACTOR = "intake"
LARGEST_EVENT = LARGEST_AMOUNT // 10_000
"""Nano-USD and micro-tokens; some USD 900,000. One call that costs more is a gateway's mistake, and sums must fit."""


class Outcome(NamedTuple):
    """What became of one event; `detail` says why, for those that were not accepted."""

    source: str
    event_id: str
    status: Status
    detail: str = ""


class RatedEvent(NamedTuple):
    """An event with everything that its debit follows from."""

    event: UsageEvent
    person_id: str
    service_key: str
    day: date
    value: TokenValue
    price_id: str | None
    cost: int
    debit: int


class UnratedEvent(NamedTuple):
    """An event that has to wait, and why."""

    event: UsageEvent
    reason: str
    detail: str


class _Tariff(NamedTuple):
    """What one model's use on one day is judged by."""

    service_key: str | None
    negotiated: Price | None
    value: TokenValue


def take_in(moment: Moment, events: Sequence[UsageEvent]) -> list[Outcome]:
    """Post a batch; the outcomes are in the order of the events.

    The same event again is a duplicate; the same key with other content is a conflict, which is recorded.
    """
    ids: dict[str, list[str]] = {}
    for event in events:
        ids.setdefault(event.source, []).append(event.event_id)
    locks.hold_sources(moment.session, "usage", ids)
    try:
        # Nearly every batch is new: asking first for each of its ids takes longer than being told by the unique key.
        with moment.session.begin_nested():
            return _take_in(moment, events, {source: {} for source in ids})
    except IntegrityError:
        seen = {source: usage_store.known(moment.session, source, some) for source, some in ids.items()}
        return _take_in(moment, events, seen)


def _take_in(moment: Moment, events: Sequence[UsageEvent], seen: dict[str, dict[str, bytes]]) -> list[Outcome]:
    outcomes, fresh, refused = _sort_out_repeats(events, seen)
    rated, unrated = _Rating(moment).rate(fresh)
    posted = _post(moment, rated)
    usage_store.insert_events(moment.session, [*posted, *((u.event, None) for u in unrated)])
    usage_store.hold(moment.session, unrated, now=moment.now)
    usage_store.record_conflicts(moment.session, refused, now=moment.now)
    waiting = {(u.event.source, u.event.event_id): u.detail for u in unrated}
    return [
        outcome or Outcome(event.source, event.event_id, *_fate(waiting.get((event.source, event.event_id))))
        for event, outcome in zip(events, outcomes, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry did; `last` is where the next one goes on, None when there was nothing left to try."""

    released: int
    held: int
    last: tuple[datetime, str, str] | None


def retry_quarantine(moment: Moment, *, limit: int, after: tuple[datetime, str, str] | None = None) -> Retried:
    """Post what can be priced and attributed by now, at the event's own time; renew the reason of the rest."""
    held = usage_store.held_events(moment.session, limit=limit, after=after, lock=True)
    if not held:
        return Retried(0, 0, None)
    rated, unrated = _Rating(moment).rate([h.event for h in held])
    released = usage_store.release(moment.session, _post(moment, rated), now=moment.now)
    usage_store.explain_hold(moment.session, unrated)
    last = held[-1]
    return Retried(released, len(unrated), (last.since, last.event.source, last.event.event_id))


def _fate(waiting_for: str | None) -> tuple[Status, str]:
    return ("accepted", "") if waiting_for is None else ("quarantined", waiting_for)


def _sort_out_repeats(
    events: Sequence[UsageEvent], seen: dict[str, dict[str, bytes]]
) -> tuple[list[Outcome | None], list[UsageEvent], list[UsageEvent]]:
    """The outcome of each event that came before (None for the others); the new ones, once each; the conflicts.

    `seen` holds the fingerprints of known events by source and id; the new ones are added.
    """
    outcomes: list[Outcome | None] = []
    fresh: list[UsageEvent] = []
    refused: list[UsageEvent] = []
    for event in events:
        before = seen[event.source].get(event.event_id)
        if before is None:
            seen[event.source][event.event_id] = event.fingerprint
            fresh.append(event)
            outcomes.append(None)
        else:
            outcome = repeated(event, before)
            outcomes.append(outcome)
            if outcome.status == "conflict":
                refused.append(event)
    return outcomes, fresh, refused


def repeated(event: UsageEvent, before: bytes) -> Outcome:
    """What becomes of an event whose id came before, with the fingerprint `before`."""
    if before == event.fingerprint:
        return Outcome(event.source, event.event_id, "duplicate")
    detail = "another event was already taken in under this id; that one stays"
    return Outcome(event.source, event.event_id, "conflict", detail)


class _Rating:
    """Rates the events of one batch: person, service, price, value. What it looks up, it looks up once."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._tariffs: dict[tuple[str, str, date], _Tariff] = {}
        self._values: dict[Quarter, TokenValue] = {}
        self._price_ids: dict[int, str] = {}
        self._prices: dict[str, Price] = {}

    def rate(self, events: Sequence[UsageEvent]) -> tuple[list[RatedEvent], list[UnratedEvent]]:
        """Split events into those that can be posted and those that have to wait; keeps the prices that were used."""
        if not events:
            return [], []
        rated: list[RatedEvent] = []
        unrated: list[UnratedEvent] = []
        persons = self._persons(events)
        for event, day in zip(events, _days(events, self._moment.zone), strict=True):
            result = self._rate_one(event, _first_known(event.identities, persons[event.source]), day)
            if type(result) is RatedEvent:
                rated.append(result)
            else:
                unrated.append(result)  # type: ignore[arg-type]  # `type() is` is faster than a match, and narrows less
        reference.keep_prices(self._moment.session, self._prices)
        return rated, unrated

    def _rate_one(self, event: UsageEvent, person_id: str | None, day: date) -> RatedEvent | UnratedEvent:
        if person_id is None:
            names = ", ".join(f"{kind} {name!r}" for kind, name in event.identities) or "no one was named"
            return UnratedEvent(event, "unknown_person", f"no person is known for {names}")
        key = (event.provider, event.model, day)
        tariff = self._tariffs.get(key) or self._look_up(*key)
        if tariff.service_key is None:
            return UnratedEvent(event, "unapproved_service", f"no approved service has the provider {event.provider!r}")
        if not event.meters:
            return RatedEvent(event, person_id, tariff.service_key, day, tariff.value, None, 0, 0)
        return self._priced(event, person_id, tariff.service_key, day, tariff)

    def _priced(
        self, event: UsageEvent, person_id: str, service_key: str, day: date, tariff: _Tariff
    ) -> RatedEvent | UnratedEvent:
        price = tariff.negotiated or self._moment.prices.listed(
            event.provider, event.model, event.tier, event.occurred_at
        )
        if price is None:
            what = named(event.provider, event.model, event.tier)
            return UnratedEvent(event, "unknown_model", f"no price is known for {what}")
        try:
            cost = price.cost(event.meters)
        except UnpricedMeterError as error:
            return UnratedEvent(event, "unpriced_meter", str(error))
        debit = tariff.value.debit(cost)
        if cost > LARGEST_EVENT or debit > LARGEST_EVENT:
            return UnratedEvent(event, "cost_out_of_range", f"its meters would cost USD {cost.decimal.normalize():f}")
        price_id = self._price_ids.get(id(price)) or self._keep(price)
        return RatedEvent(event, person_id, service_key, day, tariff.value, price_id, int(cost), int(debit))

    def _persons(self, events: Sequence[UsageEvent]) -> dict[str, dict[Identity, str]]:
        names: dict[str, set[Identity]] = {}
        for event in events:
            names.setdefault(event.source, set()).update(event.identities)
        return {source: directory.resolve(self._moment.session, source, known) for source, known in names.items()}

    def _look_up(self, provider: str, model: str, day: date) -> _Tariff:
        quarter = Quarter.containing(day)
        if quarter not in self._values:
            self._values[quarter] = valuation.value_of(self._moment, quarter, self._moment.handbooks)
        book = self._moment.handbooks.on(day)
        service = book.service_of(provider, day)
        tariff = _Tariff(
            service.key if service else None, book.negotiated_price(provider, model, day), self._values[quarter]
        )
        self._tariffs[provider, model, day] = tariff
        return tariff

    def _keep(self, price: Price) -> str:
        price_id = self._price_ids[id(price)] = reference.price_id(price)
        self._prices[price_id] = price
        return price_id


def _first_known(names: Identities, person_of: dict[Identity, str]) -> str | None:
    for name in names:
        if name in person_of:
            return person_of[name]
    return None


def _days(events: Sequence[UsageEvent], zone: ZoneInfo) -> Iterator[date]:
    """The local day of each event; events come in bunches, so the bounds of the last day are kept at hand."""
    begin = end = datetime.min.replace(tzinfo=UTC)
    day = date.min
    for event in events:
        if not begin <= event.occurred_at < end:
            day = day_of(event.occurred_at, zone)
            begin, end = first_instant(day, zone), first_instant(day + timedelta(days=1), zone)
        yield day


def _post(moment: Moment, rated: Sequence[RatedEvent]) -> list[tuple[UsageEvent, EventPosting]]:
    """Post one entry for each wallet, service and day, add to the days' roll-up, and say what each event became."""
    groups: dict[tuple[str, str, date], list[RatedEvent]] = {}
    for one in rated:
        groups.setdefault((one.person_id, one.service_key, one.day), []).append(one)
    wallet_of, service_of = _accounts(moment, groups)
    drafts: list[Draft] = []
    days: dict[DayKey, list[int]] = {}
    for (person_id, service_key, day), group in groups.items():
        wallet = wallet_of[person_id]
        for (model, project), figures in _sums(group).items():
            days[DayKey(day, wallet, service_key, model, project)] = figures
        if total := sum([one.debit for one in group]):
            drafts.append(_draft(group, wallet, service_of[service_key], total))
    entry_ids = iter(ledger.post(moment.session, drafts, now=moment.now))
    usage_store.add_to_days(moment.session, days)
    warnings_store.note(moment.session, (draft.amounts[0][0] for draft in drafts))
    posted: list[tuple[UsageEvent, EventPosting]] = []
    for (person_id, _, _), group in groups.items():
        wallet = wallet_of[person_id]
        # A group that cost nothing has no entry, and a free event belongs to none.
        entry_id = next(entry_ids) if any(one.debit for one in group) else None
        posted += [
            (one.event, EventPosting(wallet, one.price_id, one.cost, one.debit, entry_id if one.debit else None))
            for one in group
        ]
    return posted


def _accounts(moment: Moment, groups: Iterable[tuple[str, str, date]]) -> tuple[dict[str, int], dict[str, int]]:
    """The account ids of the persons' wallets and of the services."""
    wallets = {person_id: ledger.wallet_code(person_id) for person_id, _, _ in groups}
    services = {service_key: ledger.service_code(service_key) for _, service_key, _ in groups}
    account_of = ledger.open_accounts(moment.session, [*wallets.values(), *services.values()])
    return (
        {person_id: account_of[code] for person_id, code in wallets.items()},
        {service_key: account_of[code] for service_key, code in services.items()},
    )


def _draft(group: Sequence[RatedEvent], wallet: int, service: int, total: int) -> Draft:
    digest = hashlib.blake2b(digest_size=16)
    for one in group:
        digest.update(one.event.fingerprint)
    first = group[0]
    return Draft(
        kind=EntryKind.USAGE,
        # The events have the keys: each is posted once.
        idempotency_key=None,
        fingerprint=digest.digest(),
        effective_at=max(one.event.occurred_at for one in group),
        memo=first.service_key,
        actor=ACTOR,
        amounts=((wallet, -total), (service, total)),
        value_version=first.value.version,
    )


def _sums(group: Sequence[RatedEvent]) -> dict[tuple[str, str], list[int]]:
    """(calls, input tokens, output tokens, cost, debit) by (model, project)."""
    sums: dict[tuple[str, str], list[int]] = {}
    for one in group:
        event = one.event
        key = (event.model, event.project)
        figures = sums.get(key)
        if figures is None:
            figures = sums[key] = [0, 0, 0, 0, 0]
        figures[0] += 1
        for meter, count in event.meters.items():
            if meter in INPUT_METERS:
                figures[1] += count
            elif meter in OUTPUT_METERS:
                figures[2] += count
        figures[3] += one.cost
        figures[4] += one.debit
    return sums
