"""`/v1/outcomes`: what came of the work, as trackers report it.

(No postponed annotations here: FastAPI reads those of the routes, which name local dependencies.)
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from handlers import bodies, metrics
from handlers.batches import Fate, Guard, Intake, described
from handlers.decoding import Rejected
from handlers.outcomes import files, github
from policy.outcomes import OutcomeReport
from policy.period import day_of
from programme.app import App
from programme.outcomes import intake
from store.usage.keys import ApiKey

SCOPE = "outcomes:write"


class OutcomeAnswer(BaseModel):
    """What became of one outcome; `detail` says why, where the status does not."""

    source: str
    id: str
    status: intake.Status
    detail: str = ""


class OutcomesAnswer(BaseModel):
    """One result for each outcome, in the order of the batch, and how many there are of each kind."""

    results: list[OutcomeAnswer]
    summary: dict[intake.Status, int]


def _refused(item: Rejected | github.Ignored) -> Fate:
    if isinstance(item, Rejected):
        return "", item.event_id, "rejected", item.detail
    return github.SOURCE, item.outcome_id, "ignored", item.why


OUTCOMES = Intake("outcomes", OutcomeReport, intake.take_in, _refused, intake.STATUSES, metrics.OUTCOMES)
REPORTED = described(files.SHAPE.schema(files.EXAMPLE), OutcomesAnswer, scope=SCOPE)
GITHUB: dict[str, Any] = {
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
        413: {"description": f"More than {bodies.LARGEST} bytes."},
        503: {"description": "The database does not answer; deliver it again."},
    },
}


def routes(app: App, key_with: Guard, github_secret: str | None) -> APIRouter:
    """The routes; GitHub's webhooks are taken where its secret is set."""
    router = APIRouter(prefix="/v1/outcomes", tags=["outcomes"])
    require_key = key_with(SCOPE)

    @router.post("", summary="Report outcomes of work", **REPORTED)
    async def report_outcomes(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """One outcome or a batch, with the columns of `tokens-bot outcomes import` as fields."""
        body = await bodies.read(request)
        return await run_in_threadpool(OUTCOMES.answer, app, lambda: files.parse(body, allowed_source=key.source))

    @router.post("/github", summary="GitHub's webhook: pull requests and issues", **GITHUB)
    async def report_github(request: Request) -> Response:
        """A delivery with GitHub's `X-Hub-Signature-256`; what tells no outcome is answered and not kept."""
        if github_secret is None:
            raise HTTPException(404, "No secret of GitHub's webhook is set: GITHUB_WEBHOOK_SECRET.")
        body = await bodies.read(request)
        if not github.is_signed(github_secret, body, request.headers.get("x-hub-signature-256", "")):
            raise HTTPException(401, "X-Hub-Signature-256 is missing, or is not that of this body.")
        event = request.headers.get("x-github-event", "")
        return await run_in_threadpool(OUTCOMES.answer, app, lambda: [github.parse(event, body, _bug_labels(app))])

    return router


def _bug_labels(app: App) -> Callable[[datetime], frozenset[str]]:
    with app.reading() as moment:
        rules_on = intake.rules_on(moment)
    return lambda at: rules_on(day_of(at, app.zone)).bug_labels
