"""`/v1/holds`: a call holds what it may cost before it runs, and settles by what it did.

(No postponed annotations here: FastAPI reads those of the routes, which name local dependencies.)
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from handlers import bodies
from handlers.batches import Guard, described
from handlers.decoding import MalformedBodyError, Rejected
from handlers.holds import answers, asked
from handlers.usage import cloudevents
from handlers.usage import routes as usage
from policy.metering import HoldRef, Remarks, UsageEvent
from policy.reasons import Refusal
from programme.app import App
from programme.holds import ending, reserving
from programme.holds.pricing import Ask
from programme.holds.reserving import Held
from programme.moment import Moment
from store import losses
from store.usage.keys import ApiKey
from views.holds import Denial

SCOPE = usage.HOLDS
T = TypeVar("T")
_ERRORS: dict[int | str, dict[str, Any]] = {
    402: {"description": "A cap denies it: `error` says which one, the figures, when it resets, and what to do."},
    404: {"description": "No such person, or no such hold."},
    409: {"description": "Another hold was made under this id, or it is over."},
    422: {"description": "A field that cannot be, or a model without a price."},
}


def documented(schema: dict[str, Any], *, list_of: bool = False) -> dict[str, Any]:
    """What OpenAPI should know of a route whose body is parsed by hand."""
    said = described({}, usage.IntakeAnswer, scope=SCOPE)
    content = (
        {"oneOf": [schema, {"type": "array", "items": schema, "maxItems": asked.MOST_HOLDS}]} if list_of else schema
    )
    body = {"required": True, "content": {"application/json": {"schema": content}}}
    return {"openapi_extra": {"requestBody": body}, "responses": said["responses"] | _ERRORS}


MAKE = documented(asked.HOLDS.schema(asked.HOLD_EXAMPLE), list_of=True)
SETTLE = documented(cloudevents.SHAPE.schema(cloudevents.EXAMPLE), list_of=True)
EXTEND = documented(asked.EXTENSIONS.schema({"expires_in": 900}))


def once_more(app: App, work: Callable[[Moment], T]) -> T:
    """Do it in a transaction; again if someone made the same hold at the same moment, which is found then.

    And again where the connection is lost: a hold that was made without a word is found as well.
    """

    def do() -> T:
        with app.transaction() as moment:
            return work(moment)

    try:
        return losses.done_again(do)
    except sa.exc.IntegrityError:
        return do()


def parsed(found: T | Rejected) -> T:
    if isinstance(found, Rejected):
        raise HTTPException(422, found.detail)
    return found


def routes(app: App, key_with: Guard) -> APIRouter:
    # An id is the gateway's own, and may have slashes in it.
    router = APIRouter(prefix="/v1/holds", tags=["holds"])
    require_key = key_with(SCOPE)

    @router.post(
        "",
        summary="Hold what a call or a job may cost",
        **MAKE,
    )
    async def make_hold(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """One hold, or a list of them, each decided by itself and in order. The same id again gives the first answer.

        A denial keeps nothing: the same hold may be asked for again. In a list, a denied one has the status `denied`
        and its `error`.
        """
        body = await bodies.read(request)
        return await run_in_threadpool(_made, app, key.source, body)

    @router.post(
        "/{hold_id:path}/settle",
        summary="Post what a call used, and free what it held",
        **SETTLE,
    )
    async def settle_hold(
        hold_id: str, request: Request, key: Annotated[ApiKey, Depends(require_key)], *, final: bool = True
    ) -> Response:
        """The body is what `/v1/usage` takes. With `final=false` only what was used is taken out of the hold."""
        body = await bodies.read(request)
        return await run_in_threadpool(_settled, app, key, known(hold_id), body, final=final)

    @router.post("/{hold_id:path}/release", summary="Give back what a call held", responses=_ERRORS)
    def release_hold(hold_id: str, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        return release(app, key.source, known(hold_id))

    @router.post(
        "/{hold_id:path}/extend",
        summary="Hold for longer, or more",
        **EXTEND,
    )
    async def extend_hold(hold_id: str, request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """An `estimate` is what it will need from now on. When that is denied, the hold stays as it was."""
        body = await bodies.read(request)
        return await run_in_threadpool(_extended, app, key.source, known(hold_id), body)

    return router


def known(hold_id: str) -> str:
    """The id of a hold as a path has it; none has NUL, which no database takes."""
    if "\0" in hold_id:
        raise HTTPException(404, "unknown_hold: no hold has such an id")
    return hold_id


def release(app: App, source: str, hold_id: str) -> Response:
    try:
        with app.transaction() as moment:
            ending.release(moment, (source, hold_id))
    except Refusal as refusal:
        raise answers.refused(refusal) from refusal
    return bodies.as_json({"id": hold_id, "status": "released"})


def _made(app: App, source: str, body: bytes) -> Response:
    try:
        found = asked.parse_holds(body, source)
    except MalformedBodyError as error:
        raise HTTPException(400, str(error)) from error
    if len(found) > asked.MOST_HOLDS:
        raise HTTPException(413, f"{len(found)} holds in one request; send at most {asked.MOST_HOLDS}")
    if body.lstrip()[:1] == b"[":
        return bodies.as_json([_item(app, one) for one in found])
    try:
        return answers.either(_reserved(app, parsed(found[0])), app.zone)
    except Refusal as refusal:
        raise answers.refused(refusal) from refusal


def _reserved(app: App, ask: Ask) -> Held | Denial:
    return once_more(app, lambda moment: reserving.reserve(moment, ask, app.usual_calls))


def _item(app: App, one: Ask | Rejected) -> answers.Answer:
    if isinstance(one, Rejected):
        return answers.item_refused(one.event_id, "invalid", one.detail)
    try:
        answer = _reserved(app, one)
    except Refusal as refusal:
        return answers.item_refused(one.id, refusal.code, str(refusal))
    if isinstance(answer, Denial):
        return {"id": one.id, "status": "denied", "error": answers.error(answer, app.zone)}
    return answers.hold(answer)


def _settled(app: App, key: ApiKey, hold_id: str, body: bytes, *, final: bool) -> Response:
    ref = HoldRef(key.source, hold_id, final)

    def parse() -> list[Any]:
        found = cloudevents.parse(body, allowed_source=key.source)
        return [one._replace(remarks=Remarks(hold=ref)) if isinstance(one, UsageEvent) else one for one in found]

    return usage.settling(key).answer(app, parse, sender=key.source)


def _extended(app: App, source: str, hold_id: str, body: bytes) -> Response:
    lasts, wanted = parsed(asked.parse_extension(body))
    try:
        with app.transaction() as moment:
            answer = ending.extend(moment, (source, hold_id), lasts, wanted, app.usual_calls)
    except Refusal as refusal:
        raise answers.refused(refusal) from refusal
    return answers.either(answer, app.zone)
