"""`/scim/v2`: each request in one transaction, and every answer in SCIM's own form, refusals too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import ValidationError
from scim2_models import Error, SCIMException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE, ScimResponse
from scim2_server.service import ScimService, scim_exception_of

from handlers import bodies
from handlers.scim import habits, resources
from handlers.scim.storage import Storage
from store import locks
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from scim2_models import Context

    from handlers.batches import Guard
    from programme.app import App
    from store.usage.keys import ApiKey

SCOPE = "scim:write"
ROOT = "/scim/v2"


class Service(ScimService):
    """The library's protocol, with bodies understood as providers mean them."""

    def read_body(self, model: Any, body: bytes, content_type: str | None, scim_ctx: Context) -> Any:  # noqa: ANN401
        payload = habits.understood(self.decode_body(body, content_type))
        try:
            resource = model.model_validate(payload, scim_ctx=scim_ctx)
        except ValidationError as error:
            raise scim_exception_of(error) from error
        if isinstance(resource, resources.User) and (ours := resource[resources.Participation]):
            ours.take_offer(habits.offer_told(payload, resources.Participation.__schema__))
        return resource


def build(app: App, key_with: Guard) -> APIRouter:
    """The routes: one for all, since the library knows the standard's own."""
    router = APIRouter()
    service = Service(resources.provider())
    require_key = key_with(SCOPE)

    @router.api_route(ROOT + "/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    @router.api_route(ROOT, methods=["GET"], include_in_schema=False)
    async def scim(request: Request) -> Response:
        try:
            body = await bodies.read(request, largest=resources.MOST_BYTES + 1)
        except HTTPException as error:
            return _refused(error)
        return await run_in_threadpool(_answer, app, service, require_key, request, body)

    # FastAPI reads the annotations of a route, and this module's are postponed.
    return router


def _answer(app: App, service: Service, require_key: Callable[..., ApiKey], request: Request, body: bytes) -> Response:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    given = HTTPAuthorizationCredentials(scheme=scheme, credentials=secret) if scheme.lower() == "bearer" else None
    try:
        key = require_key(given)
    except HTTPException as error:
        return _refused(error)
    try:
        return _sent(_served(app, service, _asked(request, body), key))
    except SCIMException as error:
        return _sent(service.error_response(error))


def _asked(request: Request, body: bytes) -> ScimRequest:
    path = request.url.path.removeprefix(ROOT)
    root = f"{str(request.base_url).rstrip('/')}{ROOT}"
    return ScimRequest(request.method, root, path, dict(request.query_params), dict(request.headers), body)


def _served(app: App, service: Service, asked: ScimRequest, key: ApiKey) -> ScimResponse:
    """What only reads holds nobody up; whatever writes comes one after the other."""
    if asked.method == "GET" or asked.path.endswith("/.search"):
        with app.reading() as moment:
            return ScimHandler(service, Storage(moment)).handle(asked)
    with app.transaction() as moment:
        locks.hold(moment.session, Lock.PEOPLE)
        return ScimHandler(service, Storage(moment, f"scim:{key.name}")).handle(asked)


def _sent(response: ScimResponse) -> Response:
    content = b"" if response.body is None else msgspec.json.encode(response.body)
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-type"}
    return Response(content, response.status, headers, media_type=SCIM_MEDIA_TYPE if content else None)


def _refused(error: HTTPException) -> Response:
    body = Error(status=error.status_code, detail=error.detail).model_dump()
    return Response(msgspec.json.encode(body), error.status_code, dict(error.headers or {}), media_type=SCIM_MEDIA_TYPE)
