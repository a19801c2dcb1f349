"""Usage as a CSV file: one event a record, read as a stream, so that a file of any length takes the same memory."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from handlers.decoding import MAX_ID, MAX_NAME, MalformedBodyError, Rejected, UnfitFieldError, instant, unfit
from handlers.usage.formats import MAX_COUNT, Versioned, disjoint_meters, fingerprint
from policy.metering import UsageEvent
from policy.versions import LARGEST_REVISION, LONGEST_REASON, Version
from programme.files import cells as cell_readers
from programme.files import headers
from programme.files.lines import BadRecordError
from programme.files.records import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from policy.metering import Identities
    from programme.files.headers import Header
    from programme.files.lines import Position

COLUMNS = (
    "source",
    "event_id",
    "occurred_at",
    "user",
    "provider",
    "model",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "project",
)

VERSION_COLUMNS = ("revision", "action", "reason")
"""Columns that a file may have besides: an action (`correct`, `withdraw`) makes a line a later version of an event."""

_MAX_DIGITS = len(str(MAX_COUNT))
_NO_DECIMALS = re.compile(r"(\d+)[.,]00?")
_COUNTS = slice(6, 10)
_REMEMBERED = 4_096
"""Names that are checked once: a file has few people, models and projects, each a thousand times."""


class _Table(NamedTuple):
    """A header, what puts the cells of a record into the order of `COLUMNS`, and what takes those of a version out."""

    header: Header
    in_order: Callable[[list[str]], tuple[str, ...]]
    version_of: Callable[[list[str]], tuple[str, ...]] | None


def read(file: BinaryIO, *, start: Position = (0, 0)) -> Iterator[tuple[int, int, Versioned]]:
    """(last line, bytes read, event) of each record. The header is checked at once, the rest is read when asked for.

    `start` takes up after what was read before: the first two of a triple that was given then.
    """
    try:
        records = Records(file, COLUMNS)
        table = _table(records.header())
    except StopIteration:
        raise MalformedBodyError("the file is empty: a header is required") from None
    except BadRecordError as error:
        raise MalformedBodyError(f"header: {error}") from error
    if start > records.position:
        records.resume(start)
    return _events(records, table)


def _table(cells: list[str]) -> _Table:
    if not any(cells):
        raise MalformedBodyError("the file is empty: a header is required")
    header = headers.read(cells, (*COLUMNS, *VERSION_COLUMNS), COLUMNS)
    if header.faults:
        raise MalformedBodyError(f"header: {header.faults}")
    told = [name for name in VERSION_COLUMNS if name in header.names]
    if told and (missing := [name for name in VERSION_COLUMNS if name not in told]):
        raise MalformedBodyError(f"header: no column {missing[0]!r} beside {told[0]!r}")
    version_of = itemgetter(*map(header.names.index, VERSION_COLUMNS)) if told else None
    return _Table(header, itemgetter(*map(header.names.index, COLUMNS)), version_of)


def _events(records: Records, table: _Table) -> Iterator[tuple[int, int, Versioned]]:
    index = 0
    width, in_order = len(table.header.names), table.in_order
    while True:
        cells: list[str] = []
        try:
            cells = records.next()
            if len(cells) != width or not cells[0]:
                cells = _fitted(table.header, cells)
                if not cells:
                    continue
            if table.version_of is None:
                parsed: Versioned = _usage_event(in_order(cells))
            else:
                parsed = _version(in_order(cells), *map(str.strip, table.version_of(cells)))
        except StopIteration:
            return
        except BadRecordError as error:
            parsed = Rejected(index, "", str(error))
        except UnfitFieldError as error:
            in_columns = in_order(cells)
            said = _faults(in_columns) if table.version_of is None else _version_faults(in_columns, table, cells)
            said = said or [str(error)]
            parsed = Rejected(index, in_columns[1].strip()[:MAX_ID], "; ".join(said))
        yield *records.position, parsed
        index += 1


def _fitted(header: Header, cells: list[str]) -> list[str]:
    fitted = header.fitted(cells)
    if fitted is None:
        raise BadRecordError(f"record: expected {len(header.names)} columns, got {len(cells)}")
    return fitted


def _version(cells: tuple[str, ...], revision: str, action: str, reason: str) -> UsageEvent | Version:
    """A line is usage as it was reported, unless it says that it corrects or withdraws what was."""
    number = _version_number((revision, action))
    if not action:
        return _usage_event(cells)
    _reason(reason)
    withdrawn = action.lower() == "withdraw"
    return Version(_source(cells[0]), _event_id(cells[1]), number, None if withdrawn else _usage_event(cells), reason)


def _version_number(said: tuple[str, str]) -> int:
    """The revision that a line says it is; 0 without an action."""
    revision, action = said
    if not action:
        if revision not in {"", "0"}:
            raise unfit("action", '"correct" or "withdraw" beside a revision', action)
        return 0
    if action.lower() not in {"correct", "withdraw"}:
        raise unfit("action", '"correct", "withdraw" or nothing', action)
    number = _count("revision", revision)
    if not 1 <= number <= LARGEST_REVISION:
        raise unfit("revision", f"an integer from 1 to {LARGEST_REVISION}", revision)
    return number


def _reason(cell: str) -> None:
    _require_text("reason", cell, LONGEST_REASON)


def _event_id(cell: str) -> str:
    event_id = cell.strip()
    _require_id("event_id", event_id)
    return event_id


def _usage_event(cells: tuple[str, ...]) -> UsageEvent:
    source, event_id, time, user, provider, model, whole, read_tokens, written, output, project = cells
    source = _source(source)
    event_id = event_id.strip()
    # The one text that is another in each record.
    if not event_id or len(event_id) > MAX_ID or "E+" in event_id or "#" in event_id or event_id[0] == "=":
        _require_id("event_id", event_id)
    provider, model, project = read_provider(provider), read_model(model), read_project(project)
    occurred_at = _instant(time)
    identities = read_identities(user)
    meters = disjoint_meters(
        input_tokens=_count("input_tokens", whole),
        output_tokens=_count("output_tokens", output),
        cache_read=_count("cache_read_tokens", read_tokens),
        cache_write_5m=_count("cache_write_tokens", written),
    )
    # There is no column for a service tier: what is in such a file was bought at the standard one.
    digest = fingerprint(occurred_at, identities, provider, model, "", meters, project)
    return UsageEvent(source, event_id, occurred_at, identities, provider, model, "", meters, project, digest)


def _faults(cells: tuple[str, ...]) -> list[str]:
    """Everything that is wrong with a record's cells; what they are not together, if each is right by itself."""
    checks: tuple[Callable[[str], object], ...] = (
        _source,
        _event_id,
        _instant,
        read_identities,
        read_provider,
        read_model,
        *(lambda cell, column=column: _count(column, cell) for column in COLUMNS[_COUNTS]),
        read_project,
    )
    alone = [said for check, cell in zip(checks, cells, strict=True) if (said := _fault(check, cell))]
    return alone or [said for said in [_fault(_usage_event, cells)] if said]


def _version_faults(cells: tuple[str, ...], table: _Table, record: list[str]) -> list[str]:
    """The same of a line that may be a later version: of a withdrawal only its id and its own columns are read."""
    assert table.version_of is not None  # noqa: S101 - asked only where there are such columns
    revision, action, reason = map(str.strip, table.version_of(record))
    own = [_fault(_version_number, (revision, action)), *([_fault(_reason, reason)] if action else [])]
    named = [_fault(_source, cells[0]), _fault(_event_id, cells[1])]
    alone = named if action.lower() == "withdraw" else _faults(cells)
    return [said for said in (*alone, *own) if said]


def _fault(check: Callable[..., object], cell: object) -> str:
    try:
        check(cell)
    except UnfitFieldError as error:
        return str(error)
    return ""


@lru_cache(_REMEMBERED)
def _source(cell: str) -> str:
    source = cell.strip()
    _require_id("source", source)
    _require_visible("source", source)
    return source


@lru_cache(_REMEMBERED)
def read_provider(cell: str) -> str:
    provider = cell.strip().lower()
    _require_text("provider", provider)
    _require_visible("provider", provider)
    return provider


@lru_cache(_REMEMBERED)
def read_model(cell: str) -> str:
    model = cell.strip()
    _require_text("model", model)
    _require_visible("model", model)
    return model


@lru_cache(_REMEMBERED)
def read_project(cell: str) -> str:
    project = cell.strip()
    _require_intact("project", project)
    return project


def _require_id(column: str, cell: str) -> None:
    _require_text(column, cell, MAX_ID)


def _require_text(column: str, cell: str, limit: int = MAX_NAME) -> None:
    if not cell:
        raise unfit(column, "a text that is not empty", cell)
    _require_intact(column, cell, limit)


def _require_intact(column: str, cell: str, limit: int = MAX_NAME) -> None:
    if len(cell) > limit:
        raise unfit(column, f"at most {limit} characters", cell)
    if ("E+" in cell or "#" in cell or "=" in cell) and (said := cell_readers.excel_wreck(cell)):
        raise unfit(column, f"what was there ({said})", cell)


def _require_visible(column: str, cell: str) -> None:
    if found := cell_readers.unseen_character(cell):
        raise unfit(column, f"a text without {found}", cell)


@lru_cache(_REMEMBERED)
def read_identities(cell: str) -> Identities:
    user = cell.strip()
    if not user:
        return ()
    _require_intact("user", user)
    _require_visible("user", user)
    if "@" not in user:
        return (("user", user),)
    if fault := cell_readers.email_fault(user):
        raise unfit("user", f"an e-mail address ({fault})", user)
    return (("email", user),)


def _instant(cell: str) -> datetime:
    try:
        when = datetime.fromisoformat(cell)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        if cell != cell.strip():
            return _instant(cell.strip())
        raise unfit("occurred_at", "an ISO 8601 time with an offset", cell)
    return instant(when, "occurred_at")


def _count(column: str, cell: str) -> int:
    """A plain number. `int` alone would also take `1_000`, a sign, blanks, and digits of other scripts."""
    if not cell:
        return 0
    if cell.isascii() and cell.isdecimal() and len(cell) <= _MAX_DIGITS:
        count = int(cell)
        if count <= MAX_COUNT:
            return count
    if (plain := cell.strip()) != cell:
        return _count(column, plain)
    # Where a cell of the column is empty, some programs write every number with a decimal.
    if cell.isascii() and (whole := _NO_DECIMALS.fullmatch(cell)):
        return _count(column, whole[1])
    raise unfit(column, f"an integer from 0 to {MAX_COUNT}", cell)
