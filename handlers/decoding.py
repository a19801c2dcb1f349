"""What parsers share: how events of other programs are decoded, and how a refusal of one reads.

A parser answers for each event: with what it read, or with a `Rejected` that names the field and its value. Only a body
without any event to speak of is an exception.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ID = 256
MAX_NAME = 200

FIRST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(2101, 1, 1, tzinfo=UTC)

_SHOWN = 64


class Rejected(NamedTuple):
    """An event that cannot be taken in: its position in the batch, its id as far as it could be read, and why."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which no one asks of it
    event_id: str
    detail: str


Result = TypeVar("Result")
Event = TypeVar("Event", bound=msgspec.Struct)


class MalformedBodyError(ValueError):
    """A body with no events to answer for: no JSON, another outer shape, a table with other columns."""


class UnfitFieldError(ValueError):
    """A field whose value cannot be; the message names the field, what was expected, and the value."""


def unfit(field: str, expected: str, value: object) -> UnfitFieldError:
    return UnfitFieldError(f"{field}: expected {expected}, got {_shown(msgspec.json.encode(value))}")


def instant(when: datetime, field: str) -> datetime:
    """An aware time in UTC, if it lies in the years that a programme can have."""
    if not FIRST_INSTANT <= when < END_OF_TIME:
        raise unfit(field, "a time in the years 2000 to 2100", when)
    return when.astimezone(UTC)


class Dialect(NamedTuple):
    """Names of fields that mean the same as ours: whether a text has none of them, and an event told in ours."""

    is_ours: Callable[[bytes], bool]
    translated: Callable[[bytes], bytes]


OURS = Dialect(lambda _text: True, lambda raw: raw)


class EventShape(Generic[Event]):
    """How events of one format are decoded: a whole batch at once, or one by one when something in it is odd."""

    def __init__(self, event: type[Event], id_field: str, dialect: Dialect = OURS) -> None:
        self._one = msgspec.json.Decoder(event)
        self._many = msgspec.json.Decoder(list[event] | event)  # type: ignore[valid-type]  # known at run time only
        self._event = event
        self._id_field = id_field
        self._dialect = dialect

    def schema(self, example: dict[str, Any]) -> dict[str, Any]:
        """The JSON schema of one event, without references: OpenAPI's would have to start at its own root."""
        (schema,), parts = msgspec.json.schema_components([self._event], ref_template="{name}")
        whole: dict[str, Any] = _written_out(schema, parts)
        return whole | {"example": example}

    def parse(self, body: bytes, convert: Callable[[int, Event], Result]) -> list[Result | Rejected]:
        """What became of each event of a body, in its order; `convert` raises UnfitFieldError."""
        events = self._decode_at_once(body)
        if events is None:
            return [self.parse_one(raw, index, convert) for index, raw in enumerate(_raw_events(body))]
        results: list[Result | Rejected] = []
        for index, event in enumerate(events):
            try:
                results.append(convert(index, event))
            except UnfitFieldError as error:
                results.append(Rejected(index, getattr(event, self._id_field), str(error)))
        return results

    def parse_one(self, raw: bytes, index: int, convert: Callable[[int, Event], Result]) -> Result | Rejected:
        """What became of one event, from its own bytes."""
        try:
            if not self._dialect.is_ours(raw):
                raw = self._dialect.translated(raw)
            event = self._one.decode(raw)
            if _escapes_nul(raw):
                _require_no_nul(event)
            return convert(index, event)
        except UnfitFieldError as error:
            detail = str(error)
        except msgspec.ValidationError as error:
            if (whole := _with_whole_number(error, raw)) is not None:
                return self.parse_one(whole, index, convert)
            detail = _explained(error, raw)
        except msgspec.DecodeError as error:
            if (whole := mended(raw)) != raw:
                return self.parse_one(whole, index, convert)
            detail = f"event: expected JSON: {error}"
        except (UnicodeDecodeError, RecursionError) as error:
            detail = f"event: expected JSON in UTF-8: {error}"
        return Rejected(index, _readable_id(raw, self._id_field), detail)

    def _decode_at_once(self, body: bytes) -> list[Event] | None:
        """All events, typed; None when any of them is wrong."""
        if _escapes_nul(body) or not self._dialect.is_ours(body):
            return None
        try:
            decoded = self._many.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return decoded if isinstance(decoded, list) else [decoded]


def _written_out(part: Any, parts: dict[str, Any]) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(part, list):
        return [_written_out(one, parts) for one in part]
    if not isinstance(part, dict):
        return part
    # A default that is nothing says no more than that the field may be left out.
    said = {key: one for key, one in part.items() if key != "$ref" and not (key == "default" and not one)}
    own = {key: _written_out(one, parts) for key, one in said.items()}
    return _written_out(parts[part["$ref"]], parts) | own if "$ref" in part else own


def _escapes_nul(raw: bytes) -> bool:
    """Whether a string may hold NUL, which PostgreSQL refuses: in JSON it can only be written like this."""
    return b"\\u0000" in raw


def _raw_events(body: bytes) -> list[bytes]:
    try:
        return _split(body)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return _split(mended(body))
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedBodyError(f"the body is not JSON: {error}") from error


def _split(body: bytes) -> list[bytes]:
    first = body.lstrip()[:1]
    if first == b"[":
        return [bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
    event = bytes(msgspec.json.decode(body, type=msgspec.Raw))
    if first != b"{":
        raise MalformedBodyError("the body is neither a JSON object nor an array of them")
    return [event]


# What never ends matches as well: else a body of opened strings would take the square of its length.
_STRING_OR_NO_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|-?Infinity|NaN', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB]%b\\u[dD][c-fC-F]%b|u[dD][89a-fA-F]%b|.)" % ((rb"[0-9a-fA-F]{2}",) * 3), re.DOTALL
)


def mended(body: bytes) -> bytes:
    """The body without what Python's `json` writes though no JSON has it: half an emoji, and numbers that are none.

    Gateways log what their clients send: one prompt, cut in the middle of an emoji, must not cost a whole batch.
    """
    return _STRING_OR_NO_NUMBER.sub(lambda found: _mended_string(found[0]), body)


def _mended_string(token: bytes) -> bytes:
    if not token.startswith(b'"'):
        return b'"%b"' % token
    return _ESCAPE.sub(_mended_escape, token) if b"\\u" in token else token


def _mended_escape(found: re.Match[bytes]) -> bytes:
    alone = found[0][:2] == b"\\u" and len(found[0]) == len(b"\\ud800")
    return b"\\ufffd" if alone else found[0]


def _require_no_nul(value: msgspec.Struct, path: str = "") -> None:
    for name, key in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
        inner = getattr(value, name)
        if isinstance(inner, msgspec.Struct):
            _require_no_nul(inner, f"{path}{_quoted(key)}.")
        elif isinstance(inner, str) and "\0" in inner:
            raise unfit(path + _quoted(key), "text without NUL", inner)


def _readable_id(raw: bytes, field: str) -> str:
    try:
        event_id = msgspec.json.decode(msgspec.json.decode(raw, type=dict[str, msgspec.Raw])[field], type=str)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return ""
    return event_id.replace("\0", "\N{REPLACEMENT CHARACTER}")[:MAX_ID]


def _with_whole_number(error: msgspec.ValidationError, raw: bytes) -> bytes | None:
    """The event with an integer where one was written as 12.0: some languages have no other numbers."""
    said, _, path = str(error).partition(" - at `$.")
    if not re.fullmatch(r"Expected `int\b.*, got `float`", said):
        return None
    keys, value = _looked_up(raw, path.removesuffix("`"))
    return _replaced(raw, keys, value.partition(b".")[0]) if re.fullmatch(rb"\d+\.0+", value) else None


def _replaced(raw: bytes, keys: list[str], value: bytes) -> bytes:
    if not keys:
        return value
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    fields[keys[0]] = msgspec.Raw(_replaced(bytes(fields[keys[0]]), keys[1:], value))
    return msgspec.json.encode(fields)


def _explained(error: msgspec.ValidationError, raw: bytes) -> str:
    """The decoder's message in our words, with the value, which it does not tell."""
    said, _, path = str(error).partition(" - at `$.")
    path = path.removesuffix("`")
    missing = re.fullmatch(r"Object missing required field `(.+)`", said)
    keys, value = _looked_up(raw, path)
    if missing:
        return f"{'.'.join(map(_quoted, [*keys, missing[1]]))}: required, but missing"
    expected = _expectation(said)
    shown = _kind(value) if expected in {"an object", "an array"} else _shown(value)
    return f"{'.'.join(map(_quoted, keys)) or 'event'}: expected {expected}, got {shown}"


def _looked_up(raw: bytes, path: str) -> tuple[list[str], bytes]:
    """The keys that a dotted path goes through, which may have dots of their own, and the bytes at its end.

    What lies inside an array, or under a name that the decoder does not tell, is looked up as far as that.
    """
    keys: list[str] = []
    while path:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        key = path if path in fields else path.partition(".")[0]
        if key not in fields:
            whole = path.partition("[")[0]
            return [*keys, path], bytes(fields.get(whole, raw))
        keys.append(key)
        raw, path = bytes(fields[key]), path[len(key) + 1 :]
    return keys, raw


_EXPECTATIONS = (
    (r"Expected `int` <= (\d+)", r"an integer ≤ \1"),
    (r"Expected `int\b.*|Number out of range", "an integer ≥ 0"),
    (r"Expected `str` of length >= 1", "a text that is not empty"),
    (r"Expected `str` of length <= (\d+)", r"at most \1 characters"),
    (r"Expected `str\b.*", "a text"),
    (r"Expected `float\b.*", "a number"),
    (r"Expected `bool\b.*", "true or false"),
    (r"Expected `(object|array)\b.*", r"an \1"),
    (r"(Expected `datetime`|Invalid RFC3339).*", "an RFC 3339 time with an offset"),
)


def _expectation(said: str) -> str:
    for pattern, ours in _EXPECTATIONS:
        if found := re.fullmatch(pattern, said):
            return found.expand(ours)
    return said


def _quoted(key: str) -> str:
    return f'"{key}"' if "." in key else key


_KINDS = {b'"': "a text", b"{": "an object", b"[": "an array", b"t": "true", b"f": "false", b"n": "null"}


def _kind(value: bytes) -> str:
    return _KINDS.get(value.lstrip()[:1], "a number")


def _shown(value: bytes) -> str:
    """A JSON value for a message: short, and never the inside of an object, where a prompt may be."""
    if value[:1] in b"{[":
        return _kind(value)
    text = value.decode(errors="replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
