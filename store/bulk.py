"""Many rows at once, at the driver's own speed, on SQLite and PostgreSQL.

Rows are tuples in the order of the named columns, with values as the driver takes them: instants through
`instant_codec`, JSON as text. SQLite gets `executemany`; PostgreSQL gets COPY, or arrays unnested in one statement,
because there every statement is a round trip.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles

from store import losses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
    """A statement's text; the order of its parameters, where they have no names; those that never change.

    For a `Typed` one also how some of its parameters are given, and the values of some of its columns read.
    """

    text: str
    order: list[str] | None
    constants: dict[str, Any]
    given: dict[str, Callable[[Any], Any]]
    read: list[tuple[int, Callable[[Any], Any]]]


class Prepared:
    """A statement whose text is made once for each database: SQLAlchemy's own cache takes longer to ask than to answer.

    Values come as the driver gives them, so instants need `read_instant`, and are given as it takes them.
    """

    def __init__(self, query: sa.Select[Any] | sa.CompoundSelect[Any] | sa.Insert | sa.Update | sa.Delete) -> None:
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
        compiled = self._made(session)
        values = compiled.constants | parameters
        return compiled.text, values if compiled.order is None else tuple([values[name] for name in compiled.order])

    def _made(self, session: Session) -> _Compiled:
        return self._compiled.get(session.dialect.name) or self._compile(session)

    def _compile(self, session: Session) -> _Compiled:
        compiled: Any = self._query.compile(dialect=session.dialect)
        asked = {bind.key: None for bind in compiled.binds.values() if bind.required}
        whole = compiled.construct_expanded_state(asked)
        constants = {name: value for name, value in whole.parameters.items() if name not in asked}
        made = _Compiled(whole.statement, whole.positiontup, constants, *self._codecs(session.dialect, compiled))
        self._compiled[session.dialect.name] = made
        return made

    def _codecs(self, dialect: sa.Dialect, compiled: Any) -> tuple[dict[str, Any], list[tuple[int, Any]]]:  # noqa: ANN401 - SQLAlchemy's own
        columns = self._query.selected_columns if isinstance(self._query, sa.Select) else ()
        given = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
        read = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        return (
            {name: codec for name, codec in given.items() if codec is not None},
            [(number, codec) for number, codec in enumerate(read) if codec is not None],
        )


class Typed(Prepared):
    """A `Prepared` whose values are given and read as its columns' types say: for a few rows, not for thousands."""

    def execute(self, session: Session, parameters: dict[str, Any]) -> list[Row]:
        rows, read = super().execute(session, parameters), self._made(session).read
        return [_read_by(read, row) for row in rows] if read else rows

    def _given(self, session: Session, parameters: dict[str, Any]) -> tuple[str, Any]:
        given = self._made(session).given
        as_given = {name: given[name](value) if name in given else value for name, value in parameters.items()}
        return super()._given(session, as_given)


def _read_by(read: Sequence[tuple[int, Callable[[Any], Any]]], row: Row) -> Row:
    values = list(row)
    for number, codec in read:
        values[number] = codec(values[number])
    return tuple(values)


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


def as_json(query: sa.Select[Any] | sa.CompoundSelect[Any]) -> sa.ScalarSelect[str]:
    """The rows of a query that refers to nothing around it, to be read once for the whole statement."""
    rows = (query.correlate(None) if isinstance(query, sa.Select) else query).subquery()
    return sa.select(json_of_rows(*rows.c)).correlate(None).scalar_subquery()


def of_json(text: str | None) -> list[Any]:
    """The rows of `as_json`, as JSON has their values: instants and days as text, and on SQLite booleans as numbers."""
    found: list[Any] = msgspec.json.decode(text) if text else []
    return found


class Some(sa.TypeDecorator[list[Any]]):
    """Texts or numbers that a `Typed` statement is given as one parameter, however many they are; see `is_among`."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: type[sa.Text | sa.BigInteger] = sa.Text) -> None:
        super().__init__()
        self.kind = kind

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:  # noqa: ANN401 - SQLAlchemy's own
        return dialect.type_descriptor(postgresql.ARRAY(self.kind) if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ANN401 - what the driver takes
        return list(value) if dialect.name == "postgresql" else msgspec.json.encode(list(value)).decode()


class is_among(sa.sql.functions.FunctionElement[Any]):  # noqa: N801 - named as a function of SQL
    """Whether a column has one of some values, which are a parameter of the type `Some`.

    Not said to be a boolean: for SQLite, SQLAlchemy would compare that with 1, and no index would be used.
    """

    type = sa.types.NULLTYPE
    inherit_cache = True


@compiles(is_among, "sqlite")
def _is_among_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    column, some = (compiler.process(part, **more) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({some}))"  # noqa: S608 - our own column


@compiles(is_among, "postgresql")
def _is_among_on_postgresql(element: Any, compiler: Any, **more: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    column, some = (compiler.process(part, **more) for part in element.clauses)
    return f"{column} = ANY({some})"


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
    """An instant that `Prepared` returned, in UTC: SQLite gives text without a zone, PostgreSQL an aware datetime.

    In JSON, PostgreSQL writes it in the zone of its session.
    """
    instant: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def read_day(value: Any) -> date:  # noqa: ANN401 - as the driver gave it
    """A day that `Prepared` returned, or JSON of it has."""
    found: date = date.fromisoformat(value) if isinstance(value, str) else value
    return found


def allocate_ids(session: Session, table: sa.Table, count: int) -> list[int]:
    """`count` fresh ids for a table with a numeric `id`, in ascending order."""
    found = _allocating(session.dialect.name, table).execute(session, {"count": count})
    return counted([id_ for (id_,) in found], count)


@cache
def _allocating(dialect: str, table: sa.Table) -> Prepared:
    return Prepared(fresh_ids(dialect, table, "count"))


def fresh_ids(dialect: str, table: sa.Table, count: str) -> sa.Select[Any]:
    """As many fresh ids as a parameter says, or the first of them: a part of a statement; `counted` has them all."""
    if dialect == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(sa.literal_column(f"'{table.name}'"), sa.literal_column("'id'"))
        so_many = sa.func.generate_series(1, sa.bindparam(count, type_=sa.Integer())).table_valued("number")
        return sa.select(sa.func.nextval(sequence).label("id")).select_from(so_many)
    # The write lock is ours, and rows of these tables are never deleted.
    return sa.select((sa.func.coalesce(sa.func.max(table.c.id), 0) + 1).label("id"))


def counted(found: Sequence[int], count: int) -> list[int]:
    """The fresh ids that a statement made, or of which it told the first."""
    return sorted(found) if len(found) == count else list(range(found[0], found[0] + count))


class Rows(NamedTuple):
    """Rows to be added to a table; with a `key`, so many of the first columns find rows, whose others are set."""

    table: sa.Table
    columns: Sequence[str]
    rows: Sequence[Row]
    key: int = 0


def write(session: Session, *parts: Rows) -> None:
    """Write several tables, in which order PostgreSQL likes: what refers to each other is looked at in the end."""
    told = [part for part in parts if part.rows]
    if is_postgresql(session) and all(len(part.rows) <= FEW for part in told):
        statements = [_few(part) for part in told]
        *first, last = [text for text, _ in statements]
        others = ", ".join(f"part{number} AS ({text})" for number, text in enumerate(first))
        _run(session, f"WITH {others} {last}" if first else last, [one for _, values in statements for one in values])
        return
    for part in told:
        if part.key:
            update(session, part.table, part.columns, part.rows, key=part.key)
        else:
            insert(session, part.table, part.columns, part.rows)


def _few(part: Rows) -> tuple[str, Sequence[Any]]:
    """The statement for a few rows on PostgreSQL, and its values."""
    if part.key:
        return _update_text(part.table, tuple(part.columns), part.key), _arrays(part.rows)
    table, names, marks = part.table, ", ".join(part.columns), f"({', '.join(['%s'] * len(part.columns))})"
    into = f"INSERT INTO {table.name} ({names}) VALUES "  # noqa: S608
    return into + ", ".join([marks] * len(part.rows)), [value for row in part.rows for value in row]


def insert(session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows; a key that exists already is an IntegrityError."""
    if not rows:
        return
    names = ", ".join(columns)
    if not is_postgresql(session):
        marks = ", ".join("?" * len(columns))
        _run_each(session, f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608
    elif len(rows) <= FEW:
        # COPY takes two round trips more than a few rows are worth.
        _run(session, *_few(Rows(table, columns, rows)))
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
        text, values_of = _update_text(table, tuple(columns), key), _arrays(rows)
        if in_parts:
            text, values_of = f"{text} AND t.{keys[0]} = ANY(%s)", (*values_of, values_of[0])
        found = _run(session, text, values_of).rowcount
        return int(found)
    assignments = ", ".join(f"{c} = ?" for c in values)
    matches = " AND ".join(f"{c} = ?" for c in keys)
    statement = f"UPDATE {table.name} SET {assignments} WHERE {matches}"  # noqa: S608
    found = _run_each(session, statement, [row[key:] + row[:key] for row in rows]).rowcount
    return int(found)


@lru_cache(maxsize=256)
def _update_text(table: sa.Table, columns: tuple[str, ...], key: int) -> str:
    """PostgreSQL's, of which the values are an array for each column."""
    assignments = ", ".join(f"{c} = v.{c}" for c in columns[key:])
    matches = " AND ".join(f"t.{c} = v.{c}" for c in columns[:key])
    source = _unnest(table, columns)
    return f"UPDATE {table.name} t SET {assignments} FROM {source} WHERE {matches}"  # noqa: S608


def change(session: Session, table: sa.Table, as_read: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Set columns of the row whose columns are as they were read; whether there still is such a row."""
    statement = _changing(table, tuple(sorted(as_read)), tuple(sorted(values)))
    told = {f"was_{name}": value for name, value in as_read.items()}
    told |= {f"now_{name}": value for name, value in values.items()}
    return statement.change(session, told) == 1


@lru_cache(maxsize=256)
def _changing(table: sa.Table, as_read: tuple[str, ...], values: tuple[str, ...]) -> Typed:
    c = table.c
    found = (c[name] == sa.bindparam(f"was_{name}", type_=c[name].type) for name in as_read)
    told = {name: sa.bindparam(f"now_{name}", type_=c[name].type) for name in values}
    return Typed(sa.update(table).where(*found).values(told))


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
