"""Holds of the past, millions of them in a minute or two: made by the database itself, in the order of their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import ledgers
from store.tables.holds import holds

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database, Session

AT_A_TIME = 1_000_000
SECONDS = 2_400_000
"""They were settled in the last four weeks."""
SPREAD = 7_919
"""A prime: neighbours by their ids are none by their time, nor by their wallet."""
ANSWER = '{"available": 99998500000, "warnings": [], "room": 999985000000}'
COLUMNS = (
    *("source", "id", "kind", "fingerprint", "account_id", "person_id", "service_key", "provider", "model", "project"),
    *("status", "micro_tokens", "nano_usd", "first_micro_tokens", "first_nano_usd", "used_micro_tokens"),
    *("used_nano_usd", "answer", "flags", "created_at", "expires_at", "closed_at"),
)
SAME = f"'settled', 0, 0, 1500000, 15000000, 750000, 7500000, '{ANSWER}', ''"
MODEL = "'per_0123456789abcdef', 'anthropic', 'anthropic', 'claude-sonnet-4-5', ''"


def fill(app: App, past: int) -> None:
    """So many holds beside each other, spread over all wallets, as they are once they are settled."""
    database = app.database
    indexes = sorted(holds.indexes, key=lambda one: str(one.name))
    with database.transaction() as session:
        for index in indexes:
            index.drop(session)
    for begin in range(0, past, AT_A_TIME):
        with database.transaction() as session:
            _add(session, begin, min(begin + AT_A_TIME, past), past)
    with database.transaction() as session:
        for index in indexes:
            index.create(session)
    with database.reading() as session:
        if database.dialect == "sqlite":
            session.exec_driver_sql("ANALYZE")
            session.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            session.exec_driver_sql("VACUUM (ANALYZE) holds")
            session.exec_driver_sql("ANALYZE")
            session.exec_driver_sql("CHECKPOINT")


def _add(session: Session, begin: int, end: int, past: int) -> None:
    """Those of some numbers; an id begins with its number's place among all, as if it were random."""
    [[wallets]] = session.exec_driver_sql("SELECT count(*) FROM accounts WHERE person_id IS NOT NULL")
    step = 2**32 // past
    say = _sqlite if session.dialect.name == "sqlite" else _postgresql
    session.exec_driver_sql(f"INSERT INTO holds ({', '.join(COLUMNS)}) {say(begin, end, step, int(wallets))}")


def _sqlite(begin: int, end: int, step: int, wallets: int) -> str:
    ago = f"'-' || (i * {SPREAD} % {SECONDS}) || ' seconds'"
    at = f"strftime('%Y-%m-%d %H:%M:%f000', '{ledgers.NOW:%Y-%m-%d %H:%M:%S}', {ago})"
    return (
        f"WITH RECURSIVE n(i) AS (SELECT {begin} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end}),"
        " w AS MATERIALIZED (SELECT row_number() OVER (ORDER BY id) - 1 AS place, id FROM accounts"
        " WHERE person_id IS NOT NULL),"
        f" p AS (SELECT i, {at} AS at FROM n)"
        f" SELECT 'bench', printf('call_%08x%016x', i * {step}, i), 'call', x'00', w.id, {MODEL}, {SAME}, at, at, at"
        f" FROM p CROSS JOIN w ON w.place = i * {SPREAD} % {wallets}"
    )


def _postgresql(begin: int, end: int, step: int, wallets: int) -> str:
    at = f"TIMESTAMPTZ '{ledgers.NOW.isoformat()}' - (i * {SPREAD} %% {SECONDS}) * INTERVAL '1 second'"
    named = f"'call_' || lpad(to_hex(i * {step}), 8, '0') || lpad(to_hex(i), 16, '0')"
    return (
        "WITH w AS MATERIALIZED (SELECT row_number() OVER (ORDER BY id) - 1 AS place, id FROM accounts"
        " WHERE person_id IS NOT NULL)"
        f" SELECT 'bench', {named}, 'call', '\\x00'::bytea, w.id, {MODEL}, {SAME}, {at}, {at}, {at}"
        f" FROM generate_series({begin}::bigint, {end - 1}) AS i JOIN w ON w.place = i * {SPREAD} %% {wallets}"
        " ORDER BY i"
    )


def standing(database: Database) -> Any:  # noqa: ANN401 - rows
    """What the ledger comes to: two that did the same come to the same."""
    queries = (
        "SELECT sum(balance), sum(held), sum(version) FROM accounts",
        "SELECT count(*), sum(used_nano_usd), sum(nano_usd) FROM holds",
        "SELECT count(*), sum(cost_nano_usd), max(entry_id) FROM usage_events",
        "SELECT sum(remaining) FROM lots",
        "SELECT sum(debit_micro_tokens), sum(calls) FROM usage_days",
    )
    with database.reading() as session:
        return [tuple(session.exec_driver_sql(query).one()) for query in queries]
