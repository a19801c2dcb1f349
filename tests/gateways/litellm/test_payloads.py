from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateways.litellm import payloads
from gateways.litellm.leases import Use
from handlers.usage import litellm
from policy.metering import UsageEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[2] / "data"


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every payload of LiteLLM's that tests have."""
    for path in sorted([*DATA.glob("litellm/*.json"), *DATA.glob("litellm_cases/*.json")]):
        told = json.loads(path.read_text(encoding="utf-8"))
        for number, payload in enumerate(told if isinstance(told, list) else [told]):
            if isinstance(payload, dict):
                yield f"{path.stem}-{number}", payload
    for path in sorted(DATA.glob("litellm_hooks/*.json")):
        for number, call in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            if call.get("payload"):
                yield f"{path.stem}-{number}", call["payload"]


PAYLOADS = dict(recorded())


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_bot_reads_the_same_of_what_is_kept(name: str) -> None:
    """The kept part of a payload is the same event as the whole: same id, person, meters, tier, fingerprint."""
    payload = PAYLOADS[name]
    kept = payloads.encoded(payloads.trimmed(payload), "")
    [whole] = litellm.parse(json.dumps([payload]).encode(), source="litellm-eu")
    [part] = litellm.parse(f"[{kept}]".encode(), source="litellm-eu")
    assert part == whole


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_id_is_the_one_that_the_bot_makes(name: str) -> None:
    """The journal knows an event by the id that it will have at the bot."""
    [event] = litellm.parse(json.dumps([PAYLOADS[name]]).encode(), source="litellm-eu")
    known_as = event.event_id if isinstance(event, UsageEvent) else getattr(event, "event_id", "")
    assert payloads.event_id(PAYLOADS[name]) == known_as


@pytest.mark.parametrize("name", [name for name in PAYLOADS if "secret" in json.dumps(PAYLOADS[name])])
def test_no_word_of_a_prompt_is_kept(name: str) -> None:
    """Prompts that say "secret" leave no such word in what is kept."""
    assert "secret" not in payloads.encoded(payloads.trimmed(PAYLOADS[name]), "call_1")


def test_there_are_payloads_with_prompts() -> None:
    """The test above would notice a prompt: the recorded payloads do have some."""
    assert sum("secret" in json.dumps(payload) for payload in PAYLOADS.values()) >= 10


def test_other_tags_than_the_project_stay_where_they_are() -> None:
    """Tags carry whatever a client says, such as its user agent."""
    assert payloads.trimmed({"request_tags": ["User-Agent: x", "project:apollo", 7]})["request_tags"] == [
        "project:apollo"
    ]


def test_an_event_names_the_hold_that_it_settles() -> None:
    """The hold stands beside the payload's own fields, and is left out where there is none."""
    assert json.loads(payloads.encoded({"id": "x"}, "call_1")) == {"id": "x", "hold": "call_1"}
    assert json.loads(payloads.encoded({"id": "x"}, "")) == {"id": "x"}


def test_what_was_used_is_read_as_the_prices_need_it() -> None:
    """Cached tokens are parts of the input; an answer from the proxy's cache used nothing."""
    payload = next(call["payload"] for call in _calls("chat") if call.get("payload"))
    assert payloads.use(payload) == Use(1_200, 300, cache_read=1_000)
    assert payloads.use({**payload, "cache_hit": True}) == Use()
    anthropic = next(call["payload"] for call in _calls("messages") if call.get("payload"))
    assert payloads.use(anthropic) == Use(1_600, 250, cache_read=1_000, cache_write=200)


def test_a_first_account_counts_what_a_cache_did_once() -> None:
    """Anthropic's own usage has the cached tokens beside the input, OpenAI's inside of it."""
    told = {"start_time": datetime.fromtimestamp(1_795_861_619, UTC), "litellm_call_id": "c"}
    anthropic = {"input_tokens": 5_000, "cache_read_input_tokens": 1_000, "cache_creation_input_tokens": 200}
    responses = {"input_tokens": 5_000, "input_tokens_details": {"cached_tokens": 1_000}, "output_tokens": 7}
    accounts = [payloads.first_account(told, {"usage": usage}, 1_795_861_620.0) for usage in (anthropic, responses)]
    assert [account and account["prompt_tokens"] for account in accounts] == [6_200, 5_000]
    assert payloads.first_account(told, {"usage": None}, 1.0) is None


def _calls(name: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = json.loads((DATA / "litellm_hooks" / f"{name}.json").read_text(encoding="utf-8"))
    return calls
