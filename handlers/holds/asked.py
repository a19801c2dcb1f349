"""What gateways ask to hold: bodies of `/v1/holds` and `/v1/allowances`, read and told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct, field

from handlers.decoding import MAX_ID, MAX_NAME, EventShape, unfit
from handlers.usage import cloudevents
from handlers.usage import genai_names as names
from handlers.usage.formats import MAX_COUNT
from policy.estimates import Asked
from policy.units import NanoUSD
from programme.holds.leasing import Wanted
from programme.holds.pricing import Ask
from store.holds.records import CALL, JOB

if TYPE_CHECKING:
    from handlers.decoding import Rejected
    from policy.metering import Identities, Meters

MOST_HOLDS, MOST_MODELS = 1_000, 50
LONGEST_CALL, LONGEST_JOB = 3_600, 86_400
_Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
_Name = Annotated[str, Meta(max_length=MAX_NAME)]
_User = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
_Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None
_Seconds = Annotated[int, Meta(ge=1, le=LONGEST_JOB)] | None


class Estimate(Struct, forbid_unknown_fields=True):
    """What a call may use, counted or in bytes, or what it may cost; what is left out is estimated."""

    input_tokens: _Count = field(name=names.INPUT, default=None)
    output_tokens: _Count = field(name=names.OUTPUT, default=None)
    cache_read: _Count = field(name=names.CACHE_READ, default=None)
    cache_write: _Count = field(name=names.CACHE_WRITE, default=None)
    cache_write_1h: _Count = field(name=names.CACHE_WRITE_1H, default=None)
    audio_input: _Count = field(name=names.AUDIO_INPUT, default=None)
    audio_output: _Count = field(name=names.AUDIO_OUTPUT, default=None)
    image_input: _Count = field(name=names.IMAGE_INPUT, default=None)
    image_output: _Count = field(name=names.IMAGE_OUTPUT, default=None)
    searches: _Count = field(name=names.SEARCHES, default=None)
    gpu_seconds: _Count = field(name="tokens_bot.usage.gpu_seconds", default=None)
    trained_tokens: _Count = field(name="tokens_bot.usage.trained_tokens", default=None)
    input_bytes: Annotated[_Count, Meta(description="The size of the prompt, where nobody counted its tokens.")] = None
    max_output_tokens: Annotated[_Count, Meta(description="The output limit that the call asked for.")] = None
    usd: Annotated[str | None, Meta(description='What it may cost, such as "1.20", instead of all counts.')] = None


class HoldBody(Struct):
    id: _Id
    user: Annotated[_User, Meta(description="As `enduser.id` of usage: an e-mail address, or a name of the gateway.")]
    key_alias: Annotated[_Name, Meta(description="The alias of the gateway's key, as usage has it.")] = ""
    kind: Annotated[str, Meta(pattern=f"^({CALL}|{JOB})$")] = CALL
    provider: _Name = ""
    model: _Name = ""
    service: Annotated[_Name, Meta(description="The key of the service, for jobs that no provider names.")] = ""
    project: _Name = ""
    estimate: Estimate = msgspec.field(default_factory=Estimate)
    expires_in: Annotated[
        _Seconds, Meta(description="Seconds after which it is free again; of a call 3,600 at most.")
    ] = None
    waits: Annotated[
        bool, Meta(description="It is asked again if it is denied as `only_held`: until then nobody is told.")
    ] = False


class ExtendBody(Struct):
    expires_in: _Seconds = None
    estimate: Annotated[Estimate | None, Meta(description="What it will need from now on.")] = None


class Model(Struct):
    provider: _User
    model: _User


class LeaseBody(Struct):
    id: _Id
    user: _User
    models: Annotated[list[Model], Meta(min_length=1, max_length=MOST_MODELS)]
    key_alias: _Name = ""
    returns: Annotated[_Id | None, Meta(description="The lease that this one replaces; its rest returns.")] = None


HOLDS = EventShape(HoldBody, "id")
EXTENSIONS = EventShape(ExtendBody, "id")
LEASES = EventShape(LeaseBody, "id")
HOLD_EXAMPLE = {
    "id": "call_7f3a",
    "user": "ada@example.com",
    "provider": "anthropic",
    "model": "claude-sonnet-4-5",
    "estimate": {"input_bytes": 4200, "max_output_tokens": 800},
}
LEASE_EXAMPLE = {
    "id": "lease_19",
    "user": "ada@example.com",
    "models": [{"provider": "anthropic", "model": "claude-sonnet-4-5"}],
}
_encode = msgspec.json.Encoder(order="sorted").encode
_COUNTS = tuple(
    one.name for one in msgspec.structs.fields(Estimate) if one.name not in {"input_bytes", "max_output_tokens", "usd"}
)


def parse_holds(body: bytes, source: str) -> list[Ask | Rejected]:
    return HOLDS.parse(body, partial(_ask, source))


def parse_extension(body: bytes) -> tuple[timedelta | None, Asked | None] | Rejected:
    return EXTENSIONS.parse_one(body or b"{}", 0, lambda _, said: (_lasts(said.expires_in), _asked(said.estimate)))


def parse_lease(body: bytes, source: str) -> tuple[Wanted, str | None] | Rejected:
    return LEASES.parse_one(body, 0, partial(_wanted, source))


def identities_of(user: str, key_alias: str = "") -> Identities:
    """Who it is, by the rules of usage: a key's alias may be mapped to somebody else than its user."""
    return (("user", user), *((("key_alias", key_alias),) if key_alias else ()))


def _ask(source: str, _index: int, said: HoldBody) -> Ask:
    if said.kind == CALL and not said.provider:
        raise unfit("provider", "the provider of the model", said.provider)
    if said.kind == JOB and not (said.provider or said.service):
        raise unfit("service", "the service of a job, or its provider", said.service)
    if said.kind == CALL and (said.expires_in or 0) > LONGEST_CALL:
        raise unfit("expires_in", f"at most {LONGEST_CALL} for a call", said.expires_in)
    asked = _asked(said.estimate) or Asked({})
    # A service may have one kind of GPU; where it has more, no price is known without the model.
    if said.kind != JOB and not said.model and asked.usd is None:
        raise unfit("model", "the model, or an estimate in usd", said.model)
    return Ask(
        source=source,
        id=said.id,
        kind=said.kind,
        identities=identities_of(said.user, said.key_alias),
        provider=said.provider.lower(),
        model=said.model,
        service=said.service,
        project=said.project,
        asked=asked,
        lasts=_lasts(said.expires_in),
        fingerprint=blake2b(_encode(msgspec.structs.replace(said, waits=False)), digest_size=16).digest(),
        waits=said.waits,
    )


def _wanted(source: str, _index: int, said: LeaseBody) -> tuple[Wanted, str | None]:
    models = tuple(dict.fromkeys((one.provider.lower(), one.model) for one in said.models))
    digest = blake2b(_encode((said.user, said.key_alias, models)), digest_size=16).digest()
    return Wanted(source, said.id, identities_of(said.user, said.key_alias), models, digest), said.returns


def _lasts(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _asked(said: Estimate | None) -> Asked | None:
    if said is None:
        return None
    asked = Asked(_meters(said), said.input_bytes, said.max_output_tokens)
    if said.usd is None:
        return asked
    try:
        usd = NanoUSD.parse(said.usd)
    except ValueError:
        usd = NanoUSD(-1)
    if usd < 0:
        raise unfit("estimate.usd", 'an amount such as "1.20"', said.usd)
    return replace(asked, usd=usd)


def _meters(said: Estimate) -> Meters:
    counts = {name: count for name in _COUNTS if (count := getattr(said, name)) is not None}
    return cloudevents.meters_of(cloudevents.Data(**counts)) if counts else {}
