"""`/docs`: the OpenAPI document as a page. It loads nothing and runs no script: people have their keys at hand here."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
STYLE = (
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}pre{overflow:auto;padding:.75rem;border:1px solid #8888;font-size:.85rem}td,th{text-align:left;"
    "vertical-align:top;padding-right:1rem}"
)
Document = dict[str, Any]


def routes(document: Callable[[], Document]) -> APIRouter:
    router = APIRouter()

    @router.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page(document()), headers=HEADERS)

    return router


def page(document: Document) -> str:
    """Every route with what it takes and answers; the shapes that they share stand at the end."""
    info = document["info"]
    title = escape(info["title"])
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>",
        f"<h1>{title}</h1><p>{escape(info.get('description', ''))}</p>",
        "<p>The same for programs: <a href=/openapi.json>/openapi.json</a></p>",
    ]
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            parts += _route(path, method, route)
    shapes = document.get("components", {}).get("schemas", {})
    parts += [f"<h2 id={escape(name)}>{escape(name)}</h2>{_json(shape)}" for name, shape in shapes.items()]
    return "\n".join(parts)


def _route(path: str, method: str, route: Document) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code> {escape(route.get('summary', ''))}</h2>"
    yield f"<p>{escape(route.get('description', ''))}</p>"
    if "security" in route:
        yield "<p>Needs <code>Authorization: Bearer</code> with a key.</p>"
    for parameter in route.get("parameters", []):
        yield f"<p>Header <code>{escape(parameter['name'])}</code></p>"
    for kind, media in route.get("requestBody", {}).get("content", {}).items():
        yield f"<h3>Takes <code>{escape(kind)}</code></h3>{_json(media.get('schema', {}))}"
    answers = (
        f"<tr><th>{escape(status)}<td>{escape(answer.get('description', ''))}"
        for status, answer in route.get("responses", {}).items()
    )
    yield f"<h3>Answers</h3><table>{''.join(answers)}</table>"


def _json(content: object) -> str:
    return f"<pre>{escape(json.dumps(content, indent=2, ensure_ascii=False))}</pre>"
