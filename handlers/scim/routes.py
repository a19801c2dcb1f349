"""`/scim/v2`: where an identity provider sends people and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from handlers import bodies
from handlers.scim import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from handlers.batches import Guard
    from programme.app import App
    from store.usage.keys import ApiKey

ROOT, SCOPE = "/scim/v2", "scim:write"


def build(app: App, key_with: Guard) -> APIRouter:
    """The routes: one for all, since the library knows the standard's own."""
    router = APIRouter()
    require_key = key_with(SCOPE)

    @router.api_route(ROOT + "/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    @router.api_route(ROOT, methods=["GET"], include_in_schema=False)
    async def scim(request: Request) -> Response:
        try:
            body: bytes | HTTPException = await bodies.read(request, largest=MOST_BYTES + 1)
        except HTTPException as error:
            body = error
        return await run_in_threadpool(_answer, app, require_key, request, body)

    # FastAPI reads the annotations of a route, and this module's are postponed.
    return router


def _answer(app: App, require_key: Callable[..., ApiKey], request: Request, body: bytes | HTTPException) -> Response:
    # The library takes half a second to import, and most companies tell of their people in files.
    from handlers.scim import protocol  # noqa: PLC0415

    if isinstance(body, HTTPException):
        return protocol.refused(body)
    return protocol.answer(app, require_key, request, ROOT, body)
