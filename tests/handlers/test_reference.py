"""`/docs` tells what the API takes, and is nothing but text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fastapi.testclient import TestClient

from handlers import http, reference

if TYPE_CHECKING:
    from programme.app import App

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_the_page_loads_nothing(sqlite_app: App) -> None:
    """No script, picture, frame or style comes from anywhere, and the browser is told to take none."""
    with TestClient(http.build(sqlite_app)) as client:
        shown = client.get("/docs")
        assert client.get("/redoc").status_code == 404
    assert not re.search(r"<(script|link|img|iframe|object|base|form)\b|\bon\w+=|\bsrc=|https?://", shown.text)
    assert shown.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert shown.headers["x-content-type-options"] == "nosniff"


def test_the_page_tells_every_route(sqlite_app: App) -> None:
    """Each route of the document with its answers, and each shape that they share."""
    api = http.build(sqlite_app)
    document = api.openapi()
    with TestClient(api) as client:
        shown = client.get("/docs").text
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in shown
    for name in document["components"]["schemas"]:
        assert f"<h2 id={name}>" in shown


def test_hostile_words_are_inert() -> None:
    """Whatever a description says is text."""
    answers = {"200": {"description": HOSTILE}}
    content = {HOSTILE: {"schema": {"description": HOSTILE}}}
    route: dict[str, Any] = {
        "summary": HOSTILE,
        "description": HOSTILE,
        "requestBody": {"content": content},
        "responses": answers,
    }
    route["parameters"] = [{"name": HOSTILE}]
    shown = reference.page({"info": {"title": HOSTILE, "description": HOSTILE}, "paths": {HOSTILE: {"post": route}}})
    assert "<script" not in shown
    assert "<img" not in shown
