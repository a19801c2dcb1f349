"""Usage as CloudEvents 1.0 JSON, with the OpenTelemetry GenAI names in `data`.

What `data` holds besides, prompts for instance, is skipped while decoding and never becomes a Python object.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from sys import intern
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import msgspec
from msgspec import Meta, Struct, field

from handlers.decoding import MAX_ID, MAX_NAME, EventShape, Rejected, UnfitFieldError, instant, unfit
from handlers.usage import genai_names as names
from handlers.usage.formats import MAX_COUNT, Versioned, disjoint_meters, fingerprint, service_tier
from policy.metering import HoldRef, Remarks, UsageEvent
from policy.versions import LARGEST_REVISION, LONGEST_REASON, Version
from programme.files.lines import BadRecordError, CountedLines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from policy.metering import Identities, Identity, Meter, Meters
    from programme.files.lines import Position

_Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
_Text = Annotated[str, Meta(min_length=1)]
_Name = Annotated[str, Meta(max_length=MAX_NAME)] | None
_Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None
_Counts = Annotated[dict[str, _Count] | None, Meta(description="Counts of other kinds; they wait for a price.")]
_Time = Annotated[datetime, Meta(tz=True)]
_Revision = Annotated[int, Meta(ge=1, le=LARGEST_REVISION)] | None
_Reason = Annotated[str, Meta(max_length=LONGEST_REASON)] | None

CORRECTED, WITHDRAWN = "gen_ai.usage.corrected", "gen_ai.usage.withdrawn"
"""Types of events that are later versions of others; every other type is usage as it was reported."""

_CACHE_CREATION = "gen_ai.usage.cache_creation.input_tokens"
"""What the conventions called `cache_write` until August 2026."""


class Data(Struct, gc=False):
    provider: _Name = field(name="gen_ai.provider.name", default=None)
    system: _Name = field(name="gen_ai.system", default=None)
    request_model: _Name = field(name="gen_ai.request.model", default=None)
    response_model: _Name = field(name="gen_ai.response.model", default=None)
    input_tokens: _Count = field(name=names.INPUT, default=None)
    prompt_tokens: _Count = field(name="gen_ai.usage.prompt_tokens", default=None)
    output_tokens: _Count = field(name=names.OUTPUT, default=None)
    completion_tokens: _Count = field(name="gen_ai.usage.completion_tokens", default=None)
    cache_read: _Count = field(name=names.CACHE_READ, default=None)
    cache_write: _Count = field(name=names.CACHE_WRITE, default=None)
    cache_creation: _Count = field(name=_CACHE_CREATION, default=None)
    cache_write_1h: _Count = field(name=names.CACHE_WRITE_1H, default=None)
    reasoning: _Count = field(name=names.REASONING, default=None)
    total: _Count = field(name=names.TOTAL, default=None)
    audio_input: _Count = field(name=names.AUDIO_INPUT, default=None)
    audio_read: _Count = field(name=names.AUDIO_READ, default=None)
    audio_output: _Count = field(name=names.AUDIO_OUTPUT, default=None)
    image_input: _Count = field(name=names.IMAGE_INPUT, default=None)
    image_read: _Count = field(name=names.IMAGE_READ, default=None)
    image_output: _Count = field(name=names.IMAGE_OUTPUT, default=None)
    video_input: _Count = field(name=names.VIDEO_INPUT, default=None)
    video_output: _Count = field(name=names.VIDEO_OUTPUT, default=None)
    searches: _Count = field(name=names.SEARCHES, default=None)
    map_searches: _Count = field(name=names.MAP_SEARCHES, default=None)
    audio_seconds: _Count = field(name=names.AUDIO_SECONDS, default=None)
    video_seconds: _Count = field(name=names.VIDEO_SECONDS, default=None)
    pages: _Count = field(name=names.PAGES, default=None)
    gpu_seconds: _Count = field(name="tokens_bot.usage.gpu_seconds", default=None)
    trained_tokens: _Count = field(name="tokens_bot.usage.trained_tokens", default=None)
    other: _Counts = field(name=names.OTHER, default=None)
    user: _Name = field(name="user.id", default=None)
    end_user: _Name = field(name="enduser.id", default=None)
    email: _Name = field(name="user.email", default=None)
    key_alias: _Name = field(name="tokens_bot.key_alias", default=None)
    project: _Name = field(name="tokens_bot.project", default=None)
    tier: _Name = field(name="tokens_bot.service_tier", default=None)
    openai_tier: _Name = field(name="openai.response.service_tier", default=None)
    gen_ai_openai_tier: _Name = field(name="gen_ai.openai.response.service_tier", default=None)
    revision: _Revision = None
    reason: _Reason = None
    hold: Annotated[_Id | None, Meta(description="The hold that it was made under; it is freed.")] = None
    hold_final: Annotated[bool, Meta(description="Whether nothing more is reported for that hold.")] = True


class CloudEvent(Struct, gc=False):
    specversion: Annotated[str, Meta(extra_json_schema={"const": "1.0"})]
    id: _Id
    source: Annotated[_Id, Meta(description="The key's source, or a path below it.")]
    type: _Text
    time: _Time
    data: Annotated[Data, Meta(description="Usage by its OpenTelemetry GenAI names.")]
    subject: str | None = None
    datacontenttype: str | None = None


FIELDS = tuple(one.encode_name for one in msgspec.structs.fields(Data))
SHAPE = EventShape(CloudEvent, "id", names.dialect(FIELDS))
EXAMPLE = {
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
}
_BESIDE_TOKENS: tuple[Meter, ...] = (
    *("searches", "map_searches", "gpu_seconds", "trained_tokens", "audio_seconds", "video_seconds", "pages"),
)
_USAGE_FIELDS = tuple(one.name for one in msgspec.structs.fields(Data) if ".usage." in one.encode_name)


def parse(body: bytes, *, allowed_source: str | None = None) -> list[Versioned]:
    """Events of a body, one or a batch, in its order.

    `allowed_source` is whom the sender may speak for: itself, and the paths below it.
    """
    return SHAPE.parse(body, _conversion(allowed_source))


def read_cloudevent_lines(
    file: BinaryIO, *, start: Position = (0, 0), allowed_source: str | None = None
) -> Iterator[tuple[int, int, Versioned]]:
    """(line, bytes read, event) of a file with one event a line; `start` takes up after what was read before."""
    lines = CountedLines(file)
    lines.resume(start)
    convert = _conversion(allowed_source)
    index = 0
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except BadRecordError as error:
            parsed: Versioned = Rejected(index, "", str(error))
        else:
            if line.isspace():
                continue
            parsed = SHAPE.parse_one(line, index, convert)
        yield lines.line, lines.offset, parsed
        index += 1


def _conversion(allowed_source: str | None) -> Callable[[int, CloudEvent], UsageEvent | Version]:
    return partial(_usage_event, allowed_source, f"{allowed_source}/")


def _usage_event(allowed_source: str | None, allowed_path: str, _index: int, event: CloudEvent) -> UsageEvent | Version:
    # A batch has few sources, providers and models, which are looked up many times: one object of each is far faster.
    source, data = intern(event.source), event.data
    if event.specversion != "1.0":
        raise unfit("specversion", '"1.0"', event.specversion)
    if allowed_source is not None and source != allowed_source and not source.startswith(allowed_path):
        raise unfit("source", f'"{allowed_source}" or a path below it', source)
    if event.datacontenttype is not None:
        _require_json(event.datacontenttype)
    if event.type == WITHDRAWN:
        return _version(event, None)
    occurred_at = instant(event.time, "time")
    provider = intern((data.provider or data.system or _absent("gen_ai.provider.name")).lower())
    model = intern(data.response_model or data.request_model or _absent("gen_ai.request.model"))
    identities = _identities(data, event.subject)
    meters = _meters(data)
    project = data.project or ""
    named = data.tier or data.openai_tier or data.gen_ai_openai_tier
    tier = service_tier(named) if named else ""
    digest = fingerprint(occurred_at, identities, provider, model, tier, meters, project)
    usage = UsageEvent(source, event.id, occurred_at, identities, provider, model, tier, meters, project, digest)
    if data.hold is not None:
        # The hold is of the key's source, whichever path below it reports its use.
        usage = usage._replace(remarks=Remarks(hold=HoldRef(allowed_source or source, data.hold, data.hold_final)))
    return usage if event.type != CORRECTED else _version(event, usage)


def _version(event: CloudEvent, usage: UsageEvent | None) -> Version:
    """A later version of an event: a correction says all that is right, a withdrawal only its revision and why."""
    if event.data.revision is None:
        raise UnfitFieldError(f"data.revision: required for {event.type}, but missing")
    if not event.data.reason:
        raise UnfitFieldError(f"data.reason: required for {event.type}, but missing or empty")
    return Version(event.source, event.id, event.data.revision, usage, event.data.reason)


def meters_of(data: Data) -> Meters:
    """The disjoint meters of counts under their names."""
    return _meters(data)


def _require_json(content_type: str) -> None:
    media_type = content_type.partition(";")[0].strip().lower()
    if not media_type.endswith(("/json", "+json")):
        raise unfit("datacontenttype", "a JSON media type", content_type)


def _absent(name: str) -> str:
    raise UnfitFieldError(f'data."{name}": required, but missing or empty')


def _identities(data: Data, subject: str | None) -> Identities:
    """Who it was, in the order of trust; the event's subject stands in where neither user nor e-mail is named."""
    found: list[Identity] = []
    if data.email:
        found.append(("email", data.email))
    if user := data.user or data.end_user:
        found.append(("user", user))
    elif subject and not found:
        if len(subject) > MAX_NAME:
            raise unfit("subject", f"at most {MAX_NAME} characters", subject)
        found.append(("user", subject))
    if data.key_alias:
        found.append(("key_alias", data.key_alias))
    return tuple(found)


def _meters(data: Data) -> Meters:
    tokens_in = data.prompt_tokens if data.input_tokens is None else data.input_tokens
    tokens_out = data.completion_tokens if data.output_tokens is None else data.output_tokens
    cached = data.cache_read or 0
    tokens_in, tokens_out = tokens_in or 0, tokens_out or 0
    # Most events are of this kind, and the general way takes three times as long.
    if cached <= tokens_in and not (
        data.cache_write
        or data.cache_creation
        or data.cache_write_1h
        or data.reasoning
        or data.total
        or data.audio_input
        or data.audio_read
        or data.audio_output
        or data.image_input
        or data.image_read
        or data.image_output
        or data.video_input
        or data.video_output
        or data.searches
        or data.map_searches
        or data.audio_seconds
        or data.video_seconds
        or data.pages
        or data.gpu_seconds
        or data.trained_tokens
        or data.other
    ):
        meters: Meters = {"input_uncached": tokens_in - cached} if tokens_in > cached else {}
        if cached:
            meters["cache_read"] = cached
        if tokens_out:
            meters["output"] = tokens_out
        if not meters:
            _require_figure(data)
        return meters
    return _many_meters(data, tokens_in, tokens_out)


def _require_figure(data: Data) -> None:
    """Nothing was used only if the sender says so: a zero is a figure, silence is not."""
    if all(getattr(data, name) is None for name in _USAGE_FIELDS):
        raise UnfitFieldError("data: no usage figure")


def _many_meters(data: Data, tokens_in: int, tokens_out: int) -> Meters:
    written, written_1h = _written(data)
    tokens_in, tokens_out = _whole(data, written, tokens_in, tokens_out)
    read, audio_read, image_read = data.cache_read or 0, data.audio_read or 0, data.image_read or 0
    heard, seen = max(data.audio_input or 0, audio_read), max(data.image_input or 0, image_read)
    read = max(read, audio_read + image_read)
    meters = disjoint_meters(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cache_read=read - audio_read - image_read,
        audio_cache_read=audio_read,
        image_cache_read=image_read,
        cache_write_5m=written - written_1h,
        cache_write_1h=written_1h,
        audio_input=heard - audio_read,
        image_input=seen - image_read,
        audio_output=data.audio_output or 0,
        image_output=data.image_output or 0,
        video_input=data.video_input or 0,
        video_output=data.video_output or 0,
        input_field=f'data."{names.INPUT}"',
        output_field=f'data."{names.OUTPUT}"',
    )
    for meter in _BESIDE_TOKENS:
        if count := getattr(data, meter):
            meters[meter] = count
    return meters | _unpriced(data, told=bool(meters))


def _written(data: Data) -> tuple[int, int]:
    """Tokens written to the cache, and those of them that are kept for an hour."""
    written = (data.cache_creation if data.cache_write is None else data.cache_write) or 0
    for_an_hour = data.cache_write_1h or 0
    if for_an_hour > written:
        expected = f"at most {written}, the {names.CACHE_WRITE} it is part of"
        raise unfit(f'data."{names.CACHE_WRITE_1H}"', expected, for_an_hour)
    return written, for_an_hour


def _whole(data: Data, written: int, tokens_in: int, tokens_out: int) -> tuple[int, int]:
    """Input with the cached tokens and output with the reasoning in it, as the conventions count.

    Some exporters pass on a provider's own figures, without them. It shows where a part is more than its whole, and
    where the total is more than input and output by just those parts.
    """
    cached, reasoning = (data.cache_read or 0) + written, data.reasoning or 0
    beyond = (data.total or 0) - tokens_in - tokens_out
    if cached and (cached > tokens_in or beyond in {cached, cached + reasoning}):
        tokens_in += cached
        beyond -= cached
    if reasoning and (reasoning > tokens_out or beyond == reasoning):
        tokens_out += reasoning
    return tokens_in, tokens_out


def _unpriced(data: Data, *, told: bool) -> Meters:
    """What no price list can have a price for, under the sender's own names, so that the event waits."""
    counts: dict[str, int] = {}
    for name, count in (data.other or {}).items():
        if not names.is_usage(name) or len(name) > MAX_NAME or "\0" in name:
            raise unfit(f'data."{names.OTHER}"', f"names of usage of at most {MAX_NAME} characters without NUL", name)
        if count:
            counts[name] = count
    if data.total and not told and not counts:
        counts[names.TOTAL] = data.total
    return cast("Meters", counts)
