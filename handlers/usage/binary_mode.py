"""CloudEvents in binary mode: the attributes in `ce-` headers, the data as the body (CloudEvents HTTP binding 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from handlers.decoding import MalformedBodyError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "ce-"
_STRUCTURED = "application/cloudevents"


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the headers hold an event's attributes; the media type of the other mode wins."""
    return "ce-specversion" in headers and not headers.get("content-type", "").lower().startswith(_STRUCTURED)


def structured(headers: Mapping[str, str], body: bytes) -> bytes:
    """The same event in structured mode; raises MalformedBodyError for a body that is not JSON."""
    attributes: dict[str, object] = {
        name.removeprefix(_PREFIX): unquote(value) for name, value in headers.items() if name.startswith(_PREFIX)
    }
    if content_type := headers.get("content-type"):
        attributes["datacontenttype"] = content_type
    try:
        data = msgspec.json.decode(body, type=Raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedBodyError(f"the body is not JSON: {error}") from error
    return msgspec.json.encode(attributes | {"data": data})
