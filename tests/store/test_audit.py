"""The audit log is one chain: whoever changes a row breaks it, and nobody who only adds does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from store import audit
from store.audit import GENESIS, Record
from store.tables.audit import audit_log
from tests.support import books
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import Desk
    from store.engine import Database, Session

pytestmark = pytest.mark.every_database

RECORD = Record(
    at=NOON,
    actor="cli:ada",
    action="handbook.apply",
    subject="2026.2",
    before={"version": "2026.1"},
    after={"version": "2026.2", "services": ["a", "b"], "name": "Zoë", "limits": {"b": 2, "a": None}},
    handbook_version="2026.2",
    slack_channel="C0BOARD",
    slack_ts="1763640000.000100",
)


def broken(session: Session) -> list[str]:
    return list(audit.broken_links(session))


def append(desk: Desk, *records: Record) -> None:
    with desk.transaction() as session:
        audit.append(session, *records)


@pytest.fixture
def chain(desk: Desk) -> Desk:
    """A log with a few rows in it."""
    append(desk, RECORD, replace(RECORD, subject="2026.3"))
    append(desk, replace(RECORD, before=None, after=None))
    return desk


def test_every_row_carries_the_hash_of_the_one_before(chain: Desk) -> None:
    """Rows are numbered from 1 without a gap, the first follows from a fixed beginning, each other from its elder."""
    order = sa.select(audit_log.c.seq, audit_log.c.previous_hash, audit_log.c.hash).order_by(audit_log.c.seq)
    numbers, previous, hashes = zip(*books.rows(chain, order), strict=True)
    assert numbers == tuple(range(1, len(numbers) + 1))
    assert previous == (GENESIS, *hashes[:-1])
    with chain.reading() as session:
        assert broken(session) == []


def test_what_was_recorded_comes_back_as_it_was(chain: Desk) -> None:
    """Who, what, when, before and after, under which handbook, with which message: all of it is kept."""
    last_two = books.audited(chain, RECORD.action)[-2:]
    kept = [{k: row[k] for k in ("at", "actor", "subject", "before", "after", "slack_ts")} for row in last_two]
    content = {"at": NOON, "actor": RECORD.actor, "slack_ts": RECORD.slack_ts}
    assert kept == [
        content | {"subject": "2026.3", "before": RECORD.before, "after": RECORD.after},
        content | {"subject": "2026.2", "before": None, "after": None},
    ]


def test_appending_nothing_writes_nothing(sqlite_desk: Desk) -> None:
    """A change that changed nothing leaves no row."""
    before = books.count(sqlite_desk, audit_log)
    append(sqlite_desk)
    assert books.count(sqlite_desk, audit_log) == before


def test_a_row_goes_with_the_transaction_it_speaks_of(desk: Desk) -> None:
    """What was taken back was not done, and the log does not say it was; the chain goes on without a gap."""
    with books.rolled_back(desk) as session:
        audit.append(session, RECORD)
    append(desk, RECORD)
    assert len(books.audited(desk, RECORD.action)) == 2  # the packaged handbook's, and this one
    with desk.reading() as session:
        assert broken(session) == []


def test_an_instant_is_the_same_instant_in_any_zone(sqlite_desk: Desk) -> None:
    """A row holds whatever offset its time was told with."""
    append(sqlite_desk, replace(RECORD, at=NOON.astimezone(timezone(timedelta(hours=9)))))
    with sqlite_desk.reading() as session:
        assert broken(session) == []


@pytest.mark.parametrize(
    "change",
    [
        "at = '2026-11-20 12:00:01'",
        "actor = 'x'",
        "action = 'x'",
        "subject = 'x'",
        "before = NULL",
        """after = '{"version": "2026.9"}'""",
        "handbook_version = NULL",
        "slack_channel = 'x'",
        "slack_ts = NULL",
        "previous_hash = hash",
        "hash = previous_hash",
        "seq = 1000",
    ],
)
def test_a_changed_row_breaks_the_chain(shared_desk: Desk, change: str) -> None:
    """No column of any row can be changed without a break at that row."""
    with books.rolled_back(shared_desk) as session:
        audit.append(session, RECORD, replace(RECORD, subject="2026.3"))
        seq = session.execute(sa.select(sa.func.max(audit_log.c.seq))).scalar_one() - 1
        session.exec_driver_sql(f"UPDATE audit_log SET {change} WHERE seq = {seq}")  # noqa: S608 - our own figures
        assert broken(session)


def test_a_row_that_is_gone_breaks_the_chain(chain: Desk) -> None:
    """A hole is found, also at the very beginning."""
    [(last,)] = books.rows(chain, sa.select(sa.func.max(audit_log.c.seq)))
    for seq in (1, last - 1):
        with books.rolled_back(chain) as session:
            session.execute(sa.delete(audit_log).where(audit_log.c.seq == seq))
            assert len(broken(session)) == 1


def test_a_row_cannot_be_slipped_in(chain: Desk) -> None:
    """A forged row needs its neighbours' hashes: with its own number and hash alone it is found."""
    [(last,)] = books.rows(chain, sa.select(sa.func.max(audit_log.c.seq)))
    [row] = [r for r in books.audited(chain, RECORD.action) if r["seq"] == last]
    forged = row | {"seq": last + 1, "previous_hash": GENESIS}
    forged["hash"] = audit.digest(forged)
    with books.rolled_back(chain) as session:
        session.execute(sa.insert(audit_log).values(forged))
        assert broken(session) == [f"audit row {last + 1} does not follow from row {last}"]


def test_ten_at_once_make_one_chain(database_url: str, desk: Desk) -> None:
    """Writers that come at the same moment get in line: every row is there, and the chain holds."""
    before = books.count(desk, audit_log)

    def write(database: Database) -> None:
        with database.transaction() as session:
            audit.append(session, RECORD, replace(RECORD, subject="2026.3"))

    assert books.at_once(database_url, [write] * 10) == []
    assert books.count(desk, audit_log) == before + 20
    with desk.reading() as session:
        assert broken(session) == []
