"""OTLP over HTTP: a request's spans from protobuf or JSON, and the answers and errors in the same form.

Only the attributes that say who used what are read. Prompts and answers stay bytes that no one decodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from google.protobuf.message import DecodeError
from msgspec import Raw, Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from handlers.decoding import MalformedBodyError, mended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_STATUS_ERROR = 2
_INT64 = range(-(2**63), 2**63)

Attributes = dict[str, Any]


class Span(NamedTuple):
    """What a span says of a call: its ids in hexadecimal, its end in nanoseconds since 1970, 0 where it has none."""

    trace_id: str
    span_id: str
    parent_id: str
    ended_at: int
    has_failed: bool
    attributes: Attributes
    resource: Attributes


def spans(body: bytes, media_type: str, wanted: Callable[[str], bool]) -> list[Span]:
    """The spans of an ExportTraceServiceRequest with their `wanted` attributes; raises MalformedBodyError."""
    if media_type != JSON:
        return list(_from_protobuf(body, wanted))
    try:
        return list(_from_json(body, wanted))
    except MalformedBodyError:
        if (whole := mended(body)) == body:
            raise
        return list(_from_json(whole, wanted))


def answer(media_type: str, rejected: int, why: str) -> bytes:
    """An ExportTraceServiceResponse; only what was not taken in makes it a partial success."""
    if media_type == JSON:
        # 64-bit integers are texts in protobuf's JSON.
        partial = {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": why}} if rejected else {}
        return msgspec.json.encode(partial)
    partial_success = ExportTracePartialSuccess(rejected_spans=rejected, error_message=why) if rejected else None
    return ExportTraceServiceResponse(partial_success=partial_success).SerializeToString()


def error(media_type: str, code: int, message: str) -> bytes:
    """A google.rpc.Status: its two fields do not ask for the package that has its class."""
    if media_type == JSON:
        return msgspec.json.encode({"code": code, "message": message})
    text = message.encode()
    return b"\x08%b\x12%b%b" % (_varint(code), _varint(len(text)), text)


def _varint(number: int) -> bytes:
    """An integer as protobuf writes it: seven bits a byte, the lowest first, the eighth bit where more follows."""
    groups = []
    while number >> 7:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


# --- Protobuf ------------------------------------------------------------------------------------------------------


def _from_protobuf(body: bytes, wanted: Callable[[str], bool]) -> Iterator[Span]:
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as malformed:
        raise MalformedBodyError("the body is not an ExportTraceServiceRequest in protobuf") from malformed
    for of_resource in request.resource_spans:
        resource = _values(of_resource.resource.attributes, wanted)
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield Span(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.end_time_unix_nano,
                    span.status.code == _STATUS_ERROR,
                    _values(span.attributes, wanted),
                    resource,
                )


def _values(attributes: Iterable[KeyValue], wanted: Callable[[str], bool]) -> Attributes:
    return {one.key: _value(one.value) for one in attributes if wanted(one.key)}


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind in {"string_value", "int_value", "double_value", "bool_value"}:
        found: object = getattr(value, kind)
        return found
    # Nothing that we read is a list: whoever reads it will say so.
    return [] if kind else None


# --- JSON ----------------------------------------------------------------------------------------------------------


class _Attribute(Struct, gc=False):
    key: str = ""
    value: Raw = Raw(b"null")


class _Value(Struct, rename="camel"):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: Raw | None = None
    kvlist_value: Raw | None = None
    bytes_value: Raw | None = None


class _Status(Struct):
    code: int | str = 0


class _Span(Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = None
    end_time_unix_nano: int | str = 0
    status: _Status | None = None
    attributes: list[_Attribute] | None = None


class _ScopeSpans(Struct):
    spans: list[_Span] | None = None


class _Resource(Struct):
    attributes: list[_Attribute] | None = None


class _ResourceSpans(Struct, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Request(Struct, rename="camel"):
    resource_spans: list[_ResourceSpans] | None = None


_decode_request = msgspec.json.Decoder(_Request).decode
_decode_value = msgspec.json.Decoder(_Value | None).decode


def _from_json(body: bytes, wanted: Callable[[str], bool]) -> Iterator[Span]:
    try:
        for of_resource in _decode_request(body).resource_spans or ():
            resource = _json_values(of_resource.resource, wanted)
            for of_scope in of_resource.scope_spans or ():
                for span in of_scope.spans or ():
                    yield _json_span(span, resource, wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as malformed:
        raise MalformedBodyError(f"the body is not an ExportTraceServiceRequest in JSON: {malformed}") from malformed


def _json_span(span: _Span, resource: Attributes, wanted: Callable[[str], bool]) -> Span:
    return Span(
        span.trace_id.lower(),
        span.span_id.lower(),
        (span.parent_span_id or "").lower(),
        int(span.end_time_unix_nano),
        span.status is not None and span.status.code in {_STATUS_ERROR, "STATUS_CODE_ERROR"},
        _json_values(span, wanted),
        resource,
    )


def _int64(number: int | str) -> int:
    if int(number) not in _INT64:
        raise ValueError("intValue: expected 64 bits")
    return int(number)


def _json_values(holder: _Span | _Resource | None, wanted: Callable[[str], bool]) -> Attributes:
    attributes = (holder.attributes if holder else None) or ()
    return {one.key: _json_value(one.value) for one in attributes if wanted(one.key)}


def _json_value(raw: Raw) -> object:
    value = _decode_value(raw) or _Value()
    if value.int_value is not None:
        return _int64(value.int_value)
    if value.double_value is not None:
        return float(value.double_value)
    if value.array_value or value.kvlist_value or value.bytes_value:
        return []
    return value.bool_value if value.string_value is None else value.string_value
