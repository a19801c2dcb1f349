"""CloudEvents in binary mode are the same events as in structured mode."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from handlers import http
from programme.usage import keys
from store.tables.usage import usage_events
from tests.support import books

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from programme.app import App

DATA = {
    "user.email": "ada@example.com",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.output_tokens": 300,
}
ATTRIBUTES = {
    "ce-specversion": "1.0",
    "ce-type": "gen_ai.usage",
    "ce-source": "gateway",
    "ce-id": "caf%C3%A9%201",
    "ce-time": "2026-11-20T09:30:00Z",
}


@pytest.fixture
def client(sqlite_app: App) -> Iterator[TestClient]:
    with sqlite_app.transaction() as moment:
        made = keys.create(moment, name="gateway", source="gateway", scopes=["usage:write"], actor="test")
    with TestClient(http.build(sqlite_app), headers={"authorization": f"Bearer {made.secret}"}) as opened:
        yield opened


def post(client: TestClient, body: bytes, **headers: str) -> Response:
    content_type = headers.pop("content_type", "application/json")
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/v1/usage", content=body, headers=ATTRIBUTES | {"content-type": content_type} | names)


def result(answer: Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    [only] = answer.json()["results"]
    return dict(only)


def test_headers_and_body_are_one_event(client: TestClient, sqlite_app: App) -> None:
    """Attributes come percent-encoded in headers; the same event in structured mode is a duplicate."""
    assert result(post(client, json.dumps(DATA).encode()))["status"] == "accepted"
    structured = {name.removeprefix("ce-"): value for name, value in ATTRIBUTES.items()} | {
        "id": "café 1",
        "data": DATA,
    }
    again = client.post("/v1/usage", json=structured)
    assert result(again) == {"source": "gateway", "id": "café 1", "status": "duplicate", "detail": ""}
    assert books.count(sqlite_app, usage_events) == 1


def test_the_other_modes_media_type_wins(client: TestClient) -> None:
    """A structured event is read as one, even where a proxy left `ce-` headers on its request."""
    structured = {name.removeprefix("ce-"): value for name, value in ATTRIBUTES.items()} | {"id": "own", "data": DATA}
    answer = post(client, json.dumps(structured).encode(), content_type="application/cloudevents+json")
    assert (result(answer)["id"], result(answer)["status"]) == ("own", "accepted")


@pytest.mark.parametrize(
    ("body", "headers", "detail"),
    [
        (b"[1]", {}, "data: expected an object, got an array"),
        (b"{}", {}, 'data."gen_ai.provider.name": required, but missing or empty'),
        (
            json.dumps(DATA).encode(),
            {"content_type": "text/plain"},
            'datacontenttype: expected a JSON media type, got "text/plain"',
        ),
        (json.dumps(DATA).encode(), {"ce_time": "noon"}, 'time: expected an RFC 3339 time with an offset, got "noon"'),
        (
            json.dumps(DATA).encode(),
            {"ce_source": "other"},
            'source: expected "gateway" or a path below it, got "other"',
        ),
    ],
)
def test_what_is_wrong_is_named(client: TestClient, body: bytes, headers: dict[str, str], detail: str) -> None:
    """An event in binary mode is refused with the field, like any other."""
    refused = result(post(client, body, **headers))
    assert (refused["status"], refused["detail"]) == ("rejected", detail)


@pytest.mark.parametrize("body", [b"", b"nonsense", b'{"a": 1}, "source": "other"', b"\xff"])
def test_a_body_that_is_not_json_is_refused(client: TestClient, body: bytes) -> None:
    """Nothing that is no JSON of its own becomes part of an event."""
    answer = post(client, body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the body is not JSON")
