"""Usage as a CSV file: one event a record, read as a stream, so that a file of any length takes the same memory."""

from __future__ import annotations

import csv
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from handlers.decoding import MAX_ID, MAX_NAME, MalformedBodyError, Rejected, UnfitFieldError, instant, unfit
from handlers.usage.formats import MAX_COUNT, MAX_LINE, CountedLines, Position, Versioned, disjoint_meters, fingerprint
from policy.metering import UsageEvent
from policy.versions import LARGEST_REVISION, LONGEST_REASON, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from policy.metering import Identities

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


def read(file: BinaryIO, *, start: Position = (0, 0)) -> Iterator[tuple[int, int, Versioned]]:
    """(last line, bytes read, event) of each record. The header is checked at once, the rest is read when asked for.

    `start` takes up after what was read before: the first two of a triple that was given then.
    """
    records = _Records(file)
    header = _header(records)
    if start > records.position:
        records.resume(start)
    return _events(records, header)


class _Records:
    """The records of a file, one at a time, with the position after each; a bad one does not end the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = CountedLines(file)
        self._reader = csv.reader(self._text(), strict=True)
        self._began = 0
        self._fault = ""

    @property
    def position(self) -> Position:
        return self._lines.position

    def resume(self, start: Position) -> None:
        self._lines.resume(start)

    def next(self) -> list[str]:
        """The cells of the next record; raises UnfitFieldError for a bad one, StopIteration at the end."""
        self._began, self._fault = self._lines.offset, ""
        try:
            cells = next(self._reader)
        except csv.Error as error:
            raise UnfitFieldError(f"record: {error}") from error
        if self._fault:
            raise UnfitFieldError(self._fault)
        return cells

    def _text(self) -> Iterator[str]:
        return map(self._checked, self._lines)

    def _checked(self, line: bytes) -> str:
        """The text of a line. What is wrong with it is told after its record: in the middle, it would split it."""
        if self._lines.offset - self._began > MAX_LINE:
            raise UnfitFieldError(f"record: expected at most {MAX_LINE} bytes, got more")
        if b"\0" in line:
            self._fault = "record: expected text without NUL"
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            self._fault = f"record: expected UTF-8: {error}"
            return line.decode(errors="replace")


class _Header(NamedTuple):
    """Where the columns are: what puts the cells of a record into the order of `COLUMNS`, and who reads the others."""

    names: Sequence[str]
    in_order: Callable[[list[str]], tuple[str, ...]]
    version_of: Callable[[list[str]], tuple[str, ...]] | None


def _header(records: _Records) -> _Header:
    try:
        header = records.next()
    except StopIteration:
        raise MalformedBodyError("the file is empty: a header is required") from None
    except UnfitFieldError as error:
        raise MalformedBodyError(f"header: {error}") from error
    allowed = (*COLUMNS, *VERSION_COLUMNS)
    if unknown := [name for name in header if name not in allowed]:
        raise MalformedBodyError(f"header: unknown column {unknown[0][:MAX_NAME]!r}")
    told = VERSION_COLUMNS if any(name in header for name in VERSION_COLUMNS) else ()
    if missing := [name for name in (*COLUMNS, *told) if name not in header]:
        raise MalformedBodyError(f"header: missing column {missing[0]!r}")
    if len(header) > len(COLUMNS) + len(told):
        twice = next(name for name in header if header.count(name) > 1)
        raise MalformedBodyError(f"header: column {twice!r} stands there twice")
    version_of = itemgetter(*map(header.index, told)) if told else None
    return _Header(header, itemgetter(*map(header.index, COLUMNS)), version_of)


def _events(records: _Records, header: _Header) -> Iterator[tuple[int, int, Versioned]]:
    index, width, in_order = 0, len(header.names), header.in_order
    while True:
        cells: list[str] = []
        try:
            cells = records.next()
            if not cells:
                continue
            cells = _whole(cells, width)
            if header.version_of is None:
                parsed: Versioned = _usage_event(in_order(cells))
            else:
                parsed = _version(in_order(cells), *header.version_of(cells))
        except StopIteration:
            return
        except UnfitFieldError as error:
            event_id = in_order(cells)[1][:MAX_ID] if len(cells) == width else ""
            parsed = Rejected(index, event_id, str(error))
        yield *records.position, parsed
        index += 1


def _version(cells: tuple[str, ...], revision: str, action: str, reason: str) -> UsageEvent | Version:
    """A line is usage as it was reported, unless it says that it corrects or withdraws what was."""
    if not action:
        if revision not in {"", "0"}:
            raise unfit("action", '"correct" or "withdraw" beside a revision', action)
        return _usage_event(cells)
    if action not in {"correct", "withdraw"}:
        raise unfit("action", '"correct", "withdraw" or nothing', action)
    number = _count("revision", revision)
    if not 1 <= number <= LARGEST_REVISION:
        raise unfit("revision", f"an integer from 1 to {LARGEST_REVISION}", revision)
    _require_text("reason", reason, LONGEST_REASON)
    source, event_id = cells[:2]
    _require_text("source", source, MAX_ID)
    _require_text("event_id", event_id, MAX_ID)
    return Version(source, event_id, number, None if action == "withdraw" else _usage_event(cells), reason)


def _whole(cells: list[str], width: int) -> list[str]:
    if len(cells) != width:
        raise UnfitFieldError(f"record: expected {width} columns, got {len(cells)}")
    return cells


def _usage_event(cells: tuple[str, ...]) -> UsageEvent:
    source, event_id, time, user, provider, model, whole, read_tokens, written, output, project = cells
    _require_text("source", source, MAX_ID)
    _require_text("event_id", event_id, MAX_ID)
    _require_text("provider", provider)
    _require_text("model", model)
    _require_short("project", project)
    occurred_at = _instant(time)
    identities = _identities(user)
    provider = provider.lower()
    meters = disjoint_meters(
        input_tokens=_count("input_tokens", whole),
        output_tokens=_count("output_tokens", output),
        cache_read=_count("cache_read_tokens", read_tokens),
        cache_write_5m=_count("cache_write_tokens", written),
    )
    # There is no column for a service tier: what is in such a file was bought at the standard one.
    digest = fingerprint(occurred_at, identities, provider, model, "", meters, project)
    return UsageEvent(source, event_id, occurred_at, identities, provider, model, "", meters, project, digest)


def _require_text(column: str, cell: str, limit: int = MAX_NAME) -> None:
    if not cell:
        raise unfit(column, "a text that is not empty", cell)
    _require_short(column, cell, limit)


def _require_short(column: str, cell: str, limit: int = MAX_NAME) -> None:
    if len(cell) > limit:
        raise unfit(column, f"at most {limit} characters", cell)


def _identities(user: str) -> Identities:
    if not user:
        return ()
    _require_short("user", user)
    return (("email", user),) if "@" in user else (("user", user),)


def _instant(cell: str) -> datetime:
    try:
        when = datetime.fromisoformat(cell)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
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
    raise unfit(column, f"an integer from 0 to {MAX_COUNT}", cell)
