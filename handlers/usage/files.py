"""Importing files of usage: checked whole first, then taken in batch by batch, from where it stopped before."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from handlers.decoding import Rejected
from handlers.usage import csv_files, taking
from handlers.usage.cloudevents import read_cloudevent_lines
from programme.usage import intake
from store.usage import events as usage_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from handlers.usage.formats import Position, Versioned
    from programme.app import App
    from programme.moment import Moment
    from programme.usage.intake import Outcome

Format = Literal["csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl")
BATCH = 5_000
REPORTED_LINES = 100


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    detail: str


@dataclass(frozen=True, slots=True)
class UsageImport:
    """What an import did; `resumed_at` is the line after which it took up an earlier, interrupted one."""

    counts: dict[str, int]
    bad_lines: tuple[BadLine, ...]
    resumed_at: int


def import_file(
    app: App,
    file: BinaryIO,
    format_: Format,
    *,
    actor: str = "import",
    skip_bad_lines: bool = False,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> UsageImport:
    """Take in a file. With a bad line nothing is imported, unless `skip_bad_lines` leaves those out.

    Each batch commits together with how far the file was read, so an interrupted import goes on from there; a file
    that was imported whole is read again, and every event in it is a duplicate. `progress` gets the bytes read.
    """
    bad, lines = _check(file, format_, progress)
    if bad and not skip_bad_lines:
        return UsageImport(_summary(Counter(read=lines, rejected=len(bad))), tuple(bad), 0)
    digest = f"{format_}:{_digest(file)}"
    with app.database.reading() as session:
        before = usage_store.progress_of_file(session, digest)
    start: Position = (before.lines_done, before.bytes_done) if before else (0, 0)
    counts = Counter(before.counts if before else {})
    for batch, (line, offset) in _batches(_read(file, format_, start)):
        good = [item for item in batch if not isinstance(item, Rejected)]
        counts.update(read=len(batch), rejected=len(batch) - len(good))

        def note(moment: Moment, outcomes: Sequence[Outcome], line: int = line, offset: int = offset) -> None:
            counts.update(outcome.status for outcome in outcomes)
            usage_store.note_progress(moment.session, digest, lines=line, offset=offset, counts=counts)

        taking.take_in(app, good, actor=actor, and_then=note)
        progress(offset)
    with app.database.transaction() as session:
        usage_store.forget_progress(session, digest)
    return UsageImport(_summary(counts), tuple(bad), start[0])


def _check(file: BinaryIO, format_: Format, progress: Callable[[int], None]) -> tuple[list[BadLine], int]:
    bad: list[BadLine] = []
    count = 0
    for line, offset, item in _read(file, format_, (0, 0)):
        count += 1
        if isinstance(item, Rejected):
            bad.append(BadLine(line, item.detail))
        if not count % BATCH:
            progress(offset)
    return bad, count


def _read(file: BinaryIO, format_: Format, start: Position) -> Iterator[tuple[int, int, Versioned]]:
    file.seek(0)
    return csv_files.read(file, start=start) if format_ == "csv" else read_cloudevent_lines(file, start=start)


def _batches(
    items: Iterator[tuple[int, int, Versioned]],
) -> Iterator[tuple[list[Versioned], Position]]:
    """Items in batches, each with the position after its last one."""
    batch: list[Versioned] = []
    position = (0, 0)
    for line, offset, item in items:
        batch.append(item)
        position = (line, offset)
        if len(batch) == BATCH:
            yield batch, position
            batch = []
    if batch:
        yield batch, position


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary file will do


def _summary(counts: Counter[str]) -> dict[str, int]:
    return {key: counts[key] for key in ("read", *intake.STATUSES)}
