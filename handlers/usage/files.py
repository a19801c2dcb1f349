"""Importing files of usage: checked whole first, then taken in batch by batch, from where it stopped before."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from handlers.usage import csv_files
from handlers.usage.cloudevents import read_cloudevent_lines
from policy.metering import UsageEvent
from programme.usage import intake
from store.usage import events as usage_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from handlers.decoding import Rejected
    from handlers.usage.formats import Position
    from programme.app import App
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
    """What an import did; `resumed_at` is the line after which it took up an earlier, interrupted one.

    `conflicts` are the lines since then whose id stands for an event with other content.
    """

    counts: dict[str, int]
    bad_lines: tuple[BadLine, ...]
    resumed_at: int
    conflicts: tuple[BadLine, ...] = ()


def import_file(
    app: App,
    file: BinaryIO,
    format_: Format,
    *,
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
    conflicts: list[BadLine] = []
    for batch, (line, offset) in _batches(_read(file, format_, start)):
        with app.transaction() as moment:
            lines_of = [number for number, item in batch if isinstance(item, UsageEvent)]
            events = [item for _, item in batch if isinstance(item, UsageEvent)]
            outcomes = intake.take_in(moment, events)
            counts.update(outcome.status for outcome in outcomes)
            counts.update(read=len(batch), rejected=len(batch) - len(events))
            usage_store.note_progress(moment.session, digest, lines=line, offset=offset, counts=counts)
        conflicts += _conflicts(lines_of, outcomes)
        progress(offset)
    with app.database.transaction() as session:
        usage_store.forget_progress(session, digest)
    return UsageImport(_summary(counts), tuple(bad), start[0], tuple(conflicts))


def _conflicts(lines: Sequence[int], outcomes: Sequence[Outcome]) -> Iterator[BadLine]:
    for number, outcome in zip(lines, outcomes, strict=True):
        if outcome.status == "conflict":
            yield BadLine(number, f"{outcome.source}/{outcome.event_id}: {outcome.detail}")


def _check(file: BinaryIO, format_: Format, progress: Callable[[int], None]) -> tuple[list[BadLine], int]:
    bad: list[BadLine] = []
    count = 0
    for line, offset, item in _read(file, format_, (0, 0)):
        count += 1
        if not isinstance(item, UsageEvent):
            bad.append(BadLine(line, item.detail))
        if not count % BATCH:
            progress(offset)
    return bad, count


def _read(file: BinaryIO, format_: Format, start: Position) -> Iterator[tuple[int, int, UsageEvent | Rejected]]:
    file.seek(0)
    return csv_files.read(file, start=start) if format_ == "csv" else read_cloudevent_lines(file, start=start)


def _batches(
    items: Iterator[tuple[int, int, UsageEvent | Rejected]],
) -> Iterator[tuple[list[tuple[int, UsageEvent | Rejected]], Position]]:
    """Items with their lines, in batches, each with the position after its last one."""
    batch: list[tuple[int, UsageEvent | Rejected]] = []
    position = (0, 0)
    for line, offset, item in items:
        batch.append((line, item))
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
