"""Importing files of usage: checked whole first, then taken in batch by batch, from where it stopped before."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Literal

from handlers.decoding import MalformedBodyError, Rejected
from handlers.usage import csv_files, taking
from handlers.usage.cloudevents import read_cloudevent_lines
from policy.metering import UsageEvent
from policy.versions import Version
from programme.files import encodings
from programme.usage import corrections, intake
from store.usage import events as usage_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from handlers.usage.formats import Versioned
    from programme.app import App
    from programme.files.lines import Position
    from programme.moment import Moment
    from programme.usage.intake import Outcome

    _Batch = list[tuple[int, Versioned]]

Format = Literal["csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl")
_BY_NAME: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
TIME_FIELD: dict[Format, str] = {"csv": "occurred_at", "jsonl": "time"}
BATCH = 5_000
REPORTED_LINES = 100
KEPT: frozenset[intake.Status] = frozenset({"accepted", "quarantined"})
REFUSED: frozenset[intake.Status] = frozenset({"conflict", "rejected"})


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    detail: str


@dataclass(slots=True)
class BadLines:
    """The lines that were not taken: the first of them, and how many there are."""

    first: list[BadLine] = field(default_factory=list)
    count: int = 0

    def add(self, number: int, detail: str) -> None:
        self.count += 1
        if self.count <= REPORTED_LINES:
            self.first.append(BadLine(number, detail))


@dataclass(frozen=True, slots=True)
class UsageImport:
    """What an import did; `resumed_at` is the line after which it took up an earlier, interrupted one.

    `bad` are the lines that cannot be read, `refused` those whose event was not taken: another had its id.
    """

    counts: dict[str, int]
    bad: BadLines
    refused: BadLines
    resumed_at: int = 0


def format_of(name: str) -> Format | None:
    """What a file is by its name."""
    return _BY_NAME.get(PurePath(name).suffix.lower())


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
    bad, lines = _check(app, file, format_, progress)
    if bad.count and not skip_bad_lines:
        return _nothing(bad, lines)
    digest = f"{format_}:{_digest(file)}"
    with app.database.reading() as session:
        before = usage_store.progress_of_file(session, digest)
    start: Position = (before.lines_done, before.bytes_done) if before else (0, 0)
    counts = Counter(before.counts if before else {})
    refused = BadLines()
    for batch, (line, offset) in _batches(_read(file, format_, start)):
        good = _good(batch)

        def note(
            moment: Moment,
            outcomes: Sequence[Outcome],
            *,
            batch: _Batch = batch,
            line: int = line,
            offset: int = offset,
        ) -> None:
            _count(counts, batch, outcomes, refused)
            usage_store.note_progress(moment.session, digest, lines=line, offset=offset, counts=counts)

        taking.take_in(app, good, actor=actor, and_then=note)
        progress(offset)
    with app.database.transaction() as session:
        usage_store.forget_progress(session, digest)
    return UsageImport(_summary(counts), bad, refused, start[0])


def try_file(
    app: App,
    file: BinaryIO,
    format_: Format,
    *,
    actor: str = "import",
    skip_bad_lines: bool = False,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> UsageImport:
    """What importing a file would do, without doing it.

    Each batch is taken in and undone by itself, so that no lock is held for long; what was in a batch before is
    remembered, some 200 bytes an event.
    """
    bad, lines = _check(app, file, format_, progress)
    if bad.count and not skip_bad_lines:
        return _nothing(bad, lines)
    counts: Counter[str] = Counter()
    refused = BadLines()
    seen: dict[tuple[str, str], bytes] = {}
    for batch, (_, offset) in _batches(_read(file, format_, (0, 0))):
        good = _good(batch)
        fresh = [item for item in good if isinstance(item, UsageEvent) and item[:2] not in seen]
        with app.undone() as moment:
            taken = intake.take_in(moment, fresh)
            versions = [item for item in good if isinstance(item, Version)]
            put_right = iter(corrections.take_in(moment, versions, actor=actor))
        rest = iter(taken)
        outcomes = [
            next(put_right)
            if isinstance(item, Version)
            else intake.repeated(item, seen[item[:2]])
            if item[:2] in seen
            else next(rest)
            for item in good
        ]
        kept = zip(fresh, taken, strict=True)
        seen |= {event[:2]: event.fingerprint for event, outcome in kept if outcome.status in KEPT}
        _count(counts, batch, outcomes, refused)
        progress(offset)
    return UsageImport(_summary(counts), bad, refused)


def _good(batch: _Batch) -> list[UsageEvent | Version]:
    return [item for _, item in batch if not isinstance(item, Rejected)]


def _ahead(item: UsageEvent | Version, now: datetime, format_: Format) -> str:
    event = item.event if isinstance(item, Version) else item
    return "" if event is None else intake.ahead(event, now, TIME_FIELD[format_])


def _nothing(bad: BadLines, lines: int) -> UsageImport:
    return UsageImport(_summary(Counter(read=lines, rejected=bad.count)), bad, BadLines())


def _count(counts: Counter[str], batch: _Batch, outcomes: Sequence[intake.Outcome], refused: BadLines) -> None:
    """Add what became of a batch, with the lines of those events that were not taken."""
    counts.update(outcome.status for outcome in outcomes)
    counts.update(read=len(batch), rejected=len(batch) - len(outcomes))
    lines = (line for line, item in batch if not isinstance(item, Rejected))
    for line, outcome in zip(lines, outcomes, strict=True):
        if outcome.status in REFUSED:
            refused.add(line, f"{outcome.status}: {outcome.event_id!r} of {outcome.source!r}: {outcome.detail}")


def _check(app: App, file: BinaryIO, format_: Format, progress: Callable[[int], None]) -> tuple[BadLines, int]:
    file.seek(0)
    if said := encodings.not_text(file.read(encodings.HEAD)):
        raise MalformedBodyError(f"the file {said}")
    bad = BadLines()
    count = 0
    now = app.clock()
    for line, offset, item in _read(file, format_, (0, 0)):
        count += 1
        why = item.detail if isinstance(item, Rejected) else _ahead(item, now, format_)
        if why:
            bad.add(line, why)
        if not count % BATCH:
            progress(offset)
    return bad, count


def _read(file: BinaryIO, format_: Format, start: Position) -> Iterator[tuple[int, int, Versioned]]:
    file.seek(0)
    return csv_files.read(file, start=start) if format_ == "csv" else read_cloudevent_lines(file, start=start)


def _batches(
    items: Iterator[tuple[int, int, Versioned]],
) -> Iterator[tuple[_Batch, Position]]:
    """Items with their lines in batches, each with the position after its last one."""
    batch: _Batch = []
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
