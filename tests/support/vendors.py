"""A trial server that speaks as OpenAI's and Anthropic's admin APIs do, as strictly as their documents.

OpenAI: `openapi.yaml` of github.com/openai/openai-openapi (August 2026), /organization/usage/* and /organization/costs.
Anthropic: "Get Messages Usage Report" and "Get Cost Report" of platform.claude.com/docs (2026). It is fed with calls,
and adds them up itself: what an input count includes, which amounts are text, and which tiers are not charged is each
vendor's own way.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from scheduler.vendors.client import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from policy.vendors import Vendor

KEYS = {"openai": "sk-admin-trial", "anthropic": "sk-ant-admin01-trial"}
MILLION = 1_000_000
DAY = timedelta(days=1)


class Call(NamedTuple):
    """One call of a model, with disjoint counts."""

    at: datetime
    model: str
    uncached: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0
    key: str | None = None
    tier: str = ""
    project: str | None = None

    @property
    def day(self) -> date:
        return self.at.astimezone(UTC).date()


PARTS = ("uncached", "cached", "written", "output")
"""What is charged for; prices are in USD for a million."""


class WrongRequestError(Exception):
    """What a strict server answers 400 to."""


@dataclass
class Trial:
    """Both vendors; `calls` and `prices` may be changed between two requests."""

    calls: dict[Vendor, list[Call]] = field(default_factory=lambda: {"openai": [], "anthropic": []})
    prices: dict[tuple[str, str], dict[str, Decimal]] = field(default_factory=dict)
    """(model, tier) -> USD for a million of each part."""
    costs_until: date = date.max
    """Costs of later days are not in yet."""
    page_days: int = 31
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """(status, headers) of the next answers."""
    asked: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    address: str = ""

    def access(self, vendor: Vendor) -> Access:
        return Access(vendor, f"{self.address}/{vendor}/v1", KEYS[vendor])

    def costs(self, some: list[Call]) -> list[tuple[str, Decimal]]:
        """What some calls of one model cost in USD, part by part, without those that cost nothing."""
        summed = [(part, sum((self._cost(call, part) for call in some), Decimal(0))) for part in PARTS]
        return [(part, usd) for part, usd in summed if usd]

    def _cost(self, call: Call, part: str) -> Decimal:
        price = self.prices.get((call.model, call.tier)) or self.prices[call.model, ""]
        count: int = getattr(call, part)
        return count * price.get(part, Decimal(0)) / MILLION


@contextmanager
def serving() -> Iterator[Trial]:
    """The trial server on a port of its own."""
    trial = Trial()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = _answer(trial, self.path, {k.lower(): v for k, v in self.headers.items()})
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    trial.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield trial
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(trial: Trial, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], object]:
    parts = urlsplit(target)
    _, vendor, path = parts.path.split("/", 2)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    trial.asked.append((parts.path, asked))
    if trial.failures:
        status, more = trial.failures.pop(0)
        return status, more, {"error": {"message": "as planted"}}
    known = {
        "openai": headers.get("authorization") == f"Bearer {KEYS['openai']}",
        "anthropic": headers.get("x-api-key") == KEYS["anthropic"] and headers.get("anthropic-version") == "2023-06-01",
    }
    if not known[vendor]:
        return 401, {}, {"error": {"message": "no such key"}}
    try:
        return 200, {}, ROUTES[vendor, path](trial, asked)
    except WrongRequestError as error:
        return 400, {}, {"error": {"message": str(error)}}


def _checked(  # noqa: PLR0917 - called here alone
    asked: list[tuple[str, str]], begin: str, end: str, by: str, allowed: tuple[str, ...], read: Callable[[str], date]
) -> dict[str, Any]:
    lists = {by}
    single: dict[str, str] = {}
    groups: list[str] = []
    for name, value in asked:
        if name in lists:
            if value not in allowed:
                raise WrongRequestError(f"{name} = {value!r}")
            groups.append(value)
        elif name not in {begin, end, "bucket_width", "limit", "page"} or name in single:
            raise WrongRequestError(f"{name} is not known, or twice there")
        else:
            single[name] = value
    if begin not in single or single.get("bucket_width", "1d") != "1d":
        raise WrongRequestError(f"{begin} and a bucket_width of 1d are required here")
    first, until = read(single[begin]), read(single[end])
    return {"first": first, "until": until, "by": groups, **{k: single.get(k) for k in ("limit", "page")}}


def _paged(trial: Trial, asked: dict[str, Any], most: int, bucket: Callable[[date], object]) -> dict[str, Any]:
    limit = int(asked["limit"] or 7)
    if not 1 <= limit <= most:
        raise WrongRequestError(f"limit = {limit}")
    first = date.fromisoformat(asked["page"].removeprefix("page_")) if asked["page"] else asked["first"]
    if not asked["first"] <= first < asked["until"]:
        raise WrongRequestError(f"page = {asked['page']!r}")
    end = min(asked["until"], first + min(limit, trial.page_days) * DAY)
    days = [first + n * DAY for n in range((end - first).days)]
    more = end < asked["until"]
    return {"data": [bucket(day) for day in days], "has_more": more, "next_page": f"page_{end}" if more else None}


def _groups(calls: list[Call], day: date, key: Callable[[Call], Any]) -> list[tuple[Any, list[Call]]]:
    found: defaultdict[Any, list[Call]] = defaultdict(list)
    for call in calls:
        if call.day == day:
            found[key(call)].append(call)
    return list(found.items())


def _unix(text: str) -> date:
    if not text.isdecimal():
        raise WrongRequestError(f"{text!r} is no number of seconds")
    return datetime.fromtimestamp(int(text), UTC).date()


def _rfc3339(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(UTC).date()


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _openai_bucket(day: date, results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "bucket", "start_time": _seconds(day), "end_time": _seconds(day + DAY), "results": results}


def _openai_usage(trial: Trial, asked: list[tuple[str, str]]) -> object:
    allowed = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
    checked = _checked(asked, "start_time", "end_time", "group_by", allowed, _unix)
    by = checked["by"]

    def bucket(day: date) -> object:
        def key(call: Call) -> tuple[object, ...]:
            named = {"project_id": call.project, "api_key_id": call.key, "model": call.model, "user_id": None}
            tier = "default" if call.tier in {"", "batch"} else call.tier
            named |= {"batch": call.tier == "batch", "service_tier": tier}  # type: ignore[dict-item]
            return tuple(named[name] for name in by)

        groups = _groups(trial.calls["openai"], day, key)
        return _openai_bucket(day, [_openai_result(dict(zip(by, names, strict=True)), some) for names, some in groups])

    return {"object": "page", **_paged(trial, checked, 31, bucket)}


def _openai_result(names: dict[str, Any], some: list[Call]) -> dict[str, Any]:
    uncached, cached, written, output = (sum(getattr(call, part) for call in some) for part in PARTS)
    blank = dict.fromkeys(("project_id", "user_id", "api_key_id", "model", "batch", "service_tier"))
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": uncached + cached + written,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": written,
        "input_uncached_tokens": uncached,
        "output_tokens": output,
        "input_text_tokens": uncached,
        "output_text_tokens": output,
        "input_cached_text_tokens": cached,
        "input_audio_tokens": 0,
        "input_cached_audio_tokens": 0,
        "output_audio_tokens": 0,
        "num_model_requests": len(some),
        **blank,
        **names,
    }


def _openai_none(trial: Trial, asked: list[tuple[str, str]]) -> object:
    allowed = ("project_id", "user_id", "api_key_id", "model", "context_level")
    checked = _checked(asked, "start_time", "end_time", "group_by", allowed, _unix)
    return {"object": "page", **_paged(trial, checked, 31, lambda day: _openai_bucket(day, []))}


def _openai_costs(trial: Trial, asked: list[tuple[str, str]]) -> object:
    checked = _checked(asked, "start_time", "end_time", "group_by", ("project_id", "line_item", "api_key_id"), _unix)
    names = {"uncached": "input", "cached": "cached input", "written": "cache write", "output": "output"}

    def bucket(day: date) -> object:
        results = []
        groups = _groups(trial.calls["openai"], day, lambda call: (call.model, call.project, call.key))
        for (model, project, key), some in groups if day <= trial.costs_until else ():
            for part, usd in trial.costs(some):
                results.append(
                    {
                        "object": "organization.costs.result",
                        "amount": {"value": float(usd), "currency": "usd"},
                        "line_item": f"{model}, {names[part]}",
                        "project_id": project,
                        "api_key_id": key,
                        "quantity": sum(getattr(call, part) for call in some),
                        "quantity_unit": "tokens",
                    }
                )
        return _openai_bucket(day, results)

    return {"object": "page", **_paged(trial, checked, 180, bucket)}


def _anthropic_bucket(day: date, results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{day + DAY}T00:00:00Z", "results": results}


def _anthropic_usage(trial: Trial, asked: list[tuple[str, str]]) -> object:
    allowed = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")
    checked = _checked(asked, "starting_at", "ending_at", "group_by[]", allowed, _rfc3339)
    by = checked["by"]

    def bucket(day: date) -> object:
        def key(call: Call) -> tuple[object, ...]:
            named = {"workspace_id": call.project, "api_key_id": call.key, "model": call.model}
            named |= {"service_tier": call.tier or "standard", "context_window": "0-200k", "inference_geo": "global"}
            return tuple(named[name] for name in by)

        groups = _groups(trial.calls["anthropic"], day, key)
        rows = [_anthropic_result(dict(zip(by, names, strict=True)), some) for names, some in groups]
        return _anthropic_bucket(day, rows)

    return _paged(trial, checked, 31, bucket)


def _anthropic_result(names: dict[str, Any], some: list[Call]) -> dict[str, Any]:
    uncached, cached, written, output = (sum(getattr(call, part) for call in some) for part in PARTS)
    blank = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")
    return {
        "uncached_input_tokens": uncached,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": written},
        "cache_read_input_tokens": cached,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": 0},
        **dict.fromkeys(blank),
        **names,
    }


def _anthropic_costs(trial: Trial, asked: list[tuple[str, str]]) -> object:
    checked = _checked(asked, "starting_at", "ending_at", "group_by[]", ("workspace_id", "description"), _rfc3339)
    types = {
        "uncached": "uncached_input_tokens",
        "cached": "cache_read_input_tokens",
        "written": "cache_creation.ephemeral_5m_input_tokens",
        "output": "output_tokens",
    }

    def bucket(day: date) -> object:
        charged = [call for call in trial.calls["anthropic"] if call.tier != "priority" and day <= trial.costs_until]
        results = []
        for (model, workspace, tier), some in _groups(
            charged, day, lambda call: (call.model, call.project, call.tier or "standard")
        ):
            for part, usd in trial.costs(some):
                results.append(
                    {
                        "currency": "USD",
                        "amount": str(usd * 100),
                        "workspace_id": workspace,
                        "description": f"{model} Usage - {types[part]} - {tier}",
                        "cost_type": "tokens",
                        "context_window": "0-200k",
                        "model": model,
                        "service_tier": tier,
                        "token_type": types[part],
                        "inference_geo": None,
                    }
                )
        return _anthropic_bucket(day, results)

    return _paged(trial, checked, 31, bucket)


ROUTES: dict[tuple[str, str], Callable[[Trial, list[tuple[str, str]]], object]] = {
    ("openai", "v1/organization/usage/completions"): _openai_usage,
    ("openai", "v1/organization/usage/embeddings"): _openai_none,
    ("openai", "v1/organization/usage/web_search_calls"): _openai_none,
    ("openai", "v1/organization/costs"): _openai_costs,
    ("anthropic", "v1/organizations/usage_report/messages"): _anthropic_usage,
    ("anthropic", "v1/organizations/cost_report"): _anthropic_costs,
}
