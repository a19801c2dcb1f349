"""The audit log is one chain: whoever changes a row breaks it, and no one who only adds does."""

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
    from programme.app import App
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


def append(app: App, *records: Record) -> None:
    with app.database.transaction() as session:
        audit.append(session, *records)


@pytest.fixture
def chain(app: App) -> App:
    """A log with a few rows in it."""
    append(app, RECORD, replace(RECORD, subject="2026.3"))
    append(app, replace(RECORD, before=None, after=None))
    return app


def test_every_row_carries_the_hash_of_the_one_before(chain: App) -> None:
    """Rows are numbered from 1 without a gap, the first follows from a fixed beginning, each other from its elder."""
    order = sa.select(audit_log.c.seq, audit_log.c.previous_hash, audit_log.c.hash).order_by(audit_log.c.seq)
    numbers, previous, hashes = zip(*books.rows(chain, order), strict=True)
    assert numbers == tuple(range(1, len(numbers) + 1))
    assert previous == (GENESIS, *hashes[:-1])
    with chain.database.reading() as session:
        assert broken(session) == []


def test_what_was_recorded_comes_back_as_it_was(chain: App) -> None:
    """Who, what, when, before and after, under which handbook, with which message: all of it is kept."""
    last_two = books.audited(chain, RECORD.action)[-2:]
    kept = [{k: row[k] for k in ("at", "actor", "subject", "before", "after", "slack_ts")} for row in last_two]
    content = {"at": NOON, "actor": RECORD.actor, "slack_ts": RECORD.slack_ts}
    assert kept == [
        content | {"subject": "2026.3", "before": RECORD.before, "after": RECORD.after},
        content | {"subject": "2026.2", "before": None, "after": None},
    ]


def test_appending_nothing_writes_nothing(sqlite_app: App) -> None:
    """A change that changed nothing leaves no row."""
    before = books.count(sqlite_app, audit_log)
    append(sqlite_app)
    assert books.count(sqlite_app, audit_log) == before


def test_a_row_goes_with_the_transaction_it_speaks_of(app: App) -> None:
    """What was taken back was not done, and the log does not say it was; the chain goes on without a gap."""
    with books.rolled_back(app) as moment:
        audit.append(moment.session, RECORD)
    append(app, RECORD)
    assert len(books.audited(app, RECORD.action)) == 2  # the packaged handbook's, and this one
    with app.database.reading() as session:
        assert broken(session) == []


def test_an_instant_is_the_same_instant_in_any_zone(sqlite_app: App) -> None:
    """A row holds whatever offset its time was told with."""
    append(sqlite_app, replace(RECORD, at=NOON.astimezone(timezone(timedelta(hours=9)))))
    with sqlite_app.database.reading() as session:
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
def test_a_changed_row_breaks_the_chain(shared_app: App, change: str) -> None:
    """No column of any row can be changed without a break at that row."""
    with books.rolled_back(shared_app) as moment:
        audit.append(moment.session, RECORD, replace(RECORD, subject="2026.3"))
        seq = moment.session.execute(sa.select(sa.func.max(audit_log.c.seq))).scalar_one() - 1
        moment.session.exec_driver_sql(f"UPDATE audit_log SET {change} WHERE seq = {seq}")  # noqa: S608 - our own figures
        assert broken(moment.session)


def test_a_row_that_is_gone_breaks_the_chain(chain: App) -> None:
    """A hole is found, also at the very beginning."""
    [(last,)] = books.rows(chain, sa.select(sa.func.max(audit_log.c.seq)))
    for seq in (1, last - 1):
        with books.rolled_back(chain) as moment:
            moment.session.execute(sa.delete(audit_log).where(audit_log.c.seq == seq))
            assert len(broken(moment.session)) == 1


def test_a_row_cannot_be_slipped_in(chain: App) -> None:
    """A forged row needs its neighbours' hashes: with its own number and hash alone it is found."""
    [(last,)] = books.rows(chain, sa.select(sa.func.max(audit_log.c.seq)))
    [row] = [r for r in books.audited(chain, RECORD.action) if r["seq"] == last]
    forged = row | {"seq": last + 1, "previous_hash": GENESIS}
    forged["hash"] = audit.digest(forged)
    with books.rolled_back(chain) as moment:
        moment.session.execute(sa.insert(audit_log).values(forged))
        assert broken(moment.session) == [f"audit row {last + 1} does not follow from row {last}"]


def test_ten_at_once_make_one_chain(database_url: str, app: App) -> None:
    """Writers that come at the same moment get in line: every row is there, and the chain holds."""
    before = books.count(app, audit_log)

    def write(database: Database) -> None:
        with database.transaction() as session:
            audit.append(session, RECORD, replace(RECORD, subject="2026.3"))

    assert books.at_once(database_url, [write] * 10) == []
    assert books.count(app, audit_log) == before + 20
    with app.database.reading() as session:
        assert broken(session) == []
