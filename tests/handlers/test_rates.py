"""How often a key and a person may ask, and what they are told beyond it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi.testclient import TestClient

from handlers import http, rates
from handlers.rates import Buckets, Rate
from handlers.slack import pace
from programme.usage import keys
from store.people import board
from store.usage import keys as keys_store
from tests.support import requests as asked
from tests.support import slack_http
from tests.support.clock import NOON

if TYPE_CHECKING:
    import pytest

    from programme.app import App
    from tests.support.clock import Clock

SLOW = Rate(at_once=3, a_second=0.5)


def test_a_bucket_empties_and_fills() -> None:
    """So many at once, then as many as the seconds bring; others have their own, and none is fuller than full."""
    buckets = Buckets(SLOW)
    assert [buckets.seconds_to_wait("a", NOON) for _ in range(4)] == [0, 0, 0, 2]
    assert buckets.seconds_to_wait("b", NOON) == 0
    later = NOON + timedelta(seconds=2)
    assert [buckets.seconds_to_wait("a", later) for _ in range(2)] == [0, 2]
    much_later = NOON + timedelta(days=1)
    assert [buckets.seconds_to_wait("a", much_later) for _ in range(4)] == [0, 0, 0, 2]


def test_a_clock_that_is_set_back_costs_nothing() -> None:
    """What was left is left, whatever the clock says."""
    buckets = Buckets(SLOW)
    assert buckets.seconds_to_wait("a", NOON) == 0
    assert [buckets.seconds_to_wait("a", NOON - timedelta(days=1)) for _ in range(3)] == [0, 0, 2]


def test_full_buckets_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that came once are not kept for ever; one that asks too often is not forgotten."""
    monkeypatch.setattr(rates, "MOST_KEPT", 10)
    buckets = Buckets(SLOW)
    for number in range(10):
        buckets.seconds_to_wait(str(number), NOON)
    later = NOON + timedelta(minutes=1)
    assert [buckets.seconds_to_wait("busy", later) for _ in range(4)] == [0, 0, 0, 2]
    assert len(buckets._left) == 1


def a_key(app: App, name: str, *scopes: str) -> dict[str, str]:
    with app.transaction() as moment:
        made = keys.create(moment, name=name, source=name, scopes=scopes or ["usage:write"], actor="test")
    return {"authorization": f"Bearer {made.secret}"}


def test_a_key_is_held_back_alone(sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its rate a key gets 429 with a Retry-After, on all routes together; the others go on, and it may too."""
    monkeypatch.setattr("handlers.batches.BY_KEY", SLOW)
    one, other = a_key(sqlite_app, "one", "usage:write", "outcomes:write"), a_key(sqlite_app, "other")
    with TestClient(http.build(sqlite_app)) as client:
        taken = [client.post("/v1/usage", content=b"[]", headers=one).status_code for _ in range(2)]
        taken.append(client.post("/v1/outcomes", content=b"[]", headers=one).status_code)
        refused = client.post("/v1/usage", content=b"[]", headers=one)
        as_otlp = client.post("/v1/otlp/v1/traces", content=b"{}", headers=one | {"content-type": "application/json"})
        of_other = client.post("/v1/usage", content=b"[]", headers=other)
        clock.move(seconds=2)
        again = client.post("/v1/usage", content=b"[]", headers=one)
    assert taken == [200, 200, 200]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert (as_otlp.status_code, as_otlp.json()["code"], as_otlp.headers["retry-after"]) == (429, 8, "2")
    assert (of_other.status_code, again.status_code) == (200, 200)


def test_the_use_of_a_key_is_on_record(sqlite_app: App, clock: Clock) -> None:
    """A request notes when its key was used; one without a scope or a key notes nothing."""
    used, unfit = a_key(sqlite_app, "used"), a_key(sqlite_app, "unfit", "outcomes:write")
    with TestClient(http.build(sqlite_app)) as client:
        assert client.post("/v1/usage", content=b"[]", headers=unfit).status_code == 403
        assert client.post("/v1/usage", content=b"[]").status_code == 401
        assert client.post("/v1/usage", content=b"[]", headers=used).status_code == 200
    with sqlite_app.reading() as moment:
        assert {key.name: key.last_used_at for key in keys_store.listed(moment.session)} == {
            "used": clock(),
            "unfit": None,
        }


def test_a_person_is_held_back_alone(sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks faster than anyone types is told so and nothing is done; others are answered, and they are by and by."""
    monkeypatch.setattr(pace, "BY_PERSON", SLOW)
    with slack_http.listening(sqlite_app) as slack:
        answers = [slack.command("balance", "U0ADA", trigger_id=f"1.{n}").json() for n in range(4)]
        of_ben = slack.command("balance", "U0BEN", trigger_id="2.1").json()
        clock.move(seconds=2)
        again = slack.command("balance", "U0ADA", trigger_id="1.9").json()
    assert all("too" not in str(answer) for answer in (*answers[:3], of_ben, again))
    assert answers[3]["response_type"] == "ephemeral"
    assert "more than I can answer at once" in str(answers[3])


def test_commands_beyond_the_rate_change_nothing(sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that writes is not done once the bucket is empty."""
    asked.convene(sqlite_app)
    monkeypatch.setattr(pace, "BY_PERSON", Rate(at_once=1, a_second=0.01))
    with slack_http.listening(sqlite_app) as slack:
        slack.command("delegate <@U0BEN> until 2026-12-24", "U0IRIS", trigger_id="1.1")
        slack.command("delegate off", "U0IRIS", trigger_id="1.2")
    with sqlite_app.reading() as moment:
        iris = asked.person(moment.session, asked.IRIS).id
        assert list(board.delegations_on(moment.session, NOON.date())) == [iris]
