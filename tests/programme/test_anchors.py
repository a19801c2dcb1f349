"""The audit log's hash is told outside of the database, so that its end can't be cut off unseen."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from programme import anchors
from scheduler import messages, tick
from store import audit
from store.audit import Record
from store.tables.audit import audit_log
from store.tables.outbox import outbox
from tests.support import books
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

CHANNEL = "C0BOARD"
DECEMBER = datetime(2026, 12, 1, 8, tzinfo=UTC)
RECORD = Record(at=NOON, actor="cli:ada", action="test", subject="x")


@pytest.fixture
def office(app: App) -> App:
    """A log of some rows, and a channel of the board's."""
    with app.database.transaction() as session:
        audit.append(session, RECORD, RECORD)
    return dataclasses.replace(app, governance_channel=CHANNEL)


def head(app: App) -> audit.Head:
    with app.reading() as moment:
        found = audit.head(moment.session)
    assert found is not None
    return found


def told(app: App) -> list[tuple[Any, ...]]:
    query = sa.select(outbox.c.channel, outbox.c.due_at, outbox.c.view).where(outbox.c.template == anchors.TEMPLATE)
    return [(channel, due_at, view["hash"]) for channel, due_at, view in books.rows(app, query.order_by(outbox.c.id))]


def ticked(app: App, clock: Clock, at: datetime) -> list[tuple[str, str]]:
    clock.now = at
    return [(run.job, run.period) for run in tick.tick(app, now=at).done if run.job == "anchor"]


@pytest.mark.every_database
def test_each_month_is_told_once(office: App, clock: Clock) -> None:
    """At the month's first tick the board's channel is owed the last hash; not in the month in which it began."""
    assert ticked(office, clock, NOON) == []
    assert ticked(office, clock, DECEMBER) == [("anchor", "2026-12")]
    assert told(office) == [(CHANNEL, DECEMBER, head(office).hash)]
    assert ticked(office, clock, DECEMBER.replace(day=20)) == []
    with office.database.transaction() as session:
        audit.append(session, RECORD)
    assert ticked(office, clock, datetime(2027, 2, 3, tzinfo=UTC)) == [("anchor", "2027-02")]
    assert [hash_ for *_, hash_ in told(office)][1:] == [head(office).hash]


def test_a_month_without_a_new_row_repeats_nothing(office: App, clock: Clock) -> None:
    """Where nothing was recorded since the last time, that message still says it all."""
    for month in (12, 1):
        ticked(office, clock, DECEMBER.replace(year=2026 if month == 12 else 2027, month=month))
    assert len(told(office)) == 1


def test_without_a_channel_nothing_is_owed(office: App, clock: Clock) -> None:
    """There is nowhere to tell it, and no run is claimed that a channel would find done."""
    alone = dataclasses.replace(office, governance_channel=None)
    assert ticked(alone, clock, DECEMBER) == []
    with alone.transaction() as moment:
        anchors.note_export(moment, "spend.export", actor="cli:ada", lines=3)
    assert told(office) == []


def test_an_export_is_recorded_and_told(office: App) -> None:
    """Who took figures out is on record, and the hash that is told has that row's part in it."""
    with office.transaction() as moment:
        anchors.note_export(moment, "spend.export", actor="cli:ada", lines=3)
    [logged] = books.audited(office, "spend.export")
    assert (logged["actor"], logged["after"]) == ("cli:ada", {"lines": 3})
    assert told(office) == [(CHANNEL, NOON, logged["hash"])]


def test_the_message_tells_the_hash_of_then(office: App, clock: Clock) -> None:
    """What goes out later still has the hash that was owed."""
    ticked(office, clock, DECEMBER)
    owed = head(office).hash
    with office.database.transaction() as session:
        audit.append(session, RECORD)
    [view] = [
        view for (view,) in books.rows(office, sa.select(outbox.c.view).where(outbox.c.template == "audit/anchor"))
    ]
    composed = messages.compose("audit/anchor", view, app=office)
    assert composed is not None
    assert owed in str(composed.message.blocks)
    assert owed not in composed.message.text


# --- What it finds -------------------------------------------------------------------------------------------------


def missing(app: App, *hashes: str) -> list[str]:
    with app.database.reading() as session:
        return [*audit.broken_links(session), *audit.missing_anchors(session, hashes)]


@pytest.mark.every_database
def test_a_cut_off_end_is_found(office: App) -> None:
    """The chain alone holds without its last row; with the hash that was told it is seen that the row is gone."""
    before, seq = head(office).hash, head(office).seq
    with office.database.transaction() as session:
        audit.append(session, RECORD)
    last = head(office).hash
    assert missing(office, before, last) == []
    with office.database.transaction() as session:
        session.execute(sa.delete(audit_log).where(audit_log.c.seq > seq))
    assert missing(office) == []
    assert missing(office, before, last) == [
        f"anchor {last} is not in the audit log: rows up to it are missing, or were written anew"
    ]


def test_a_chain_that_was_written_anew_is_found(office: App) -> None:
    """Whoever changes a row and makes all hashes again leaves a chain that holds, and no anchor of the old one."""
    last = head(office).hash
    with office.database.transaction() as session:
        session.execute(sa.delete(audit_log))
        audit.append(session, dataclasses.replace(RECORD, actor="cli:nobody"), RECORD)
    assert missing(office) == []
    assert len(missing(office, last)) == 1
