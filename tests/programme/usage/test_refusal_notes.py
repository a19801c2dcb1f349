"""Administrators are told of refused usage once a working day, in private, and only if there was any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from programme.usage import refusal_notes, refusals
from scheduler import courier, slack_delivery, tick
from scheduler.composers import usage
from scheduler.tick import BEGINS_ON
from store.handbook import reference
from store.tables.intake import usage_refusals
from store.tables.outbox import outbox
from tests.support import books, cast, slack
from tests.support.books import ADA, MARA
from tests.support.clock import NOON, Clock
from views.usage import RefusedOf

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
ADMINS = """email,name,level,role_family,time_zone,hired_on,left_on,roles
ann@example.com,Ann,staff,engineering,Europe/Berlin,2020-01-01,,admin
old@example.com,Old,staff,engineering,Europe/Berlin,2020-01-01,2026-10-31,admin
far@example.com,Far,staff,engineering,America/New_York,2020-01-01,,admin;auditor
"""


@pytest.fixture
def company(app: App) -> App:
    """With two administrators, and a third who has left."""
    cast.hire(app, ADMINS)
    return app


def reject(app: App, *ids: str, source: str = "gw", field: str = "time") -> None:
    with app.transaction() as moment:
        refusals.note_rejected(moment, source, [(one, f"{field}: expected x, got y") for one in ids])


def notes(app: App) -> list[tuple[Any, ...]]:
    c = outbox.c
    query = sa.select(c.key, c.template, c.channel, c.due_at, c.at_once).order_by(c.due_at, c.key)
    return books.rows(app, query)


def ticked(app: App, at: datetime) -> list[tuple[str, str]]:
    app.clock.now = at  # type: ignore[attr-defined]  # the clock of the tests
    return [(run.job, run.period) for run in tick.tick(app, now=at).done]


def test_a_weekend_is_told_on_monday_in_working_hours(company: App) -> None:
    """One private note for each administrator who is here, in their own morning, of all the days since the last."""
    for day in range(3):
        assert ticked(company, NOON + timedelta(days=day)) == []
        reject(company, f"{day}")
    assert ticked(company, MONDAY - timedelta(hours=8)) == [("refusals", "2026-11-23")]
    ann, far = (cast.person_id(company, f"{who}@example.com") for who in ("ann", "far"))
    assert notes(company) == [
        (f"refusals:2026-11-23:{ann}", "usage/refusals", None, MONDAY, False),
        (f"refusals:2026-11-23:{far}", "usage/refusals", None, MONDAY + timedelta(hours=6), False),
    ]
    with company.reading() as moment:
        note = refusal_notes.note_of(moment, MONDAY.date())
    assert note is not None
    assert (note.first.isoformat(), note.last.isoformat()) == ("2026-11-20", "2026-11-22")
    assert [(of.source, of.rejected, of.rejected_because, of.conflicts) for of in note.gateways] == [
        ("gw", 3, ("time",), 0)
    ]


def test_a_day_is_told_once(company: App) -> None:
    """Ticking again owes nothing; what is refused today is told tomorrow, and only that."""
    reject(company, "a")
    saturday_late = MONDAY - timedelta(hours=1)
    assert ticked(company, saturday_late) == [("refusals", "2026-11-23")]
    reject(company, "b", "c")
    for hours in (0, 1, 12):
        assert ticked(company, MONDAY + timedelta(hours=hours)) == []
    assert ticked(company, MONDAY + timedelta(days=1)) == [("refusals", "2026-11-24")]
    with company.reading() as moment:
        note = refusal_notes.note_of(moment, MONDAY.date() + timedelta(days=1))
    assert note is not None
    assert [of.rejected for of in note.gateways] == [2]
    assert ticked(company, MONDAY + timedelta(days=2)) == []
    assert len(notes(company)) == 4


def test_nothing_refused_is_nothing_told(company: App) -> None:
    """No run, no message and no row on quiet days; a Home or a calendar does not begin because of it either."""
    assert ticked(company, MONDAY) == []
    assert notes(company) == []
    reject(company, "a")
    ticked(company, MONDAY + timedelta(days=1))
    with company.database.reading() as session:
        assert reference.fact(session, BEGINS_ON) is None


def test_without_an_administrator_it_waits_for_one(app: App) -> None:
    """While gateways are connected before people are imported, nobody can be told: the first administrator is."""
    reject(app, "a")
    assert ticked(app, MONDAY) == []
    cast.hire(app, ADMINS)
    assert ticked(app, MONDAY) == [("refusals", "2026-11-23")]


def test_a_late_arrival_of_a_day_that_was_told_is_told_with_the_next(company: App) -> None:
    """Clocks of replicas differ: what is counted for a day in a row of its own after the note comes with the next."""
    reject(company, "a")
    ticked(company, MONDAY)
    company.clock.now = NOON  # type: ignore[attr-defined]
    reject(company, "b", field="type")
    assert ticked(company, MONDAY + timedelta(hours=1)) == []
    assert ticked(company, MONDAY + timedelta(days=1)) == [("refusals", "2026-11-24")]


def test_the_note_counts_what_each_gateway_was_refused(sqlite_app: App) -> None:
    """Gateways with most first, their reasons with most first, conflicts beside rejections."""
    reject(sqlite_app, "a", "b", source="eu", field="type")
    reject(sqlite_app, *"abcde", source="eu")
    books.take_in(sqlite_app, *(cast.event("1", at=NOON, meters={"output": n}) for n in (1, 2, 3)))
    with sqlite_app.transaction(MONDAY) as moment:
        assert refusal_notes.owe(moment) == 0
        note = refusal_notes.note_of(moment, MONDAY.date())
        assert refusal_notes.note_of(moment, NOON.date()) is None
    assert note is not None
    assert note.gateways == (
        RefusedOf("eu", 7, ("time", "type"), 0, ()),
        RefusedOf("gateway", 0, (), 2, ("meters",)),
    )
    message = usage.compose_refusals(sqlite_app, {"day": "2026-11-23"})
    assert message is not None
    assert (
        "• *eu*: 7 events rejected because of `time`, `type`\n• *gateway*: 2 events under an id"
        in message.blocks[1]["text"]["text"]
    )
    assert usage.compose_refusals(sqlite_app, {"day": "2026-11-20"}) is None


def test_it_arrives_in_private(sqlite_app: App, clock: Clock) -> None:
    """An administrator who is in Slack gets it as a direct message, and nobody else gets anything."""
    cast.hire(sqlite_app, f"email,roles\n{MARA},admin\n")
    reject(sqlite_app, "a")
    clock.now = MONDAY + timedelta(hours=4)
    tick.tick(sqlite_app, now=clock.now)
    with slack.workspace() as sandbox:
        client = slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
        done = courier.deliver(sqlite_app, client, courier="test")
    assert (done.sent, done.parked) == (1, 0)


@pytest.mark.every_database
def test_replicas_that_tick_at_once_owe_one_note_each(database_url: str, company: App) -> None:
    """However many tick at the same moment, each administrator is owed one note."""
    reject(company, "a", "b")

    def ticks(database: Database) -> None:
        tick.tick(type(company)(database, company.zone, lambda: MONDAY), now=MONDAY)

    assert books.at_once(database_url, [ticks] * 4) == []
    assert len(notes(company)) == 2
    assert books.rows(company, sa.select(usage_refusals.c.told_on)) == [(MONDAY.date(),)]
    assert books.wallet(company, ADA) == 0
