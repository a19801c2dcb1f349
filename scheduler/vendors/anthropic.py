"""Anthropic's reports of an organisation: usage of messages, and costs.

The shapes are those of "Get Messages Usage Report" and "Get Cost Report" of its Admin API (platform.claude.com/docs,
2026), version 2023-06-01. Counts of input leave out what was cached; costs are decimal texts, in cents.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from policy.reasons import Refusal
from policy.units import NANO_PER_USD, NanoUSD
from policy.vendors import COST, USAGE, Line, Place
from scheduler.vendors.client import repeated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.metering import Meter, Meters
    from scheduler.vendors.client import Client

URL = "https://api.anthropic.com/v1"
VERSION = "2023-06-01"
LIMIT = 31
CENTS_PER_USD = 100

R = TypeVar("R")


class Bucket(Struct, Generic[R]):
    starting_at: datetime
    ending_at: datetime
    results: list[R]


class Page(Struct, Generic[R]):
    data: list[Bucket[R]]
    has_more: bool
    next_page: str | None


class CacheCreation(Struct):
    ephemeral_1h_input_tokens: int
    ephemeral_5m_input_tokens: int


class ServerToolUse(Struct):
    web_search_requests: int


class Messages(Struct):
    uncached_input_tokens: int
    cache_creation: CacheCreation
    cache_read_input_tokens: int
    output_tokens: int
    server_tool_use: ServerToolUse
    api_key_id: str | None
    workspace_id: str | None
    model: str | None
    service_tier: str | None

    @property
    def meters(self) -> Meters:
        counted: dict[Meter, int] = {
            "input_uncached": self.uncached_input_tokens,
            "cache_read": self.cache_read_input_tokens,
            "cache_write_5m": self.cache_creation.ephemeral_5m_input_tokens,
            "cache_write_1h": self.cache_creation.ephemeral_1h_input_tokens,
            "output": self.output_tokens,
            "searches": self.server_tool_use.web_search_requests,
        }
        return {meter: count for meter, count in counted.items() if count}


class Cost(Struct):
    amount: Decimal
    currency: str
    description: str | None
    workspace_id: str | None
    model: str | None
    service_tier: str | None


def headers(key: str) -> dict[str, str]:
    return {"x-api-key": key, "anthropic-version": VERSION}


def report(ask: Client, first: date, last: date) -> Iterator[Line]:
    """All lines of some days, both included."""
    days = [
        ("starting_at", f"{first}T00:00:00Z"),
        ("ending_at", f"{last + timedelta(days=1)}T00:00:00Z"),
        ("bucket_width", "1d"),
        ("limit", str(LIMIT)),
    ]
    by = repeated("group_by[]", ("api_key_id", "workspace_id", "model", "service_tier"))
    for page in ask.pages("/organizations/usage_report/messages", [*days, *by], Page[Messages]):
        for bucket in page.data:
            for one in bucket.results:
                yield _usage(_day(bucket.starting_at), one)
    asked = [*days, *repeated("group_by[]", ("workspace_id", "description"))]
    for costs in ask.pages("/organizations/cost_report", asked, Page[Cost]):
        for charged in costs.data:
            for cost in charged.results:
                yield _cost(_day(charged.starting_at), cost)


def _usage(day: date, one: Messages) -> Line:
    key, workspace = one.api_key_id or "", one.workspace_id or ""
    return Line(Place(USAGE, day, key, workspace, one.model or "", _tier(one.service_tier), ""), one.meters, None, None)


def _cost(day: date, one: Cost) -> Line:
    if one.currency.upper() != "USD":
        raise Refusal("vendor_currency", f"anthropic charges in {one.currency!r}; expected USD.")
    nano = (one.amount * NANO_PER_USD / CENTS_PER_USD).to_integral_value(ROUND_HALF_EVEN)
    place = Place(
        COST, day, "", one.workspace_id or "", one.model or "", _tier(one.service_tier), one.description or ""
    )
    return Line(place, {}, None, NanoUSD(int(nano)))


def _tier(name: str | None) -> str:
    return "" if name in {None, "standard"} else str(name)


def _day(instant: datetime) -> date:
    return instant.astimezone(UTC).date()
