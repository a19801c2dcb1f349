"""The HTTP side: who may report usage, what becomes of it event by event, and what operators can see."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
import logging
import sqlite3
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from handlers import bodies, http
from policy.units import MicroTokens
from programme.app import App
from programme.balance import balance
from programme.usage import intake as usage_programme
from programme.usage import keys
from store.engine import open_database
from store.tables.people import api_keys
from store.tables.usage import usage_events
from store.turns import Turns
from store.usage import events as usage_store
from tests.conftest import ZONE
from tests.support import cast
from tests.support.data import LITELLM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from tests.support.clock import Clock

ADA = "ada@example.com"
AMOUNT = "4,120"


@pytest.fixture(autouse=True)
def after_the_recorded_calls(clock: Clock) -> None:
    """LiteLLM's payloads were recorded on a Monday; it is the Tuesday after."""
    clock.move(days=4)


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """A gateway's own connection to the bot, on either database, with a key for the source `gateway`."""
    with TestClient(http.build(app)) as opened:
        opened.headers["authorization"] = f"Bearer {a_key(app)}"
        yield opened


@pytest.fixture
def sqlite_client(sqlite_app: App) -> Iterator[TestClient]:
    """The same on SQLite alone."""
    with TestClient(http.build(sqlite_app)) as opened:
        opened.headers["authorization"] = f"Bearer {a_key(sqlite_app)}"
        yield opened


def a_key(app: App, name: str = "gateway") -> str:
    with app.transaction() as moment:
        made = keys.create(moment, name=name, source=name, scopes=["usage:write"], actor="test")
    return made.secret


def cloudevent(event_id: str, data: dict[str, Any] | None = None, *, source: str = "gateway") -> dict[str, Any]:
    """Ada's 1,200 input tokens (1,000 of them cached) and 300 output tokens: USD 0.0054, 0.54 tokens."""
    used = {
        "user.email": ADA,
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.usage.input_tokens": 1_200,
        "gen_ai.usage.cache_read.input_tokens": 1_000,
        "gen_ai.usage.output_tokens": 300,
    }
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": "gen_ai.usage",
        "time": "2026-11-20T09:30:00Z",
        "data": used | (data or {}),
    }


def post(client: TestClient, body: object, path: str = "/v1/usage", **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=content, headers={"content-type": "application/json"} | headers)


def statuses(answer: Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [result["status"] for result in answer.json()["results"]]


def recorded(name: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((LITELLM / f"{name}.json").read_text("utf-8"))
    return payload


def all_recorded() -> list[dict[str, Any]]:
    return [recorded(path.stem) for path in sorted(LITELLM.glob("*.json"))]


def available(app: App, email: str = ADA) -> MicroTokens:
    with app.reading() as moment:
        card = balance.of_email(moment, email)
    assert card is not None
    return card.available


def count_events(app: App) -> int:
    with app.database.reading() as session:
        return session.execute(sa.select(sa.func.count()).select_from(usage_events)).scalar_one()


# --- Keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/usage", "/v1/usage/litellm"])
def test_a_key_in_force_is_needed(sqlite_client: TestClient, sqlite_app: App, path: str) -> None:
    """No key, a wrong one, another scheme and a revoked key are refused alike, and nothing is taken in."""
    revoked = a_key(sqlite_app, "old")
    with sqlite_app.transaction() as moment:
        keys.revoke(moment, "old", actor="test")
    for header in ("", "Bearer", "Bearer ", "Bearer tb_wrong", "Basic dXNlcjpwYXNz", f"Bearer {revoked}"):
        answer = post(sqlite_client, [cloudevent("e1")], path, authorization=header)
        assert answer.status_code == 401, header
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json() == {"detail": "A key in force is needed."}
    assert count_events(sqlite_app) == 0


def test_a_key_needs_the_scope(sqlite_client: TestClient, sqlite_app: App) -> None:
    """A key of another scope is known but not allowed, and is told which scope it lacks."""
    with sqlite_app.database.transaction() as session:
        session.execute(sa.update(api_keys).values(scopes="usage:read"))
    answer = post(sqlite_client, [cloudevent("e1")])
    told = "Key 'gateway' lacks the scope 'usage:write' or 'usage:correct' or 'holds:write'."
    assert (answer.status_code, answer.json()) == (403, {"detail": told})
    assert count_events(sqlite_app) == 0


def test_the_body_of_a_stranger_is_not_read(sqlite_client: TestClient) -> None:
    """Anyone who has no key is refused before a byte of the body is taken."""

    def endless() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = sqlite_client.post("/v1/usage", content=endless(), headers={"authorization": "Bearer x"})
    assert answer.status_code == 401


def test_a_key_speaks_for_its_own_source(client: TestClient, app: App) -> None:
    """A key reports for its source and the paths below it; events of another's are rejected, the rest is taken."""
    sources = ("gateway", "gateway/eu", "gateway2", "other", "gateway-eu")
    answer = post(client, [cloudevent(source, source=source) for source in sources])
    assert statuses(answer) == ["accepted", "accepted", "rejected", "rejected", "rejected"]
    assert answer.json()["results"][2]["detail"] == 'source: expected "gateway" or a path below it, got "gateway2"'
    assert count_events(app) == 2


# --- Events --------------------------------------------------------------------------------------------------------


def test_one_event_is_taken_in(client: TestClient, app: App) -> None:
    """A single CloudEvent debits Ada by exactly its cost."""
    cast.give(app, ADA, "100")
    answer = post(client, cloudevent("e1"))
    assert answer.json() == {
        "results": [{"source": "gateway", "id": "e1", "status": "accepted", "detail": ""}],
        "summary": {"accepted": 1, "duplicate": 0, "conflict": 0, "quarantined": 0, "rejected": 0},
    }
    assert available(app) == MicroTokens.parse("99.46")


def test_a_batch_is_answered_event_by_event(client: TestClient, app: App) -> None:
    """Each event of a batch gets its own answer, in its order, and the bad ones cost the others nothing."""
    post(client, cloudevent("before"))
    batch = [
        cloudevent("new"),
        {"id": "broken"},
        cloudevent("before"),
        cloudevent("before", {"gen_ai.usage.output_tokens": 301}),
        cloudevent("who", {"user.email": "nobody@example.com"}),
        cloudevent("what", {"gen_ai.request.model": "inhouse-llm-9"}),
        17,
        cloudevent("negative", {"gen_ai.usage.output_tokens": -1}),
        cloudevent("new"),
    ]
    answer = post(client, batch, **{"content-type": "application/cloudevents-batch+json"})
    results = answer.json()["results"]
    assert [(result["id"], result["status"]) for result in results] == [
        ("new", "accepted"),
        ("broken", "rejected"),
        ("before", "duplicate"),
        ("before", "conflict"),
        ("who", "quarantined"),
        ("what", "quarantined"),
        ("", "rejected"),
        ("negative", "rejected"),
        ("new", "duplicate"),
    ]
    assert answer.json()["summary"] == {"accepted": 1, "duplicate": 2, "conflict": 1, "quarantined": 2, "rejected": 3}
    assert results[4]["detail"] == "no person is known for email 'nobody@example.com'"
    assert results[5]["detail"] == "no price is known for anthropic/inhouse-llm-9"
    assert results[7]["detail"] == 'data."gen_ai.usage.output_tokens": expected an integer ≥ 0, got -1'
    assert available(app) == MicroTokens.parse("-1.08")


def test_a_replay_changes_nothing(client: TestClient, app: App) -> None:
    """Sent again, a batch is all duplicates and no balance moves; other content under its ids is refused."""
    batch = [cloudevent(f"e{number}") for number in range(5)]
    assert set(statuses(post(client, batch))) == {"accepted"}
    before = available(app)
    assert set(statuses(post(client, batch))) == {"duplicate"}
    changed = [event | {"time": "2026-11-20T09:30:01Z"} for event in batch]
    answer = post(client, changed)
    assert set(statuses(answer)) == {"conflict"}
    assert answer.json()["results"][0]["detail"] == "another event was already taken in under this id; that one stays"
    assert available(app) == before
    assert count_events(app) == 5


def test_an_empty_batch_is_an_answer(sqlite_client: TestClient) -> None:
    """A gateway with nothing to report gets an empty answer rather than an error."""
    answer = post(sqlite_client, [])
    assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_real_litellm_payloads_are_taken_in(client: TestClient, app: App) -> None:
    """Every payload that LiteLLM was recorded to send is answered in order; sent again, none counts twice."""
    cast.give(app, ADA, "100")
    payloads = all_recorded()
    assert len(payloads) == 8, f"recorded payloads are missing in {LITELLM}"
    answer = post(client, payloads, "/v1/usage/litellm")
    assert len(answer.json()["results"]) == len(payloads)
    by_call = dict(zip((p["litellm_call_id"] for p in payloads), answer.json()["results"], strict=True))
    for call_id, result in by_call.items():
        assert result["id"].startswith(call_id)
    assert by_call[recorded("success")["litellm_call_id"]]["status"] == "accepted"
    assert by_call[recorded("success_unknown_price")["litellm_call_id"]]["status"] == "quarantined"
    assert by_call[recorded("failure")["litellm_call_id"]]["detail"] == "failed call, nothing was used"
    after = available(app)
    assert after < MicroTokens.parse("100")
    again = post(client, payloads, "/v1/usage/litellm")
    assert set(statuses(again)) == {"duplicate", "accepted"}  # failed calls bought nothing and are not kept
    assert available(app) == after


def test_litellm_costs_what_litellm_says(sqlite_client: TestClient, sqlite_app: App) -> None:
    """The recorded call costs Ada exactly what LiteLLM computed for it: USD 0.003375 at USD 0.01 a token."""
    payload = recorded("success")
    assert payload["response_cost"] == 0.003375
    cast.give(sqlite_app, ADA, "1")
    assert statuses(post(sqlite_client, [payload], "/v1/usage/litellm")) == ["accepted"]
    assert available(sqlite_app) == MicroTokens.parse("0.6625")


SECRETS = ("Zanzibar-prompt-4711", "Zanzibar-answer-4712", "Zanzibar-header-4713")


def test_prompts_are_kept_nowhere(
    sqlite_client: TestClient, sqlite_app: App, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Prompts, answers and headers of a payload are in no file of the database, no log and no answer of ours."""
    caplog.set_level(logging.DEBUG)
    payload = recorded("success")
    payload["messages"] = [{"role": "user", "content": SECRETS[0]}]
    payload["response"]["choices"][0]["message"]["content"] = SECRETS[1]
    payload["metadata"]["requester_custom_headers"] = {"x-secret": SECRETS[2]}
    event = cloudevent("e1", {"gen_ai.input.messages": SECRETS[0], "gen_ai.output.messages": [SECRETS[1]]})
    unknown = json.loads(json.dumps(payload)) | {"litellm_call_id": "quarantined", "model": "openai/inhouse-llm-9"}
    odd = json.loads(json.dumps(payload)) | {"litellm_call_id": "odd", "prompt_tokens": {"text": SECRETS[0]}}
    answers = [
        post(sqlite_client, [payload, unknown, odd], "/v1/usage/litellm"),
        post(sqlite_client, [event, event | {"data": SECRETS[0] + "x" * 100}]),
        post(sqlite_client, [event | {"time": "2026-11-20T10:00:00Z"}]),
    ]
    assert statuses(answers[0]) == ["accepted", "quarantined", "rejected"]
    assert statuses(answers[2]) == ["conflict"]
    sqlite_app.database.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    files = [path, *path.parent.glob(f"{path.name}-*")]
    kept = b"".join(file.read_bytes() for file in files)
    assert b"claude-sonnet-4-5" in kept
    logged = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records)
    said = "".join(answer.text for answer in answers)
    for secret in SECRETS:
        assert secret.encode() not in kept
        assert secret not in logged
        assert secret not in said


# --- Bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/usage", "/v1/usage/litellm"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[{]", b"nonsense", b'"text"', b"17", b"[1,", b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_not_json_is_refused(sqlite_client: TestClient, path: str, body: bytes) -> None:
    """A body without events to answer for is a 400 that says why."""
    answer = post(sqlite_client, body, path)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the body is ")


def test_compressed_bodies_are_taken(sqlite_client: TestClient, sqlite_app: App) -> None:
    """A body in gzip is one like any other, also in several pieces; of other encodings we say what we take."""
    body = json.dumps([cloudevent("e1"), cloudevent("e2")]).encode()
    pieces = gzip.compress(body[:50]) + gzip.compress(body[50:])
    assert statuses(post(sqlite_client, pieces, **{"content-encoding": "gzip"})) == ["accepted"] * 2
    assert statuses(post(sqlite_client, gzip.compress(body), **{"content-encoding": "GZip"})) == ["duplicate"] * 2
    assert statuses(post(sqlite_client, body, **{"content-encoding": "identity"})) == ["duplicate"] * 2
    payload = gzip.compress(json.dumps([recorded("success")]).encode())
    assert statuses(post(sqlite_client, payload, "/v1/usage/litellm", **{"content-encoding": "gzip"})) == ["accepted"]
    answer = post(sqlite_client, body, **{"content-encoding": "br"})
    detail = "Content-Encoding 'br' is not understood; send gzip, or none."
    assert (answer.status_code, answer.json()) == (415, {"detail": detail})
    assert count_events(sqlite_app) == 3


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"plain", 400, "The body is not gzip, as its Content-Encoding says."),
        (gzip.compress(b"[]", mtime=0) + b"rest", 400, "The body is not gzip, as its Content-Encoding says."),
        (gzip.compress(b"[]", mtime=0)[:-4], 400, "The body ended early: its gzip is not complete."),
        (b"", 400, "the body is not JSON"),
        (gzip.compress(b" " * 1_001, mtime=0), 413, "The body holds more than 1000 bytes; send smaller ones."),
        (gzip.compress(b" " * 600, mtime=0) * 2, 413, "The body holds more than 1000 bytes; send smaller ones."),
    ],
)
def test_what_gzip_may_not_be(
    sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch, body: bytes, status: int, detail: str
) -> None:
    """Broken, unfinished and bloated bodies are refused for what they are."""
    monkeypatch.setattr("handlers.bodies.LARGEST", 1_000)
    answer = post(sqlite_client, body, **{"content-encoding": "gzip"})
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)


def test_a_bomb_takes_no_more_memory_than_is_allowed(sqlite_client: TestClient) -> None:
    """A gigabyte of blanks in a megabyte is given up at the limit."""
    million = zlib.compressobj(wbits=31)
    bomb = b"".join(million.compress(bytes(1 << 20)) for _ in range(1_000)) + million.flush()
    tracemalloc.start()
    try:
        answer = post(sqlite_client, bomb, **{"content-encoding": "gzip"})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert peak < 3 * bodies.LARGEST


def test_large_bodies_are_refused(sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for what arrives, also in chunks without an announced length, and a body at the limit passes."""
    body = json.dumps([cloudevent("e1")]).encode()
    monkeypatch.setattr("handlers.bodies.LARGEST", len(body))
    assert post(sqlite_client, body).status_code == 200
    chunks = (bytes([byte]) for byte in body + b" ")
    for content in (body + b" ", chunks):
        answer = sqlite_client.post("/v1/usage", content=content)
        assert answer.status_code == 413
        assert answer.json()["detail"] == f"The body is larger than {len(body)} bytes; send smaller ones."


def test_too_many_events_are_refused(
    sqlite_client: TestClient, sqlite_app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch beyond the limit is refused whole, and one at the limit is taken."""
    monkeypatch.setattr("handlers.batches.MOST_ITEMS", 3)
    batch = [cloudevent(f"e{number}") for number in range(4)]
    answer = post(sqlite_client, batch)
    assert (answer.status_code, answer.json()) == (413, {"detail": "4 events in one batch; send at most 3"})
    assert count_events(sqlite_app) == 0
    assert statuses(post(sqlite_client, batch[:3])) == ["accepted"] * 3


def test_a_body_that_ends_early_is_no_failure(sqlite_client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """A gateway that goes away in mid-send gets a 400 that it will not read, and no alarm is logged."""
    sent: list[Any] = []
    header = sqlite_client.headers["authorization"].encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/usage",
        "raw_path": b"/v1/usage",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"authorization", header)],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    arriving: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"[", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> dict[str, Any]:
        return next(arriving)

    async def send(message: Any) -> None:  # noqa: ANN401 - any message of ASGI
        sent.append(message)

    asyncio.run(sqlite_client.app(scope, receive, send))  # type: ignore[arg-type]  # an ASGI app, as Starlette knows it
    assert sent[0]["status"] == 400
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# --- Failures ------------------------------------------------------------------------------------------------------


def test_nothing_is_lost_while_the_database_is_away(sqlite_app: App, sqlite_url: str) -> None:
    """While SQLite's file is gone the gateway is told to come back; sent again, everything counts once."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with TestClient(http.build(sqlite_app)) as client:
        client.headers["authorization"] = f"Bearer {a_key(sqlite_app)}"
        assert statuses(post(client, [cloudevent("e1")])) == ["accepted"]
        sqlite_app.database.close()
        path.parent.rename(path.parent.with_name("away"))
        try:
            answer = post(client, [cloudevent("e1"), cloudevent("e2")])
            ready = client.get("/readyz")
        finally:
            path.parent.with_name("away").rename(path.parent)
        assert_away(answer, ready)
        assert statuses(post(client, [cloudevent("e1"), cloudevent("e2")])) == ["duplicate", "accepted"]
        assert client.get("/readyz").status_code == 200


def test_nothing_is_lost_while_postgresql_is_away(cloned_postgres_url: str, clock: Clock) -> None:
    """The same while PostgreSQL has cut every connection and takes no new ones."""
    database = open_database(cloned_postgres_url)
    app = App(database, ZONE, clock)
    name = sa.make_url(cloned_postgres_url).database
    server = sa.create_engine(
        sa.make_url(cloned_postgres_url).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with TestClient(http.build(app)) as client, server.connect() as administrator:
        client.headers["authorization"] = f"Bearer {a_key(app)}"
        assert statuses(post(client, [cloudevent("e1")])) == ["accepted"]
        administrator.exec_driver_sql(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        administrator.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        answer = post(client, [cloudevent("e1"), cloudevent("e2")])
        ready = client.get("/readyz")
        administrator.exec_driver_sql(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        assert_away(answer, ready)
        assert statuses(post(client, [cloudevent("e1"), cloudevent("e2")])) == ["duplicate", "accepted"]
    database.close()


def test_who_gets_no_turn_to_write_sends_it_again(sqlite_app: App) -> None:
    """Where so many write that nobody else comes in, a batch is answered as while the database is away."""
    crowded = Turns(1, patience=0.01)
    app = dataclasses.replace(sqlite_app, database=dataclasses.replace(sqlite_app.database, turns=crowded))
    with TestClient(http.build(app)) as client:
        client.headers["authorization"] = f"Bearer {a_key(app)}"
        # A key that was used lately is not written down again.
        assert statuses(post(client, [cloudevent("e1")])) == ["accepted"]
        with crowded.one():
            answer = post(client, [cloudevent("e2")])
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert statuses(post(client, [cloudevent("e2")])) == ["accepted"]


def assert_away(answer: Response, ready: Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json() == {
        "detail": "The database does not answer. Send it again: what was taken in without a word counts once."
    }
    assert (ready.status_code, ready.json()) == (503, {"status": "database away"})


def test_a_failure_in_mid_batch_takes_nothing_in(
    client: TestClient, app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever breaks after the first rows, nothing of the batch stays; the log tells the place, but nothing of it."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"{ADA} has {AMOUNT} tokens")

    with monkeypatch.context() as patched:
        patched.setattr(usage_store, "hold", broken)
        answer = post(client, [cloudevent("e1"), cloudevent("e2")])
    assert answer.status_code == 500
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    failure_id = answer.json()["detail"].removeprefix("Unforeseen failure ").partition(".")[0]
    assert f"/v1/usage failed ({failure_id}): RuntimeError" in record.getMessage()
    assert "in take_in" in record.getMessage()
    assert ADA not in record.getMessage()
    assert AMOUNT not in record.getMessage()
    assert record.exc_info is None
    assert count_events(app) == 0
    assert statuses(post(client, [cloudevent("e1"), cloudevent("e2")])) == ["accepted"] * 2


def test_logs_tell_nothing_of_the_events(sqlite_client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Taking usage in, refusing it and setting it aside write no name, no address and no amount to the log."""
    caplog.set_level(logging.DEBUG)
    post(sqlite_client, [cloudevent("e1"), cloudevent("e2", {"user.email": "nobody@example.com"}), {"id": ADA}])
    post(sqlite_client, [cloudevent("e1", {"gen_ai.usage.output_tokens": 987_654})])
    logged = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    for word in ("example.com", "987654", "0.54", "Lovelace", "tb_"):
        assert word not in logged


# --- Operations ----------------------------------------------------------------------------------------------------


def test_health_and_readiness(client: TestClient) -> None:
    """A process on a migrated database is alive and ready, and says so without a key."""
    del client.headers["authorization"]
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (
        200,
        {"status": "alive", "runs": ["http"]},
    )
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (
        200,
        {"status": "ready", "runs": ["http"], "parts": {}},
    )


def test_an_empty_database_is_not_ready(tmp_path: Path, clock: Clock) -> None:
    """Before `migrate` the process is alive, not ready, and takes nothing in."""
    database = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    with TestClient(http.build(App(database, ZONE, clock))) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "database at another revision")
        assert post(client, [cloudevent("e1")], authorization="Bearer x").status_code == 503
    database.close()


def test_a_database_of_another_version_is_not_ready(sqlite_client: TestClient, sqlite_url: str) -> None:
    """After an upgrade of the bot without `migrate` the process is not ready, and names the revision it found."""
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.commit()
    connection.close()
    ready = sqlite_client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "database at another revision", "revision": "0000"})


def test_metrics_count_and_tell_nothing(sqlite_client: TestClient, sqlite_app: App) -> None:
    """Prometheus sees how many events there were of each kind; no name, address, model or amount is among them."""
    cast.give(sqlite_app, ADA, "7654321")

    def counted(status: str) -> float:
        text = sqlite_client.get("/metrics").text
        prefix = f'tokens_bot_usage_events_total{{status="{status}"}} '
        return next((float(line.removeprefix(prefix)) for line in text.splitlines() if line.startswith(prefix)), 0.0)

    before = {status: counted(status) for status in usage_programme.STATUSES}
    post(sqlite_client, [cloudevent("e1"), cloudevent("e1"), {}])
    after = {status: counted(status) - before[status] for status in usage_programme.STATUSES}
    assert after == {"accepted": 1, "duplicate": 1, "conflict": 0, "quarantined": 0, "rejected": 1}
    text = sqlite_client.get("/metrics").text
    ours = [line for line in text.splitlines() if line.startswith("tokens_bot_")]
    assert ours
    for word in ("ada", "lovelace", "example.com", "per_", "claude", "anthropic", "7654321"):
        assert word not in "\n".join(ours).lower()


# --- The description -----------------------------------------------------------------------------------------------


def references(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a document
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)


def test_the_description_is_whole(sqlite_client: TestClient) -> None:
    """The OpenAPI document names both routes, its schemas are schemas, and every reference leads somewhere."""
    document = sqlite_client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "tokens-bot"
    for path in ("/v1/usage", "/v1/usage/litellm"):
        operation = document["paths"][path]["post"]
        assert operation["security"] == [{"HTTPBearer": []}]
        assert {"200", "400", "401", "403", "413", "415", "503"} <= set(operation["responses"])
        for media in operation["requestBody"]["content"].values():
            Draft202012Validator.check_schema(media["schema"])
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in references(document):
        place = document
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]
    assert "/slack/events" not in document["paths"]
    assert sqlite_client.get("/docs").status_code == 200


def test_the_description_is_true(sqlite_client: TestClient) -> None:
    """Its own example is accepted, what it forbids is rejected, and an answer is of the shape that it promises."""
    document = sqlite_client.get("/openapi.json").json()
    operation = document["paths"]["/v1/usage"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
    example = schema["example"] | {"source": "gateway"}
    Draft202012Validator(schema).validate(example)
    for wrong in ({"id": ""}, {"specversion": "0.3"}, {"data": {"gen_ai.usage.input_tokens": -1}}):
        assert not Draft202012Validator(schema).is_valid(example | wrong)
        assert statuses(post(sqlite_client, example | wrong)) == ["rejected"]
    answer = post(sqlite_client, example)
    assert statuses(answer) == ["accepted"]
    promised = operation["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator(promised | {"components": document["components"]}).validate(answer.json())
