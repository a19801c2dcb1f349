"""`/v1/usage`: what gateways report.

(No postponed annotations here: FastAPI reads those of the routes, which name local dependencies.)
"""

from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from handlers import bodies, metrics
from handlers.batches import Fate, Intake, described, key_with
from handlers.decoding import Rejected
from handlers.usage import binary_mode, cloudevents, litellm
from handlers.usage.formats import Parsed
from handlers.usage.litellm import NothingUsed
from policy.metering import UsageEvent
from programme.app import App
from programme.usage import intake, refusals
from store.usage.keys import ApiKey

SCOPE = "usage:write"


class EventAnswer(BaseModel):
    """What became of one event; `detail` says why, or what is odd about one that was accepted."""

    source: str
    id: str
    status: intake.Status
    detail: str = ""


class IntakeAnswer(BaseModel):
    """One result for each event, in the order of the batch, and how many there are of each kind."""

    results: list[EventAnswer]
    summary: dict[intake.Status, int]


def _refused(item: Rejected | NothingUsed) -> Fate:
    return "", item.event_id, "rejected" if isinstance(item, Rejected) else "accepted", item.detail


EVENTS = Intake(
    "events",
    UsageEvent,
    intake.take_in,
    _refused,
    intake.STATUSES,
    metrics.USAGE_EVENTS,
    note_rejected=refusals.note_rejected,
    remarked=metrics.USAGE_DIFFERENCES,
)
# LiteLLM's name for the time of a call.
CALLS = replace(EVENTS, take_in=partial(intake.take_in, time_field="endTime"))
SPANS = replace(EVENTS, plural="calls", take_in=partial(intake.take_in, time_field="endTimeUnixNano"))
CLOUDEVENTS = described(
    cloudevents.SHAPE.schema(cloudevents.EXAMPLE),
    IntakeAnswer,
    scope=SCOPE,
    kinds=("application/json", "application/cloudevents-batch+json"),
)
LITELLM = described({}, IntakeAnswer, scope=SCOPE)


def routes(app: App) -> APIRouter:
    router = APIRouter(prefix="/v1/usage", tags=["usage"])
    require_key = key_with(app, SCOPE)

    @router.post("", summary="Report usage as CloudEvents 1.0", **CLOUDEVENTS)
    async def report_usage(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """One event or a batch. Sending it again changes nothing; `data` uses the OpenTelemetry GenAI names.

        One event may also come in binary mode: its attributes as `ce-` headers, `data` as the body.
        """
        body = await bodies.read(request)

        def parse() -> list[Parsed]:
            whole = binary_mode.structured(request.headers, body) if binary_mode.is_binary(request.headers) else body
            return cloudevents.parse(whole, allowed_source=key.source)

        return await run_in_threadpool(EVENTS.answer, app, parse, sender=key.source)

    @router.post("/litellm", summary="Report usage as LiteLLM's generic_api callback sends it", **LITELLM)
    async def report_litellm_usage(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """An array of LiteLLM's standard logging payloads. Prompts and answers in it are never kept."""
        body = await bodies.read(request)
        return await run_in_threadpool(
            CALLS.answer, app, lambda: litellm.parse(body, source=key.source), sender=key.source
        )

    return router
