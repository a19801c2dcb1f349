"""Who may talk to the workspace: this machine, and pages of the workspace itself.

Any page in the user's own browser can send requests to this machine. One whose name was pointed here after it was
opened could even read the answers. So the host has to be the one that we listen at, and what a browser sends for a page
has to come from our own.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL = "localhost"
HTTP_PORT = 80


class LoopbackOnlyError(ValueError):
    """A host at which others could reach the workspace."""


def require_loopback(host: str) -> None:
    """A workspace has no passwords: everyone who reaches it is everyone in it."""
    try:
        if host == LOCAL or ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise LoopbackOnlyError(f"{host!r} is not this machine alone; a workspace listens on 127.0.0.1, ::1 or localhost")


class Guard:
    """Turns away requests that name another host, or that a page of another origin sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or _is_our_own(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            refused = JSONResponse({"error": "this workspace talks to its own machine and its own pages only"}, 403)
            await refused(scope, receive, send)


def _is_our_own(scope: Scope) -> bool:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    # Slack's library names the host without its port; whose pages are let in is a question of the origin alone.
    if not _is_here(f"//{headers.get('host', '')}"):
        return False
    if (origin := headers.get("origin")) is not None:
        return _is_here(origin, port=scope["server"][1])
    # Browsers say this of everything that a page loads, also where they name no origin; a link to our page is one.
    is_foreign = headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    return not is_foreign or (scope["path"] == "/" and headers.get("sec-fetch-dest") == "document")


def _is_here(address: str, *, port: int | None = None) -> bool:
    try:
        parts = urlsplit(address)
        named = parts.hostname or ""
        if port is not None and (parts.port or HTTP_PORT) != port:
            return False
        return named == LOCAL or ipaddress.ip_address(named).is_loopback
    except ValueError:
        return False
