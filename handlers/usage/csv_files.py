"""Usage as a CSV file: one event a record, read as a stream, so that a file of any length takes the same memory."""

from __future__ import annotations

import csv
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO

from handlers.decoding import MAX_ID, MAX_NAME, MalformedBodyError, Rejected, UnfitFieldError, instant, unfit
from handlers.usage.formats import MAX_COUNT, MAX_LINE, CountedLines, Parsed, Position, disjoint_meters, fingerprint
from policy.metering import UsageEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

_MAX_DIGITS = len(str(MAX_COUNT))


def read(file: BinaryIO, *, start: Position = (0, 0)) -> Iterator[tuple[int, int, Parsed]]:
    """(last line, bytes read, event) of each record. The header is checked at once, the rest is read when asked for.

    `start` takes up after what was read before: the first two of a triple that was given then.
    """
    records = _Records(file)
    in_order = _column_order(records)
    if start > records.position:
        records.resume(start)
    return _events(records, in_order)


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


def _column_order(records: _Records) -> Callable[[list[str]], tuple[str, ...]]:
    """What puts the cells of a record into the order of `COLUMNS`."""
    try:
        header = records.next()
    except StopIteration:
        raise MalformedBodyError("the file is empty: a header is required") from None
    except UnfitFieldError as error:
        raise MalformedBodyError(f"header: {error}") from error
    if unknown := [name for name in header if name not in COLUMNS]:
        raise MalformedBodyError(f"header: unknown column {unknown[0][:MAX_NAME]!r}")
    if missing := [name for name in COLUMNS if name not in header]:
        raise MalformedBodyError(f"header: missing column {missing[0]!r}")
    if len(header) > len(COLUMNS):
        twice = next(name for name in header if header.count(name) > 1)
        raise MalformedBodyError(f"header: column {twice!r} stands there twice")
    return itemgetter(*map(header.index, COLUMNS))


def _events(records: _Records, in_order: Callable[[list[str]], tuple[str, ...]]) -> Iterator[tuple[int, int, Parsed]]:
    index = 0
    while True:
        cells: list[str] = []
        try:
            cells = records.next()
            if not cells:
                continue
            parsed: Parsed = _usage_event(in_order(_whole(cells)))
        except StopIteration:
            return
        except UnfitFieldError as error:
            event_id = in_order(cells)[1][:MAX_ID] if len(cells) == len(COLUMNS) else ""
            parsed = Rejected(index, event_id, str(error))
        yield *records.position, parsed
        index += 1


def _whole(cells: list[str]) -> list[str]:
    if len(cells) != len(COLUMNS):
        raise UnfitFieldError(f"record: expected {len(COLUMNS)} columns, got {len(cells)}")
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
