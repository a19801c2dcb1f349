"""Counts under the names of yesterday's conventions and of exporters are read, and none is skipped in silence."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.decoding import Rejected
from handlers.usage import cloudevents, genai_names
from handlers.usage.formats import MAX_COUNT
from policy.metering import METERS, UsageEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handlers.usage.formats import Versioned
    from policy.metering import Meters

INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
READ, WRITE = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens"
REASONING, TOTAL = "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.total_tokens"
NOBODY_KNOWS = "gen_ai.usage.smell.input_tokens"


def parse(*usages: Mapping[str, object]) -> list[Versioned]:
    """What becomes of calls with this usage."""
    events = [
        {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": "gateway",
            "type": "gen_ai.usage",
            "time": "2026-11-20T09:30:00Z",
            "data": {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5", **usage},
        }
        for number, usage in enumerate(usages)
    ]
    return list(cloudevents.parse(json.dumps(events).encode()))


def meters(usage: Mapping[str, object]) -> Meters:
    [event] = parse(usage)
    assert isinstance(event, UsageEvent), event
    return event.meters


def refusal(usage: Mapping[str, object]) -> str:
    [event] = parse(usage)
    assert isinstance(event, Rejected), event
    return event.detail


ALIASES = [(name, f"gen_ai.usage.{alias}") for name, aliases in genai_names.ALIASES.items() for alias in aliases]


@pytest.mark.parametrize(("name", "alias"), ALIASES)
def test_an_older_name_says_the_same(name: str, alias: str) -> None:
    """Every name that exporters have for a count leads to the meters of ours; where both are told it counts once."""
    usage: dict[str, object] = {INPUT: 1_000, OUTPUT: 300}
    ours = parse(usage | {name: 250})
    assert parse(usage | {alias: 250}) == ours
    assert parse(usage | {alias: 250, name: 250}) == ours
    assert parse(usage | {alias: 999, name: 250}) == ours
    assert parse(usage | {alias: 250, name: None}) == ours


def test_no_name_leads_to_two_counts() -> None:
    """An alias stands for one name of ours."""
    aliases = list(chain.from_iterable(genai_names.ALIASES.values()))
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & (genai_names.PARTS | genai_names.NOT_COUNTS)


def test_the_conventions_before_and_today_say_the_same() -> None:
    """What is written to the cache was called its creation until August 2026; today's name wins where both stand."""
    usage: dict[str, object] = {INPUT: 1_000, OUTPUT: 300}
    before, now = "gen_ai.usage.cache_creation.input_tokens", WRITE
    expected = {"input_uncached": 400, "cache_write_5m": 600, "output": 300}
    assert (
        meters(usage | {before: 600}) == meters(usage | {now: 600}) == meters(usage | {now: 600, before: 5}) == expected
    )


def test_sound_in_the_conventions_words() -> None:
    """Audio leaves the plain meters for its own, and what of it was cached for one more."""
    usage: dict[str, object] = {
        INPUT: 1_000,
        READ: 300,
        "gen_ai.usage.audio.input_tokens": 400,
        "gen_ai.usage.audio.cache_read.input_tokens": 100,
        "gen_ai.usage.text.input_tokens": 600,
        OUTPUT: 50,
        "gen_ai.usage.audio.output_tokens": 30,
    }
    assert meters(usage) == {
        "input_uncached": 400,
        "cache_read": 200,
        "audio_input": 300,
        "audio_cache_read": 100,
        "output": 20,
        "audio_output": 30,
    }


def test_films_in_the_conventions_words() -> None:
    """What is seen and what is drawn leave the plain meters for their own."""
    usage: dict[str, object] = {
        INPUT: 1_000,
        OUTPUT: 300,
        "gen_ai.usage.video.input_tokens": 400,
        "gen_ai.usage.details.video_candidates_tokens": 200,
    }
    assert meters(usage) == {"input_uncached": 600, "video_input": 400, "output": 100, "video_output": 200}


PYDANTIC = "gen_ai.usage.details."


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # Pydantic AI 2.68 of Anthropic, with writes for an hour and a compaction, whose tokens are in the totals.
        (
            {WRITE: 900, PYDANTIC + "ephemeral_1h_input_tokens": 400, PYDANTIC + "compaction_input_tokens": 100},
            {"input_uncached": 100, "cache_write_5m": 500, "cache_write_1h": 400, "output": 300},
        ),
        # Of OpenAI's chat completions: the details of the output, under their bare names as well.
        (
            {PYDANTIC + "audio_tokens": 200, PYDANTIC + "output_audio_tokens": 200, PYDANTIC + "text_tokens": 100},
            {"input_uncached": 1_000, "output": 100, "audio_output": 200},
        ),
        # Of Gemini: tokens of its own tools and of documents are in the input.
        (
            {PYDANTIC + "tool_use_prompt_tokens": 50, PYDANTIC + "document_prompt_tokens": 70},
            {"input_uncached": 1_000, "output": 300},
        ),
        # Of Mistral's Voxtral: the length of what it heard.
        ({PYDANTIC + "prompt_audio_seconds": 7}, {"input_uncached": 1_000, "output": 300, "audio_seconds": 7}),
        # The Agent Development Kit 2.13, where the model may think as long as it likes.
        (
            {
                "gen_ai.usage.experimental.reasoning_tokens_limit": -1,
                "gen_ai.usage.experimental.system_instruction_tokens": 30,
            },
            {"input_uncached": 1_000, "output": 300},
        ),
    ],
)
def test_what_exporters_of_today_add_keeps_no_event(told: dict[str, object], expected: Meters) -> None:
    """Names that were new in the releases of November 2026 lead to meters, or are known to be no counts."""
    assert meters({INPUT: 1_000, OUTPUT: 300} | told) == expected


def test_what_another_model_used_waits() -> None:
    """Tokens of Anthropic's advisor are paid at another model's price and are in no total, so they wait."""
    found = meters({INPUT: 1_000, OUTPUT: 300, PYDANTIC + "advisor_input_tokens": 7})
    assert found[PYDANTIC + "advisor_input_tokens"] == 7  # type: ignore[index]  # a name of the sender's


def test_a_count_that_no_one_knows_is_kept_under_its_name() -> None:
    """It is a meter that no price list has, so the event waits; one that counted nothing asks for nothing."""
    usage: dict[str, object] = {INPUT: 1_000, OUTPUT: 300}
    assert meters(usage | {NOBODY_KNOWS: 7}) == {"input_uncached": 1_000, "output": 300, NOBODY_KNOWS: 7}
    assert meters({"tokens_bot.usage.serches": 7}) == {"tokens_bot.usage.serches": 7}
    assert meters(usage | {NOBODY_KNOWS: 0, "gen_ai.usage.x": None}) == {"input_uncached": 1_000, "output": 300}


def test_events_with_unknown_counts_differ() -> None:
    """The same id with another unknown count is another content."""
    first, second, again = parse({NOBODY_KNOWS: 7}, {NOBODY_KNOWS: 8}, {NOBODY_KNOWS: 7})
    assert isinstance(first, UsageEvent)
    assert isinstance(second, UsageEvent)
    assert isinstance(again, UsageEvent)
    assert first.fingerprint == again.fingerprint != second.fingerprint


@pytest.mark.parametrize("value", [-1, 1.5, "7", True, [7], {"n": 7}, MAX_COUNT + 1])
@pytest.mark.parametrize("name", [NOBODY_KNOWS, "gen_ai.usage.cache_read_input_tokens"])
def test_what_is_no_count_is_refused_by_the_senders_name(name: str, value: object) -> None:
    """A refusal names the field as the sender does, not as we do."""
    assert refusal({INPUT: 1, name: value}).startswith(
        f'data."{name}": expected an integer from 0 to {MAX_COUNT}, got '
    )


@pytest.mark.parametrize("name", ["gen_ai.usage." + "x" * 200, "gen_ai.usage.\0"])
def test_names_that_cannot_be_kept_are_refused(name: str) -> None:
    """A name that is too long, or that a database would refuse, is not kept."""
    assert "names of usage of at most 200 characters without NUL" in refusal({INPUT: 1, name: 7})


def test_our_own_meters_cannot_be_overwritten() -> None:
    """The field for other counts takes names of usage only."""
    assert "names of usage" in refusal({INPUT: 1_000, "tokens_bot.usage.other": {"output": 1}})


def test_costs_and_parts_of_totals_are_no_counts() -> None:
    """What a sender reckons it cost, and what the totals hold already, changes nothing."""
    usage: dict[str, object] = {INPUT: 1_000, OUTPUT: 300}
    told = {f"gen_ai.usage.{name}": 12.5 for name in genai_names.NOT_COUNTS}
    parts = {f"gen_ai.usage.{name}": 200 for name in genai_names.PARTS}
    assert meters(usage | told | parts | {"gen_ai.usage.cost.input": 0.1}) == meters(usage)


def test_a_prompt_may_speak_of_usage() -> None:
    """Names that stand elsewhere than in `data` itself mean nothing."""
    usage: dict[str, object] = {
        INPUT: 1_000,
        "gen_ai.input.messages": [{"gen_ai.usage.x": 5, "say": '"gen_ai.usage.y"'}],
    }
    assert meters(usage) == {"input_uncached": 1_000}


# --- Counted with the cached tokens, or without them ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({INPUT: 1_000, READ: 600, WRITE: 300}, {"input_uncached": 100, "cache_read": 600, "cache_write_5m": 300}),
        ({INPUT: 5, READ: 600, WRITE: 300}, {"input_uncached": 5, "cache_read": 600, "cache_write_5m": 300}),
        ({INPUT: 1_000, READ: 600, TOTAL: 1_000}, {"input_uncached": 400, "cache_read": 600}),
        ({INPUT: 1_000, READ: 600, TOTAL: 1_600}, {"input_uncached": 1_000, "cache_read": 600}),
        ({INPUT: 1_000, READ: 600, TOTAL: 1_234}, {"input_uncached": 400, "cache_read": 600}),
        ({INPUT: 10, OUTPUT: 300, REASONING: 200}, {"input_uncached": 10, "output": 300}),
        ({INPUT: 10, OUTPUT: 300, REASONING: 900}, {"input_uncached": 10, "output": 1_200}),
        ({INPUT: 10, OUTPUT: 300, REASONING: 200, TOTAL: 510}, {"input_uncached": 10, "output": 500}),
        ({INPUT: 10, OUTPUT: 300, REASONING: 200, TOTAL: 310}, {"input_uncached": 10, "output": 300}),
        (
            {INPUT: 10, READ: 5, OUTPUT: 30, REASONING: 20, TOTAL: 65},
            {"input_uncached": 10, "cache_read": 5, "output": 50},
        ),
        (
            {INPUT: 10, READ: 5, OUTPUT: 30, REASONING: 5, TOTAL: 45},
            {"input_uncached": 10, "cache_read": 5, "output": 30},
        ),
        ({TOTAL: 500}, {TOTAL: 500}),
        ({TOTAL: 0}, {}),
    ],
)
def test_parts_are_told_from_what_stands_beside(usage: dict[str, object], expected: Meters) -> None:
    """Parts are in their whole, unless they are more than it, or the total shows that they come on top."""
    assert meters(usage) == expected


COUNTS = st.integers(0, 10**6)


@given(uncached=COUNTS, read=COUNTS, written=COUNTS, output=COUNTS, reasoning=COUNTS)
def test_both_ways_of_counting_come_to_the_same(
    *, uncached: int, read: int, written: int, output: int, reasoning: int
) -> None:
    """With a total, a call costs the same whether its parts are counted in or apart."""
    parts = {READ: read, WRITE: written, REASONING: reasoning, TOTAL: uncached + read + written + output + reasoning}
    inclusive = {INPUT: uncached + read + written, OUTPUT: output + reasoning} | parts
    exclusive = {INPUT: uncached, OUTPUT: output} | parts
    # By the total alone, tokens of the cache can't be told from as many of reasoning.
    if read + written != reasoning:
        assert meters(inclusive) == meters(exclusive)


@given(st.dictionaries(st.sampled_from([alias for _, alias in ALIASES]) | st.just(NOBODY_KNOWS), COUNTS))
def test_whatever_is_told_is_metered_or_refused(usage: dict[str, int]) -> None:
    """No mixture of names costs an event; its meters are ours, or names of the sender's that wait."""
    [parsed] = parse({INPUT: 10**7, OUTPUT: 10**7, **usage})
    if isinstance(parsed, UsageEvent):
        assert all(meter in METERS or meter == NOBODY_KNOWS for meter in parsed.meters)
        assert all(parsed.meters.values())
    else:
        assert isinstance(parsed, Rejected)
        assert "sum of its parts" in parsed.detail or "it is part of" in parsed.detail


# --- Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["1000.0", "1000.00"])
def test_a_whole_number_may_have_a_fraction_of_nothing(written: str) -> None:
    """Some languages have no integers: 1000.0 is 1000, and 1000.5 is refused by name."""
    body = json.dumps({INPUT: 1_000, READ: 600, "tokens_bot.project": "v1.0"})
    plain, floated = (
        cloudevents.parse(
            b'{"specversion":"1.0","id":"e","source":"s","type":"t","time":"2026-11-20T09:30:00Z","data":'
            b'{"gen_ai.provider.name":"openai","gen_ai.request.model":"gpt-5",' + text[1:].encode() + b"}"
        )
        for text in (body, body.replace("1000", written).replace("600", "600.0"))
    )
    assert floated == plain
    assert refusal({INPUT: 1000.5}) == f'data."{INPUT}": expected an integer ≥ 0, got 1000.5'
