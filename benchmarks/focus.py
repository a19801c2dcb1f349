"""A month's charges as a file of FOCUS, over bare writing of the very same rows; memory beside it."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import time
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from benchmarks import ledgers, traffic
from bot import settings, wiring
from handlers import tables
from handlers.finance import focus_writing
from handlers.finance.focus_columns import COLUMNS, INSTANTS, NUMBERS
from handlers.usage import cloudevents
from policy.metering import UsageEvent
from policy.period import Month, first_instant
from programme.finance import adding_up, month_charges
from programme.finance.months import Months
from programme.people import cost_centres, directory
from programme.usage import intake

if TYPE_CHECKING:
    from collections.abc import Callable

    from handlers.finance.focus_columns import Spec
    from handlers.tables import Format
    from programme.app import App

    Rows = list[tuple[Any, ...]]

MONTH = Month(2026, 9)
SPEC: Spec = "1.4"
CENTRES = 20
PROJECTS = ("", "", "apollo", "zeus", "hermes")
BATCH, ROUNDS = 10_000, 3
EVENTS, RUNNING, SETTLED = "from its events", "on its last day", "once it is settled"
STATES = (EVENTS, RUNNING, SETTLED)
FORMATS: tuple[Format, ...] = ("csv", "parquet")


class Measured(NamedTuple):
    """Seconds that an export took, and bare writing of its rows."""

    rows: int
    ours: float
    floor: float


def main(kind: str, events: int) -> None:
    """A fifth of the month, and all of it: memory should not follow, nor the time once days are added up."""
    peaks = [_month(kind, count) for count in (events // 5, events)]
    for state in STATES:
        growth = peaks[1][state] / peaks[0][state]
        print(f"growth, {kind}, {state}: a month's file peaks at {growth:.2f} of the memory for a fifth of its events")


def _month(kind: str, count: int) -> dict[str, float]:
    """Prints what a month's file takes before and after its days are added up; MiB at the peaks."""
    peaks: dict[str, float] = {}
    with ledgers.url(kind) as url:
        app = _app(url)
        wiring.migrate(app)
        fill(app, count)
        what = f"focus, {kind}, a month of {count:,} events"
        for state in STATES:
            if state != EVENTS:
                work = partial(_nights if state == RUNNING else _add_up, app)
                print(f"{what}, {state}: days are added up in {_seconds(work):.2f} s")
            for format_ in FORMATS:
                one = measure(app, format_)
                print(
                    f"{what}, {state}, {one.rows:,} rows of {format_}: {one.ours:.2f} s over bare writing's"
                    f" {one.floor:.2f} s = {one.ours / one.floor:.1f} (target <= 4)"
                )
            before, peaks[state] = memory(url)
            print(f"{what}, {state}: {peaks[state]:.0f} MiB at the peak, of which a process has {before:.0f} anyway")
        app.database.close()
    return peaks


def memory(url: str) -> tuple[float, float]:
    """MiB of a process of its own before an export and at its peak."""
    command = [sys.executable, "-m", "benchmarks.focus", url]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    before, peak = map(float, answer.stdout.split())
    return before, peak


def fill(app: App, events: int) -> None:
    """Take in a month's events of a thousand people in some cost centres, each batch at its own time."""
    begin, end = MONTH.bounds(app.zone)
    with app.transaction(begin) as moment:
        directory.import_csv(moment, io.StringIO(traffic.people_csv()), actor="bench")
        directory.import_csv(moment, io.StringIO(_centres_of_people()), actor="bench")
        names = "".join(f"CC-{number},Centre {number}\n" for number in range(CENTRES))
        cost_centres.import_csv(moment, io.StringIO(f"cost_centre,name\n{names}"), actor="bench")
    step, done = (end - begin) / events, 0
    for body, _, _ in traffic.batches(events, min(BATCH, events)):
        reported = [one for one in cloudevents.parse(body) if isinstance(one, UsageEvent)]
        some = [_in_month(one, begin + (done + number) * step) for number, one in enumerate(reported)]
        done += len(some)
        with app.transaction(some[-1].occurred_at + timedelta(seconds=1)) as moment:
            assert all(outcome.status == "accepted" for outcome in intake.take_in(moment, some))


def _centres_of_people() -> str:
    lines = [f"{traffic.email(number)},CC-{number % CENTRES}" for number in range(traffic.PEOPLE)]
    return "\n".join(["email,cost_centre", *lines]) + "\n"


def _in_month(event: UsageEvent, at: datetime) -> UsageEvent:
    """At another time, and for a project: everyone works for one for a day."""
    _, name = event.identities[0]
    return event._replace(occurred_at=at, project=PROJECTS[(sum(map(ord, name)) + at.day) % len(PROJECTS)])


def _app(url: str) -> App:
    return wiring.new_app(
        settings.load({"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ledgers.ZONE}), clock=lambda: ledgers.NOW
    )


def measure(app: App, format_: Format) -> Measured:
    """The best of some rounds, in turn with the floor."""
    out = io.BytesIO()
    _export(app, out, "csv")
    rows = [tuple(row) for row in csv.reader(io.StringIO(out.getvalue().decode(), newline=""))]
    header, *rows = rows
    assert header == COLUMNS[SPEC]
    bare: Callable[[], None]
    if format_ == "csv":
        bare = lambda: _bare_csv(rows)  # noqa: E731
    else:
        typed = [tuple(map(_typed, header, row)) for row in rows]
        bare = lambda: _bare_parquet(typed)  # noqa: E731
    ours = floor = float("inf")
    for _ in range(ROUNDS):
        floor = min(floor, _seconds(bare))
        ours = min(ours, _seconds(lambda: _export(app, io.BytesIO(), format_)))
    return Measured(len(rows), ours, floor)


def _nights(app: App) -> None:
    """As the calendar does at one in the morning of the last day, a transaction for each day; that day's are events."""
    begun = first_instant(max(MONTH.days()), app.zone) + adding_up.UNDER_WAY
    while True:
        with app.transaction(begun) as moment:
            if adding_up.advance(moment, begun):
                return


def _add_up(app: App) -> None:
    """As the calendar does, a transaction for each day."""
    for day in MONTH.days():
        with app.transaction() as moment:
            assert adding_up.add_up(moment, day)


def _export(app: App, out: BinaryIO, format_: Format) -> None:
    with app.database.snapshot() as session:
        told = Months(app.moment(session), MONTH)
        assert focus_writing.write(out, told, month_charges.of(told), SPEC, format_)


def _bare_csv(rows: Rows) -> None:
    csv.writer(io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), lineterminator="\n").writerows(rows)


def _bare_parquet(rows: Rows) -> None:
    arrow, parquet = tables.pyarrow()
    schema = arrow.schema([(name, _type(arrow, name)) for name in COLUMNS[SPEC]])
    with parquet.ParquetWriter(io.BytesIO(), schema, compression="zstd") as writer:
        for begin in range(0, len(rows), BATCH):
            columns = zip(*rows[begin : begin + BATCH], strict=True)
            arrays = [arrow.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))


def _type(arrow: Any, name: str) -> Any:  # noqa: ANN401 - of a library without types
    if name in NUMBERS:
        return arrow.decimal128(38, tables.DECIMALS)
    return arrow.timestamp("us", tz="UTC") if name in INSTANTS else arrow.string()


def _typed(name: str, value: str) -> object:
    if not value:
        return None
    if name in NUMBERS:
        return Decimal(value)
    return datetime.fromisoformat(value) if name in INSTANTS else value


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _peak(url: str) -> None:
    app = _app(url)
    before = _most()
    with open("/dev/null", "wb") as out:  # noqa: PTH123 - no file
        _export(app, out, "csv")
    print(before, _most())


def _most() -> float:
    """MiB at the peak; `getrusage` would tell that of the process that started this one."""
    [line] = [one for one in Path("/proc/self/status").read_text("ascii").splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _peak(sys.argv[1])
