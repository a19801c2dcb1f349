"""What exporters really send, taken in over HTTP or from a file, ends with the right sum in the ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from handlers import http
from handlers.usage import files
from programme.usage import keys
from store.tables.usage import quarantine, usage_events
from tests.support import books, cast
from tests.support.data import TELEMETRY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from tests.support.clock import Clock

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def client(sqlite_app: App, clock: Clock) -> Iterator[TestClient]:
    """A gateway on the Monday on which the situations happen."""
    clock.now = MONDAY
    with sqlite_app.transaction() as moment:
        made = keys.create(moment, name="gw", source="gw", scopes=["usage:write"], actor="test")
    with TestClient(http.build(sqlite_app), headers={"authorization": f"Bearer {made.secret}"}) as opened:
        yield opened


def sent(client: TestClient, name: str) -> tuple[str, str]:
    """Status and detail of a situation."""
    answer = client.post("/v1/usage", content=(TELEMETRY / f"{name}.json").read_bytes())
    [result] = answer.json()["results"]
    return result["status"], result["detail"]


def cost(app: App) -> Decimal:
    """USD of the one event."""
    [(nano_usd,)] = books.rows(app, sa.select(usage_events.c.cost_nano_usd))
    return Decimal(nano_usd) / 10**9


@pytest.mark.parametrize(
    ("name", "usd"),
    [
        ("cache-write", "0.2394"),
        ("cache-underscores", "0.04490025"),
        ("provider-aws.bedrock", "0.00495"),
        ("provider-azure.ai.openai", "0.00225"),
        ("provider-gcp.vertex_ai", "0.00225"),
        ("provider-mistral_ai", "0.0026"),
        ("float-counts", "0.0045"),
        ("zero-usage", "0"),
    ],
)
def test_a_call_costs_what_it_did(client: TestClient, sqlite_app: App, name: str, usd: str) -> None:
    """Whatever names and numbers an exporter uses, the call is accepted at its true price."""
    assert sent(client, name) == ("accepted", "")
    assert cost(sqlite_app) == Decimal(usd)
    assert books.findings(sqlite_app) == {}


def test_sound_without_a_price_waits(client: TestClient) -> None:
    """Audio of a model whose list has no price for it is not billed as text."""
    assert sent(client, "audio-price") == ("quarantined", "no price for audio_input of openai/gpt-4o-audio-preview")


def test_an_event_a_year_ahead_is_rejected(client: TestClient, sqlite_app: App) -> None:
    """The answer names the field, its value and the clock."""
    expected = "expected at most 15 minutes ahead of the bot's clock, which says 2026-11-23T12:00:00Z"
    assert sent(client, "future-event") == ("rejected", f"time: {expected}, got 2027-11-23T09:30:00Z")
    assert books.count(sqlite_app, usage_events) == 0


@pytest.mark.parametrize(
    ("name", "waiting"),
    [
        (
            "before",
            {"before-hire": "2024-06-01, but the person was hired on 2025-06-01", "before-programme": "2023-06-01"},
        ),
        ("after-leaving", {"after-leaving": "2026-11-20, but the person left on 2026-11-19"}),
    ],
)
def test_use_outside_of_employment_waits(sqlite_app: App, clock: Clock, name: str, waiting: dict[str, str]) -> None:
    """Ben's use before he was hired, and after he left, is kept and debits no one."""
    clock.now = MONDAY
    if name == "after-leaving":
        cast.hire(sqlite_app, "email,left_on\nben@example.com,2026-11-19\n")
    with (TELEMETRY / f"{name}.csv").open("rb") as file:
        done = files.import_file(sqlite_app, file, "csv")
    assert done.counts["quarantined"] == len(waiting)
    columns = (quarantine.c.event_id, quarantine.c.reason, quarantine.c.detail)
    for event_id, reason, detail in books.rows(sqlite_app, sa.select(*columns)):
        assert reason == "not_employed"
        assert waiting[event_id] in detail
    assert books.wallet(sqlite_app, books.BEN) == 0


def test_a_file_with_a_line_ahead_imports_nothing(sqlite_app: App, clock: Clock) -> None:
    """The line is named with the column and the clock; without bad lines the rest is taken in."""
    clock.now = MONDAY
    with (TELEMETRY / "future.csv").open("rb") as file:
        done = files.import_file(sqlite_app, file, "csv")
    [bad] = done.bad.first
    assert bad.number == 2
    assert bad.detail.startswith("occurred_at: expected at most 15 minutes ahead of the bot's clock")
    assert (done.counts["accepted"], done.counts["rejected"]) == (0, 1)
    with (TELEMETRY / "future.csv").open("rb") as file:
        skipped = files.import_file(sqlite_app, file, "csv", skip_bad_lines=True)
    assert (skipped.counts["accepted"], skipped.counts["rejected"]) == (0, 1)
    assert books.count(sqlite_app, usage_events) == 0


def test_use_of_nothing_is_one_thing_everywhere(client: TestClient, sqlite_app: App) -> None:
    """Zero counts, and the empty cells of a file, are a call that was free: counted, posted, without a price."""
    assert sent(client, "zero-usage") == ("accepted", "")
    with (TELEMETRY / "zero.csv").open("rb") as file:
        assert files.import_file(sqlite_app, file, "csv").counts["accepted"] == 1
    kept = books.rows(
        sqlite_app, sa.select(usage_events.c.meters, usage_events.c.cost_nano_usd, usage_events.c.price_id)
    )
    assert kept == [({}, 0, None)] * 2


def test_what_no_one_can_price_waits_whole(client: TestClient, sqlite_app: App) -> None:
    """An unknown count keeps its event from being posted, is told, and stays with it."""
    event = json.loads((TELEMETRY / "cache-write.json").read_bytes())
    event["data"]["gen_ai.usage.smell.input_tokens"] = 77
    [result] = client.post("/v1/usage", json=event).json()["results"]
    expected = "no price for gen_ai.usage.smell.input_tokens of anthropic/claude-sonnet-4-5"
    assert (result["status"], result["detail"]) == ("quarantined", expected)
    [(meters,)] = books.rows(sqlite_app, sa.select(usage_events.c.meters))
    assert meters["gen_ai.usage.smell.input_tokens"] == 77
    assert books.retry(sqlite_app) == (0, 1)
    assert books.findings(sqlite_app) == {}
