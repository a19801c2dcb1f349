"""The handbook: the policy's parameters, versioned, each version with the date from which it holds.

The source is a TOML table. Numbers are read as `Decimal`, never as float. Every problem is reported at once, with the
key, the value and what was expected.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any

from policy.metering import METERS, Meter, Price, UnitPrice
from policy.units import LARGEST_AMOUNT, NANO_PER_USD, NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterator

PER_UNIT = {"unit": 1, "thousand": 1_000, "million": 1_000_000, "hour": 3_600}
SERVICE_KINDS = ("model_api", "training")
LARGEST_NUMBER = LARGEST_AMOUNT // NANO_PER_USD
"""No figure in a handbook is larger than the largest amount of USD."""


class HandbookError(ValueError):
    """A handbook that cannot hold: `problems` names each key, its value and what was expected."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class ValueRules:
    method: str
    usd_per_token: NanoUSD


@dataclass(frozen=True, slots=True)
class Service:
    """An approved AI service: usage from one of its `providers` between its dates may be paid in tokens."""

    key: str
    name: str
    kind: str
    providers: tuple[str, ...]
    approved_from: date
    approved_until: date | None

    def approved_on(self, day: date) -> bool:
        return self.approved_from <= day and (self.approved_until is None or day < self.approved_until)


@dataclass(frozen=True, slots=True)
class NegotiatedPrice:
    """A price that wins over the public list between its dates: own GPUs, negotiated rates."""

    price: Price
    holds_from: date
    holds_until: date | None

    def holds_on(self, day: date) -> bool:
        return self.holds_from <= day and (self.holds_until is None or day < self.holds_until)


@dataclass(frozen=True, slots=True)
class Handbook:
    """One version of the policy's parameters."""

    version: str
    effective_from: date
    contact: str
    value: ValueRules
    services: tuple[Service, ...]
    prices: tuple[NegotiatedPrice, ...]

    def service_of(self, provider: str, day: date) -> Service | None:
        """The approved service that a provider belonged to on a day."""
        return next((s for s in self.services if provider in s.providers and s.approved_on(day)), None)

    def negotiated_price(self, provider: str, model: str, day: date) -> Price | None:
        """The last listed override that holds on a day; `*` as its model means every model of the provider."""
        held = [p.price for p in self.prices if p.price.provider == provider and p.holds_on(day)]
        exact = [p for p in held if p.model == model]
        covering = exact or [p for p in held if p.model == "*"]
        return covering[-1] if covering else None


def packaged() -> str:
    """The text of the handbook that comes with the bot."""
    return resources.files("policy").joinpath("handbook.toml").read_text(encoding="utf-8")


def parse(text: str) -> Handbook:
    """Read a handbook; HandbookError lists everything that is wrong with it."""
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise HandbookError([f"not TOML: {error}"]) from error
    table = _Table(document, "", [])
    handbook = Handbook(
        version=table.text("version"),
        effective_from=table.day("effective_from"),
        contact=table.text("contact"),
        value=_value_rules(table.table("value")),
        services=tuple(_service(t) for t in table.tables("services")),
        prices=tuple(_negotiated_price(t) for t in table.tables("prices")),
    )
    table.done()
    problems = table.problems + ([] if table.problems else list(_contradictions(handbook)))
    if problems:
        raise HandbookError(problems)
    return handbook


def _value_rules(table: _Table) -> ValueRules:
    rules = ValueRules(table.choice("method", ("fixed",)), table.usd("usd_per_token"))
    table.done()
    return rules


def _service(table: _Table) -> Service:
    service = Service(
        key=table.text("key"),
        name=table.text("name"),
        kind=table.choice("kind", SERVICE_KINDS),
        providers=tuple(table.texts("providers")),
        approved_from=table.day("approved_from"),
        approved_until=table.optional_day("approved_until"),
    )
    table.done()
    return service


def _negotiated_price(table: _Table) -> NegotiatedPrice:
    provider, model = table.text("provider"), table.text("model")
    per = PER_UNIT[table.choice("per", tuple(PER_UNIT))]
    meters: dict[Meter, UnitPrice] = {}
    before = len(table.problems)
    usd = table.table("usd")
    for meter in METERS:
        if (number := usd.optional_number(meter)) is not None:
            meters[meter] = UnitPrice.from_usd(number, per)
    usd.done()
    if not meters and len(table.problems) == before:
        usd.wrong("", {}, "at least one meter with its price")
    price = NegotiatedPrice(Price(provider, model, "handbook", meters), table.day("from"), table.optional_day("until"))
    table.done()
    return price


def _contradictions(handbook: Handbook) -> Iterator[str]:
    """What each part allows alone, and the whole does not."""
    seen: set[str] = set()
    for service in handbook.services:
        if service.key in seen:
            yield f"services.key = {service.key!r}: listed twice"
        seen.add(service.key)
        if service.approved_until and service.approved_until <= service.approved_from:
            yield f"services.{service.key}.approved_until = {service.approved_until}: not after approved_from"
    for i, price in enumerate(handbook.prices, start=1):
        if price.holds_until and price.holds_until <= price.holds_from:
            yield f"prices[{i}].until = {price.holds_until}: not after from"
    by_provider: dict[str, Service] = {}
    for service in handbook.services:
        for provider in service.providers:
            other = by_provider.setdefault(provider, service)
            if other is not service:
                yield f"services.{service.key}.providers: {provider!r} already belongs to {other.key!r}"


class _Table:
    """One TOML table being read: takes entries out, notes what is wrong, and complains of what is left over."""

    def __init__(self, entries: dict[str, Any], path: str, problems: list[str]) -> None:
        self.entries = dict(entries)
        self.path = path
        self.problems = problems
        self._known: list[str] = []

    def wrong(self, key: str, value: object, expected: str) -> None:
        self._note(key, value, f"expected {expected}")

    def _note(self, key: str, value: object, problem: str) -> None:
        shown = str(value) if isinstance(value, Decimal | date) else repr(value)
        self.problems.append(f"{'.'.join(filter(None, (self.path, key)))} = {shown}: {problem}")

    def _take(self, key: str, expected: str) -> Any:  # noqa: ANN401 - TOML's values are of any type
        self._known.append(key)
        if key not in self.entries:
            self.problems.append(f"{'.'.join(filter(None, (self.path, key)))}: missing; expected {expected}")
        return self.entries.pop(key, None)

    def text(self, key: str) -> str:
        value = self._take(key, "a text")
        if value is not None and (not isinstance(value, str) or not value.strip()):
            self.wrong(key, value, "a text")
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> list[str]:
        value = self._take(key, "a list of texts")
        if isinstance(value, list) and value and all(isinstance(v, str) and v for v in value):
            return list(value)
        if value is not None:
            self.wrong(key, value, "a list of texts, not empty")
        return []

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self._take(key, f"one of {', '.join(allowed)}")
        if value is not None and value not in allowed:
            self.wrong(key, value, f"one of {', '.join(allowed)}")
        return value if value in allowed else allowed[0]

    def day(self, key: str) -> date:
        value = self._take(key, "a date such as 2026-11-01")
        if value is not None and type(value) is not date:
            self.wrong(key, value, "a date such as 2026-11-01, without quotes")
        return value if type(value) is date else date.min

    def optional_day(self, key: str) -> date | None:
        self._known.append(key)
        return self.day(key) if key in self.entries else None

    def number(self, key: str) -> Decimal:
        value = self._take(key, "a number")
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            number = Decimal(value)
            if number.is_finite() and 0 <= number <= LARGEST_NUMBER:
                return number
        if value is not None:
            self.wrong(key, value, f"a number from 0 to {LARGEST_NUMBER}")
        return Decimal(1)

    def optional_number(self, key: str) -> Decimal | None:
        self._known.append(key)
        return self.number(key) if key in self.entries else None

    def usd(self, key: str) -> NanoUSD:
        number = self.number(key)
        try:
            amount = NanoUSD.parse(number)
        except ValueError as error:
            self.wrong(key, number, f"USD with at most nine decimals ({error})")
            return NanoUSD(1)
        if amount <= 0:
            self.wrong(key, number, "an amount above zero")
            return NanoUSD(1)
        return amount

    def table(self, key: str) -> _Table:
        value = self._take(key, "a table")
        if value is not None and not isinstance(value, dict):
            self.wrong(key, value, "a table")
        path = ".".join(filter(None, (self.path, key)))
        return _Table(value if isinstance(value, dict) else {}, path, self.problems)

    def tables(self, key: str) -> list[_Table]:
        self._known.append(key)
        value = self.entries.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.wrong(key, value, f"tables, each headed [[{key}]]")
            return []
        return [_Table(entry, f"{key}[{i}]", self.problems) for i, entry in enumerate(value, start=1)]

    def done(self) -> None:
        """Report every entry that nobody asked for, with the nearest name that exists."""
        for key, value in self.entries.items():
            near = difflib.get_close_matches(key, self._known, n=1)
            self._note(key, value, f"there is no such key{f'; did you mean {near[0]!r}?' if near else ''}")
