"""How a ledger of before revision 0058 gets months and digests: the words of that migration, whatever comes later.

On SQLite the table is written anew. On PostgreSQL events are copied into a table beside the old one, which writers go
on with: what they add or change meanwhile is noted by triggers, and copied after that. So most of it can be done ahead,
in batches that each say how far they came; the migration itself does the rest and exchanges the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from store.digests import A_MONTH, on_postgresql, on_sqlite

if TYPE_CHECKING:
    from store.engine import Session

PARTS = 8
"""Of the digests."""
PAGES = 1_000
"""Of the old table that a batch copies: some 20,000 events."""
CHANGED = 20_000
"""Events that were noted meanwhile, and are copied in one batch."""
COLUMNS = (
    "source, event_id, fingerprint, occurred_at, identities, provider, model, tier, meters, project, account_id,"
    " price_id, cost_nano_usd, debit_micro_tokens, entry_id, revision"
)
DECEMBER = 12
OF_BILLS = "substr(source, 1, 5) = 'bill:'"
_NAMES = COLUMNS.split(", ")
_DIGEST = on_postgresql("e.source", "e.event_id")
_MONTH = "CAST(to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYYMM') AS BIGINT)"

ON_SQLITE = (
    """CREATE TABLE usage_ids (
    digest BLOB NOT NULL, event BIGINT NOT NULL, CONSTRAINT pk_usage_ids PRIMARY KEY (digest)) WITHOUT ROWID""",
    """CREATE TABLE usage_events_new (
    id INTEGER NOT NULL, source TEXT NOT NULL, event_id TEXT NOT NULL, fingerprint BLOB NOT NULL,
    occurred_at DATETIME NOT NULL, identities JSON NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
    tier TEXT NOT NULL, meters JSON NOT NULL, project TEXT NOT NULL, account_id INTEGER, price_id TEXT,
    cost_nano_usd BIGINT, debit_micro_tokens BIGINT, entry_id INTEGER, revision INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_usage_events PRIMARY KEY (id))""",
    f"""INSERT INTO usage_events_new (id, {COLUMNS})
    SELECT month * {A_MONTH} + row_number() OVER (PARTITION BY month ORDER BY old), {COLUMNS}
    FROM (SELECT rowid AS old, CAST(substr(occurred_at, 1, 4) || substr(occurred_at, 6, 2) AS INTEGER) AS month, *
    FROM usage_events) ORDER BY 1""",  # noqa: S608 - our own words
    "DROP TABLE usage_events",
    "ALTER TABLE usage_events_new RENAME TO usage_events",
    f"INSERT INTO usage_ids SELECT {on_sqlite('source', 'event_id')}, id FROM usage_events ORDER BY 1",  # noqa: S608
    "CREATE INDEX ix_usage_events_entry_id ON usage_events (entry_id)",
    f"CREATE INDEX ix_usage_events_bills ON usage_events (source) WHERE {OF_BILLS}",
)

BEGIN = (
    f"CREATE SEQUENCE usage_numbers MAXVALUE {A_MONTH - 1}",
    """CREATE TABLE usage_ids (digest BYTEA NOT NULL, event BIGINT NOT NULL,
    CONSTRAINT pk_usage_ids PRIMARY KEY (digest)) PARTITION BY HASH (digest)""",
    *(
        f"CREATE TABLE usage_ids_{part} PARTITION OF usage_ids FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})"
        for part in range(PARTS)
    ),
    """CREATE TABLE usage_events_by_month (
    id BIGINT NOT NULL, source TEXT NOT NULL, event_id TEXT NOT NULL, fingerprint BYTEA NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL, identities JSONB NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
    tier TEXT NOT NULL, meters JSONB NOT NULL, project TEXT NOT NULL, account_id BIGINT, price_id TEXT,
    cost_nano_usd BIGINT, debit_micro_tokens BIGINT, entry_id BIGINT, revision INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_usage_events_by_month PRIMARY KEY (id)) PARTITION BY RANGE (id)""",
    "CREATE INDEX ix_usage_events_by_month_entry_id ON usage_events_by_month (entry_id)",
    f"CREATE INDEX ix_usage_events_by_month_bills ON usage_events_by_month (source) WHERE {OF_BILLS}",
    "CREATE TABLE usage_move (next BIGINT NOT NULL, pages BIGINT NOT NULL, copied BIGINT NOT NULL)",
    "CREATE TABLE usage_moved (number BIGSERIAL PRIMARY KEY, source TEXT NOT NULL, event_id TEXT NOT NULL)",
    """CREATE FUNCTION usage_note_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO usage_moved (source, event_id) SELECT source, event_id FROM written; RETURN NULL; END $$""",
    # Waits for whoever writes, and from then on nothing is written that is not noted.
    *(
        f"CREATE TRIGGER usage_note_{what.lower()} AFTER {what} ON usage_events REFERENCING NEW TABLE AS written"
        " FOR EACH STATEMENT EXECUTE FUNCTION usage_note_moved()"
        for what in ("INSERT", "UPDATE")
    ),
    "INSERT INTO usage_move SELECT 0, pg_relation_size('usage_events') / current_setting('block_size')::bigint, 0",
)
BESIDE = ("usage_events_by_month", "usage_move", "usage_moved")
"""What is there only until the tables are exchanged."""
OF_EVENTS = ("quarantine", "quarantine_steps", "usage_conflicts", "usage_versions", "usage_reversals")
"""What referred to events by source and id."""
EXCHANGE = (
    "DROP TRIGGER usage_note_insert ON usage_events",
    "DROP TRIGGER usage_note_update ON usage_events",
    "DROP FUNCTION usage_note_moved()",
    "DROP TABLE usage_moved",
    "DROP TABLE usage_move",
    *(f"ALTER TABLE {name} DROP CONSTRAINT fk_{name}_source_event_id" for name in OF_EVENTS),
    "DROP TABLE usage_events",
    "ALTER TABLE usage_events_by_month RENAME TO usage_events",
    "ALTER INDEX pk_usage_events_by_month RENAME TO pk_usage_events",
    "ALTER INDEX ix_usage_events_by_month_entry_id RENAME TO ix_usage_events_entry_id",
    "ALTER INDEX ix_usage_events_by_month_bills RENAME TO ix_usage_events_bills",
)


class Moved(NamedTuple):
    """How far it came: pages of the old table, events copied, and whether only what is noted from now on is left."""

    pages: int
    of_pages: int
    copied: int
    is_done: bool


def is_begun(session: Session) -> bool:
    return bool(session.exec_driver_sql("SELECT to_regclass('usage_move') IS NOT NULL").scalar_one())


def begin(session: Session) -> None:
    """Make the tables beside the old one, and have everything noted that is written to it from now on."""
    for statement in BEGIN:
        session.exec_driver_sql(statement)


def advance(session: Session) -> Moved:
    """Copy a batch: pages of the old table in their order, and after the last one what was noted."""
    # One at a time: whoever comes second goes on after it.
    row = session.exec_driver_sql("SELECT next, pages, copied FROM usage_move FOR UPDATE").one()
    at, pages, copied = row
    if at < pages:
        found = _copy(session, f"e.ctid >= '({at},0)'::tid AND e.ctid < '({at + PAGES},0)'::tid")
        at, is_done = min(at + PAGES, pages), False
    else:
        found, is_done = _copy_noted(session)
    session.exec_driver_sql("UPDATE usage_move SET next = %s, copied = %s", (at, copied + found))
    return Moved(at, pages, copied + found, is_done)


def exchange(session: Session) -> None:
    """Copy what is left while no one writes, and put the new table in the old one's place."""
    if not is_begun(session):
        begin(session)
    session.exec_driver_sql("LOCK TABLE usage_events IN ACCESS EXCLUSIVE MODE")
    while not advance(session).is_done:
        pass
    for statement in EXCHANGE:
        session.exec_driver_sql(statement)


def _copy_noted(session: Session) -> tuple[int, bool]:
    """Copy as they are now some of the events that were noted: how many, and whether those were all."""
    noted = session.exec_driver_sql(
        "WITH first AS (SELECT number FROM usage_moved ORDER BY number LIMIT %s)"
        " DELETE FROM usage_moved m USING first f WHERE m.number = f.number RETURNING m.source, m.event_id",
        (CHANGED,),
    ).all()
    if not noted:
        return 0, True
    keys = [list(column) for column in zip(*{tuple(row) for row in noted}, strict=True)]
    some = "(e.source, e.event_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
    assigned = ", ".join(f"{name} = e.{name}" for name in _NAMES)
    session.exec_driver_sql(
        f"UPDATE usage_events_by_month n SET {assigned} FROM usage_events e JOIN usage_ids i ON i.digest = {_DIGEST}"  # noqa: S608 - our own words
        f" WHERE n.id = i.event AND {some}",
        tuple(keys),
    )
    return _copy(session, some, *keys), len(noted) < CHANGED


def _copy(session: Session, condition: str, *values: Any) -> int:  # noqa: ANN401 - as the driver takes them
    """Copy those of some events that are not there yet."""
    chosen = f"FROM usage_events e WHERE {condition}"
    months = session.exec_driver_sql(f"SELECT DISTINCT {_MONTH} {chosen}", values).scalars()
    for month in sorted(months):
        _open(session, month)
    names = ", ".join(f"e.{name}" for name in _NAMES)
    copied = session.exec_driver_sql(
        f"WITH chosen AS MATERIALIZED (SELECT {_DIGEST} AS digest,"  # noqa: S608 - our own words
        f" {_MONTH} * {A_MONTH} + nextval('usage_numbers') AS id, {names} {chosen}),"
        " fresh AS (INSERT INTO usage_ids SELECT digest, id FROM chosen ON CONFLICT DO NOTHING RETURNING event)"
        f" INSERT INTO usage_events_by_month (id, {COLUMNS}) SELECT id, {COLUMNS} FROM chosen"
        " WHERE id IN (SELECT event FROM fresh)",
        values,
    )
    return copied.rowcount


def _open(session: Session, month: int) -> None:
    """The part of a month, which comes before any of its events."""
    part = f"usage_events_{month}"
    if session.exec_driver_sql("SELECT to_regclass(%s) IS NULL", (part,)).scalar_one():
        after = month + 1 if month % 100 < DECEMBER else month + 100 - DECEMBER + 1
        session.exec_driver_sql(
            f"CREATE TABLE {part} PARTITION OF usage_events_by_month"
            f" FOR VALUES FROM ({month * A_MONTH}) TO ({after * A_MONTH})"
        )
