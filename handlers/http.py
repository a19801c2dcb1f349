"""Our HTTP side: intake of usage and of outcomes, health, metrics, and Slack's requests in HTTP mode.

Bodies are read with a limit; the work happens in a thread, because the database is synchronous. Nothing of a body is
logged. (No postponed annotations here: FastAPI reads those of the routes, which name local dependencies.)
"""

import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from slack_bolt import App as Bolt
from slack_bolt import BoltRequest
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers import metrics, note_failure
from handlers.outcomes import files, github
from handlers.usage import cloudevents, litellm
from handlers.usage.formats import MalformedBodyError, Rejected
from handlers.usage.litellm import NothingUsed
from policy.metering import UsageEvent
from policy.outcomes import KINDS, STATES, Reported
from policy.period import day_of
from programme.app import App
from programme.outcomes import intake as outcomes_intake
from programme.usage import intake as usage_intake
from programme.usage import keys
from programme.usage.intake import Outcome
from store import schema
from store.usage.keys import ApiKey

logger = logging.getLogger(__name__)

LARGEST_BODY = 32 * 1024 * 1024
MOST_EVENTS = 10_000
RETRY_AFTER_SECONDS = "5"


class EventAnswer(BaseModel):
    """What became of one event; `detail` says why, unless it was simply accepted or a duplicate."""

    source: str
    id: str
    status: usage_intake.Status
    detail: str = ""


class IntakeAnswer(BaseModel):
    """One result for each event, in the order of the batch, and how many there are of each kind."""

    results: list[EventAnswer]
    summary: dict[usage_intake.Status, int]


class OutcomeAnswer(BaseModel):
    """What became of one outcome; `detail` says why, where the status does not."""

    source: str
    id: str
    status: outcomes_intake.Status
    detail: str = ""


class OutcomesAnswer(BaseModel):
    """One result for each outcome, in the order of the batch, and how many there are of each kind."""

    results: list[OutcomeAnswer]
    summary: dict[outcomes_intake.Status, int]


def build(app: App, *, slack: Bolt | None = None, github_secret: str | None = None) -> FastAPI:
    """The application; with `slack`, also the endpoint of HTTP mode; with GitHub's secret, its webhooks are taken."""
    api = FastAPI(
        title="tokens-bot",
        description="Intake of usage and outcomes for the company's AI token allowance.",
        version="1",
        openapi_tags=[
            {"name": "usage", "description": "What gateways report."},
            {"name": "outcomes", "description": "What came of the work, as trackers report it."},
        ],
    )
    api.include_router(_intake(app))
    api.include_router(_outcomes(app, github_secret))
    api.include_router(_operations(app))
    if slack is not None:
        api.include_router(_slack(slack))
    api.add_exception_handler(sa.exc.OperationalError, _database_away)
    # PostgreSQL's way to say that a table is missing: the database is not migrated.
    api.add_exception_handler(sa.exc.ProgrammingError, _database_away)
    api.add_middleware(_LastResort)
    return api


def _database_away(_request: Request, error: Exception) -> Response:
    logger.error("the database does not answer: %s", type(error).__name__)
    detail = {"detail": "The database does not answer. Nothing was taken in; send the batch again."}
    return _json(detail, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})


class _LastResort:
    """Answers what no one foresaw.

    A handler of `Exception` would not do: Starlette raises it again after the answer, and the server logs it whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - whatever it is, the gateway gets an answer
            failure_id = note_failure(logger, str(scope.get("path")), error)
            detail = f"Unforeseen failure {failure_id}. Nothing was taken in; send the batch again."
            await _json({"detail": detail}, status=500)(scope, receive, send)


def _json(content: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")


# --- Intake --------------------------------------------------------------------------------------------------------


def _intake(app: App) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["usage"])
    require_key = _key_with(app, "usage:write")

    @router.post("/usage", summary="Report usage as CloudEvents 1.0", **_describe(_CLOUDEVENT_BODY))
    async def report_usage(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """One event or a batch. Sending it again changes nothing; `data` uses the OpenTelemetry GenAI names."""
        body = await _body(request)
        return await run_in_threadpool(_take_in, app, lambda: cloudevents.parse(body, allowed_source=key.source))

    @router.post("/usage/litellm", summary="Report usage as LiteLLM's generic_api callback sends it", **_describe({}))
    async def report_litellm_usage(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """An array of LiteLLM's standard logging payloads. Prompts and answers in it are never kept."""
        body = await _body(request)
        return await run_in_threadpool(_take_in, app, lambda: litellm.parse(body, source=key.source))

    return router


def _take_in(app: App, parse: Callable[[], Sequence[UsageEvent | Rejected | NothingUsed]]) -> Response:
    try:
        parsed = parse()
    except MalformedBodyError as error:
        raise HTTPException(400, str(error)) from error
    if len(parsed) > MOST_EVENTS:
        raise HTTPException(413, f"{len(parsed)} events in one batch; send at most {MOST_EVENTS}")
    events = [item for item in parsed if isinstance(item, UsageEvent)]
    with app.transaction() as moment:
        taken = iter(usage_intake.take_in(moment, events))
    outcomes_intake = [next(taken) if isinstance(item, UsageEvent) else _not_taken(item) for item in parsed]
    return _answer(outcomes_intake)


def _not_taken(item: Rejected | NothingUsed) -> Outcome:
    status: usage_intake.Status = "rejected" if isinstance(item, Rejected) else "accepted"
    return Outcome("", item.event_id, status, item.detail)


def _answer(outcomes_intake: Sequence[Outcome]) -> Response:
    summary = dict.fromkeys(usage_intake.STATUSES, 0)
    for outcome in outcomes_intake:
        summary[outcome.status] += 1
    for status, count in summary.items():
        metrics.USAGE_EVENTS.labels(status).inc(count)
    results = [{"source": o.source, "id": o.event_id, "status": o.status, "detail": o.detail} for o in outcomes_intake]
    return _json({"results": results, "summary": summary})


def _key_with(app: App, scope: str) -> Callable[..., ApiKey]:
    bearer = HTTPBearer(auto_error=False, description="A key from `tokens-bot keys create`.")

    def require_key(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> ApiKey:
        with app.reading() as moment:
            key = keys.authenticate(moment, credentials.credentials) if credentials else None
        if key is None:
            raise HTTPException(401, "A key in force is needed.", headers={"WWW-Authenticate": "Bearer"})
        if scope not in key.scopes:
            raise HTTPException(403, f"Key {key.name!r} lacks the scope {scope!r}.")
        return key

    return require_key


async def _body(request: Request) -> bytes:
    """The body, unless it is too large or encoded; it is measured while it arrives, not by what it claims."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "Send the body without Content-Encoding.")
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > LARGEST_BODY:
                raise HTTPException(413, f"The body is larger than {LARGEST_BODY} bytes; send smaller batches.")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise HTTPException(400, "The body ended early.") from error
    return b"".join(chunks)


_CLOUDEVENT_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "time", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "maxLength": 256},
        "source": {"type": "string", "description": "The key's source, or a path below it."},
        "type": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object", "description": "Usage by its OpenTelemetry GenAI names."},
    },
    "example": {
        "specversion": "1.0",
        "id": "chatcmpl-1",
        "source": "gateway-eu",
        "type": "gen_ai.usage",
        "time": "2026-11-23T09:30:00Z",
        "data": {
            "user.email": "ada@example.com",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.input_tokens": 1200,
            "gen_ai.usage.cache_read.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 300,
        },
    },
}


def _describe(
    item: dict[str, Any],
    *,
    scope: str = "usage:write",
    answer: type[BaseModel] = IntakeAnswer,
    batches: tuple[str, ...] = ("application/json", "application/cloudevents-batch+json"),
) -> dict[str, Any]:
    """What OpenAPI should know of a route whose body is parsed by hand, for speed."""
    either = {"oneOf": [item, {"type": "array", "items": item, "maxItems": MOST_EVENTS}]}
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": {kind: {"schema": either} for kind in batches}}},
        "response_model": answer,
        "responses": {
            400: {"description": "The body is not JSON, or has another outer shape."},
            401: {"description": "No key in force."},
            403: {"description": f"The key lacks the scope `{scope}`."},
            413: {"description": f"More than {MOST_EVENTS} events, or more than {LARGEST_BODY} bytes."},
            415: {"description": "The body has a Content-Encoding, such as gzip."},
            503: {"description": "The database does not answer; send the batch again."},
        },
    }


_OUTCOME_BODY: dict[str, Any] = {
    "type": "object",
    "required": list(files.REQUIRED),
    "properties": {name: {"type": "string"} for name in files.COLUMNS}
    | {"kind": {"enum": list(KINDS)}, "occurred_at": {"type": "string", "format": "date-time"}}
    | {"state": {"enum": list(STATES)}, "updated_at": {"type": "string", "format": "date-time"}}
    | {"lines": {"type": "integer", "minimum": 0}, "weight": {"type": "number"}, "score": {"type": "number"}},
    "example": {
        "source": "jira",
        "outcome_id": "SHOP-17",
        "kind": "bug",
        "occurred_at": "2026-11-20T09:30:00Z",
        "user": "ada@example.com",
        "project": "shop",
    },
}
_OUTCOMES = _describe(_OUTCOME_BODY, scope="outcomes:write", answer=OutcomesAnswer, batches=("application/json",))
_GITHUB: dict[str, Any] = {
    "openapi_extra": {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in ("X-Hub-Signature-256", "X-GitHub-Event")
        ],
    },
    "response_model": OutcomesAnswer,
    "responses": {
        400: {"description": "The body is not JSON, or lacks a field that GitHub documents."},
        401: {"description": "The signature is missing, or another one."},
        404: {"description": "GITHUB_WEBHOOK_SECRET is not set."},
        413: {"description": f"More than {LARGEST_BODY} bytes."},
        503: {"description": "The database does not answer; deliver it again."},
    },
}


# --- Outcomes ------------------------------------------------------------------------------------------------------


def _outcomes(app: App, github_secret: str | None) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["outcomes"])
    require_key = _key_with(app, "outcomes:write")

    @router.post("/outcomes", summary="Report outcomes of work", **_OUTCOMES)
    async def report_outcomes(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """One outcome or a batch, with the columns of `tokens-bot outcomes import` as fields."""
        body = await _body(request)
        return await run_in_threadpool(_take_in_outcomes, app, lambda: files.parse(body, allowed_source=key.source))

    @router.post("/outcomes/github", summary="GitHub's webhook: pull requests and issues", **_GITHUB)
    async def report_github(request: Request) -> Response:
        """A delivery with GitHub's `X-Hub-Signature-256`; what tells no outcome is answered and not kept."""
        if github_secret is None:
            raise HTTPException(404, "No secret of GitHub's webhook is set: GITHUB_WEBHOOK_SECRET.")
        body = await _body(request)
        if not github.is_signed(github_secret, body, request.headers.get("x-hub-signature-256", "")):
            raise HTTPException(401, "X-Hub-Signature-256 is missing, or is not that of this body.")
        event = request.headers.get("x-github-event", "")
        return await run_in_threadpool(_take_in_outcomes, app, lambda: [github.parse(event, body, _bug_labels(app))])

    return router


def _bug_labels(app: App) -> Callable[[datetime], frozenset[str]]:
    with app.reading() as moment:
        rules_on = outcomes_intake.rules_on(moment)
    return lambda at: rules_on(day_of(at, app.zone)).bug_labels


def _take_in_outcomes(app: App, parse: Callable[[], Sequence[Reported | Rejected | github.Ignored]]) -> Response:
    try:
        parsed = parse()
    except MalformedBodyError as error:
        raise HTTPException(400, str(error)) from error
    if len(parsed) > MOST_EVENTS:
        raise HTTPException(413, f"{len(parsed)} outcomes in one batch; send at most {MOST_EVENTS}")
    reported = [item for item in parsed if isinstance(item, Reported)]
    with app.transaction() as moment:
        taken = iter(outcomes_intake.take_in(moment, reported))
    answers = [next(taken) if isinstance(item, Reported) else _not_kept(item) for item in parsed]
    summary = dict.fromkeys(outcomes_intake.STATUSES, 0)
    for answer in answers:
        summary[answer.status] += 1
    for status, count in summary.items():
        metrics.OUTCOMES.labels(status).inc(count)
    results = [{"source": a.source, "id": a.outcome_id, "status": a.status, "detail": a.detail} for a in answers]
    return _json({"results": results, "summary": summary})


def _not_kept(item: Rejected | github.Ignored) -> outcomes_intake.Answer:
    if isinstance(item, Rejected):
        return outcomes_intake.Answer("", item.event_id, "rejected", item.detail)
    return outcomes_intake.Answer(github.SOURCE, item.outcome_id, "ignored", item.why)


# --- Operations ----------------------------------------------------------------------------------------------------


def _operations(app: App) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="Is the process alive?")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Can it answer?")
    def readyz(response: Response) -> dict[str, str]:
        """503 while the database does not answer or stands at another revision."""
        try:
            with app.database.reading() as session:
                revision = schema.current_revision(session)
        except sa.exc.OperationalError:
            response.status_code = 503
            return {"status": "database away"}
        if revision != schema.head_revision():
            response.status_code = 503
            return {"status": "database at another revision", "revision": str(revision)}
        return {"status": "ready"}

    @router.get("/metrics", summary="Counts and durations for Prometheus")
    def prometheus() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


# --- Slack's HTTP mode ---------------------------------------------------------------------------------------------


def _slack(slack: Bolt) -> APIRouter:
    router = APIRouter(tags=["slack"])

    @router.post("/slack/events", include_in_schema=False)
    async def slack_events(request: Request) -> Response:
        # Bolt would take a timestamp that is no number for a failure of ours.
        if not re.fullmatch(r"\d{1,15}", request.headers.get("x-slack-request-timestamp", "")):
            return _json({"error": "invalid request"}, status=401)
        # Bolt's own adapter dispatches on the event loop, where one slow command would hold up all others.
        bolt_request = BoltRequest(
            body=(await _body(request)).decode(errors="replace"),
            query=str(request.query_params),
            headers={name: [value] for name, value in request.headers.items()},
        )
        answer = await run_in_threadpool(slack.dispatch, bolt_request)
        return Response(answer.body, answer.status, headers=answer.first_headers_without_set_cookie())

    return router
