"""`/slack/events`: where Slack sends its requests in HTTP mode.

The signature is looked at first, on the bytes as they came: what Slack did not sign is neither decoded nor parsed.
(No postponed annotations here: FastAPI reads those of the routes.)
"""

import re
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from slack_bolt import App as Bolt
from slack_bolt import BoltRequest
from slack_sdk.signature import SignatureVerifier

from handlers import bodies
from handlers.slack.requests import is_sound

LARGEST = 2 * 1024 * 1024
"""Bytes: a view of 250 kB, escaped for a form, with everything that is filled in."""
_TIMESTAMP = re.compile(r"[0-9]{1,15}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_SSL_CHECK = re.compile(rb"(?:^|&)ssl_check=1(?:&|$)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The Bolt app, and the secret with which Slack signs what it sends to it."""

    bolt: Bolt
    signing_secret: str = field(repr=False)


def routes(slack: Endpoint) -> APIRouter:
    router = APIRouter(tags=["slack"])
    verifier = SignatureVerifier(slack.signing_secret)

    @router.post("/slack/events", include_in_schema=False)
    async def slack_events(request: Request) -> Response:
        body = await bodies.read(request, largest=LARGEST)
        if _SSL_CHECK.search(body):
            return Response()
        if not is_signed(verifier, body, request):
            return _refused("invalid request", status=401)
        if not is_sound(body.decode(), request.headers.get("content-type", "")):
            return _refused("malformed body", status=400)
        # Bolt's own adapter dispatches on the event loop, where one slow command would hold up all others.
        return await run_in_threadpool(_dispatched, slack.bolt, body.decode(), request)

    @router.get("/slack/events", include_in_schema=False)
    async def slack_looks(request: Request) -> Response:
        """Slack looks at the certificate of a command's address, which needs no more than an answer."""
        if request.query_params.get("ssl_check") == "1":
            return Response()
        return bodies.as_json({"error": "send POST"}, status=405, headers={"Allow": "POST"})

    return router


def _refused(why: str, *, status: int) -> Response:
    return bodies.as_json({"error": why}, status=status)


def is_signed(verifier: SignatureVerifier, body: bytes, request: Request) -> bool:
    """Whether Slack signed these bytes within the last five minutes.

    The library would take a timestamp that is no number, a signature that is not ASCII and bytes that are no UTF-8 for
    failures of ours.
    """
    timestamp, signature = (request.headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature"))
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return False
    try:
        return verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        return False


def _dispatched(bolt: Bolt, body: str, request: Request) -> Response:
    query, headers = str(request.query_params), {name: [value] for name, value in request.headers.items()}
    answer = bolt.dispatch(BoltRequest(body=body, query=query, headers=headers))  # type: ignore[arg-type]  # invariant
    return Response(answer.body, answer.status, headers=answer.first_headers_without_set_cookie())
