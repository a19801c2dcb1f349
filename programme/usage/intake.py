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
from policy.providers import known_as
from policy.units import LARGEST_AMOUNT
from programme.usage import refusals, repeats, replacing, second_opinion
from programme.value import valuation
from store import locks
from store.balance import warnings as warnings_store
from store.handbook import reference
from store.ledger import ledger
from store.ledger.ledger import Draft
from store.people import directory
from store.usage import events as usage_store
from store.usage import versions as versions_store
from store.usage.events import DayKey, EventPosting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from policy.metering import Identity, Price, UsageEvent
    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from programme.usage.repeats import Repeat
    from programme.usage.replacing import Mark
    from store.people.directory import Employment, Known

Status = Literal["accepted", "duplicate", "conflict", "quarantined", "rejected"]
STATUSES: tuple[Status, ...] = ("accepted", "duplicate", "conflict", "quarantined", "rejected")
Fate = tuple[Status, str]
"""A status, and what is said about it."""
ACCEPTED: Fate = ("accepted", "")

ACTOR = "intake"
SUPERSEDED = "a later version holds; this one is kept and changes nothing"
LARGEST_EVENT = LARGEST_AMOUNT // 10_000
"""Nano-USD and micro-tokens; some USD 900,000. One call that costs more is a gateway's mistake, and sums must fit."""
FARTHEST_AHEAD = timedelta(minutes=15)
"""How far a gateway's clock may be before ours."""


class Outcome(NamedTuple):
    """What became of one event; `detail` says why it was not accepted, or what is odd about it although it was."""

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


class Tariff(NamedTuple):
    """What one model's use on one day is judged by."""

    service_key: str | None
    provider: str
    """As the price list knows it."""
    negotiated: Price | None
    value: TokenValue


def take_in(moment: Moment, events: Sequence[UsageEvent], *, time_field: str = "time") -> list[Outcome]:
    """Post a batch; the outcomes are in the order of the events.

    The same event again is a duplicate; the same key with other content is a conflict, which is recorded. What is
    ahead of the clock is rejected; `time_field` is what the sender calls the time of an event.
    """
    latest = moment.now + FARTHEST_AHEAD
    timely = [event for event in events if event.occurred_at <= latest]
    if len(timely) == len(events):
        return _take_in_timely(moment, timely)
    refused = [ahead(event, moment.now, time_field) for event in events]
    _note_ahead(moment, events, refused)
    taken = iter(_take_in_timely(moment, timely))
    return [
        Outcome(event.source, event.event_id, "rejected", why) if why else next(taken)
        for event, why in zip(events, refused, strict=True)
    ]


def _note_ahead(moment: Moment, events: Sequence[UsageEvent], refused: Sequence[str]) -> None:
    locks.hold_sources(moment.session, "usage", {event.source for event in events})
    by_source: dict[str, list[tuple[str, str]]] = {}
    for event, why in zip(events, refused, strict=True):
        if why:
            by_source.setdefault(event.source, []).append((event.event_id, why))
    for source, rejected in sorted(by_source.items()):
        refusals.note_rejected(moment, source, rejected)


def ahead(event: UsageEvent, now: datetime, time_field: str) -> str:
    """Why an event is too far ahead of the clock to be true; empty if it is not."""
    if event.occurred_at <= now + FARTHEST_AHEAD:
        return ""
    minutes = FARTHEST_AHEAD // timedelta(minutes=1)
    return (
        f"{time_field}: expected at most {minutes} minutes ahead of the bot's clock, which says {_utc(now)},"
        f" got {_utc(event.occurred_at)}"
    )


def _utc(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _take_in_timely(moment: Moment, events: Sequence[UsageEvent]) -> list[Outcome]:
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
    outcomes, fresh, refused, late = _sort_out_repeats(events, seen)
    if late:
        versions_store.keep_late(moment.session, late, now=moment.now)
    fresh, repeated, works = repeats.told_apart(moment.session, fresh)
    if repeated:
        outcomes = _with_repeats(events, outcomes, repeated)
        refusals.note_conflicts(moment, [again.conflict for again in repeated if again.status == "conflict"])
    repeats.note(moment.session, works)
    if refused:
        return _take_in_offers(moment, events, outcomes, fresh=fresh, refused=refused)
    rated, unrated = Rating(moment).rate(fresh)
    posted = _post(moment, rated)
    usage_store.insert_events(moment.session, [*posted, *((u.event, None) for u in unrated)])
    usage_store.hold(moment.session, unrated, now=moment.now)
    fates = _fates(moment, rated, unrated)
    return [
        outcome or Outcome(event.source, event.event_id, *fates.get((event.source, event.event_id), ACCEPTED))
        for event, outcome in zip(events, outcomes, strict=True)
    ]


def _fates(moment: Moment, rated: Sequence[RatedEvent], unrated: Sequence[UnratedEvent]) -> dict[tuple[str, str], Fate]:
    """What is said of events that wait, and of those that their gateway reckons at another price."""
    differing = second_opinion.note(moment, _costs(rated), (one.event for one in unrated))
    fates: dict[tuple[str, str], Fate] = {
        (one.event.source, one.event.event_id): ("quarantined", one.detail) for one in unrated
    }
    fates |= {(event.source, event.event_id): ("accepted", detail) for event, detail in differing}
    return fates


def _costs(rated: Iterable[RatedEvent]) -> Iterator[tuple[UsageEvent, int]]:
    return ((one.event, one.cost) for one in rated)


def _with_repeats(
    events: Sequence[UsageEvent], outcomes: Sequence[Outcome | None], repeated: Sequence[Repeat]
) -> list[Outcome | None]:
    """The outcomes with those of events that report again what was taken in as another."""
    again = {(one.event.source, one.event.event_id): (one.status, one.detail) for one in repeated}
    return [
        Outcome(*event[:2], *again[event[:2]]) if outcome is None and event[:2] in again else outcome
        for event, outcome in zip(events, outcomes, strict=True)
    ]


def _take_in_offers(
    moment: Moment,
    events: Sequence[UsageEvent],
    outcomes: list[Outcome | None],
    *,
    fresh: Sequence[UsageEvent],
    refused: Sequence[UsageEvent],
) -> list[Outcome]:
    """The same for a batch with other contents under known ids: they take the place of what waits, or are conflicts."""
    offers = replacing.offered(moment, refused, fresh)
    rated, unrated = Rating(moment).rate([*fresh, *offers.candidates.values()])
    placed = replacing.place(offers, refused, {replacing.mark_of(one.event) for one in rated})
    posted = _post(moment, [one for one in rated if placed.keeps(one.event)])
    waiting = [one for one in unrated if placed.keeps(one.event)]
    replacing.keep(moment, offers, placed, posted, waiting)
    refusals.note_conflicts(moment, placed.conflicts)
    second_opinion.note(moment, _costs(one for one in rated if placed.keeps(one.event)), (one.event for one in waiting))
    fates: dict[Mark, Fate] = {replacing.mark_of(one.event): ("quarantined", one.detail) for one in unrated}
    return list(_answers(events, outcomes, fates, news=placed.taken, known=offers.known))


def _answers(
    events: Sequence[UsageEvent],
    outcomes: Sequence[Outcome | None],
    fates: dict[Mark, Fate],
    *,
    news: set[Mark],
    known: set[Mark],
) -> Iterator[Outcome]:
    """The outcome of each event, where `news` took a place and `known` is no news; `fates` are those that wait."""
    told: set[Mark] = set()
    for event, outcome in zip(events, outcomes, strict=True):
        mark = replacing.mark_of(event)
        if outcome is None or (outcome.status == "conflict" and mark in news and mark not in told):
            yield Outcome(event.source, event.event_id, *fates.get(mark, ACCEPTED))
        elif outcome.status == "conflict" and (mark in news or mark in known):
            yield Outcome(event.source, event.event_id, "duplicate")
        else:
            yield outcome
        told.add(mark)


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
    released, unrated = post_waiting(moment, [h.event for h in held])
    last = held[-1]
    return Retried(released, len(unrated), (last.since, last.event.source, last.event.event_id))


def post_waiting(moment: Moment, held: Sequence[UsageEvent]) -> tuple[int, list[UnratedEvent]]:
    """Post those of some events in quarantine, held by us, that can be: how many, and the others with their reasons."""
    rated, unrated = Rating(moment).rate(held)
    released = usage_store.release(moment.session, _post(moment, rated), now=moment.now)
    usage_store.explain_hold(moment.session, unrated)
    return released, unrated


def _sort_out_repeats(
    events: Sequence[UsageEvent], seen: dict[str, dict[str, bytes]]
) -> tuple[list[Outcome | None], list[UsageEvent], list[UsageEvent], list[UsageEvent]]:
    """The outcome of each event that came before (None for the others); the new ones, once each; conflicts; late ones.

    Of a late one a correction or withdrawal came first, and holds. `seen` holds the fingerprints of known events by
    source and id; the new ones are added.
    """
    outcomes: list[Outcome | None] = []
    fresh: list[UsageEvent] = []
    refused: list[UsageEvent] = []
    late: list[UsageEvent] = []
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
            elif outcome.status == "accepted":
                seen[event.source][event.event_id] = event.fingerprint
                late.append(event)
    return outcomes, fresh, refused, late


def repeated(event: UsageEvent, before: bytes) -> Outcome:
    """What becomes of an event whose id came before, with the fingerprint `before`."""
    if before == event.fingerprint:
        return Outcome(event.source, event.event_id, "duplicate")
    if before == versions_store.UNREPORTED:
        return Outcome(event.source, event.event_id, "accepted", SUPERSEDED)
    detail = "another event was already taken in under this id; that one stays"
    return Outcome(event.source, event.event_id, "conflict", detail)


class Rating:
    """Rates the events of one batch: person, service, price, value. What it looks up, it looks up once."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._tariffs: dict[tuple[str, str, date], Tariff] = {}
        self._values: dict[Quarter, TokenValue] = {}
        self._price_ids: dict[int, str] = {}
        self._prices: dict[str, Price] = {}
        self._partly_here: dict[str, Employment] = {}

    def rate(self, events: Sequence[UsageEvent]) -> tuple[list[RatedEvent], list[UnratedEvent]]:
        """Split events into those that can be posted and those that have to wait; keeps the prices that were used."""
        if not events:
            return [], []
        rated: list[RatedEvent] = []
        unrated: list[UnratedEvent] = []
        persons = self._persons(events)
        days = list(_days(events, self._moment.zone))
        known = {person for of_source in persons.values() for person in of_source.values()}
        self._partly_here = directory.partly_here(self._moment.session, known, days)
        for event, day in zip(events, days, strict=True):
            if (said := event.remarks) is not None and said.base_model:
                event = self._as_base_model(event, said.base_model, day)  # noqa: PLW2901 - rare
            result = self._rate_one(event, persons[event.source].who(event.identities), day)
            if type(result) is RatedEvent:
                rated.append(result)
            else:
                unrated.append(result)  # type: ignore[arg-type]  # `type() is` is faster than a match, and narrows less
        reference.keep_prices(self._moment.session, self._prices)
        return rated, unrated

    def _as_base_model(self, event: UsageEvent, base_model: str, day: date) -> UsageEvent:
        """The event as one of the model behind a deployment's own name, if that has a price and the name has none."""
        if self._has_price(event, day):
            return event
        behind = event._replace(model=base_model)
        return behind if self._has_price(behind, day) else event

    def _has_price(self, event: UsageEvent, day: date) -> bool:
        tariff = self._tariffs.get((event.provider, event.model, day)) or self._look_up(
            event.provider, event.model, day
        )
        listed = self._moment.prices.listed
        return bool(tariff.negotiated or listed(event.provider, event.model, event.tier, event.occurred_at))

    def _rate_one(self, event: UsageEvent, person_id: str | None, day: date) -> RatedEvent | UnratedEvent:
        if person_id is None:
            names = ", ".join(f"{kind} {name!r}" for kind, name in event.identities)
            said = f"no person is known for {names}" if names else "it names no one"
            return UnratedEvent(event, "unknown_person", said)
        if (here := self._partly_here.get(person_id)) and not here.on(day):
            return UnratedEvent(event, "not_employed", _not_employed(day, here))
        key = (event.provider, event.model, day)
        tariff = self._tariffs.get(key) or self._look_up(*key)
        if tariff.service_key is None:
            return UnratedEvent(event, "unapproved_service", f"no approved service has the provider {event.provider!r}")
        if not event.meters:
            return RatedEvent(event, person_id, tariff.service_key, day, tariff.value, None, 0, 0)
        return self._priced(event, person_id, tariff.service_key, day, tariff)

    def _priced(
        self, event: UsageEvent, person_id: str, service_key: str, day: date, tariff: Tariff
    ) -> RatedEvent | UnratedEvent:
        price = tariff.negotiated or self._moment.prices.listed(
            tariff.provider, event.model, event.tier, event.occurred_at
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

    def _persons(self, events: Sequence[UsageEvent]) -> dict[str, Known]:
        names: dict[str, set[Identity]] = {}
        for event in events:
            names.setdefault(event.source, set()).update(event.identities)
        return {source: directory.resolve(self._moment.session, source, known) for source, known in names.items()}

    def _look_up(self, provider: str, model: str, day: date) -> Tariff:
        quarter = Quarter.containing(day)
        if quarter not in self._values:
            self._values[quarter] = valuation.value_of(self._moment, quarter, self._moment.handbooks)
        book = self._moment.handbooks.on(day)
        known = known_as(provider)
        # A handbook may also list a provider just as a gateway spells it.
        service = book.service_of(provider, day) or book.service_of(known, day)
        negotiated = book.negotiated_price(provider, model, day) or book.negotiated_price(known, model, day)
        tariff = Tariff(service.key if service else None, known, negotiated, self._values[quarter])
        self._tariffs[provider, model, day] = tariff
        return tariff

    def _keep(self, price: Price) -> str:
        price_id = self._price_ids[id(price)] = reference.price_id(price)
        self._prices[price_id] = price
        return price_id


def _not_employed(day: date, here: Employment) -> str:
    if day < here.hired_on:
        return f"used on {day}, but the person was hired on {here.hired_on}"
    return f"used on {day}, but the person left on {here.left_on}"


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
    wallet_of, service_of = accounts_of(moment, groups)
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


def accounts_of(moment: Moment, groups: Iterable[tuple[str, str, date]]) -> tuple[dict[str, int], dict[str, int]]:
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
