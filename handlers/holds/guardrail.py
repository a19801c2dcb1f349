"""LiteLLM's generic guardrail API: a proxy asks before each call by its configuration alone, and blocks what we deny.

LiteLLM sends the whole prompt with the question. Of that nothing is kept, not even while it arrives, but its size.
Whatever we cannot judge runs: a guardrail that fails would stop everybody.

(No postponed annotations here: FastAPI reads those of the route, which name a local dependency.)
"""

from typing import Annotated, Any
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from msgspec import Struct

from handlers import bodies
from handlers.batches import Guard
from handlers.decoding import MalformedBodyError
from handlers.holds import routes
from handlers.skimmed import Skimmed
from handlers.usage import litellm
from policy.estimates import Asked
from policy.reasons import Refusal
from programme.app import App
from programme.holds import limits
from programme.holds.pricing import Ask
from store.holds.records import CALL
from store.usage.keys import ApiKey
from templates import holds as words

PATH = "/beta/litellm_basic_guardrail_api"
"""LiteLLM puts it behind the address that it is told."""
PROMPT = ("texts", "tools")
"""What the model will read; `structured_messages` are the texts again."""
TAGS = "x-litellm-tags"


class Named(Struct):
    """What the proxy's configuration says of its own names: `gpt = "openai/gpt-5"`; or one provider for all."""

    models: dict[str, str] = {}
    provider: str = ""


class Question(Struct):
    input_type: str
    model: str | None = None
    request_data: litellm.KeyMetadata | None = None
    request_headers: dict[str, str] | None = None
    additional_provider_specific_params: Named | None = None


_read = msgspec.json.Decoder(Question)
PASSES: dict[str, Any] = {"action": "NONE"}


def build(app: App, key_with: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1/guardrail", tags=["holds"])
    require_key = key_with(routes.SCOPE)

    @router.post(
        PATH,
        summary="May this call run? As a guardrail of LiteLLM asks",
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}},
    )
    async def guard(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """`NONE`, or `BLOCKED` with a sentence that says which cap, how much, and what to do; nothing is held.

        Of the prompt only its size is looked at. The guardrail's `additional_provider_specific_params` say which
        models the proxy's names stand for.
        """
        skimmed = Skimmed(Question.__struct_fields__)
        try:
            await bodies.each_chunk(request, skimmed.feed)
            question = _read.decode(skimmed.kept())
        except (MalformedBodyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Not what is wrong with it: that could be of the prompt.
            raise HTTPException(422, "The body is not what LiteLLM's generic guardrail API sends.") from None
        ask = _asked(question, key.source, sum(skimmed.sizes.get(name, 0) for name in PROMPT))
        return bodies.as_json(await run_in_threadpool(_judged, app, ask) if ask else PASSES)

    return router


def _asked(question: Question, source: str, size: int) -> Ask | None:
    """None where nothing can be judged: an answer, or a name of which nobody said what it stands for."""
    provider, model = _stands_for(question)
    if question.input_type != "request" or not provider or not model:
        return None
    key = question.request_data or litellm.KeyMetadata()
    tags = [tag.strip() for tag in (question.request_headers or {}).get(TAGS, "").split(",")]
    return Ask(
        *(source, f"guardrail_{uuid4().hex}", CALL, litellm.identities_of(key), provider.lower(), model, ""),
        litellm.project_of(tags, key),
        Asked({}, input_bytes=size),
        None,
        b"",
    )


def _stands_for(question: Question) -> tuple[str, str]:
    """The provider and model of a proxy's own name."""
    named, name = question.additional_provider_specific_params or Named(), question.model or ""
    provider, _, model = named.models.get(name, name).rpartition("/")
    return (provider or named.provider, model) if "\0" not in name else ("", "")


def _judged(app: App, ask: Ask) -> dict[str, Any]:
    try:
        with app.transaction() as moment:
            denial = limits.authorize(moment, ask, app.usual_calls)
    except Refusal:
        # A stranger, or a model without a price: their usage waits in quarantine, where `doctor` tells of it.
        return PASSES
    return {"action": "BLOCKED", "blocked_reason": words.sentence(denial, app.zone)} if denial else PASSES
