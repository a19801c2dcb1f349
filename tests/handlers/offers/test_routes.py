"""`GET /v1/listing`: off by default; public, cacheable and without a figure where the handbook switches it on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from handlers import http
from handlers.offers.routes import is_known
from policy import handbook
from programme.handbook import applying

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock


def switched_on(app: App, *, version: str = "2026.2", share: str = "0.25") -> None:
    text = handbook.packaged().replace('version = "2026.1"', f'version = "{version}"')
    text = text.replace('public_listing = "no"', 'public_listing = "yes"')
    text = text.replace("share_of_compensation = 0.25", f"share_of_compensation = {share}")
    day = app.clock().date() - timedelta(days=2 if version == "2026.2" else 1)
    with app.transaction() as moment:
        applying.apply(moment, text.replace("effective_from = 2026-01-01", f"effective_from = {day}"), actor="test")


@pytest.fixture
def client(sqlite_app: App) -> TestClient:
    return TestClient(http.build(sqlite_app))


def test_it_is_off_by_default(client: TestClient) -> None:
    """Nobody outside reads anything of the policy until two people have said so."""
    answer = client.get("/v1/listing")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_it_needs_no_key_and_can_be_kept(sqlite_app: App, client: TestClient) -> None:
    """A careers page on any site may show it; who has it already gets nothing again."""
    switched_on(sqlite_app)
    answer = client.get("/v1/listing")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/ld+json")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert json.loads(answer.text)["@type"] == "JobPosting"
    again = client.get("/v1/listing", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.text) == (304, "")
    assert again.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize(
    ("query", "kind", "says"),
    [
        ("format=text", "text/plain", "AI allowance"),
        ("format=markdown&lang=de", "text/markdown", "## KI-Budget"),
        ("format=html", "text/html", '<section lang="en">'),
        ("format=json-ld&lang=de", "application/ld+json", "Stufe, Projekte"),
    ],
)
def test_each_form_and_language(sqlite_app: App, client: TestClient, query: str, kind: str, says: str) -> None:
    """Each has its media type, its language and an ETag of its own."""
    switched_on(sqlite_app)
    answer = client.get(f"/v1/listing?{query}")
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["content-language"] == ("de" if "lang=de" in query else "en")
    assert says in answer.text
    assert answer.headers["etag"] != client.get("/v1/listing").headers["etag"]


def test_what_there_is_not_is_said(sqlite_app: App, client: TestClient) -> None:
    """Another language is not found, another form is wrong; bands and levels are nobody's business outside."""
    switched_on(sqlite_app)
    assert client.get("/v1/listing?lang=fr").status_code == 404
    assert client.get("/v1/listing?format=pdf").status_code == 422
    assert client.get("/v1/listing?band=P3").text == client.get("/v1/listing").text


def test_a_change_of_policy_is_there_within_a_minute(sqlite_app: App, client: TestClient, clock: Clock) -> None:
    """Asked often, the database is asked once a minute; what has changed has another ETag."""
    switched_on(sqlite_app)
    before = client.get("/v1/listing?format=text")
    switched_on(sqlite_app, version="2026.3", share="0.2")
    assert client.get("/v1/listing?format=text").headers["etag"] == before.headers["etag"]
    clock.now += timedelta(minutes=1)
    after = client.get("/v1/listing?format=text")
    assert after.headers["etag"] != before.headers["etag"]
    assert "20 % of the middle" in after.text


@pytest.mark.parametrize(
    ("header", "known"), [('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"b"', False), ("", False)]
)
def test_etags_are_compared_as_caches_send_them(header: str, known: bool) -> None:  # noqa: FBT001 - a case
    """Several, weak ones, and the star."""
    assert is_known(header, '"a"') is known
