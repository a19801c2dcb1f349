"""Importing files of bills: read whole and checked first, then kept, then posted in steps that can be resumed."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO

from handlers.invoices import focus_csv, focus_parquet
from policy.reasons import Refusal
from programme.invoices import posting, sharing, showing, taking
from programme.invoices.showing import Waiting
from programme.invoices.sorting import Sorting
from programme.invoices.told import CONTINUED, SUPERSEDED, WAITS, Told, total
from programme.table_file import Problems
from store.invoices import bills as store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from policy.bills import BillName, Place, Sum
    from programme.app import App
    from programme.invoices.taking import Import
    from programme.invoices.told import Change
    from programme.usage.intake import Outcome

_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class Done:
    """What became of a bill: what its file changes, and what became of its usage."""

    change: Change
    outcomes: Counter[str] = field(default_factory=Counter)
    details: Counter[str] = field(default_factory=Counter)
    """Why lines wait, and how many each."""
    held: set[bytes] = field(default_factory=set)
    """The lines that had to wait."""
    waiting: Waiting | None = None
    """What of the bill waits now, also from before."""

    def count(self, outcomes: Iterable[Outcome]) -> None:
        for one in outcomes:
            self.outcomes[one.status] += 1
            if one.status == "quarantined":
                self.details[one.detail] += 1
                self.held.add(posting.key_in(one.event_id))

    @property
    def fresh_rows(self) -> int:
        """Rows that are not there already."""
        change = self.change
        return change.whole.rows if change.becomes == CONTINUED else change.fresh_rows

    @property
    def waits(self) -> Waiting:
        """What had to wait now."""
        costs = [cost for place, cost in self.change.told.items() if self.held and place.key in self.held]
        return Waiting(len(self.held), total(costs).rows, total(costs).nano_usd)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the bills that files are of; how many rows they have."""

    rows: int
    bills: Sequence[Done]

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what became of them, in the words of all imports of usage."""
        fresh = sum(done.fresh_rows for done in self.bills)
        waiting = sum(done.waits.rows for done in self.bills)
        return {
            "read": self.rows,
            "accepted": fresh - waiting,
            "duplicate": self.rows - fresh,
            "conflict": 0,
            "quarantined": waiting,
            "rejected": 0,
        }


def import_files(
    app: App, files: Sequence[BinaryIO], by: Import, *, progress: Callable[[int], None] = lambda _bytes: None
) -> Imported:
    """Take in files that are one bill together, or several; a Refusal lists everything that is wrong with them.

    Nothing is kept before all of them are read. Then each step commits by itself: whoever imports the same files again
    after an interruption goes on where it was. `progress` gets the bytes that were read.
    """
    told = read(app, files, progress)
    with app.transaction() as moment:
        found = [Done(change) for change in taking.keep(moment, told, by)]
    for done in found:
        if done.change.becomes not in {SUPERSEDED, WAITS}:
            _post(app, done, by.actor)
    return Imported(told.rows, found)


def _post(app: App, done: Done, actor: str) -> None:
    with app.reading() as moment:
        bill = store.find(moment.session, done.change.name)
    assert bill is not None  # noqa: S101 - it was kept
    is_posted = bill.posted_at is not None
    while not is_posted:
        with app.transaction() as moment:
            outcomes = posting.step(moment, bill, actor=actor)
        done.count(outcomes)
        if not outcomes:
            with app.transaction() as moment:
                is_posted = sharing.spread(moment, bill, actor=actor)
    with app.reading() as moment:
        done.waiting = showing.waiting(moment, done.change.name)


def try_files(
    app: App, files: Sequence[BinaryIO], by: Import, *, progress: Callable[[int], None] = lambda _bytes: None
) -> Imported:
    """What importing files would do, without doing it: some lines at a time, each time taken back."""
    told = read(app, files, progress)
    with app.undone() as moment:
        found = [Done(change) for change in taking.planned(moment, told, by)]
    for done in found:
        _try(app, done, by.actor)
    return Imported(told.rows, found)


def _try(app: App, done: Done, actor: str) -> None:
    due = list(taking.to_post(done.change))
    for begin in range(0, len(due), posting.AT_A_TIME):
        with app.undone() as moment:
            done.count(posting.post(moment, done.change.name, due[begin : begin + posting.AT_A_TIME], actor=actor))
    done.waiting = done.waits


def read(app: App, files: Sequence[BinaryIO], progress: Callable[[int], None] = lambda _bytes: None) -> Told:
    """Everything that files tell together; a Refusal with everything that is wrong with them."""
    problems = Problems()
    bills: dict[BillName, dict[Place, Sum]] = {}
    rows = 0
    with app.reading() as moment:
        for file in files:
            own = Problems()
            tally, count = _read(file, Sorting(moment), own, progress)
            rows += count
            problems.extend(_named(file, own) if len(files) > 1 else own)
            for name, places in tally.bills().items():
                whole = bills.setdefault(name, {})
                for place, cost in places.items():
                    whole[place] = total([cost, whole[place]]) if place in whole else cost
    problems.refuse("invoice_malformed")
    if not rows:
        raise Refusal("invoice_empty", "There is no row in it.")
    return Told(_digest(files), " + ".join(PurePath(_name(file)).name for file in files), bills, rows)


def _named(file: BinaryIO, problems: Problems) -> list[tuple[int, str]]:
    return [(line, f"{PurePath(_name(file)).name}: {text}") for line, text in problems]


def _name(file: BinaryIO) -> str:
    return str(getattr(file, "name", "file"))


def _read(file: BinaryIO, sorting: Sorting, problems: Problems, progress: Callable[[int], None]) -> tuple[Any, int]:
    file.seek(0)
    head = file.read(len(focus_parquet.MAGIC))
    file.seek(0)
    seen = 0

    def told() -> None:
        nonlocal seen
        seen, before = file.tell(), seen
        progress(max(seen - before, 0))

    if head == focus_parquet.MAGIC:
        return focus_parquet.read(file, sorting, problems, told)
    if head.startswith(_GZIP):
        with gzip.GzipFile(fileobj=file) as plain:
            return focus_csv.read(plain, sorting, problems, told)  # type: ignore[arg-type]  # reads as a file does
    return focus_csv.read(file, sorting, problems, told)


def _digest(files: Sequence[BinaryIO]) -> str:
    """Of all files together, in whatever order."""
    digests = []
    for file in files:
        file.seek(0)
        digests.append(hashlib.file_digest(file, "sha256").hexdigest())  # type: ignore[arg-type]  # any binary file
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(sorted(digests)).encode()).hexdigest()
