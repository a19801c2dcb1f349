"""Statements that are made once, and rows that are written together, mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from store import bulk
from store.ledger import ledger
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.outbox import run_failures
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from store.engine import Session

pytestmark = pytest.mark.every_database
AT = datetime(2026, 11, 29, 12, 30, 0, 120_000, tzinfo=UTC)
FAILURE = {"job": "grants", "period": "2026-11", "attempts": 1, "last_at": AT, "reason": "away"}


@pytest.fixture
def session(shared_app: App) -> Iterator[Session]:
    with shared_app.database.undone() as session:
        yield session


def test_values_are_given_and_read_as_columns_say(session: Session) -> None:
    """An instant of any zone comes back as the same instant in UTC, and a day as a day."""
    add = bulk.Typed(sa.insert(run_failures).values({c: sa.bindparam(c.name, type_=c.type) for c in run_failures.c}))
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    add.change(session, FAILURE | {"last_at": elsewhere})
    read = bulk.Typed(sa.select(run_failures.c.last_at).where(run_failures.c.last_at == sa.bindparam("at")))
    assert read.execute(session, {"at": AT}) == [(AT,)]
    hired = bulk.Typed(sa.select(people.c.hired_on).where(people.c.hired_on <= sa.bindparam("day")).limit(1))
    [(day,)] = hired.execute(session, {"day": date(2999, 1, 1)})
    assert type(day) is date


def test_rows_in_a_column_are_the_rows(session: Session) -> None:
    """What JSON says of several rows is what they are; where there is none, it says so."""
    rows = [FAILURE | {"period": f"2026-{month:02}", "attempts": month} for month in range(1, 4)]
    session.execute(sa.insert(run_failures), rows)
    f = run_failures.c
    [(text,)] = bulk.Typed(sa.select(bulk.as_json(sa.select(f.attempts, f.last_at)))).execute(session, {})
    assert sorted((number, bulk.read_instant(at)) for number, at in bulk.of_json(text)) == [(n, AT) for n in (1, 2, 3)]
    none = sa.select(f.job).where(f.job == "no such job")
    [(text,)] = bulk.Typed(sa.select(bulk.as_json(none))).execute(session, {})
    assert bulk.of_json(text) == []


def test_a_row_is_changed_as_it_was_read_or_not_at_all(session: Session) -> None:
    """Whoever comes second finds nothing of what they have read, and changes nothing."""
    session.execute(sa.insert(run_failures), FAILURE)
    as_read = {"job": "grants", "period": "2026-11", "attempts": 1}
    assert bulk.change(session, run_failures, as_read, {"attempts": 2, "last_at": AT + timedelta(1)})
    assert not bulk.change(session, run_failures, as_read, {"attempts": 2, "reason": "of the second"})
    [kept] = session.execute(sa.select(run_failures)).mappings()
    assert dict(kept) == FAILURE | {"attempts": 2, "last_at": AT + timedelta(1)}


@pytest.mark.parametrize("count", [1, 2, bulk.FEW, bulk.FEW + 1])
def test_tables_are_written_together(session: Session, count: int) -> None:
    """Few rows or many, each table has its own, though they refer to each other; balances are set beside them."""
    instant = bulk.instant_codec(session)
    account = ledger.open_accounts(session, ["service:bulk"])["service:bulk"]
    ids = bulk.allocate_ids(session, entries, count)
    lot_ids = bulk.allocate_ids(session, lots, count)
    lines = [(account, number, id_, 5, 5 * number) for number, id_ in enumerate(ids, start=1)]
    made = [(i, "grant", f"bulk:{i}", b"\0" * 16, instant(AT), instant(AT), "", "policy", None, None) for i in ids]
    opened = [
        (lot, account, id_, "manual", 1, 5, 5, instant(AT), instant(AT + timedelta(1)), "", "policy")
        for lot, id_ in zip(lot_ids, ids, strict=True)
    ]
    bulk.write(
        session,
        bulk.Rows(entries, tuple(entries.c.keys()), made),
        bulk.Rows(postings, ("account_id", "version", "entry_id", "amount", "balance"), lines),
        bulk.Rows(lots, tuple(lots.c.keys())[:11], opened),
        bulk.Rows(lots, ("id", "remaining"), [], key=1),
        bulk.Rows(accounts, ("id", "balance"), [(account, 5 * count)], key=1),
    )
    of_ours = sa.select(postings.c.entry_id).where(postings.c.entry_id.in_(ids)).order_by(postings.c.version)
    assert list(session.execute(of_ours).scalars()) == ids
    assert session.execute(sa.select(sa.func.sum(lots.c.remaining)).where(lots.c.id.in_(lot_ids))).scalar() == 5 * count
    assert session.execute(sa.select(accounts.c.balance).where(accounts.c.id == account)).scalar() == 5 * count
