"""The two ways to reach an app: Socket Mode, or a signed HTTP request."""

import asyncio
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import urlencode

from sandbox.model import Json
from sandbox.platform_state import Platform
from sandbox.socket_mode import NotDelivered

HTTP_OK = 200
FORM = "application/x-www-form-urlencoded"


async def send(platform: Platform, kind: str, payload: Json) -> Json:
    """The app's answer; raises `NotDelivered` when there is none in time."""
    if not platform.workspace.app.request_url:
        return await platform.sockets.deliver(kind, payload, seconds=platform.deadline)
    fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return await _in_time(platform, urlencode(fields).encode(), {"content-type": FORM})


async def send_event(platform: Platform, payload: Json, *, attempt: int, reason: str) -> None:
    """`attempt` counts from 0; `reason` says why the one before failed. Raises `NotDelivered`."""
    if not platform.workspace.app.request_url:
        more = {"accepts_response_payload": False, "retry_attempt": attempt, "retry_reason": reason}
        await platform.sockets.deliver("events_api", payload, seconds=platform.deadline, **more)
        return
    retried = {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason} if attempt else {}
    await _in_time(platform, json.dumps(payload).encode(), {"content-type": "application/json", **retried})


async def _in_time(platform: Platform, body: bytes, headers: Mapping[str, str]) -> Json:
    posted = asyncio.to_thread(_post, platform, body, headers)
    try:
        return await asyncio.wait_for(posted, platform.deadline)
    except TimeoutError as why:
        raise NotDelivered("operation_timeout", reason="http_timeout") from why


def signed(secret: str, stamp: str, body: bytes) -> str:
    mac = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
    return f"v0={mac.hexdigest()}"


def _post(platform: Platform, body: bytes, headers: Mapping[str, str]) -> Json:
    app = platform.workspace.app
    stamp = str(int(platform.clock().timestamp()))
    signature = {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": signed(app.signing_secret, stamp, body),
    }
    request = urllib.request.Request(app.request_url, data=body, headers={**headers, **signature}, method="POST")  # noqa: S310
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with direct.open(request, timeout=platform.deadline) as response:
            return _answer(response.status, response.headers.get_content_type(), response.read().decode())
    except urllib.error.HTTPError as why:
        why.close()
        unwanted = why.headers.get("x-slack-no-retry") == "1"
        raise NotDelivered("dispatch_failed", reason="http_error", is_final=unwanted) from why
    except (HTTPException, OSError, ValueError) as why:
        late = isinstance(why, TimeoutError) or isinstance(getattr(why, "reason", None), TimeoutError)
        if late:
            raise NotDelivered("operation_timeout", reason="http_timeout") from why
        raise NotDelivered("dispatch_failed", reason="connection_failed") from why


def _answer(status: int, content_type: str, body: str) -> Json:
    if status != HTTP_OK:
        raise NotDelivered("dispatch_failed", reason="http_error")
    if not body.strip():
        return {}
    if content_type != "application/json":
        return {"text": body}
    answer = json.loads(body)
    return answer if isinstance(answer, dict) else {"text": answer}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """The platform follows none: a redirect is a failure."""
