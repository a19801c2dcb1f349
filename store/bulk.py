"""Many rows at once, at the driver's own speed, on SQLite and PostgreSQL.

Rows are tuples in the order of the named columns, with values as the driver takes them: instants through
`instant_codec`, JSON as text. SQLite gets `executemany`; PostgreSQL gets COPY, or arrays unnested in one statement,
because there every statement is a round trip.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles

from store import losses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from store.engine import Session

Row = tuple[Any, ...]
FEW = 8
"""Rows that PostgreSQL is given in one statement, of which it keeps a text for each number of them."""


def is_postgresql(session: Session) -> bool:
    return session.dialect.name == "postgresql"


def instant_codec(session: Session) -> Callable[[datetime], Any]:
    """How an aware UTC instant is given to the driver; the text is what `columns.Instant` reads on SQLite."""
    if is_postgresql(session):
        return lambda instant: instant
    return _instant_text


def _instant_text(instant: datetime) -> str:
    """What `isoformat(" ", "microseconds")` says of an instant in UTC, without its offset, in a third of the time."""
    text = msgspec.json.encode(instant).decode()
    whole = f"{text[1:11]} {text[12:-2]}"
    return whole if instant.microsecond else f"{whole}.000000"


def day_codec(session: Session) -> Callable[[date], Any]:
    if is_postgresql(session):
        return lambda day: day
    return lambda day: day.isoformat()


def fetch(session: Session, text: str, values: Any) -> list[Row]:  # noqa: ANN401 - what the driver takes
    """The rows of a statement in the driver's own words, values as the driver gives them.

    SQLAlchemy's result would be described anew for each call, which takes as long as a short statement itself.
    """
    rows: list[Row] = _run(session, text, values).fetchall()
    return rows


def each(session: Session, text: str, values: Any) -> Iterator[Row]:  # noqa: ANN401 - what the driver takes
    """The same rows one by one."""
    yield from _run(session, text, values)


def _run(session: Session, text: str, values: Any, *, each: bool = False) -> Any:  # noqa: ANN401 - the driver's own
    """The driver's cursor, after the statement ran, or ran with `each` of some rows; errors are SQLAlchemy's."""
    driver: Any = session.connection.driver_connection
    errors = session.dialect.loaded_dbapi.Error
    try:
        if not each:
            return driver.execute(text, values)
        cursor = driver.cursor()
        cursor.executemany(text, values)
    except errors as error:
        raise _as_ours(session, text, error) from error
    return cursor


def _run_each(session: Session, text: str, rows: Sequence[Row]) -> Any:  # noqa: ANN401 - the driver's own
    return _run(session, text, rows[0]) if len(rows) == 1 else _run(session, text, rows, each=True)


def _as_ours(session: Session, text: str, error: Exception) -> sa.exc.DBAPIError | sa.exc.StatementError:
    """As SQLAlchemy would have raised it: callers know only one IntegrityError, and one way to lose a connection."""
    lost, errors = losses.drop_lost(session, error), session.dialect.loaded_dbapi.Error
    return sa.exc.DBAPIError.instance(text, None, error, errors, connection_invalidated=lost, dialect=session.dialect)


class _Compiled(NamedTuple):
    """A statement's text; the order of its parameters, where they have no names; those that never change."""

    text: str
    order: list[str] | None
    constants: dict[str, Any]


class Prepared:
    """A statement whose text is made once for each database: SQLAlchemy's own cache takes longer to ask than to answer.

    Values come as the driver gives them, so instants need `read_instant`, and are given as it takes them.
    """

    def __init__(self, query: sa.Select[Any] | sa.Update) -> None:
        self._query = query
        self._compiled: dict[str, _Compiled] = {}

    def execute(self, session: Session, parameters: dict[str, Any]) -> list[Row]:
        text, values = self._given(session, parameters)
        return fetch(session, text, values)

    def change(self, session: Session, parameters: dict[str, Any]) -> int:
        """How many rows an update found."""
        text, values = self._given(session, parameters)
        found: int = _run(session, text, values).rowcount
        return found

    def _given(self, session: Session, parameters: dict[str, Any]) -> tuple[str, Any]:
        compiled = self._compiled.get(session.dialect.name) or self._compile(session)
        values = compiled.constants | parameters
        return compiled.text, values if compiled.order is None else tuple([values[name] for name in compiled.order])

    def _compile(self, session: Session) -> _Compiled:
        compiled = self._query.compile(dialect=session.dialect, compile_kwargs={"render_postcompile": True})
        order = compiled.positiontup if compiled.positional else None
        made = self._compiled[session.dialect.name] = _Compiled(str(compiled), order, dict(compiled.params))
        return made


class json_of_rows(sa.sql.functions.FunctionElement[str]):  # noqa: N801 - named as a function of SQL
    """Rows as the text of a JSON list of lists: what a column of one row tells of several rows."""

    type = sa.Text()
    inherit_cache = True


@compiles(json_of_rows, "sqlite")
def _json_of_rows_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    return f"json_group_array(json_array({compiler.process(element.clauses, **more)}))"


@compiles(json_of_rows, "postgresql")
def _json_of_rows_on_postgresql(element: Any, compiler: Any, **more: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    return f"CAST(json_agg(json_build_array({compiler.process(element.clauses, **more)})) AS TEXT)"


def as_json(query: sa.Select[Any]) -> sa.ScalarSelect[str]:
    """The rows of a query that refers to nothing around it, to be read once for the whole statement."""
    rows = query.correlate(None).subquery()
    return sa.select(json_of_rows(*rows.c)).correlate(None).scalar_subquery()


class Among:
    """A `Prepared` select of rows of which a column has one of some values: one text, however many those are."""

    def __init__(self, query: sa.Select[Any], column: sa.ColumnElement[Any]) -> None:
        kind = column.type.compile(postgresql.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped
        self._postgresql = Prepared(query.where(sa.text(f"{column} = ANY(CAST(:some AS {kind}[]))")))
        self._sqlite = Prepared(query.where(sa.text(f"{column} IN (SELECT value FROM json_each(:some))")))  # noqa: S608 - our own column

    def execute(self, session: Session, some: Iterable[Any], **parameters: Any) -> list[Row]:  # noqa: ANN401 - as the driver takes them
        values = list(some)
        if not values:
            return []
        if is_postgresql(session):
            return self._postgresql.execute(session, {"some": values, **parameters})
        return self._sqlite.execute(session, {"some": msgspec.json.encode(values).decode(), **parameters})


def keyed(
    session: Session, table: sa.Table, columns: Sequence[str], keys: Sequence[Row], *, tail: str = ""
) -> list[Row]:
    """The rows whose first columns are one of some keys; `tail` orders them, or locks them."""
    if not keys:
        return []
    of_key = columns[: len(keys[0])]
    values: tuple[Any, ...]
    if is_postgresql(session):
        source, values = _unnest(table, of_key), _arrays(keys)
        parts = [f"v.{name}" for name in of_key]
    else:
        source, values = "json_each(?) AS v", (msgspec.json.encode(keys).decode(),)
        parts = [f"json_extract(v.value, '$[{number}]')" for number in range(len(of_key))]
    names = ", ".join(f"{table.name}.{name}" for name in columns)
    matches = " AND ".join(f"{table.name}.{name} = {part}" for name, part in zip(of_key, parts, strict=True))
    return fetch(session, f"SELECT {names} FROM {source} CROSS JOIN {table.name} WHERE {matches}{tail}", values)  # noqa: S608


def read_instant(value: Any) -> datetime:  # noqa: ANN401 - as the driver gave it
    """An instant that `Prepared` returned, in UTC: SQLite gives text, PostgreSQL an aware datetime."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    instant: datetime = value
    return instant.astimezone(UTC)


def read_day(value: Any) -> date:  # noqa: ANN401 - as the driver gave it
    """A day that `Prepared` returned."""
    found: date = date.fromisoformat(value) if isinstance(value, str) else value
    return found


def allocate_ids(session: Session, table: sa.Table, count: int) -> list[int]:
    """`count` fresh ids for a table with a numeric `id`, in ascending order."""
    [ids] = allocate_ids_of(session, [(table, count)])
    return ids


def allocate_ids_of(session: Session, wanted: Sequence[tuple[sa.Table, int]]) -> list[list[int]]:
    """So many fresh ids for each of some tables, in one statement."""
    if not is_postgresql(session):
        # The write lock is ours, and rows of these tables are never deleted.
        tops = ", ".join(f"(SELECT coalesce(max(id), 0) FROM {table.name})" for table, _ in wanted)  # noqa: S608
        [found] = fetch(session, f"SELECT {tops}", ())
        return [list(range(top + 1, top + 1 + count)) for top, (_, count) in zip(found, wanted, strict=True)]
    one = "SELECT {}, nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    statement = " UNION ALL ".join(one.format(number) for number in range(len(wanted)))
    values = tuple(value for table, count in wanted for value in (table.name, count))
    ids: list[list[int]] = [[] for _ in wanted]
    for number, id_ in fetch(session, statement, values):
        ids[number].append(id_)
    return [sorted(some) for some in ids]


def insert(session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows; a key that exists already is an IntegrityError."""
    if not rows:
        return
    names = ", ".join(columns)
    into = f"INSERT INTO {table.name} ({names}) VALUES "  # noqa: S608
    if not is_postgresql(session):
        _run_each(session, f"{into}({', '.join('?' * len(columns))})", rows)
    elif len(rows) <= FEW:
        # COPY takes two round trips more than a few rows are worth.
        marks = f"({', '.join(['%s'] * len(columns))})"
        _run(session, into + ", ".join([marks] * len(rows)), [value for row in rows for value in row])
    else:
        _copy(session, f"COPY {table.name} ({names}) FROM STDIN", rows)


def update(
    session: Session,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    key: int = 1,
    in_parts: bool = False,
) -> int:
    """Set the later columns of the rows found by the first `key` columns; the number of rows that were found.

    Of a table that PostgreSQL keeps `in_parts`, by its key, only the parts are looked at that have them.
    """
    if not rows:
        return 0
    keys, values = columns[:key], columns[key:]
    if is_postgresql(session):
        assignments = ", ".join(f"{c} = v.{c}" for c in values)
        matches = " AND ".join(f"t.{c} = v.{c}" for c in keys)
        source, values_of = _unnest(table, columns), _arrays(rows)
        statement = f"UPDATE {table.name} t SET {assignments} FROM {source} WHERE {matches}"  # noqa: S608
        if in_parts:
            statement, values_of = f"{statement} AND t.{keys[0]} = ANY(%s)", (*values_of, values_of[0])
        found = _run(session, statement, values_of).rowcount
        return int(found)
    assignments = ", ".join(f"{c} = ?" for c in values)
    matches = " AND ".join(f"{c} = ?" for c in keys)
    statement = f"UPDATE {table.name} SET {assignments} WHERE {matches}"  # noqa: S608
    found = _run_each(session, statement, [row[key:] + row[:key] for row in rows]).rowcount
    return int(found)


def add_up(session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[Row], *, key: int) -> None:
    """Add rows whose first `key` columns are the primary key; where the key exists, the other columns are summed.

    Without other columns, a row that exists is left alone, and not locked.
    """
    if not rows:
        return
    names, conflict = ", ".join(columns), ", ".join(columns[:key])
    sums = ", ".join(f"{c} = {table.name}.{c} + excluded.{c}" for c in columns[key:])
    tail = f"ON CONFLICT ({conflict}) DO " + (f"UPDATE SET {sums}" if sums else "NOTHING")
    if is_postgresql(session):
        source = _unnest(table, columns)
        statement = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {source} {tail}"  # noqa: S608
        _run(session, statement, _arrays(rows))
        return
    marks = ", ".join("?" * len(columns))
    _run_each(session, f"INSERT INTO {table.name} ({names}) VALUES ({marks}) {tail}", rows)  # noqa: S608


def insert_missing(session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows that do not exist yet, by whatever unique key; leave the others alone."""
    if not rows:
        return
    mark = "%s" if is_postgresql(session) else "?"
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
    _run_each(session, statement, rows)


def chunks(values: Iterable[Any], size: int = 10_000) -> Iterable[list[Any]]:
    """The values in lists of at most `size`."""
    batch: list[Any] = []
    for value in values:
        batch.append(value)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _copy(session: Session, statement: str, rows: Sequence[Row]) -> None:
    driver: Any = session.connection.driver_connection
    errors = session.dialect.loaded_dbapi.Error
    try:
        with driver.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        raise _as_ours(session, statement, error) from error


def _arrays(rows: Sequence[Row]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


def _unnest(table: sa.Table, columns: Sequence[str]) -> str:
    return _unnested(table, tuple(columns))


@lru_cache(maxsize=256)
def _unnested(table: sa.Table, columns: tuple[str, ...]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy left this one untyped
    casts = ", ".join(f"%s::{table.c[name].type.compile(dialect)}[]" for name in columns)
    return f"unnest({casts}) AS v({', '.join(columns)})"
