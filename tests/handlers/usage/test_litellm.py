from __future__ import annotations

import contextlib
import copy
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.decoding import MalformedBodyError, Rejected
from handlers.usage import litellm
from handlers.usage.litellm import NothingUsed
from policy.metering import UsageEvent, input_tokens
from tests.support.data import LITELLM

if TYPE_CHECKING:
    from policy.metering import Meters

PAYLOADS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in LITELLM.glob("*.json")}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRONG_YEAR = "endTime: expected seconds since 1970, in the years 2000 to 2100"

Result = UsageEvent | Rejected | NothingUsed


def output_tokens(meters: Meters) -> int:
    return sum(meters.get(meter, 0) for meter in ("output", "audio_output", "image_output"))


def test_recorded_payloads_are_there() -> None:
    """Without the payloads of a real proxy these tests would prove nothing."""
    assert len(PAYLOADS) == 8, f"no recorded payloads in {LITELLM}"


def recorded(name: str = "success", metadata: dict[str, Any] | None = None, **changes: object) -> dict[str, Any]:
    payload = copy.deepcopy(PAYLOADS[name]) | changes
    payload["metadata"] |= metadata or {}
    return payload


def parse_one(payload: object) -> Result:
    [result] = litellm.parse(json.dumps([payload]).encode(), source="litellm-eu")
    return result


def accepted(payload: object) -> UsageEvent:
    result = parse_one(payload)
    assert isinstance(result, UsageEvent), result
    return result


def test_real_success_says_who_used_what_and_when() -> None:
    """What a real proxy sent for a call with cached tokens becomes one event, cached tokens apart."""
    event = accepted(recorded())
    assert event[:9] == (
        "litellm-eu",
        "c9a017ba-94c4-4e8d-86f4-8965364053eb@1795440156410909",
        datetime(2026, 11, 23, 13, 22, 37, 249645, UTC),
        (("email", "ada@example.com"), ("user", "ada@example.com"), ("key_alias", "ada-laptop")),
        "openai",
        "gpt-5",
        "",
        {"input_uncached": 200, "cache_read": 1000, "output": 300},
        "Platform",
    )


def test_single_payload_is_a_batch_of_one() -> None:
    """A payload outside an array is taken as well."""
    assert litellm.parse(json.dumps(recorded()).encode(), source="litellm-eu") == [parse_one(recorded())]


def test_all_real_payloads_are_answered_in_their_order() -> None:
    """A batch of everything that was recorded is answered one by one, and nothing is rejected."""
    results = litellm.parse(json.dumps(list(PAYLOADS.values())).encode(), source="litellm-eu")
    kinds = [NothingUsed if "failure" in name else UsageEvent for name in PAYLOADS]
    assert [type(result) for result in results] == kinds
    ids = [result.event_id.partition("@")[0] for result in results]
    assert ids == [payload["litellm_call_id"] for payload in PAYLOADS.values()]


def test_event_is_known_by_the_call_not_by_the_providers_id() -> None:
    """`id` is the provider's and not unique: three recorded calls share one."""
    names = ("success", "streaming", "success_unknown_price")
    assert len({PAYLOADS[name]["id"] for name in names}) == 1
    assert len({accepted(recorded(name)).event_id for name in names}) == 3


def test_failure_and_its_fallback_are_two_events() -> None:
    """A failed call and the success of its fallback share one call id, and neither hides the other."""
    success = recorded()
    shared = {name: success[name] for name in ("litellm_call_id", "startTime")}
    event_id = accepted(success).event_id
    failed = parse_one(recorded("failure", **shared))
    assert failed == NothingUsed(0, f"{event_id}:failure", "failed call, nothing was used")


def test_failed_call_that_used_tokens_is_an_event() -> None:
    """What a broken stream used before it failed was bought all the same."""
    event = accepted(recorded("failure", prompt_tokens=40, completion_tokens=2))
    assert event.event_id.endswith(":failure")
    assert event.meters == {"input_uncached": 40, "output": 2}


def test_call_blocked_by_a_hook_used_nothing() -> None:
    """Refusals of the gateway arrive as failures; there is nothing to take in."""
    assert isinstance(parse_one(recorded("failure_blocked_by_hook")), NothingUsed)


def test_failed_call_without_model_or_provider_used_nothing() -> None:
    """A call may fail before a model was chosen."""
    payload = recorded("failure", model="", custom_llm_provider=None, metadata={"usage_object": None})
    assert isinstance(parse_one(payload), NothingUsed)


def test_cache_hit_costs_nothing_though_it_repeats_the_tokens() -> None:
    """The gateway answered from its own cache: the event counts as a call, with empty meters."""
    payload = recorded("success_cache_hit")
    assert payload["prompt_tokens"] == 1200
    assert accepted(payload).meters == {}


def test_model_without_a_price_keeps_its_tokens() -> None:
    """LiteLLM says cost 0 for a model it does not know; the tokens are what counts here."""
    payload = recorded("success_unknown_price")
    assert payload["response_cost"] == 0
    event = accepted(payload)
    assert (event.model, event.meters["output"]) == ("inhouse-llm-9", 300)


def test_end_user_is_not_believed() -> None:
    """`end_user` is the client's own claim."""
    event = accepted(recorded(end_user="evil", metadata={"user_api_key_end_user_id": "evil"}))
    assert "evil" not in repr(event)


def test_client_metadata_is_not_believed() -> None:
    """What a client puts beside its request names no one."""
    claim = {"user_api_key_user_id": "evil", "user_api_key_user_email": "evil@example.com"}
    event = accepted(recorded(metadata={"requester_metadata": claim, "spend_logs_metadata": claim}, **claim))
    assert "evil" not in repr(event)


def test_call_of_nobody_is_an_event() -> None:
    """A key without a user is for quarantine to sort out."""
    nobody = dict.fromkeys(("user_api_key_user_email", "user_api_key_user_id", "user_api_key_alias"))
    assert accepted(recorded(metadata=nobody)).identities == ()


@pytest.mark.parametrize("stream", [None, False, True])
def test_stream_may_be_null(stream: object) -> None:
    """`stream` is null where nothing was streamed; it makes no difference."""
    assert accepted(recorded(stream=stream)) == accepted(recorded())


def test_streamed_usage_is_complete() -> None:
    """Streams carry their usage whether or not the client asked for it."""
    meters = accepted(recorded()).meters
    assert accepted(recorded("streaming")).meters == meters
    assert accepted(recorded("streaming_include_usage")).meters == meters


def test_repeated_delivery_is_recognised() -> None:
    """A retry sends the same payload again, and its event has the same key and fingerprint."""
    assert parse_one(recorded()) == parse_one(recorded())


def test_prompts_never_appear_in_a_result() -> None:
    """Messages, answers, headers and addresses are not kept, neither in events nor in refusals."""
    secret = "the secret plan of the company"
    noise: dict[str, Any] = {
        "messages": [{"content": secret}],
        "response": {"x": secret},
        "requester_ip_address": secret,
    }
    batch = [
        recorded(**noise),
        recorded(**noise, prompt_tokens=-1),
        recorded(**noise, model={"prompt": secret}),
        recorded("failure", **noise, error_str=secret),
        recorded(request_tags=[secret], metadata={"user_agent": secret}),
        recorded() | {"metadata": secret},
        secret,
        [secret],
    ]
    results = litellm.parse(json.dumps(batch).encode(), source="litellm-eu")
    assert len(results) == len(batch)
    assert secret not in repr(results)
    assert "hi there" not in repr(results)


@pytest.mark.parametrize("model", ["openai/gpt-5", "gpt-5"])
def test_providers_name_is_not_part_of_the_model(model: str) -> None:
    """LiteLLM writes `provider/model`; prices know the model alone."""
    assert accepted(recorded(model=model)).model == "gpt-5"


def test_only_the_providers_own_prefix_is_taken_off() -> None:
    """A reseller's model keeps the maker's name."""
    event = accepted(recorded(custom_llm_provider="OpenRouter", model="OpenRouter/openai/gpt-5"))
    assert (event.provider, event.model) == ("openrouter", "openai/gpt-5")


def test_anthropic_cache_counts_are_part_of_the_prompt() -> None:
    """LiteLLM adds what Anthropic's cache read and wrote to the prompt; it is taken apart again, once."""
    usage = {
        "cache_read_input_tokens": 700,
        "cache_creation_input_tokens": 300,
        "prompt_tokens_details": {"cached_tokens": 700, "cache_creation_tokens": 300},
    }
    event = accepted(recorded(prompt_tokens=1200, metadata={"usage_object": usage}))
    assert event.meters == {"input_uncached": 200, "cache_read": 700, "cache_write_5m": 300, "output": 300}


def test_hour_long_cache_writes_are_told_apart() -> None:
    """Tokens written for an hour cost more than those written for five minutes."""
    kept = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}
    details = {"cache_creation_tokens": 300, "cache_creation_token_details": kept}
    event = accepted(recorded(metadata={"usage_object": {"prompt_tokens_details": details}}))
    assert event.meters == {"input_uncached": 900, "cache_write_5m": 100, "cache_write_1h": 200, "output": 300}


def test_parts_beyond_the_prompt_were_not_in_it() -> None:
    """Anthropic's own counting, passed through: the prompt is what the cache did not touch."""
    usage = {"cache_read_input_tokens": 8000, "cache_creation_input_tokens": 2000}
    event = accepted(recorded(prompt_tokens=500, metadata={"usage_object": usage}))
    assert event.meters == {"input_uncached": 500, "cache_read": 8000, "cache_write_5m": 2000, "output": 300}


def test_audio_and_images_have_their_own_meters() -> None:
    """Spoken and drawn tokens are parts of prompt and answer with prices of their own."""
    usage = {
        "prompt_tokens_details": {"cached_tokens": 100, "audio_tokens": 50, "image_tokens": 20},
        "completion_tokens_details": {"audio_tokens": 30, "image_tokens": 10, "reasoning_tokens": 5},
    }
    assert accepted(recorded(metadata={"usage_object": usage})).meters == {
        "input_uncached": 1030,
        "cache_read": 100,
        "audio_input": 50,
        "image_input": 20,
        "output": 260,
        "audio_output": 30,
        "image_output": 10,
    }


def test_cached_audio_is_not_counted_twice() -> None:
    """Audio that came from the cache is in both counts; the whole stays the whole."""
    usage = {"prompt_tokens_details": {"cached_tokens": 1000, "audio_tokens": 400}}
    event = accepted(recorded(metadata={"usage_object": usage}))
    assert event.meters == {"cache_read": 1000, "audio_input": 200, "output": 300}


COUNTS = st.none() | st.integers(0, 2000)


@settings(deadline=None)
@given(prompt=COUNTS, read=COUNTS, written=COUNTS, audio=COUNTS, output=COUNTS, spoken=COUNTS)
def test_meters_sum_to_the_tokens_of_the_call(
    *,
    prompt: int | None,
    read: int | None,
    written: int | None,
    audio: int | None,
    output: int | None,
    spoken: int | None,
) -> None:
    """Whatever the gateway reports of the parts, the meters add up to the whole and none is negative or zero."""
    usage = {
        "cache_creation_input_tokens": written,
        "prompt_tokens_details": {"cached_tokens": read, "audio_tokens": audio},
        "completion_tokens_details": {"audio_tokens": spoken},
    }
    payload = recorded(
        prompt_tokens=prompt, completion_tokens=output, total_tokens=None, metadata={"usage_object": usage}
    )
    meters = accepted(payload).meters
    cached = (read or 0) + (written or 0)
    assert input_tokens(meters) == (prompt or 0) + (cached if cached > (prompt or 0) else 0)
    assert output_tokens(meters) == (output or 0)
    assert min(meters.values()) > 0


def test_answer_without_a_count_is_a_request() -> None:
    """Images and speech come without tokens, but not for nothing: one request is counted, and needs a price."""
    payload = recorded(prompt_tokens=0, completion_tokens=0, total_tokens=0, metadata={"usage_object": {}})
    assert accepted(payload).meters == {"requests": 1}


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens_details": None}, {"completion_tokens_details": None, "cost": 0.1}]
)
def test_missing_details_are_tolerated(usage: object) -> None:
    """Not every provider tells the parts; the totals will do."""
    assert accepted(recorded(metadata={"usage_object": usage})).meters == {"input_uncached": 1200, "output": 300}


@pytest.mark.parametrize("metadata", [None, {}])
def test_missing_metadata_is_tolerated(metadata: object) -> None:
    """A payload without metadata is an event of no one."""
    event = accepted(recorded() | {"metadata": metadata})
    assert (event.identities, event.project, event.meters["output"]) == ((), "", 300)


def test_tag_names_the_project() -> None:
    """A `project:` tag is more exact than the team of the key."""
    assert accepted(recorded(request_tags=["p2", "project: apollo", "project:b"])).project == "apollo"


def test_team_is_the_project_where_no_tag_says_so() -> None:
    """The alias of the team is read by people; its id stands in, and then nothing."""
    assert accepted(recorded()).project == "Platform"
    assert accepted(recorded(metadata={"user_api_key_team_alias": None})).project == "platform"
    teamless = {"user_api_key_team_alias": None, "user_api_key_team_id": None}
    assert accepted(recorded(metadata=teamless)).project == ""


@pytest.mark.parametrize(
    "tags",
    [
        None,
        "project:x",
        {"project:": "x"},
        [1, None, ["project:x"]],
        ["project:"],
        ["project:" + "x" * 201],
        ["project:a\0"],
    ],
)
def test_no_tag_keeps_a_call_from_being_counted(tags: object) -> None:
    """Tags are the client's: one that cannot be a project is passed over, and the call is paid."""
    event = accepted(recorded(request_tags=tags))
    assert (event.project, event.meters["output"]) == ("Platform", 300)


def test_half_an_emoji_in_a_prompt_does_not_cost_the_batch() -> None:
    """A client may send what is no JSON any more when the gateway passes it on; all calls are paid."""
    odd: dict[str, Any] = {"messages": [{"content": "\ud83d"}], "model_parameters": {"temperature": float("nan")}}
    batch = [recorded("streaming"), recorded(**odd)]
    results = litellm.parse(json.dumps(batch).encode(), source="litellm-eu")
    assert results == [accepted(recorded("streaming")), accepted(recorded())]


def test_one_call_id_for_many_calls_hides_none_of_them() -> None:
    """The client may choose the call's id (`x-litellm-call-id`), but calls that are made at once begin apart."""
    first = recorded(litellm_call_id="mine", startTime=1795440156.410909)
    later = recorded(litellm_call_id="mine", startTime=1795440156.410910)
    ids = [accepted(payload).event_id for payload in (first, later, first)]
    assert ids == ["mine@1795440156410909", "mine@1795440156410910", "mine@1795440156410909"]


@pytest.mark.parametrize("start", [None, 0, 1e308])
def test_end_stands_in_for_a_start_that_cannot_be(start: object) -> None:
    """A call whose beginning is not told is known by its end."""
    event = accepted(recorded(litellm_call_id="c", startTime=start, endTime=1795440157.25))
    assert event.event_id == "c@1795440157250000"


def test_failure_without_times_is_nothing_to_complain_about() -> None:
    """Nothing was used, so nothing needs a time."""
    payload = recorded("failure", litellm_call_id="c", startTime=None, endTime=None)
    assert parse_one(payload) == NothingUsed(0, "c:failure")


def test_no_call_id_is_too_long_to_be_counted() -> None:
    """A long id is shortened, the same way each time, and the call is paid."""
    event = accepted(recorded(litellm_call_id="x" * 1000))
    assert len(event.event_id) <= 100
    assert event == accepted(recorded(litellm_call_id="x" * 1000))
    assert event.event_id != accepted(recorded(litellm_call_id="x" * 1001)).event_id


@given(st.integers(946_684_800_000_000, 4_133_980_799_999_999))
def test_times_keep_their_microsecond(microseconds: int) -> None:
    """A float of seconds gives back the microsecond it was made from."""
    event = accepted({"litellm_call_id": "c", "endTime": microseconds / 1e6, "prompt_tokens": 1})
    assert event.occurred_at == EPOCH + timedelta(microseconds=microseconds)
    assert event.occurred_at.tzinfo is UTC


def test_start_stands_in_for_a_missing_end() -> None:
    """A payload without an end has at least begun."""
    payload = recorded(endTime=None)
    assert accepted(payload).occurred_at.timestamp() == pytest.approx(payload["startTime"], abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"litellm_call_id": ""}, 'litellm_call_id: expected a text that is not empty, got ""'),
        ({"litellm_call_id": None}, "litellm_call_id: expected a text, got null"),
        ({"litellm_call_id": "a\0"}, r'litellm_call_id: expected text without NUL, got "a\u0000"'),
        ({"prompt_tokens": -5}, "prompt_tokens: expected an integer ≥ 0, got -5"),
        ({"completion_tokens": 1.5}, "completion_tokens: expected an integer ≥ 0, got 1.5"),
        ({"cache_hit": "yes"}, 'cache_hit: expected true or false, got "yes"'),
        ({"endTime": "now"}, 'endTime: expected a number, got "now"'),
        ({"endTime": 1795440157249}, f"{WRONG_YEAR}, got 1795440157249.0"),
        ({"endTime": None, "startTime": None}, f"{WRONG_YEAR}, got null"),
        ({"metadata": []}, "metadata: expected an object, got an array"),
        ({"metadata": {"user_api_key_alias": 5}}, "metadata.user_api_key_alias: expected a text, got 5"),
        (
            {"metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": "9"}}}},
            'metadata.usage_object.prompt_tokens_details.cached_tokens: expected an integer ≥ 0, got "9"',
        ),
    ],
)
def test_refusal_names_the_field_and_its_value(changes: dict[str, object], detail: str) -> None:
    """A payload of another shape is told where it differs, with what stands there."""
    result = parse_one(recorded() | changes)
    assert isinstance(result, Rejected)
    assert (result.index, result.detail) == (0, detail)


def test_refusal_carries_the_id_as_far_as_it_could_be_read() -> None:
    """Whoever looks into a refusal finds the call; an id that is no text cannot be told."""
    call = PAYLOADS["success"]["litellm_call_id"]
    ids = [parse_one(recorded(prompt_tokens=-1, litellm_call_id=one))[1] for one in (call, "a\0", 5)]
    assert ids == [call, "a\N{REPLACEMENT CHARACTER}", ""]


def test_one_bad_payload_does_not_cost_the_batch() -> None:
    """Its neighbours are taken in, and the answers keep their places."""
    batch = [recorded(), recorded(prompt_tokens="x"), recorded("failure"), recorded("streaming")]
    results = litellm.parse(json.dumps(batch).encode(), source="litellm-eu")
    assert [type(result) for result in results] == [UsageEvent, Rejected, NothingUsed, UsageEvent]
    assert [results[1][0], results[2][0]] == [1, 2]


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_malformed(body: bytes) -> None:
    """Whatever the bytes, the answer is a list or MalformedBodyError."""
    with contextlib.suppress(MalformedBodyError):
        assert isinstance(litellm.parse(body, source="litellm-eu"), list)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
FIELDS = (
    "litellm_call_id",
    "status",
    "cache_hit",
    "model",
    "endTime",
    "startTime",
    "prompt_tokens",
    "request_tags",
    "metadata",
)
METADATA_FIELDS = ("user_api_key_user_id", "user_api_key_team_id", "usage_object")


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2),
    st.dictionaries(st.sampled_from(METADATA_FIELDS), JSON, max_size=2),
)
def test_no_json_raises(outer: dict[str, object], inner: dict[str, object]) -> None:
    """A payload with junk in any field is answered, and so is the one after it."""
    body = json.dumps([recorded(metadata=inner) | outer, recorded()]).encode()
    results = litellm.parse(body, source="litellm-eu")
    assert len(results) == 2
    assert isinstance(results[1], UsageEvent)


def answered(tier: object, **fields: object) -> dict[str, Any]:
    return {"id": "chatcmpl-up1", "service_tier": tier, "choices": [{"message": {"content": "Good."}}], **fields}


def test_the_tier_is_the_one_that_the_provider_served() -> None:
    """What the provider answers counts, also where the gateway reckoned with another tier."""
    event = accepted(recorded(response=answered("priority"), cost_breakdown={"service_tier": "flex"}))
    assert event.tier == "priority"
    assert accepted(recorded(response=answered("default"), cost_breakdown={"service_tier": "priority"})).tier == ""
    assert event.fingerprint != accepted(recorded()).fingerprint


@pytest.mark.parametrize(
    "response",
    [
        None,
        "",
        "redacted-by-litellm",
        'He said {"service_tier": "flex"}',
        {},
        {"text": "redacted-by-litellm"},
        answered(None),
        [answered("flex")],
        [],
        5,
        True,
    ],
)
def test_the_gateways_own_tier_stands_in_for_an_answer_that_names_none(response: object) -> None:
    """Where answers are not logged, or name no tier, the tier that the gateway reckoned with is used."""
    assert accepted(recorded(response=response, cost_breakdown={"service_tier": "Priority"})).tier == "priority"
    assert accepted(recorded(response=response, cost_breakdown={"service_tier": None})).tier == ""
    assert accepted(recorded(response=response, cost_breakdown=None)).tier == ""


@pytest.mark.parametrize("name", ["success", "streaming", "success_unknown_price", "success_mock"])
def test_real_calls_of_the_standard_tier_name_none(name: str) -> None:
    """The recorded calls were all standard ones; without their answers they are the same events."""
    event = accepted(recorded(name))
    assert event.tier == ""
    without = recorded(name)
    del without["response"]
    assert accepted(without) == event


def test_the_tier_that_the_client_asked_for_is_not_believed() -> None:
    """A client would else pay for a batch and be served at once."""
    asked = {"service_tier": "batch"}
    payload = recorded(
        model_parameters=asked, metadata={"requester_metadata": asked, **asked}, hidden_params=asked, **asked
    )
    assert accepted(payload) == accepted(recorded())


def test_what_else_an_answer_holds_does_not_hide_its_tier() -> None:
    """Half an emoji, numbers that are none, a tier inside of a text: the answer's own tier is read all the same."""
    odd = [{"message": {"content": "\ud83d"}, "logprobs": float("nan"), "service_tier": "flex"}, "\0"]
    assert accepted(recorded(response=answered("priority", choices=odd))).tier == "priority"
    batch = [recorded(response=answered("priority", choices=odd[:1])), recorded()]
    [first, second] = litellm.parse(json.dumps(batch).encode(), source="litellm-eu")
    assert isinstance(first, UsageEvent)
    assert first.tier == "priority"
    assert second == accepted(recorded())


@pytest.mark.parametrize("tier", [3, True, {"name": "flex"}, ["flex"], "x" * 201, "fl\0ex"])
def test_a_tier_that_is_no_name_is_refused(tier: object) -> None:
    """Guessing its price would be wrong either way."""
    result = parse_one(recorded(response=answered(tier)))
    assert isinstance(result, Rejected)
    assert result.detail.startswith("response.service_tier: expected at most 200 characters without NUL, got ")
