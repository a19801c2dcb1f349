"""The handbook: the policy's parameters, versioned, each version with the date from which it holds.

The source is a TOML table. Numbers are read as `Decimal`, never as float. Every problem is reported at once, with the
key, the value and what was expected.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date  # noqa: TC003 - the types of fields are read at run time
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

from policy import outcomes
from policy.declared import OneOf, read
from policy.metering import METERS, Meter, Price, UnitPrice
from policy.parameters import (
    exceptions,
    finance,
    gates,
    grants,
    holds,
    invoices,
    messages,
    offers,
    retention,
    reviews,
    roi,
    usage,
    value,
)
from policy.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policy.outcomes import OutcomeRules
    from policy.parameters.exceptions import ExceptionRules
    from policy.parameters.finance import FinanceRules, JournalRules, ReconciliationRules
    from policy.parameters.gates import GateRules
    from policy.parameters.grants import LotRules, RolloutRules, SizingRules
    from policy.parameters.holds import CapRule, HoldRules
    from policy.parameters.invoices import InvoiceRules
    from policy.parameters.messages import DigestRules, DisclosureRules, MessageRules, ReportRules, WarningRules
    from policy.parameters.offers import OfferRules
    from policy.parameters.retention import RetentionRules
    from policy.parameters.reviews import AdjustmentRules, AppealRules, ReviewRules
    from policy.parameters.roi import RoiRules
    from policy.parameters.usage import UsageRules
    from policy.parameters.value import ReserveRules, ValueRules

PER_UNIT = {"unit": 1, "thousand": 1_000, "million": 1_000_000, "hour": 3_600}
SERVICE_KINDS = ("model_api", "training")
LATER_TABLES = (
    "sizing",
    "lots",
    "rollout",
    "messages",
    "exceptions",
    "warnings",
    "reports",
    "reserve",
    "adjustment",
    "reviews",
    "appeals",
    "disclosure",
    "digest",
    "outcomes",
    "roi",
    "gates",
    "usage",
    "holds",
    "reconciliation",
    "journal",
    "finance",
    "invoices",
    "offers",
)
LATER_VALUE_TABLES = ("index", "buffer", "slots")
"""Tables that handbooks applied earlier do not have; each then holds as in the packaged handbook."""
FIRST_PROVIDER_CAP = Decimal("0.50")
"""What a handbook had that listed models in its basket and said nothing of the index."""


class HandbookError(ValueError):
    """A handbook that cannot hold: `problems` names each key, its value and what was expected."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Service:
    """An approved AI service: usage from one of its `providers` between its dates may be paid in tokens."""

    key: str
    name: str
    kind: Annotated[str, OneOf(SERVICE_KINDS)]
    providers: tuple[str, ...]
    approved_from: date
    approved_until: date | None = None

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
    sizing: SizingRules
    lots: LotRules
    rollout: RolloutRules
    messages: MessageRules
    exceptions: ExceptionRules
    warnings: WarningRules
    reports: ReportRules
    reserve: ReserveRules
    adjustment: AdjustmentRules
    reviews: ReviewRules
    appeals: AppealRules
    disclosure: DisclosureRules
    digest: DigestRules
    outcomes: OutcomeRules
    roi: RoiRules
    gates: GateRules
    usage: UsageRules
    holds: HoldRules
    reconciliation: ReconciliationRules
    journal: JournalRules
    finance: FinanceRules
    invoices: InvoiceRules
    caps: tuple[CapRule, ...]
    offers: OfferRules
    retention: RetentionRules
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
    table = Table(document(text), "", [])
    measured = outcomes.read_outcomes(table.table("outcomes"))
    handbook = Handbook(
        version=table.text("version"),
        effective_from=table.day("effective_from"),
        contact=table.text("contact"),
        value=read(value.ValueRules, table.table("value")),
        sizing=read(grants.SizingRules, table.table("sizing")),
        lots=grants.read_lots(table.table("lots")),
        rollout=read(grants.RolloutRules, table.table("rollout")),
        messages=messages.read_messages(table.table("messages")),
        exceptions=exceptions.read_exceptions(table.table("exceptions")),
        warnings=messages.read_warnings(table.table("warnings")),
        reports=read(messages.ReportRules, table.table("reports")),
        reserve=read(value.ReserveRules, table.table("reserve")),
        adjustment=read(reviews.AdjustmentRules, table.table("adjustment"), unit=measured.unit),
        reviews=read(reviews.ReviewRules, table.table("reviews")),
        appeals=reviews.read_appeals(table.table("appeals")),
        disclosure=read(messages.DisclosureRules, table.table("disclosure")),
        digest=read(messages.DigestRules, table.table("digest")),
        outcomes=measured,
        roi=read(roi.RoiRules, table.table("roi")),
        gates=read(gates.GateRules, table.table("gates")),
        usage=read(usage.UsageRules, table.table("usage")),
        holds=read(holds.HoldRules, table.table("holds")),
        reconciliation=read(finance.ReconciliationRules, table.table("reconciliation")),
        journal=read(finance.JournalRules, table.table("journal")),
        finance=read(finance.FinanceRules, table.table("finance")),
        invoices=read(invoices.InvoiceRules, table.table("invoices")),
        caps=tuple(read(holds.CapRule, t) for t in table.tables("caps")),
        offers=read(offers.OfferRules, table.table("offers")),
        # Not among LATER_TABLES: what no handbook said of is kept.
        retention=read(retention.RetentionRules, table.table("retention") if table.has("retention") else _empty()),
        services=tuple(read(Service, t) for t in table.tables("services")),
        prices=tuple(_negotiated_price(t) for t in table.tables("prices")),
    )
    table.done()
    problems = table.problems + ([] if table.problems else list(_contradictions(handbook)))
    if problems:
        raise HandbookError(problems)
    return handbook


def _empty() -> Table:
    return Table({}, "", [])


def document(text: str) -> dict[str, Any]:
    """A handbook's tables as TOML has them, with those that it leaves out; HandbookError when it is not TOML."""
    try:
        return _completed(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise HandbookError([f"not TOML: {error}"]) from error


@cache
def _packaged_document() -> Mapping[str, Any]:
    return tomllib.loads(packaged(), parse_float=Decimal)


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with the tables that it leaves out and may leave out."""
    given = _packaged_document()
    completed = {name: given[name] for name in LATER_TABLES} | _renamed(document)
    if isinstance(value := completed.get("value"), dict):
        completed["value"] = _completed_value(given["value"], value)
    return completed


def _completed_value(given: Mapping[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    completed = {name: given[name] for name in LATER_VALUE_TABLES} | value
    if "basket" in value:
        if "slots" not in value:
            del completed["slots"]
        if "index" not in value:
            completed["index"] = given["index"] | {"provider_cap": FIRST_PROVIDER_CAP}
    return completed


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with today's names: `[disclosure] least_people` was of the digest alone at first."""
    digest = document.get("digest")
    if "disclosure" in document or not isinstance(digest, dict) or "least_people" not in digest:
        return document
    rest = {key: value for key, value in digest.items() if key != "least_people"}
    return document | {"digest": rest, "disclosure": {"least_people": digest["least_people"]}}


def _negotiated_price(table: Table) -> NegotiatedPrice:
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
    yield from value.value_contradictions(handbook.value)
    yield from grants.sizing_contradictions(handbook.sizing)
    yield from grants.rollout_contradictions(handbook.rollout)
    yield from messages.message_contradictions(handbook.messages)
    yield from exceptions.exception_contradictions(handbook.exceptions)
    yield from outcomes.outcome_contradictions(handbook.outcomes)
    yield from roi.roi_contradictions(handbook.roi)
    yield from reviews.adjustment_contradictions(handbook.adjustment)
    yield from reviews.review_contradictions(handbook.reviews, handbook.exceptions)
    keys = {service.key for service in handbook.services}
    classes = {slot.class_ for slot in handbook.value.slots} | {item.class_ for item in handbook.value.basket}
    yield from finance.key_contradictions(handbook.reconciliation)
    yield from invoices.invoice_contradictions(handbook.invoices, keys)
    yield from holds.cap_contradictions(handbook.caps, handbook.holds, keys, classes)
    yield from offers.offer_contradictions(handbook.offers)
    yield from retention.retention_contradictions(handbook.retention)
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
