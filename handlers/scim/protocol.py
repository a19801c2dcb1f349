"""SCIM by its library: each request in one transaction, and every answer in the standard's own form, refusals too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import ValidationError
from scim2_models import Error, SCIMException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE, ScimResponse
from scim2_server.service import ScimService, scim_exception_of

from handlers.scim import habits, resources
from handlers.scim.storage import Storage
from store import locks
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from scim2_models import Context

    from programme.app import App
    from store.usage.keys import ApiKey


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

    @staticmethod
    def error_of(exception: Exception) -> Error:
        """A value of the wrong type is told of a PATCH as of a PUT: the library repeats pydantic, on several lines."""
        cause = exception.__cause__
        return ScimService.error_of(scim_exception_of(cause) if isinstance(cause, ValidationError) else exception)


SERVICE = Service(resources.provider())


def answer(app: App, require_key: Callable[..., ApiKey], request: Request, under: str, body: bytes) -> Response:
    """What the library makes of a request to a path `under` ours, if its key is one of ours for this."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    given = HTTPAuthorizationCredentials(scheme=scheme, credentials=secret) if scheme.lower() == "bearer" else None
    try:
        key = require_key(given)
    except HTTPException as error:
        return refused(error)
    try:
        return _sent(_served(app, _asked(request, under, body), key))
    except SCIMException as error:
        return _sent(SERVICE.error_response(error))


def _asked(request: Request, under: str, body: bytes) -> ScimRequest:
    path = request.url.path.removeprefix(under)
    root = f"{str(request.base_url).rstrip('/')}{under}"
    return ScimRequest(request.method, root, path, dict(request.query_params), dict(request.headers), body)


def _served(app: App, asked: ScimRequest, key: ApiKey) -> ScimResponse:
    """What only reads holds nobody up; whatever writes comes one after the other."""
    if asked.method == "GET" or asked.path.endswith("/.search"):
        with app.reading() as moment:
            return ScimHandler(SERVICE, Storage(moment)).handle(asked)
    with app.transaction() as moment:
        locks.hold(moment.session, Lock.PEOPLE)
        return ScimHandler(SERVICE, Storage(moment, f"scim:{key.name}")).handle(asked)


def _sent(response: ScimResponse) -> Response:
    content = b"" if response.body is None else msgspec.json.encode(response.body)
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-type"}
    return Response(content, response.status, headers, media_type=SCIM_MEDIA_TYPE if content else None)


def refused(error: HTTPException) -> Response:
    body = Error(status=error.status_code, detail=error.detail).model_dump()
    return Response(msgspec.json.encode(body), error.status_code, dict(error.headers or {}), media_type=SCIM_MEDIA_TYPE)
