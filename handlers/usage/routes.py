"""`/v1/usage`: what gateways report.

(No postponed annotations here: FastAPI reads those of the routes, which name local dependencies.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from handlers import bodies, metrics
from handlers.batches import Fate, Guard, Intake, described
from handlers.decoding import Rejected
from handlers.usage import binary_mode, cloudevents, litellm, taking
from handlers.usage.formats import Versioned
from handlers.usage.litellm import NothingUsed
from policy.metering import HoldRef, UsageEvent
from policy.units import MicroTokens
from policy.versions import Version
from programme.app import App
from programme.usage import intake, refusals
from store import losses
from store.holds import records
from store.holds.records import Hold
from store.usage.keys import ApiKey

SCOPE = "usage:write"
CORRECT = "usage:correct"
HOLDS = "holds:write"
"""Who may hold may report what came of it."""


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


@dataclass(frozen=True, slots=True)
class _Versions(Intake[UsageEvent | Version, Rejected]):
    """Usage and later versions of it, as the holder of a key may report them."""

    actor: str = ""
    named: dict[tuple[str, str], HoldRef] = field(default_factory=dict)
    """The holds that events of this request were made under."""

    def answer(
        self, app: App, parse: Callable[[], Sequence[UsageEvent | Version | Rejected]], *, sender: str = ""
    ) -> Response:
        fates = self.fates(app, parse, sender=sender)
        if not self.named:
            return self._told(fates)
        with app.reading() as moment:
            freed = {ref: records.find(moment.session, (ref.source, ref.id)) for ref in set(self.named.values())}
        results = [
            {"source": source, "id": item_id, "status": status, "detail": detail}
            | ({"hold": _freed(freed[ref], ref.id)} if (ref := self.named.get((source, item_id))) else {})
            for source, item_id, status, detail in fates
        ]
        return bodies.as_json({"results": results, "summary": self._summary(fates)})

    def taken(self, app: App, items: list[UsageEvent | Version]) -> Sequence[Fate]:
        for one in items:
            if type(one) is UsageEvent and one.remarks is not None and one.remarks.hold is not None:
                self.named[one.source, one.event_id] = one.remarks.hold
        return losses.done_again(lambda: taking.take_in(app, items, actor=self.actor))


def _freed(hold: Hold | None, hold_id: str) -> dict[str, str]:
    """What is left of a hold that usage named; one that no one knows is said to be unknown."""
    if hold is None:
        return {"id": hold_id, "status": "unknown", "tokens": "0", "flags": ""}
    left = MicroTokens(hold.micro_tokens)
    return {"id": hold.id, "status": hold.status, "tokens": f"{left.decimal:f}", "flags": hold.flags}


CLOUDEVENTS = described(
    cloudevents.SHAPE.schema(cloudevents.EXAMPLE),
    IntakeAnswer,
    scope=SCOPE,
    kinds=("application/json", "application/cloudevents-batch+json"),
)
LITELLM = described({}, IntakeAnswer, scope=SCOPE)


def _versions(key: ApiKey) -> _Versions:
    kinds: Any = (UsageEvent, Version)
    take_in: Any = intake.take_in
    return _Versions(
        "events",
        kinds,
        take_in,
        _refused,
        intake.STATUSES,
        metrics.USAGE_EVENTS,
        note_rejected=refusals.note_rejected,
        remarked=metrics.USAGE_DIFFERENCES,
        actor=f"key:{key.name}",
    )


def settling(key: ApiKey) -> _Versions:
    """Usage that a hold's own route takes in: what its key may report, and no corrections."""
    return replace(_versions(key), kind=UsageEvent, refuse=_only_usage)


def _only_usage(item: Any) -> Fate:  # noqa: ANN401 - whatever is no usage
    if isinstance(item, Version):
        return "", item.event_id, "rejected", "type: a hold is settled by usage; send corrections to /v1/usage"
    return _refused(item)


def _permitted(parsed: list[Versioned], key: ApiKey) -> list[Versioned]:
    """Usage needs one scope, and putting it right another."""
    needed: dict[type, str] = {UsageEvent: SCOPE, Version: CORRECT}
    scopes = key.scopes | ({SCOPE} if HOLDS in key.scopes else set())
    lacking = {kind: scope for kind, scope in needed.items() if scope not in scopes}
    if not lacking:
        return parsed
    return [
        Rejected(index, item.event_id, f"key {key.name!r} lacks the scope {lacking[type(item)]!r}")
        if type(item) in lacking
        else item
        for index, item in enumerate(parsed)
    ]


def routes(app: App, key_with: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1/usage", tags=["usage"])
    require_writer = key_with(SCOPE, HOLDS)
    require_either = key_with(SCOPE, CORRECT, HOLDS)

    @router.post("", summary="Report usage as CloudEvents 1.0", **CLOUDEVENTS)
    async def report_usage(request: Request, key: Annotated[ApiKey, Depends(require_either)]) -> Response:
        """One event or a batch. Sending it again changes nothing; `data` uses the OpenTelemetry GenAI names.

        One event may also come in binary mode: its attributes as `ce-` headers, `data` as the body. An event of type
        `gen_ai.usage.corrected` says what is right under the source and id of one that was wrong, with `revision`
        (1, 2, …) and `reason` in its `data`; `gen_ai.usage.withdrawn` says only those. Both need the scope
        `usage:correct`.
        """
        body = await bodies.read(request)

        def parse() -> list[Versioned]:
            whole = binary_mode.structured(request.headers, body) if binary_mode.is_binary(request.headers) else body
            return _permitted(cloudevents.parse(whole, allowed_source=key.source), key)

        return await run_in_threadpool(_versions(key).answer, app, parse, sender=key.source)

    @router.post("/litellm", summary="Report usage as LiteLLM's generic_api callback sends it", **LITELLM)
    async def report_litellm_usage(request: Request, key: Annotated[ApiKey, Depends(require_writer)]) -> Response:
        """An array of LiteLLM's standard logging payloads. Prompts and answers in it are never kept.

        A payload may say `hold` beside its own fields: the hold that the call was made under, which it settles.
        """
        body = await bodies.read(request)
        return await run_in_threadpool(
            CALLS.answer, app, lambda: litellm.parse(body, source=key.source), sender=key.source
        )

    return router
