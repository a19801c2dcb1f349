"""`/api/<method>`: who may call what, and how the platform answers.

A new method is a function in one of the `api_*` modules and a line in its METHODS.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import api_chat, api_conversations, api_files, api_people, api_views
from sandbox.api_call import ApiError, Call, Method, RateLimited
from sandbox.content import Rejected
from sandbox.faults import Fault
from sandbox.model import ApiCall, InstalledApp, Json
from sandbox.platform_state import Platform

ELSEWHERE, TOO_MANY = 302, 429


@dataclass(frozen=True, kw_only=True)
class Reply:
    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None
    """What is sent in place of `body`, as it stands."""

    @property
    def response(self) -> Response:
        if self.raw is None:
            return JSONResponse(self.body, self.status, dict(self.headers))
        return Response(self.raw, self.status, dict(self.headers))


def api_test(call: Call) -> Json:
    if "error" in call.args:
        raise ApiError(call.text("error"), args=dict(call.args))
    return {"args": dict(call.args)}


def auth_test(call: Call) -> Json:
    workspace = call.platform.workspace
    organization = {"enterprise_id": workspace.enterprise_id} if workspace.enterprise_id else {}
    return organization | {
        "url": f"{call.platform.base_url}/",
        "team": workspace.name,
        "team_id": workspace.team_id,
        "user": workspace.member(workspace.app.bot_user).name,
        "user_id": workspace.app.bot_user,
        "bot_id": workspace.app.bot_id,
        "is_enterprise_install": False,
    }


def open_connection(call: Call) -> Json:
    address = call.platform.base_url.replace("http", "ws", 1)
    return {"url": f"{address}/link/?ticket={call.platform.sockets.ticket()}&app_id={call.platform.workspace.app.id}"}


METHODS = {
    "api.test": Method(run=api_test, token="none"),  # noqa: S106 - a kind, not a token
    "auth.test": Method(run=auth_test),
    "apps.connections.open": Method(run=open_connection, token="app"),  # noqa: S106 - a kind, not a token
    **api_chat.METHODS,
    **api_people.METHODS,
    **api_conversations.METHODS,
    **api_files.METHODS,
    **api_views.METHODS,
}


async def answer(platform: Platform, name: str, request: Request) -> Response:
    """Reads the call, suffers the fault that a test wants of it, and records it."""
    fault = platform.faults.take(name)
    try:
        args = await read_arguments(request)
    except ApiError as refusal:
        return JSONResponse(_error(refusal))
    if fault is not None and fault.delay:
        # What arrived whole is done, also when the app has lost patience meanwhile.
        await asyncio.sleep(fault.delay)
    token = _token(request, args)
    if fault is not None and fault.spoils_answer and not fault.performed:
        reply = _faulty(fault)
    else:
        reply = _perform(platform, name, args, token)
        if fault is not None and fault.spoils_answer:
            reply = _faulty(fault)
    platform.calls.append(
        ApiCall(method=name, args=args, status=reply.status, response=reply.body, at=platform.clock())
    )
    return reply.response


async def read_arguments(request: Request) -> Json:
    """Query string and body together; a body is a form or, with that content type, JSON."""
    args: Json = dict(request.query_params)
    body = (await request.body()).decode()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            given = json.loads(body or "{}")
        except ValueError as why:
            raise ApiError("invalid_json") from why
        if not isinstance(given, dict):
            raise ApiError("json_not_object")
        return args | given
    return args | dict(parse_qsl(body, keep_blank_values=True))


def _token(request: Request, args: Json) -> str:
    """From the header, or else from the body; never left among the arguments."""
    in_body = str(args.pop("token", ""))
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else in_body


def _perform(platform: Platform, name: str, args: Json, token: str) -> Reply:
    method = METHODS.get(name)
    if method is None:
        return Reply(body=_error(ApiError("unknown_method", req_method=name)))
    app = platform.workspace.app
    headers = {"X-OAuth-Scopes": ",".join(sorted(app.scopes)), "X-Accepted-OAuth-Scopes": ",".join(method.scopes)}
    call = Call(platform=platform, args=args)
    try:
        _authenticate(method, app, token)
        if method.scopes:
            call.require_scope(*method.scopes)
        return Reply(body={"ok": True, **method.run(call)}, headers=headers)
    except ApiError as refusal:
        return Reply(body=_error(refusal), headers=headers)
    except Rejected as refusal:
        details = {"response_metadata": {"messages": list(refusal.problems)}} if refusal.problems else {}
        return Reply(body={"ok": False, "error": refusal.code, **details}, headers=headers)
    except RateLimited as refusal:
        return _limited(refusal.retry_after)


def _authenticate(method: Method, app: InstalledApp, token: str) -> None:
    if method.token == "none":  # noqa: S105 - a kind, not a token
        return
    if not token:
        raise ApiError("not_authed")
    kinds = {app.bot_token: "bot", app.app_token: "app"}
    if token not in kinds:
        raise ApiError("invalid_auth")
    if app.revoked:
        raise ApiError("account_inactive")
    if app.refused_as:
        raise ApiError(app.refused_as)
    if kinds[token] != method.token:
        raise ApiError("not_allowed_token_type")


def _faulty(fault: Fault) -> Reply:
    if fault.status == TOO_MANY:
        limited = _limited(fault.retry_after or 1)
        return limited if fault.body is None else replace(limited, raw=fault.body)
    if fault.body is not None:
        headers = {"content-type": fault.content_type}
        if fault.status == ELSEWHERE:
            # The first page of the workspace: a client that goes there gets HTML with status 200.
            headers["location"] = "/"
        return Reply(body={}, status=fault.status, headers=headers, raw=fault.body)
    return Reply(body={"ok": False, "error": fault.error or "internal_error"}, status=fault.status)


def _limited(seconds: int) -> Reply:
    return Reply(body={"ok": False, "error": "ratelimited"}, status=TOO_MANY, headers={"Retry-After": str(seconds)})


def _error(refusal: ApiError) -> Json:
    return cast("Json", {"ok": False, "error": refusal.code, **refusal.details})
