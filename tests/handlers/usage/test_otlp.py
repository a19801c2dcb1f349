"""Traces over OTLP: each call of a model counts once, whoever stands around it, and errors are OTLP's own."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from google.rpc.status_pb2 import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from bot import serving
from handlers import http
from handlers.decoding import MalformedBodyError, Rejected
from handlers.usage import otlp, otlp_wire
from handlers.usage.otlp_wire import JSON, PROTOBUF, Span
from policy.metering import UsageEvent
from policy.units import MicroTokens
from programme.usage import keys
from store.tables.usage import quarantine, usage_events
from tests.support import books
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from httpx2 import Response
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.trace import Tracer

    from programme.app import App
    from tests.support.clock import Clock

PATH = "/v1/otlp/v1/traces"
NOON_NS = 1_795_176_000_000_000_000
"""Noon of the tests' Friday, in nanoseconds since 1970."""
TRACE = "5b8efff798038103d269b633813fc60c"
PROMPT = "the secret plan of the company"

USED: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 1_200,
    "gen_ai.usage.cache_read.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 300,
}
"""USD 0.0054: 0.54 tokens."""
AGENT = USED | {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner"}
ODD = USED | {"gen_ai.operation.name": "dream"}
SILENT = {name: value for name, value in USED.items() if ".usage." not in name}


def span(
    number: int,
    attributes: dict[str, Any] | None = None,
    *,
    parent: int | None = None,
    resource: dict[str, Any] | None = None,
    has_failed: bool = False,
) -> Span:
    """A span of one trace, by default Ada's call."""
    inner = "" if parent is None else f"{parent:016x}"
    told = {"user.email": ADA} | (USED if attributes is None else attributes)
    return Span(TRACE, f"{number:016x}", inner, NOON_NS, has_failed, told, resource or {})


def counted(*spans: Span) -> list[int]:
    """The numbers of those spans that became usage."""
    parsed = otlp.parse(spans, source="collector")
    return [int(one.event_id.split(":")[1], 16) for one in parsed if isinstance(one, UsageEvent)]


def refused(*spans: Span) -> list[str]:
    return [one.detail for one in otlp.parse(spans, source="collector") if isinstance(one, Rejected)]


def event(one: Span) -> UsageEvent:
    [parsed] = otlp.parse([one], source="collector")
    assert isinstance(parsed, UsageEvent), parsed
    return parsed


# --- Which spans count ------------------------------------------------------------------------------------------------


def test_a_call_becomes_usage() -> None:
    """It is known by its trace and span, used when it ended, and its source is the key's."""
    found = event(span(1))
    assert (found.source, found.event_id) == ("collector", f"{TRACE}:0000000000000001")
    assert found.occurred_at.isoformat() == "2026-11-20T12:00:00+00:00"
    assert found.meters == {"input_uncached": 200, "cache_read": 1_000, "output": 300}


@pytest.mark.parametrize("operation", sorted(otlp.AROUND_CALLS))
def test_what_stands_around_calls_counts_nothing(operation: str) -> None:
    """Agents, workflows and tools may repeat what was used inside them, whether or not that is in the same request."""
    around = USED | {"gen_ai.operation.name": operation}
    assert counted(span(1, around)) == []
    assert refused(span(1, around)) == []
    assert counted(span(1, around), span(2, parent=1), span(3, parent=1)) == [2, 3]


def test_two_libraries_that_report_one_call_count_once() -> None:
    """Of calls inside each other the innermost counts, in whatever order and however far apart they stand."""
    nest = [span(1), span(2, {"http.route": "/v1"}, parent=1), span(3, parent=2), span(4, parent=3)]
    assert counted(*nest) == [4]
    assert counted(*reversed(nest)) == [4]


def test_calls_beside_each_other_all_count() -> None:
    """Children of one agent, and spans of the same number in other traces, are calls of their own."""
    other = span(1)._replace(trace_id="0" * 31 + "1", span_id=f"{2:016x}", parent_id=f"{9:016x}")
    assert counted(span(9, AGENT), span(1, parent=9), span(2, parent=9), other) == [1, 2, 2]


def test_a_call_without_an_operation_counts() -> None:
    """Older exporters name none; what they used is told all the same."""
    assert counted(span(1, {name: value for name, value in USED.items() if name != otlp.OPERATION})) == [1]


def test_an_operation_that_no_one_knows_is_refused_by_name() -> None:
    """It might repeat other spans, so it is told rather than guessed."""
    [detail] = refused(span(1, ODD))
    assert detail == 'gen_ai.operation.name: expected one that calls a model, such as chat, got "dream"'
    assert refused(span(1, USED | {"gen_ai.operation.name": []})) != []


def test_a_call_that_is_silent_about_its_use_is_refused() -> None:
    """Streams without usage cost money that no one told: someone has to hear of it. A failed call cost nothing."""
    assert refused(span(1, SILENT)) == ["data: no usage figure"]
    assert refused(span(1, SILENT, has_failed=True)) == refused(span(1, SILENT | {"error.type": "timeout"})) == []
    assert counted(span(1, USED, has_failed=True)) == [1]


@pytest.mark.parametrize("operation", sorted(otlp.MAY_BE_SILENT))
def test_some_calls_may_have_bought_nothing(operation: str) -> None:
    """A moderation is free, and nothing may have been said in a session: silence is no refusal, and use counts."""
    named = {otlp.OPERATION: operation}
    assert refused(span(1, SILENT | named)) == []
    assert counted(span(1, SILENT | named)) == []
    assert counted(span(1, USED | named)) == [1]


def test_one_of_two_reports_may_be_doubtful() -> None:
    """Where two libraries report a call and one of them tells its use as it should, nothing is missing."""
    for inner, outer, expected in ((SILENT, USED, [1]), (USED, SILENT, [2]), (ODD, USED, [1]), (USED, ODD, [2])):
        pair = (span(1, outer), span(2, inner, parent=1))
        assert (counted(*pair), refused(*pair)) == (expected, [])


def test_everything_else_is_ignored() -> None:
    """Spans of web servers and databases say nothing of models."""
    assert otlp.parse([span(1, {"http.request.method": "GET"}), span(2, {"db.system": "postgresql"})], source="s") == []


def test_spans_in_a_circle_end() -> None:
    """A trace whose spans are each other's parents is nonsense, and no more than that."""
    assert counted(span(1, parent=2), span(2, parent=1), span(3, parent=3)) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=8), st.randoms())
def test_the_order_of_spans_decides_nothing(made: list[tuple[int, bool]], order: random.Random) -> None:
    """The same spans count in whatever order they are exported, and no two of them lie inside each other."""
    spans = [span(n, USED if uses else AGENT, parent=p) for n, (p, uses) in enumerate(made) if p < n or n == 0]
    shuffled = list(spans)
    order.shuffle(shuffled)
    assert sorted(counted(*shuffled)) == sorted(counted(*spans))


# --- Who it was -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "resource", "expected"),
    [
        ({"user.email": ADA}, {}, (("email", ADA),)),
        ({"user.id": "ada"}, {}, (("user", "ada"),)),
        ({"enduser.id": "ada"}, {}, (("user", "ada"),)),
        ({"enduser.id": ADA}, {}, (("email", ADA),)),
        ({"user.id": "ada", "user.email": ADA}, {}, (("email", ADA), ("user", "ada"))),
        ({"langfuse.user.id": "ada"}, {}, (("user", "ada"),)),
        ({}, {"user.id": "ada"}, (("user", "ada"),)),
        ({"user.id": "ada"}, {"user.email": BEN}, (("user", "ada"),)),
        ({}, {"enduser.id": BEN, "tokens_bot.key_alias": "ci"}, (("email", BEN), ("key_alias", "ci"))),
        ({}, {"service.name": "web"}, ()),
    ],
)
def test_the_span_names_the_person_or_else_its_resource(
    attributes: dict[str, Any], resource: dict[str, Any], expected: tuple[tuple[str, str], ...]
) -> None:
    """What a span says of the person goes before what holds for its whole process; they are never mixed."""
    one = span(1, resource=resource)._replace(attributes=USED | attributes)
    assert event(one).identities == expected


def test_a_project_may_be_the_resources() -> None:
    """A process that works for one project says so once; a span may say otherwise."""
    resource = {"tokens_bot.project": "apollo"}
    assert event(span(1, resource=resource)).project == "apollo"
    assert event(span(1, USED | {"tokens_bot.project": "gemini"}, resource=resource)).project == "gemini"


# --- What is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"trace_id": "abc"}, "traceId, spanId: expected 16 and 8 bytes, in JSON as hexadecimal digits"),
        ({"span_id": ""}, "traceId, spanId: expected 16 and 8 bytes, in JSON as hexadecimal digits"),
        ({"ended_at": 0}, "endTimeUnixNano: expected nanoseconds since 1970, got 0"),
        ({"ended_at": 2**64 - 1}, "time: expected a time in the years 2000 to 2100, got "),
        ({"ended_at": 10**40}, "endTimeUnixNano: expected nanoseconds since 1970, got 1000"),
    ],
)
def test_refusals_name_the_field(changes: dict[str, Any], detail: str) -> None:
    """A span that cannot be is refused with the name of its field."""
    [said] = refused(span(1)._replace(**changes))
    assert said.startswith(detail)


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("gen_ai.usage.input_tokens", "many", 'data."gen_ai.usage.input_tokens": expected an integer ≥ 0, got "many"'),
        ("gen_ai.usage.input_tokens", [], 'data."gen_ai.usage.input_tokens": expected an integer ≥ 0, got an array'),
        ("gen_ai.provider.name", None, 'data."gen_ai.provider.name": required, but missing or empty'),
    ],
)
def test_attributes_are_checked_like_those_of_cloudevents(name: str, value: object, detail: str) -> None:
    """There is one parser of usage; its words hold here."""
    assert refused(span(1, USED | {name: value})) == [detail]


def test_only_the_first_reasons_are_told() -> None:
    """A message of a whole batch would fill the log of an exporter."""
    fates = [("", f"s{n}", "rejected", "why") for n in range(5)] + [
        ("", "x", "quarantined", "no"),
        ("", "y", "accepted", ""),
    ]
    assert otlp.reasons(fates) == (5, "span s0: why; span s1: why; span s2: why; and 2 more")
    assert otlp.reasons(fates[5:]) == (0, "")


# --- On the wire ------------------------------------------------------------------------------------------------------


def as_json(*spans: Span) -> dict[str, Any]:
    """An ExportTraceServiceRequest as OTLP/JSON writes it: ids in hexadecimal, 64-bit integers as texts."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": json_attributes(one.resource)},
                "scopeSpans": [
                    {
                        "scope": {"name": "test"},
                        "spans": [
                            {
                                "traceId": one.trace_id.upper(),
                                "spanId": one.span_id,
                                "parentSpanId": one.parent_id,
                                "name": "chat",
                                "kind": 3,
                                "startTimeUnixNano": str(one.ended_at - 1),
                                "endTimeUnixNano": str(one.ended_at),
                                "status": {"code": 2} if one.has_failed else {},
                                "attributes": json_attributes(one.attributes),
                                "futureField": {"x": [1]},
                            }
                        ],
                    }
                ],
            }
            for one in spans
        ]
    }


def json_attributes(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return [
        {"key": key, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}
        for key, value in attributes.items()
    ]


def as_protobuf(*spans: Span) -> bytes:
    request = ExportTraceServiceRequest()
    for one in spans:
        of_resource = request.resource_spans.add()
        for key, value in one.resource.items():
            set_value(of_resource.resource.attributes.add(key=key).value, value)
        made = of_resource.scope_spans.add().spans.add(
            trace_id=bytes.fromhex(one.trace_id),
            span_id=bytes.fromhex(one.span_id),
            parent_span_id=bytes.fromhex(one.parent_id),
            end_time_unix_nano=one.ended_at,
        )
        if one.has_failed:
            made.status.code = SpanStatus.STATUS_CODE_ERROR
        for key, value in one.attributes.items():
            set_value(made.attributes.add(key=key).value, value)
    return request.SerializeToString()


def set_value(into: AnyValue, value: object) -> None:
    kinds = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    setattr(into, kinds[type(value)], value)


WORDS = st.text(max_size=5)
KEYS = ("gen_ai.operation.name", "gen_ai.usage.input_tokens", "user.id", "gen_ai.usage.x", "error.type")
VALUES = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | WORDS
ATTRIBUTES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3)


@settings(deadline=None)
@given(
    st.lists(st.builds(span, st.integers(0, 99), ATTRIBUTES, resource=ATTRIBUTES, has_failed=st.booleans()), max_size=2)
)
def test_both_encodings_say_the_same(spans: list[Span]) -> None:
    """What is written in protobuf or in JSON is read as the same spans."""
    from_json = otlp_wire.spans(json.dumps(as_json(*spans)).encode(), JSON, otlp.is_wanted)
    assert from_json == otlp_wire.spans(as_protobuf(*spans), PROTOBUF, otlp.is_wanted) == spans


def test_what_no_one_asked_for_is_not_decoded() -> None:
    """Prompts, also those cut in the middle of an emoji, cost neither a batch nor a Python object."""
    body = json.dumps(as_json(span(1, USED | {"gen_ai.prompt": PROMPT, "user.id": "ada"})))
    for cut in (body.replace(PROMPT, PROMPT + "\\ud83d"), body.replace('"ada"', '"ada\\ud83d"')):
        [one] = otlp_wire.spans(cut.encode(), JSON, otlp.is_wanted)
        assert "gen_ai.prompt" not in one.attributes
        assert one.attributes["user.id"] in {"ada", "ada\N{REPLACEMENT CHARACTER}"}


@pytest.mark.parametrize("media_type", [JSON, PROTOBUF])
@settings(deadline=None)
@given(body=st.binary(max_size=60))
def test_no_bytes_raise_anything_but_malformed(media_type: str, body: bytes) -> None:
    """Junk is refused as a whole, or has no spans that count."""
    try:
        found = otlp_wire.spans(body, media_type, otlp.is_wanted)
    except MalformedBodyError:
        return
    assert not any(isinstance(one, UsageEvent) for one in otlp.parse(found, source="s"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"resourceSpans": 5}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"endTimeUnixNano": "noon"}]}]}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "user.id", "value": {"intValue": "1e3"}}]}}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "user.id", "value": {"intValue": "9%b"}}]}}]}'
        % (b"9" * 20),
        b'{"resourceSpans":' * 100_000,
    ],
)
def test_json_of_another_shape_is_malformed(body: bytes) -> None:
    """What is no request is refused before anything of it is taken in."""
    with pytest.raises(MalformedBodyError, match="not an ExportTraceServiceRequest in JSON"):
        otlp_wire.spans(body, JSON, otlp.is_wanted)


@pytest.mark.parametrize("message", ["", "short", "long " * 100, "ü" * 200])
def test_errors_are_what_google_calls_a_status(message: str) -> None:
    """Our own bytes are read by the class that has the message's name."""
    status = Status.FromString(otlp_wire.error(PROTOBUF, 16, message))
    assert (status.code, status.message) == (16, message)


# --- Over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def key(app: App) -> str:
    with app.transaction() as moment:
        made = keys.create(moment, name="collector", source="collector", scopes=["usage:write"], actor="test")
    return made.secret


@pytest.fixture
def client(app: App, key: str) -> Iterator[TestClient]:
    with TestClient(http.build(app), headers={"authorization": f"Bearer {key}"}) as opened:
        yield opened


def post(client: TestClient, body: object, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    media_type = PROTOBUF if isinstance(body, bytes) else JSON
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(PATH, content=content, headers={"content-type": media_type} | named)


def test_a_full_success_is_an_empty_answer(client: TestClient, app: App) -> None:
    """Accepted, repeated and waiting spans are a success, in the encoding of the request."""
    stranger = span(2, USED | {"user.email": "stranger@example.com"})
    for _ in range(2):
        answer = post(client, as_protobuf(span(1), stranger))
        assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, PROTOBUF, b"")
        answer = post(client, as_json(span(1), stranger))
        assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, JSON, {})
    assert books.wallet(app, ADA) == MicroTokens.parse("-0.54")
    assert books.rows(app, sa.select(quarantine.c.reason)) == [("unknown_person",)]
    assert books.findings(app) == {}


def test_a_request_about_nothing_is_a_success(client: TestClient, app: App) -> None:
    """A request without spans, or without calls of models, changes nothing."""
    for body in (b"", as_protobuf(span(1, {"http.route": "/"})), {}, as_json(span(1, AGENT))):
        assert post(client, body).status_code == 200
    assert books.count(app, usage_events) == 0


def test_a_partial_success_names_what_was_not_taken_in(client: TestClient, clock: Clock, app: App) -> None:
    """Rejected spans and conflicts are counted and explained; the others are taken in."""
    clock.move(minutes=-16)
    second, third = (span(number)._replace(ended_at=NOON_NS - 3_600 * 10**9) for number in (2, 3))
    post(client, as_protobuf(third))
    batch = (span(1), second, third._replace(attributes=USED | {"user.id": "x"}))
    response = ExportTraceServiceResponse.FromString(post(client, as_protobuf(*batch)).content)
    assert response.partial_success.rejected_spans == 2
    early, other = response.partial_success.error_message.split("; span ")
    assert early.startswith(f"span {TRACE}:0000000000000001: endTimeUnixNano: expected at most 15 minutes ahead of")
    assert other.startswith(f"{TRACE}:0000000000000003: another event was already taken in under this id")
    told = post(client, as_json(*batch)).json()["partialSuccess"]
    assert told == {"rejectedSpans": "2", "errorMessage": response.partial_success.error_message}
    assert books.count(app, usage_events) == 2


def test_gzip_is_taken(client: TestClient, app: App) -> None:
    """Collectors compress by default."""
    assert post(client, gzip.compress(as_protobuf(span(1))), content_encoding="gzip").content == b""
    assert books.count(app, usage_events) == 1


def test_errors_come_in_the_encoding_of_the_request(client: TestClient, app: App) -> None:
    """A google.rpc.Status says what is wrong: with the key, the body, or its encoding."""
    cases = [
        (b"\xff", {}, 400, 3, "the body is not an ExportTraceServiceRequest in protobuf"),
        (as_protobuf(span(1)), {"authorization": "Bearer x"}, 401, 16, "A key in force is needed."),
        (b"plain", {"content_encoding": "gzip"}, 400, 3, "The body is not gzip, as its Content-Encoding says."),
        (b"plain", {"content_type": "text/plain"}, 415, 3, "Send application/x-protobuf or application/json."),
        (b"plain", {"content_encoding": "br"}, 415, 3, "Content-Encoding 'br' is not understood; send gzip, or none."),
    ]
    for body, headers, http_status, code, message in cases:
        answer = post(client, body, **headers)
        status = Status.FromString(answer.content)
        assert (answer.status_code, status.code, status.message) == (http_status, code, message)
        assert answer.headers["content-type"] == PROTOBUF
    answer = post(client, {"resourceSpans": 5})
    assert (answer.status_code, answer.headers["content-type"], answer.json()["code"]) == (400, JSON, 3)
    assert post(client, {}, authorization="Bearer x").headers["www-authenticate"] == "Bearer"
    assert books.count(app, usage_events) == 0


def test_a_database_that_is_away_is_worth_another_try(
    client: TestClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exporters send again after a 503, and nothing is lost or doubled."""
    with monkeypatch.context() as away:

        def refuse(*_: object, **__: object) -> None:
            raise sa.exc.OperationalError("", {}, Exception())

        away.setattr("store.usage.events.insert_events", refuse)
        answer = post(client, as_protobuf(span(1)))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert Status.FromString(answer.content).code == 14
    assert post(client, as_protobuf(span(1))).status_code == 200
    assert books.count(app, usage_events) == 1


# --- The real exporter ------------------------------------------------------------------------------------------------


@contextmanager
def tracing(address: str, key: str, compression: Compression) -> Iterator[Tracer]:
    """A tracer of the OpenTelemetry SDK that exports to the bot, and has exported when the block ends."""
    exporter = OTLPSpanExporter(
        f"{address}{PATH}", headers={"authorization": f"Bearer {key}"}, compression=compression, timeout=5
    )
    provider = TracerProvider(resource=Resource({"service.name": "assistant", "user.email": BEN}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    yield provider.get_tracer("test")
    assert provider.force_flush()
    provider.shutdown()


def call(tracer: Tracer, attributes: dict[str, Any]) -> None:
    tracer.start_span("chat", start_time=NOON_NS - 10**9, attributes=attributes).end(NOON_NS)


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_real_sdk_exports_to_the_bot(
    sqlite_app: App, compression: Compression, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent of two calls, one of them Ada's, is two events: hers and that of whom the process belongs to."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with sqlite_app.transaction() as moment:
        made = keys.create(moment, name="collector", source="collector", scopes=["usage:write"], actor="test")
    with (
        serving._http(http.build(sqlite_app), "127.0.0.1", 0) as address,
        tracing(address, made.secret, compression) as tracer,
        tracer.start_as_current_span("invoke_agent Planner", attributes=AGENT),
    ):
        call(tracer, USED | {"user.id": ADA, "gen_ai.input.messages": PROMPT})
        call(tracer, USED)
        call(tracer, {"http.request.method": "GET"})
    assert books.wallet(sqlite_app, ADA) == books.wallet(sqlite_app, BEN) == MicroTokens.parse("-0.54")
    assert books.count(sqlite_app, usage_events) == 2
    assert books.findings(sqlite_app) == {}
