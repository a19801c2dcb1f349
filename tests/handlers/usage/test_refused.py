"""What a gateway is refused leaves a trace that outlives its answer: counted, listed, and never with what it said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from handlers import http, metrics
from handlers.decoding import Rejected
from handlers.usage import cloudevents
from policy.units import MicroTokens
from programme.app import App
from programme.usage import keys, refusals
from store.engine import open_database
from store.tables.intake import usage_refusals, usage_rejections
from store.usage import refusals as store
from tests.conftest import ZONE
from tests.support import books, cast
from tests.support.books import ADA
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = cloudevents.EXAMPLE | {"source": "gw", "time": "2026-11-20T09:30:00Z"}
USED: Any = cloudevents.EXAMPLE["data"]
SECRET = "eleven-secret-words"


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with app.transaction() as moment:
        made = keys.create(moment, name="gw", source="gw", scopes=["usage:write"], actor="test")
    with TestClient(http.build(app)) as opened:
        opened.headers["authorization"] = f"Bearer {made.secret}"
        yield opened


def event(event_id: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of a CloudEvent
    return GOOD | {"id": event_id} | fields


def kept(client: TestClient, name: str) -> dict[str, float]:
    """The lines of a metric, by their labels."""
    lines = (line.rpartition(" ") for line in client.get("/metrics").text.splitlines() if line.startswith(name))
    return {labels.removeprefix(name): float(value) for labels, _, value in lines}


def test_rejected_events_are_counted_and_listed(app: App, client: TestClient) -> None:
    """By source, field and id, as often as they came, although the gateway never read an answer."""
    bad = [event("a", time="yesterday"), event("b", time=7), event("c", specversion="0.3"), event("ok")]
    for _ in range(2):
        assert client.post("/v1/usage", json=bad).json()["summary"]["rejected"] == 3
    with app.reading() as moment:
        assert store.totals(moment.session) == [
            ("gw", "rejected", "specversion", 2),
            ("gw", "rejected", "time", 4),
        ]
        found = {one.event_id: (one.reason, one.detail, one.times) for one in store.rejections(moment.session, limit=9)}
    assert found == {
        "a": ("time", "expected an RFC 3339 time with an offset", 2),
        "b": ("time", "expected an RFC 3339 time with an offset", 2),
        "c": ("specversion", 'expected "1.0"', 2),
    }
    assert books.wallet(app, ADA) == MicroTokens(-540_000)


def test_a_body_without_events_leaves_a_trace_as_well(app: App, client: TestClient) -> None:
    """A gateway that sends no JSON at all would otherwise be the one of whom nobody hears."""
    assert client.post("/v1/usage", content=b"<xml/>").status_code == 400
    assert client.post("/v1/usage/litellm", content=b"7").status_code == 400
    assert books.rows(app, sa.select(usage_refusals.c.reason, usage_refusals.c.events)) == [("body", 2)]


def test_metrics_of_answers_outlive_the_process(app: App, client: TestClient) -> None:
    """Another process on the same database tells the same: they are read from there, labelled by source and reason."""
    client.post("/v1/usage", json=[event("x", time=7), event("y"), event("y", time="2026-11-19T09:30:00Z")])
    client.post("/v1/usage", json=event("z", data=USED | {"user.email": "no@example.com"}))
    with TestClient(http.build(app)) as another:
        assert kept(another, "tokens_bot_usage_refused_total") == {
            '{reason="time",source="gw",status="conflict"}': 1,
            '{reason="time",source="gw",status="rejected"}': 1,
        }
        assert kept(another, "tokens_bot_quarantine_waiting") == {'{reason="unknown_person"}': 1}
        assert kept(another, "tokens_bot_database_up") == {"": 1}


def test_metrics_of_the_process_are_told_without_a_database(tmp_path: Path, clock: Clock) -> None:
    """While the database is away or empty, Prometheus hears that it is, and everything that the process counts."""
    database = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    with TestClient(http.build(App(database, ZONE, clock))) as client:
        text = client.get("/metrics").text
    database.close()
    assert "tokens_bot_database_up 0.0" in text
    assert "tokens_bot_command_seconds" in text
    assert "tokens_bot_usage_refused" not in text
    assert metrics.USAGE_EVENTS is not None


@given(st.sampled_from(["time", "specversion", "source", "type", "data", "datacontenttype", "subject"]), st.data())
def test_no_value_is_kept_of_what_is_rejected(field: str, data: st.DataObject) -> None:
    """Whatever stands where something else should, a prompt or an e-mail, is not in what is kept."""
    wrong = data.draw(
        st.sampled_from([SECRET, [SECRET], {"user.email": [SECRET]}, {"gen_ai.usage.input_tokens": SECRET}])
    )
    for result in cloudevents.parse(json.dumps(event("a") | {field: wrong}).encode(), allowed_source="gw"):
        if isinstance(result, Rejected):
            reason, expected = refusals.complaint(result.detail)
            assert SECRET not in reason + expected
            assert reason != refusals.BODY


@pytest.mark.parametrize(
    ("detail", "kept"),
    [
        ('data."a.b": expected an integer ≥ 0, got -1', ('data."a.b"', "expected an integer ≥ 0")),
        ("user: x@example.com is no one", ("user", "")),
        ("the body is not JSON: oh", ("body", "the body is not JSON: oh")),
        ("time: " + "x" * 500, ("time", "x" * 200)),
    ],
)
def test_complaints_are_cut_to_what_may_be_kept(detail: str, kept: tuple[str, str]) -> None:
    """The field and what was expected of it, without the value, without anything that looks like an e-mail, short."""
    assert refusals.complaint(detail) == kept


def test_the_newest_of_each_reason_are_kept(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that is set up wrongly may send millions: all are counted, the last so many are listed."""
    monkeypatch.setattr(store, "MOST_KEPT", 3)
    for batch in range(3):
        with app.transaction() as moment:
            some = [(f"{batch}-{n}", "time: expected a time, got 1") for n in range(batch + 2)]
            refusals.note_rejected(moment, "gw", [*some, ("other", "type: required, but missing")])
    ids = books.rows(app, sa.select(usage_rejections.c.event_id).order_by(usage_rejections.c.id))
    assert sorted(ids) == [("2-1",), ("2-2",), ("2-3",), ("other",)]
    with app.reading() as moment:
        assert store.totals(moment.session) == [("gw", "rejected", "time", 9), ("gw", "rejected", "type", 3)]


@pytest.mark.every_database
def test_refusals_at_once_are_all_counted(database_url: str, app: App, clock: Clock) -> None:
    """Several requests of a gateway at the same moment: no refusal is lost, and no one waits in a circle."""

    def send(database: Any) -> None:  # noqa: ANN401 - a database
        mine = type(app)(database, app.zone, clock)
        for _ in range(5):
            with mine.transaction() as moment:
                refusals.note_rejected(moment, "gw", [(f"{n}", f"field{n}: expected x, got y") for n in range(9)])
            books.take_in(mine, cast.event("1", at=NOON), cast.event("1", at=NOON, meters={"output": 5}))

    assert books.at_once(database_url, [send] * 4) == []
    with app.reading() as moment:
        totals = store.totals(moment.session)
    assert [one.events for one in totals if one.status == "rejected"] == [20] * 9
    assert [one.events for one in totals if one.status == "conflict"] == [20]
    assert books.findings(app) == {}
