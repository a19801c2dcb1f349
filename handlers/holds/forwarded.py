"""`/v1/authorize` and `/v1/wallets/me`: for gateways without a plugin, and for tools that show what is left.

nginx (`auth_request`), Traefik (`forwardAuth`), Envoy (`ext_authz` over HTTP) and Kong pass a request on, or its
headers, and go by the status alone. Envoy puts the call's own path behind ours and keeps its method. nginx knows no
other denial than 401 and 403: it asks with `?denied=403`.

(No postponed annotations here: FastAPI reads those of the routes, which name local dependencies.)
"""

from typing import Annotated, Any, Literal
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from msgspec import Struct

from handlers import bodies
from handlers.batches import Guard
from handlers.decoding import MAX_NAME
from handlers.holds import answers, asked, routes
from handlers.usage.formats import MAX_COUNT
from policy.estimates import Asked
from policy.reasons import Refusal
from programme.app import App
from programme.balance import balance
from programme.holds import limits, pricing
from programme.holds.pricing import Ask
from store.holds.records import CALL
from store.people import directory
from store.usage.keys import ApiKey

USER, ALIAS, PROJECT = "x-tokens-user", "x-tokens-key-alias", "x-tokens-project"
PROVIDER, MODEL = "x-tokens-provider", "x-tokens-model"
Status = Literal["401", "402", "403", "429"]


class Call(Struct):
    """What of a call's body is looked at: of its messages nothing becomes an object."""

    model: str = ""
    user: str | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None


_read = msgspec.json.Decoder(Call)


def build(app: App, key_with: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["holds"])
    require_key = key_with(routes.SCOPE)

    async def authorize(
        request: Request, key: Annotated[ApiKey, Depends(require_key)], denied: Annotated[Status, Query()] = "402"
    ) -> Response:
        """Whether a call may run, by what such calls usually cost; nothing is held.

        `X-Tokens-User`, `X-Tokens-Provider` and `X-Tokens-Model` say whose call it is and of what; model, user and the
        output limit may also come with the body of a call as OpenAI's API has it. `denied` is the status of a denial.
        """
        body = await bodies.read(request)
        return await run_in_threadpool(_authorized, app, _asked(request, key.source, body), int(denied))

    for method in ("GET", "POST"):
        router.add_api_route(
            "/authorize", authorize, methods=[method], summary="May this call run?", name=f"authorize_{method.lower()}"
        )

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    router.add_api_route("/authorize/{rest:path}", authorize, methods=methods, include_in_schema=False)

    @router.get("/wallets/me", summary="What someone has left, and what limits their calls")
    def wallet(
        key: Annotated[ApiKey, Depends(require_key)], user: Annotated[str, Query(min_length=1, max_length=MAX_NAME)]
    ) -> Response:
        try:
            return bodies.as_json(_wallet(app, key.source, user))
        except Refusal as refusal:
            raise answers.refused(refusal) from refusal

    return router


def _asked(request: Request, source: str, body: bytes) -> Ask:
    try:
        said = _read.decode(body) if body.lstrip()[:1] == b"{" else Call()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = Call()
    headers = request.headers
    given = {
        "X-Tokens-User": headers.get(USER) or said.user,
        "X-Tokens-Provider": headers.get(PROVIDER),
        "X-Tokens-Model": headers.get(MODEL) or said.model,
    }
    for name, value in given.items():
        if not value or len(value) > MAX_NAME or "\0" in value:
            raise HTTPException(422, f"{name}: expected 1 to {MAX_NAME} characters, got {len(value or '')}")
    user, provider, model = map(str, given.values())
    alias = (headers.get(ALIAS) or "")[:MAX_NAME]
    limits_said = (said.max_completion_tokens, said.max_output_tokens, said.max_tokens)
    most = next((n for n in limits_said if n is not None and 0 <= n <= MAX_COUNT), None)
    wanted = Asked({}, input_bytes=len(body), most_output=most)
    return Ask(
        *(source, f"authorize_{uuid4().hex}", CALL, asked.identities_of(user, alias), provider.lower(), model, ""),
        (headers.get(PROJECT) or "")[:MAX_NAME],
        wanted,
        None,
        b"",
    )


def _authorized(app: App, ask: Ask, status: int) -> Response:
    try:
        with app.transaction() as moment:
            denial = limits.authorize(moment, ask, app.usual_calls)
    except Refusal as refusal:
        raise answers.refused(refusal) from refusal
    return answers.denied(denial, app.zone, status=status) if denial else bodies.as_json({"status": "authorized"})


def _wallet(app: App, source: str, user: str) -> dict[str, Any]:
    with app.reading() as moment:
        if "\0" in user:
            raise Refusal(pricing.UNKNOWN_PERSON, "No person has NUL in a name.")
        buyer = pricing.buyer_seen(moment, source, asked.identities_of(user))
        person = directory.by_id(moment.session, buyer.person_id)
        card = person and balance.of_email(moment, person.email)
        shown = limits.of(moment, buyer)
    return {"user": user} | answers.limits(shown, card.lots if card else (), app.zone)
