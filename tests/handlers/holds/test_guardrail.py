"""LiteLLM asks before a call by its configuration alone."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from store.tables.holds import holds
from tests.handlers.holds.test_holds_http import DAILY, a_client
from tests.support import books, cast, held
from tests.support.books import ADA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.testclient import TestClient

    from programme.app import App

URL = "/v1/guardrail/beta/litellm_basic_guardrail_api"
SECRET = "the launch is on Tuesday"
MODELS = {"models": {"claude": "anthropic/claude-sonnet-4-5", "odd": "anthropic/nobody-knows"}}


@pytest.fixture
def client(sqlite_app: App) -> Iterator[TestClient]:
    """A gateway's connection; Ada has 250 tokens, and an empty wallet stops her."""
    held.stop(sqlite_app)
    cast.give(sqlite_app, ADA, "250")
    with a_client(sqlite_app, "holds:write") as opened:
        yield opened


def a_question(**more: object) -> dict[str, Any]:
    """As LiteLLM 1.106.12 sends it."""
    return {
        "input_type": "request",
        "litellm_call_id": "0b8a9a80-8d5f-4bd1-9e39-6e6ee4fd6ad9",
        "litellm_trace_id": None,
        "structured_messages": [{"role": "user", "content": SECRET}],
        "images": None,
        "tools": None,
        "texts": [SECRET],
        "request_data": {"user_api_key_hash": "88dc28d0f030", "user_api_key_user_email": ADA},
        "request_headers": {"host": "127.0.0.1:4000", "authorization": "[present]"},
        "litellm_version": "1.106.12",
        "additional_provider_specific_params": MODELS,
        "tool_calls": None,
        "model": "claude",
    } | more


def ask(client: TestClient, **more: object) -> dict[str, Any]:
    answer = client.post(URL, json=a_question(**more))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_a_call_runs_while_there_is_room_and_is_blocked_in_words(sqlite_app: App, client: TestClient) -> None:
    """The sentence is that of every denial; nothing is held, and who is stopped is told."""
    assert ask(client) == {"action": "NONE"}
    long = ask(client, texts=["word " * 400_000])
    assert long["action"] == "BLOCKED"
    assert long["blocked_reason"].startswith("Budget limit reached (quota exceeded): your wallet has room for 250 tok")
    assert "claude-sonnet-4-5" in long["blocked_reason"]
    assert books.count(sqlite_app, holds) == 0
    assert books.findings(sqlite_app) == {}


@pytest.mark.parametrize(
    "more",
    [
        {"input_type": "response"},
        {"model": None},
        {"model": "unnamed"},
        {"model": "odd"},
        {"request_data": {"user_api_key_user_email": "nobody@example.com"}},
        {"request_data": {}},
        {"additional_provider_specific_params": {}},
        {"model": "a\0/b"},
    ],
)
def test_what_cannot_be_judged_runs(client: TestClient, more: dict[str, object]) -> None:
    """A guardrail that fails stops everybody: strangers, unknown names and answers pass."""
    assert ask(client, **{"texts": ["word " * 400_000], **more}) == {"action": "NONE"}


@pytest.mark.parametrize(
    "more",
    [
        {"model": "anthropic/claude-sonnet-4-5"},
        {"model": "claude-sonnet-4-5", "additional_provider_specific_params": {"provider": "anthropic"}},
    ],
)
def test_a_models_own_name_needs_no_entry(client: TestClient, more: dict[str, object]) -> None:
    """With its provider before it, or where all are of one provider."""
    assert ask(client, **more, texts=["word " * 400_000])["action"] == "BLOCKED"


def test_a_tag_names_the_project(sqlite_app: App, client: TestClient) -> None:
    """A cap on a project counts what its own calls would cost, by the header that clients send to the proxy."""
    held.stop(sqlite_app, DAILY.replace('"person"', '"project"\nproject = "apollo"'), version="2026.3")
    cast.give(sqlite_app, ADA, "10000")
    texts = ["word " * 800_000]
    assert ask(client, texts=texts) == {"action": "NONE"}
    tagged = ask(client, texts=texts, request_headers={"x-litellm-tags": "ci, project:apollo"})
    assert 'the cap "Ada\'s day" allows USD 3.00 a day for the project apollo' in tagged["blocked_reason"]


def test_no_prompt_is_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Neither where the body is wrong; what is wrong with it could be of the prompt."""
    caplog.set_level(logging.DEBUG)
    for text in (json.dumps(a_question()), json.dumps(a_question())[:-40], json.dumps(a_question(input_type=[SECRET]))):
        answer = client.post(URL, content=text)
        assert SECRET not in answer.text
    assert answer.status_code == 422
    assert SECRET not in caplog.text
