"""What each event of a batch costs, and whom: person, service, price and value; what cannot be told, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy import bills
from policy.metering import BILLED, UnpricedMeterError, named
from policy.period import Quarter, day_of, first_instant
from policy.providers import known_as
from policy.units import LARGEST_AMOUNT, NanoUSD
from programme.value import valuation
from store import locks
from store.handbook import reference
from store.locks import Lock
from store.people import directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from policy.metering import Identities, Identity, Price, UsageEvent
    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from store.people.directory import Employment, Known

LARGEST_EVENT = LARGEST_AMOUNT // 10_000
"""Nano-USD and micro-tokens; some USD 900,000. One call that costs more is a gateway's mistake, and sums must fit."""
NOBODY = ""
"""Stands for the person where a bill names a project alone: the company pays for it."""


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
        # Caps of a version that is just being applied ask for sums that whoever posts has to keep.
        locks.share(self._moment.session, Lock.HANDBOOKS)
        self._moment.forget_handbooks()
        rated: list[RatedEvent] = []
        unrated: list[UnratedEvent] = []
        # A batch has many events of each caller.
        callers = {(event.source, event.identities) for event in events}
        persons = self._persons(callers)
        person_of = {(source, names): persons[source].who(names) for source, names in callers}
        days = list(_days(events, self._moment.zone))
        known = {person for of_source in persons.values() for person in of_source.values()}
        self._partly_here = directory.partly_here(self._moment.session, known, days)
        for event, day in zip(events, days, strict=True):
            if (said := event.remarks) is not None and said.base_model:
                event = self._as_base_model(event, said.base_model, day)  # noqa: PLW2901 - rare
            result = self._rate_one(event, person_of[event.source, event.identities], day)
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
        tariff = self.tariff(event.provider, event.model, day)
        listed = self._moment.prices.listed
        return bool(tariff.negotiated or listed(event.provider, event.model, event.tier, event.occurred_at))

    def _rate_one(self, event: UsageEvent, person_id: str | None, day: date) -> RatedEvent | UnratedEvent:
        if person_id is None and event.project and not event.identities and BILLED in event.meters:
            person_id = NOBODY
        if person_id is None:
            names = ", ".join(f"{kind} {name!r}" for kind, name in event.identities)
            said = f"no person is known for {names}" if names else "it names no one"
            return UnratedEvent(event, "unknown_person", said)
        if (here := self._partly_here.get(person_id)) and not here.on(day):
            return UnratedEvent(event, "not_employed", not_employed(day, here))
        key = (event.provider, event.model, day)
        tariff = self._tariffs.get(key) or self._look_up(*key)  # Not `tariff`: a call for each event would show.
        if tariff.service_key is None:
            return UnratedEvent(event, "unapproved_service", f"no approved service has the provider {event.provider!r}")
        if not event.meters:
            return RatedEvent(event, person_id, tariff.service_key, day, tariff.value, None, 0, 0)
        return self._priced(event, person_id, tariff.service_key, day, tariff)

    def _priced(
        self, event: UsageEvent, person_id: str, service_key: str, day: date, tariff: Tariff
    ) -> RatedEvent | UnratedEvent:
        price: Price | None = bills.PRICE
        if BILLED not in event.meters:
            listed = self._moment.prices.listed
            price = tariff.negotiated or listed(tariff.provider, event.model, event.tier, event.occurred_at)
        if price is None:
            what = named(event.provider, event.model, event.tier)
            return UnratedEvent(event, "unknown_model", f"no price is known for {what}")
        try:
            cost = price.nano_usd(event.meters)
        except UnpricedMeterError as error:
            return UnratedEvent(event, "unpriced_meter", str(error))
        debit = tariff.value.micro_tokens(cost)
        if cost > LARGEST_EVENT or debit > LARGEST_EVENT:
            usd = NanoUSD(cost).decimal.normalize()
            return UnratedEvent(event, "cost_out_of_range", f"its meters would cost USD {usd:f}")
        price_id = self._price_ids.get(id(price)) or self._keep(price)
        return RatedEvent(event, person_id, service_key, day, tariff.value, price_id, cost, debit)

    def _persons(self, callers: Iterable[tuple[str, Identities]]) -> dict[str, Known]:
        names: dict[str, set[Identity]] = {}
        for source, identities in callers:
            names.setdefault(source, set()).update(identities)
        return {source: directory.resolve(self._moment.session, source, known) for source, known in names.items()}

    def tariff(self, provider: str, model: str, day: date) -> Tariff:
        """What a model's use on a day is judged by."""
        return self._tariffs.get((provider, model, day)) or self._look_up(provider, model, day)

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


def not_employed(day: date, here: Employment) -> str:
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
