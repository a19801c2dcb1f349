from __future__ import annotations

import contextlib
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.decoding import MalformedBodyError, Rejected
from handlers.usage import cloudevents
from handlers.usage.formats import MAX_COUNT, Versioned
from policy.metering import UsageEvent, input_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.metering import Meters

PROMPT = "the secret plan of the company"
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
READ, WRITE = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens"
WRITE_1H = "tokens_bot.usage.cache_creation_1h.input_tokens"
REASONING = "gen_ai.usage.reasoning.output_tokens"
ABSENT = object()


def output_tokens(meters: Meters) -> int:
    return sum(meters.get(meter, 0) for meter in ("output", "audio_output", "image_output"))


def data(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        INPUT: 1200,
        OUTPUT: 300,
        "user.email": "ada@example.com",
    }
    return present(plain | changes)


def present(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not ABSENT}


def cloudevent(of: object = None, **changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "specversion": "1.0",
        "id": "evt-1",
        "source": "gateway-eu",
        "type": "com.example.usage",
        "time": "2026-11-23T12:00:00Z",
        "data": data() if of is None else of,
    }
    return present(plain | changes)


def parse_one(event: object, *, allowed_source: str | None = None) -> Versioned:
    [parsed] = cloudevents.parse(json.dumps([event]).encode(), allowed_source=allowed_source)
    return parsed


def accepted(event: object) -> UsageEvent:
    parsed = parse_one(event)
    assert isinstance(parsed, UsageEvent), parsed
    return parsed


def refusal(event: object, *, allowed_source: str | None = None) -> str:
    parsed = parse_one(event, allowed_source=allowed_source)
    assert isinstance(parsed, Rejected), parsed
    return parsed.detail


def test_plain_event_says_who_used_what_and_when() -> None:
    """An ordinary event becomes a usage event with nothing lost and nothing added."""
    event = accepted(cloudevent())
    assert event[:9] == (
        "gateway-eu",
        "evt-1",
        datetime(2026, 11, 23, 12, tzinfo=UTC),
        (("email", "ada@example.com"),),
        "openai",
        "gpt-5",
        "",
        {"input_uncached": 1200, "output": 300},
        "",
    )
    assert len(event.fingerprint) == 16


def test_single_event_is_a_batch_of_one() -> None:
    """An object outside an array is one event, right or wrong."""
    assert cloudevents.parse(json.dumps(cloudevent()).encode()) == [parse_one(cloudevent())]
    assert cloudevents.parse(b'{"id": "x"}') == [Rejected(0, "x", "specversion: required, but missing")]


def test_empty_batch_has_no_events() -> None:
    """A gateway may flush an empty queue."""
    assert cloudevents.parse(b" [ ] ") == []


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"nul", b'{"a":"\\ud8zz"}', b"null", b"5", b'"x"', b"{", b"[{]", b"[1 2]", b"\xff", b"\xef\xbb\xbf[]"],
)
def test_body_without_events_is_malformed(body: bytes) -> None:
    """A body that is no JSON, or neither object nor array, is refused as a whole."""
    with pytest.raises(MalformedBodyError):
        cloudevents.parse(body)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"data":' * 100_000, b'[{"x":' + b"[" * 100_000])
def test_bottomless_nesting_is_malformed(body: bytes) -> None:
    """A body made to exhaust the stack is refused like any other junk."""
    with pytest.raises(MalformedBodyError):
        cloudevents.parse(body)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_malformed(body: bytes) -> None:
    """Whatever the bytes, the answer is a list or MalformedBodyError."""
    with contextlib.suppress(MalformedBodyError):
        assert isinstance(cloudevents.parse(body), list)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
FIELDS = ("specversion", "id", "source", "type", "time", "data", "subject", "datacontenttype")
DATA_FIELDS = ("gen_ai.provider.name", "gen_ai.response.model", "gen_ai.system", INPUT, OUTPUT, READ, WRITE, "user.id")


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2),
    st.dictionaries(st.sampled_from(DATA_FIELDS), JSON, max_size=2),
)
def test_no_json_raises_anything_but_malformed(outer: dict[str, object], inner: dict[str, object]) -> None:
    """An event with junk in any field is taken in or rejected, and its batch is answered one by one."""
    body = json.dumps([{**cloudevent(data(**inner)), **outer}, cloudevent()]).encode()
    results = cloudevents.parse(body)
    assert len(results) == 2
    assert isinstance(results[1], UsageEvent)


@given(st.lists(st.sampled_from(["good", "bad shape", "bad sum", "not an event"]), max_size=8))
def test_answers_come_in_the_order_of_the_events(kinds: list[str]) -> None:
    """The n-th answer is about the n-th event, whatever became of its neighbours."""
    make: dict[str, Callable[[str], object]] = {
        "good": lambda name: cloudevent(id=name),
        "bad shape": lambda name: cloudevent(id=name, time=5),
        "bad sum": lambda name: cloudevent(data(**{WRITE_1H: 5000}), id=name),
        "not an event": lambda _: 5,
    }
    results = cloudevents.parse(json.dumps([make[kind](f"e{n}") for n, kind in enumerate(kinds)]).encode())
    for n, (kind, result) in enumerate(zip(kinds, results, strict=True)):
        assert isinstance(result, UsageEvent if kind == "good" else Rejected)
        assert result.event_id == ("" if kind == "not an event" else f"e{n}")
        assert isinstance(result, UsageEvent) or result[0] == n


FEW = st.integers(0, 10**6)


@given(whole=st.integers(0, MAX_COUNT), read=FEW, write=FEW, write_1h=FEW, output=FEW, audio=FEW, image=FEW)
def test_meters_sum_to_what_was_reported(
    *, whole: int, read: int, write: int, write_1h: int, output: int, audio: int, image: int
) -> None:
    """Meters add up to what was reported, with the cached tokens beside the input where they can't be in it."""
    of = data(**{INPUT: whole, READ: read, WRITE: write, WRITE_1H: write_1h, OUTPUT: output})
    of |= {"tokens_bot.usage.audio_output_tokens": audio, "tokens_bot.usage.image_output_tokens": image}
    parsed = parse_one(cloudevent(of))
    if write_1h <= write and audio + image <= output:
        assert isinstance(parsed, UsageEvent)
        went_in = whole if read + write <= whole else whole + read + write
        assert (input_tokens(parsed.meters), output_tokens(parsed.meters)) == (went_in, output)
        assert all(parsed.meters.values())
    else:
        assert isinstance(parsed, Rejected)


def test_cached_tokens_are_part_of_the_input() -> None:
    """Input that includes cached tokens is split, and none of it is counted twice."""
    of = data(**{READ: 700, WRITE: 300, WRITE_1H: 100, REASONING: 200})
    expected = {"input_uncached": 200, "cache_read": 700, "cache_write_5m": 200, "cache_write_1h": 100, "output": 300}
    assert accepted(cloudevent(of)).meters == expected


def test_meters_that_counted_nothing_are_left_out() -> None:
    """Input that was cached as a whole leaves no uncached meter behind."""
    assert accepted(cloudevent(data(**{READ: 1200, OUTPUT: 0}))).meters == {"cache_read": 1200}


def test_reasoning_is_not_billed_apart() -> None:
    """Reasoning tokens are in the output already."""
    assert accepted(cloudevent(data(**{REASONING: 300}))).meters["output"] == 300


def test_what_is_not_tokens_has_meters_of_its_own() -> None:
    """Searches, training, pages and time are counted beside the tokens."""
    names = (
        *("searches", "map_searches", "gpu_seconds", "trained_tokens"),
        *("audio_seconds", "video_seconds", "pages"),
    )
    of = data(**{INPUT: ABSENT, OUTPUT: ABSENT} | {f"tokens_bot.usage.{name}": 7 for name in names})
    assert accepted(cloudevent(of)).meters == dict.fromkeys(names, 7)


def test_sound_and_pictures_are_parts_of_input_and_output() -> None:
    """Audio and image tokens leave the plain meters for their own."""
    names = ("audio_input", "audio_output", "image_input", "image_output")
    of = data(**{f"tokens_bot.usage.{name}_tokens": 10 for name in names})
    assert accepted(cloudevent(of)).meters == {"input_uncached": 1180, "output": 280} | dict.fromkeys(names, 10)


@pytest.mark.parametrize(
    ("name", "alias", "value"),
    [
        ("gen_ai.provider.name", "gen_ai.system", "openai"),
        (INPUT, "gen_ai.usage.prompt_tokens", 1200),
        (OUTPUT, "gen_ai.usage.completion_tokens", 300),
    ],
)
def test_older_names_mean_the_same(name: str, alias: str, value: object) -> None:
    """An exporter with an older name of the conventions says the same; the current name wins where both stand."""
    assert accepted(cloudevent(data(**{name: ABSENT, alias: value}))) == accepted(cloudevent())
    other = "other" if isinstance(value, str) else 1
    assert accepted(cloudevent(data(**{alias: other}))) == accepted(cloudevent())


def test_model_that_answered_wins_over_the_one_asked_for() -> None:
    """A router may answer with another model, and that one is paid."""
    assert accepted(cloudevent(data(**{"gen_ai.response.model": "gpt-5-mini"}))).model == "gpt-5-mini"
    assert accepted(cloudevent(data(**{"gen_ai.response.model": ""}))).model == "gpt-5"


def test_provider_is_lower_case() -> None:
    """Providers are compared as the price list writes them."""
    assert accepted(cloudevent(data(**{"gen_ai.provider.name": "OpenAI"}))).provider == "openai"


def test_names_come_in_the_order_of_trust() -> None:
    """E-mail before user before key; the event's subject is not needed when one of the first two is there."""
    of = data(**{"tokens_bot.key_alias": "laptop", "user.id": "ada", "tokens_bot.project": "apollo"})
    event = accepted(cloudevent(of, subject="evil"))
    assert event.identities == (("email", "ada@example.com"), ("user", "ada"), ("key_alias", "laptop"))
    assert event.project == "apollo"


@pytest.mark.parametrize("absent", [ABSENT, None, ""])
def test_subject_stands_in_for_a_user(absent: object) -> None:
    """Where neither user nor e-mail is given, the event's subject is the user."""
    of = data(**{"user.email": absent, "user.id": absent, "tokens_bot.key_alias": "laptop"})
    assert accepted(cloudevent(of, subject="ada")).identities == (("user", "ada"), ("key_alias", "laptop"))


def test_event_that_names_nobody_is_valid() -> None:
    """Use that cannot be attributed yet is not the parser's to refuse."""
    assert accepted(cloudevent(data(**{"user.email": ""}))).identities == ()


def test_explicit_zero_is_use_of_nothing() -> None:
    """A sender that says zero gets an event without meters."""
    assert accepted(cloudevent(data(**{INPUT: 0, OUTPUT: ABSENT}))).meters == {}
    assert accepted(cloudevent(data(**{INPUT: ABSENT, OUTPUT: None, "tokens_bot.usage.searches": 0}))).meters == {}


def test_silence_about_use_is_refused() -> None:
    """An event without any figure is not an event about nothing."""
    assert refusal(cloudevent(data(**{INPUT: None, OUTPUT: ABSENT}))) == "data: no usage figure"


def test_offsets_become_utc() -> None:
    """A time with an offset is kept as the same instant in UTC."""
    event = accepted(cloudevent(time="2026-11-23T14:30:00.123456+02:30"))
    assert event.occurred_at == datetime(2026, 11, 23, 12, 0, 0, 123456, UTC)
    assert event.occurred_at.tzinfo is UTC


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/JSON; charset=utf-8", "application/vnd.x+json", None]
)
def test_content_that_is_json_is_taken(content_type: str | None) -> None:
    """Every media type that means JSON will do, and changes nothing in what is read."""
    assert accepted(cloudevent(datacontenttype=content_type)) == accepted(cloudevent())


LONG = "x" * 257
WRONG_YEAR = "time: expected a time in the years 2000 to 2100"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"id": ABSENT}, "id: required, but missing"),
        ({"id": ""}, 'id: expected a text that is not empty, got ""'),
        ({"id": 7}, "id: expected a text, got 7"),
        ({"id": LONG}, f'id: expected at most 256 characters, got "{"x" * 63}… (259 characters)'),
        ({"id": "a\0b"}, r'id: expected text without NUL, got "a\u0000b"'),
        ({"source": ABSENT}, "source: required, but missing"),
        ({"source": LONG}, f'source: expected at most 256 characters, got "{"x" * 63}… (259 characters)'),
        ({"source": "a\0"}, r'source: expected text without NUL, got "a\u0000"'),
        ({"type": ""}, 'type: expected a text that is not empty, got ""'),
        ({"specversion": "0.3"}, 'specversion: expected "1.0", got "0.3"'),
        ({"specversion": 1.0}, "specversion: expected a text, got 1.0"),
        ({"time": ABSENT}, "time: required, but missing"),
        ({"time": 1795440156}, "time: expected an RFC 3339 time with an offset, got 1795440156"),
        ({"time": "yesterday"}, 'time: expected an RFC 3339 time with an offset, got "yesterday"'),
        ({"time": "2026-11-23T12:00:00"}, 'time: expected an RFC 3339 time with an offset, got "2026-11-23T12:00:00"'),
        ({"time": "1999-12-31T23:59:59Z"}, f'{WRONG_YEAR}, got "1999-12-31T23:59:59Z"'),
        ({"time": "0001-01-01T00:00:00+14:00"}, f'{WRONG_YEAR}, got "0001-01-01T00:00:00+14:00"'),
        ({"data": ABSENT}, "data: required, but missing"),
        ({"data": PROMPT}, "data: expected an object, got a text"),
        ({"data": [PROMPT]}, "data: expected an object, got an array"),
        ({"datacontenttype": "text/plain"}, 'datacontenttype: expected a JSON media type, got "text/plain"'),
        ({"subject": 5}, "subject: expected a text, got 5"),
    ],
)
def test_refusal_names_the_attribute_and_its_value(changes: dict[str, object], detail: str) -> None:
    """What is wrong with an event itself is said with the field and the value."""
    assert refusal(cloudevent(**changes)) == detail


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        (INPUT, -5, "expected an integer ≥ 0, got -5"),
        (INPUT, "1200", 'expected an integer ≥ 0, got "1200"'),
        (INPUT, 1.5, "expected an integer ≥ 0, got 1.5"),
        (INPUT, True, "expected an integer ≥ 0, got true"),
        (INPUT, [PROMPT], "expected an integer ≥ 0, got an array"),
        (INPUT, 10**15 + 1, "expected an integer ≤ 1000000000000000, got 1000000000000001"),
        (INPUT, 10**30, f"expected an integer ≤ 1000000000000000, got {10**30}"),
        (OUTPUT, -1, "expected an integer ≥ 0, got -1"),
        (WRITE_1H, 1, f"expected at most 0, the {WRITE} it is part of, got 1"),
        ("tokens_bot.usage.audio_output_tokens", -1, "expected an integer ≥ 0, got -1"),
        ("gen_ai.provider.name", ABSENT, "required, but missing or empty"),
        ("gen_ai.provider.name", "", "required, but missing or empty"),
        ("gen_ai.request.model", None, "required, but missing or empty"),
        ("gen_ai.request.model", 5, "expected a text, got 5"),
        ("gen_ai.request.model", "m" * 201, f'expected at most 200 characters, got "{"m" * 63}… (203 characters)'),
        ("user.id", {"name": PROMPT}, "expected a text, got an object"),
        ("user.email", "a\0@example.com", r'expected text without NUL, got "a\u0000@example.com"'),
        ("tokens_bot.project", "p" * 201, f'expected at most 200 characters, got "{"p" * 63}… (203 characters)'),
    ],
)
def test_refusal_names_the_datum_and_its_value(name: str, value: object, detail: str) -> None:
    """What is wrong inside `data` is said with the name in quotes, because it has dots of its own."""
    assert refusal(cloudevent(data(**{READ: 10, name: value}))) == f'data."{name}": {detail}'


def test_subject_too_long_for_a_user_is_refused() -> None:
    """A subject is only limited where it is used."""
    long = "s" * 201
    accepted(cloudevent(subject=long))
    assert refusal(cloudevent(data(**{"user.email": ABSENT}), subject=long)).startswith("subject: expected at most 200")


def test_nul_in_what_is_ignored_does_no_harm() -> None:
    """Only what is kept has to be storable."""
    assert accepted(cloudevent(data(prompt="a\0b"))) == accepted(cloudevent())


def test_half_an_emoji_does_no_harm() -> None:
    """A lone surrogate, which Python writes and no JSON has, is replaced; whole pairs and backslashes stay."""
    of = data(prompt="\ud83d", **{"tokens_bot.project": "\\ud800 \ud83d \U0001f600 \ude00"})
    expected = "\\ud800 \N{REPLACEMENT CHARACTER} \U0001f600 \N{REPLACEMENT CHARACTER}"
    assert accepted(cloudevent(of)).project == expected
    [(_, _, parsed)] = cloudevents.read_cloudevent_lines(io.BytesIO(lines_of(cloudevent(of))))
    assert parsed == accepted(cloudevent(of))


def test_numbers_that_are_none_do_no_harm() -> None:
    """NaN and Infinity, which Python writes and no JSON has, are told where they stand for a count, and only there."""
    of = data(logprobs=[float("-inf"), float("nan"), 0.5], text="NaN")
    assert accepted(cloudevent(of)) == accepted(cloudevent())
    assert refusal(cloudevent(data(**{INPUT: float("nan")}))) == f'data."{INPUT}": expected an integer ≥ 0, got "NaN"'


def test_mending_takes_no_longer_than_the_body_is_long() -> None:
    """A body made of openings without an end is refused at once."""
    for body in (b'["' + b'\\"' * 1_000_000, b'"' * 1_000_001, b"\\ud8" * 500_000, b"[-Infinit" * 200_000):
        with pytest.raises(MalformedBodyError):
            cloudevents.parse(body)


def test_bytes_that_are_not_utf8_spoil_only_their_own_event() -> None:
    """One event in another encoding does not cost the batch."""
    body = json.dumps([cloudevent(id="caf?"), cloudevent()]).encode().replace(b"caf?", b"caf\xe9")
    first, second = cloudevents.parse(body)
    assert isinstance(first, Rejected)
    assert "UTF-8" in first.detail
    assert isinstance(second, UsageEvent)


@pytest.mark.parametrize(
    ("source", "ok"),
    [
        ("gateway-eu", True),
        ("gateway-eu/pod-7", True),
        ("gateway-europe", False),
        ("gateway", False),
        ("", False),
    ],
)
def test_sender_speaks_only_for_itself_and_below(source: str, ok: bool) -> None:  # noqa: FBT001 - a table of cases
    """A key of one gateway cannot bring in events of another, nor of a name that merely begins alike."""
    parsed = parse_one(cloudevent(source=source), allowed_source="gateway-eu")
    assert isinstance(parsed, UsageEvent) == ok


def test_foreign_source_is_named_beside_the_allowed_one() -> None:
    """The refusal says whom the key may speak for and who was claimed."""
    detail = refusal(cloudevent(source="evil"), allowed_source="gateway-eu")
    assert detail == 'source: expected "gateway-eu" or a path below it, got "evil"'


def test_prompts_never_appear_in_a_result() -> None:
    """Unknown data is skipped, and refusals do not quote it."""
    noise = {"prompt": PROMPT, "gen_ai.input.messages": [{"content": PROMPT}], "gen_ai.output.messages": PROMPT}
    batch = [
        cloudevent(data(**noise)),
        cloudevent(data(**noise, **{INPUT: -1})),
        cloudevent([noise]),
        cloudevent(PROMPT),
        cloudevent(data(**noise), id={"prompt": PROMPT}, comment=PROMPT),
        PROMPT,
        [PROMPT],
    ]
    assert PROMPT not in repr(cloudevents.parse(json.dumps(batch).encode()))


def test_what_is_not_an_event_is_told_by_its_kind() -> None:
    """A batch may hold anything; each member gets an answer."""
    details = [r.detail for r in cloudevents.parse(b'[5, "x", null, [], true]') if isinstance(r, Rejected)]
    kinds = ["a number", "a text", "null", "an array", "true"]
    assert details == [f"event: expected an object, got {kind}" for kind in kinds]


def test_key_that_looks_like_a_path_does_not_confuse_a_refusal() -> None:
    """A refusal quotes the field of the event, not a stranger of the same spelling."""
    event = cloudevent(data(**{INPUT: -5})) | {"data.x": 1}
    assert refusal(event) == f'data."{INPUT}": expected an integer ≥ 0, got -5'


# --- files of JSON lines


def lines_of(*events: object) -> bytes:
    return b"\n".join(e if isinstance(e, bytes) else json.dumps(e).encode() for e in events)


def test_lines_are_events_with_their_positions() -> None:
    """Each line is answered with its number and the bytes read so far; blank lines are passed over."""
    content = lines_of(cloudevent(id="a"), b"", b"  ", b"{nonsense", cloudevent(id="b")) + b"\r\n"
    results = list(cloudevents.read_cloudevent_lines(io.BytesIO(content)))
    assert [(line, parsed.event_id) for line, _, parsed in results] == [(1, "a"), (4, ""), (5, "b")]
    assert isinstance(results[1][2], Rejected)
    assert results[1][2].index == 1
    assert results[-1][1] == len(content)


def test_lines_are_taken_up_again_where_they_were_left() -> None:
    """Reading on from any position gives the rest, as if there had been no break."""
    content = b"\xef\xbb\xbf" + lines_of(*(cloudevent(id=f"é{n}") for n in range(5)))
    whole = list(cloudevents.read_cloudevent_lines(io.BytesIO(content)))
    for n, (line, offset, _) in enumerate(whole, 1):
        assert list(cloudevents.read_cloudevent_lines(io.BytesIO(content), start=(line, offset))) == whole[n:]


def test_lines_hold_the_sender_to_its_source() -> None:
    """A file is no way around the limit of a source."""
    [(_, _, parsed)] = cloudevents.read_cloudevent_lines(io.BytesIO(lines_of(cloudevent())), allowed_source="other")
    assert isinstance(parsed, Rejected)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_lines_raise(content: bytes) -> None:
    """A file of junk is answered line by line."""
    results: list[Any] = list(cloudevents.read_cloudevent_lines(io.BytesIO(content)))
    assert all(isinstance(parsed, Rejected) for _, _, parsed in results)


def test_array_on_a_line_is_told() -> None:
    """A line is one event; a batch on a line is a mistake with a name."""
    [(_, _, parsed)] = cloudevents.read_cloudevent_lines(io.BytesIO(lines_of([cloudevent()])))
    assert parsed == Rejected(0, "", "event: expected an object, got an array")


TIER = "tokens_bot.service_tier"
TIER_NAMES = (TIER, "openai.response.service_tier", "gen_ai.openai.response.service_tier")


@pytest.mark.parametrize("name", TIER_NAMES)
def test_every_name_of_the_service_tier_is_read(name: str) -> None:
    """Ours and those of OpenTelemetry, now and before; it is a part of what the event is recognised by."""
    event = accepted(cloudevent(data(**{name: "Priority"})))
    assert event.tier == "priority"
    assert event.fingerprint != accepted(cloudevent()).fingerprint


@pytest.mark.parametrize("name", TIER_NAMES)
@pytest.mark.parametrize("tier", [None, "", "default", "standard", "auto", "standard_only"])
def test_the_standard_tier_is_as_good_as_none(name: str, tier: str | None) -> None:
    """An event that names the standard tier is the event that names no tier."""
    assert accepted(cloudevent(data(**{name: tier}))) == accepted(cloudevent())


def test_our_own_name_of_the_tier_wins() -> None:
    """A gateway that names the tier itself knows better than what it passes on; even that it was the standard one."""
    assert accepted(cloudevent(data(**{TIER: "batch", TIER_NAMES[1]: "default"}))).tier == "batch"
    assert accepted(cloudevent(data(**{TIER: "standard", TIER_NAMES[1]: "flex"}))).tier == ""
    assert accepted(cloudevent(data(**{TIER_NAMES[1]: "flex", TIER_NAMES[2]: "priority"}))).tier == "flex"


def test_the_tier_that_was_asked_for_is_not_the_one_that_was_served() -> None:
    """Providers serve the standard tier when another is full: a request says nothing about the price."""
    assert accepted(cloudevent(data(**{"openai.request.service_tier": "priority"}))).tier == ""


def test_a_tier_that_is_no_name_is_refused() -> None:
    """Guessing its price would be wrong either way."""
    assert refusal(cloudevent(data(**{TIER: 3}))) == 'data."tokens_bot.service_tier": expected a text, got 3'
