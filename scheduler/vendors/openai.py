"""OpenAI's reports of an organisation: usage of completions, embeddings and web searches, and costs.

The shapes are those of `openapi.yaml` in github.com/openai/openai-openapi (August 2026): UsageResponse,
UsageTimeBucket, UsageCompletionsResult, UsageEmbeddingsResult, UsageWebSearchCallsResult, CostsResult.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from policy.reasons import Refusal
from policy.units import NANO_PER_USD, NanoUSD
from policy.vendors import COST, USAGE, Line, Place
from scheduler.vendors.client import repeated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.metering import Meter, Meters
    from scheduler.vendors.client import Client, Parameters

URL = "https://api.openai.com/v1"
USAGE_LIMIT, COST_LIMIT = 31, 180
"""Buckets of a day that a page may have."""
BY = ("api_key_id", "project_id", "model")
STANDARD = (None, "", "default", "standard", "auto")

R = TypeVar("R")


class Bucket(Struct, Generic[R]):
    start_time: int
    end_time: int
    results: list[R]


class Page(Struct, Generic[R]):
    data: list[Bucket[R]]
    has_more: bool
    next_page: str | None


class Completions(Struct):
    """Counts of input include what was cached; audio and images have counts of their own within them."""

    input_tokens: int
    output_tokens: int
    num_model_requests: int
    input_cached_tokens: int = 0
    input_cache_write_tokens: int = 0
    input_audio_tokens: int = 0
    input_cached_audio_tokens: int = 0
    output_audio_tokens: int = 0
    input_image_tokens: int = 0
    input_cached_image_tokens: int = 0
    output_image_tokens: int = 0
    project_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None
    batch: bool | None = None
    service_tier: str | None = None

    @property
    def tier(self) -> str:
        if self.batch:
            return "batch"
        return "" if self.service_tier in STANDARD else str(self.service_tier).lower()

    @property
    def meters(self) -> Meters:
        cached = self.input_cached_tokens - self.input_cached_audio_tokens - self.input_cached_image_tokens
        apart = self.input_cache_write_tokens + self.input_audio_tokens + self.input_image_tokens
        counted: dict[Meter, int] = {
            "input_uncached": self.input_tokens - self.input_cached_tokens - apart,
            "cache_read": cached,
            "cache_write_5m": self.input_cache_write_tokens,
            "output": self.output_tokens - self.output_audio_tokens - self.output_image_tokens,
            "audio_input": self.input_audio_tokens,
            "audio_cache_read": self.input_cached_audio_tokens,
            "audio_output": self.output_audio_tokens,
            "image_input": self.input_image_tokens,
            "image_cache_read": self.input_cached_image_tokens,
            "image_output": self.output_image_tokens,
        }
        return {meter: count for meter, count in counted.items() if count}


class Embeddings(Struct):
    input_tokens: int
    num_model_requests: int
    project_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None

    tier = ""

    @property
    def meters(self) -> Meters:
        return {"input_uncached": self.input_tokens} if self.input_tokens else {}


class WebSearches(Struct):
    num_model_requests: int
    num_requests: int
    project_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None

    tier = ""

    @property
    def meters(self) -> Meters:
        return {"searches": self.num_requests} if self.num_requests else {}


class Amount(Struct):
    value: Decimal
    """A number by the document, and text in some answers: a Decimal takes both, and no digit is lost."""
    currency: str


class Cost(Struct):
    amount: Amount
    line_item: str | None = None
    project_id: str | None = None
    api_key_id: str | None = None


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def report(ask: Client, first: date, last: date) -> Iterator[Line]:
    """All lines of some days, both included."""
    days = [("start_time", _instant(first)), ("end_time", _instant(last + timedelta(days=1))), ("bucket_width", "1d")]
    yield from _usage(
        ask, "completions", [*days, *repeated("group_by", (*BY, "batch", "service_tier"))], Page[Completions]
    )
    yield from _usage(ask, "embeddings", [*days, *repeated("group_by", BY)], Page[Embeddings])
    # Their calls are those of their completions.
    yield from _usage(ask, "web_search_calls", [*days, *repeated("group_by", BY)], Page[WebSearches], calls=False)
    asked = [*days, ("limit", str(COST_LIMIT)), *repeated("group_by", ("project_id", "line_item", "api_key_id"))]
    for page in ask.pages("/organization/costs", asked, Page[Cost]):
        for bucket in page.data:
            for one in bucket.results:
                yield _cost(_day(bucket.start_time), one)


def _usage(
    ask: Client,
    name: str,
    parameters: Parameters,
    kind: type[Page[Any]],
    *,
    calls: bool = True,
) -> Iterator[Line]:
    asked = [*parameters, ("limit", str(USAGE_LIMIT))]
    for page in ask.pages(f"/organization/usage/{name}", asked, kind):
        for bucket in page.data:
            for one in bucket.results:
                if negative := [meter for meter, count in one.meters.items() if count < 0]:
                    raise Refusal(
                        "vendor_answer",
                        f"openai counts fewer input tokens than parts of them ({negative[0]} of {one.model}).",
                    )
                place = Place(
                    USAGE,
                    _day(bucket.start_time),
                    one.api_key_id or "",
                    one.project_id or "",
                    one.model or "",
                    one.tier,
                    name if name != "completions" else "",
                )
                yield Line(place, one.meters, one.num_model_requests if calls else None, None)


def _cost(day: date, one: Cost) -> Line:
    if one.amount.currency.lower() != "usd":
        raise Refusal("vendor_currency", f"openai charges in {one.amount.currency!r}; expected usd.")
    item = one.line_item or ""
    # Items begin with their model, as in "gpt-5-2025-08-07, cached input".
    model = item.partition(",")[0].strip() if "," in item else ""
    nano = (one.amount.value * NANO_PER_USD).to_integral_value(ROUND_HALF_EVEN)
    place = Place(COST, day, one.api_key_id or "", one.project_id or "", model, "", item)
    return Line(place, {}, None, NanoUSD(int(nano)))


def _instant(day: date) -> str:
    return str(int(datetime.combine(day, time(), UTC).timestamp()))


def _day(start_time: int) -> date:
    return datetime.fromtimestamp(start_time, UTC).date()
