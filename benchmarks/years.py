"""A report of three years from an archive's files by DuckDB, over the same sums from the database's roll-up."""

from __future__ import annotations

import random
import tempfile
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import sqlalchemy as sa

from benchmarks import ledgers, traffic
from bot import settings, wiring
from handlers import tables
from handlers.finance import archive_files, years
from handlers.finance.archive_files import COLUMNS, Written
from handlers.finance.focus_columns import decimal
from handlers.tables import Layout
from policy.period import Month
from policy.units import MICRO_PER_TOKEN, NANO_PER_USD
from store import bulk
from store.ledger import ledger
from store.tables.usage import services, usage_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from programme.app import App

T = TypeVar("T")
FIRST, MONTHS = Month(2023, 12), 36
DAYS_OFF = 2
ROUNDS = 3
LINES_A_DAY = 700
"""So many of a thousand people's lines a working day: most work with one or two models."""


class _Day(NamedTuple):
    """A line of a day: who, what, and how much of it."""

    day: date
    payer: int
    provider: str
    model: str
    calls: int
    nano_usd: int
    micro_tokens: int


def main(kind: str, lines_a_day: int = LINES_A_DAY) -> None:
    """The same three years in the roll-up of a database and in the files of an archive."""
    with ledgers.url(kind) as url, tempfile.TemporaryDirectory(prefix="tokens-bench-") as folder:
        app = wiring.new_app(settings.load({"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ledgers.ZONE}))
        wiring.migrate(app)
        accounts = _settle(app)
        lines = 0
        for number in range(MONTHS):
            month = FIRST.plus(number)
            some = list(_lines(month, lines_a_day))
            lines += len(some)
            _insert(app, accounts, some)
            _write(Path(folder), month, some)
        for by in ("service", "model"):
            ours, told = _timed(partial(years.report, Path(folder), by, "month"))
            theirs, summed = _timed(partial(_from_database, app, by))
            assert {(one.period, one.name): one.cost_usd * NANO_PER_USD for one in told} == summed
            print(
                f"three years by {by} and month, {kind}, {lines:,} lines: {ours.clock:.2f} s"
                f" ({ours.cpu:.2f} s of our CPU) from the archive,"
                f" {theirs.clock:.2f} s ({theirs.cpu:.2f} s) from the roll-up = {ours.clock / theirs.clock:.2f}"
            )
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        print(f"its files take {size / lines:.1f} bytes a line, {size / 2**20:.1f} MiB")
        app.database.close()


def _settle(app: App) -> list[int]:
    """A thousand accounts; whose they are does not matter to a sum."""
    with app.transaction() as moment:
        kinds = {provider for provider, *_ in traffic.MODELS}
        known = set(moment.session.execute(sa.select(services.c.key)).scalars())
        assert kinds <= known
        return list(ledger.open_accounts(moment.session, [f"bench:{n}" for n in range(traffic.PEOPLE)]).values())


def _lines(month: Month, lines_a_day: int) -> Iterator[_Day]:
    chance = random.Random(str(month))
    for day in month.days():
        if day.weekday() < 7 - DAYS_OFF:
            for payer in sorted(chance.sample(range(traffic.PEOPLE), min(lines_a_day, traffic.PEOPLE))):
                provider, model, *_ = chance.choice(traffic.MODELS)
                usd = chance.randrange(1, 10**10)
                yield _Day(day, payer, provider, model, chance.randrange(1, 400), usd, usd // 10)


def _insert(app: App, accounts: list[int], some: list[_Day]) -> None:
    with app.transaction() as moment:
        on = bulk.day_codec(moment.session)
        columns = ("day", "account_id", "service_key", "model", "project", "calls", "input_tokens", "output_tokens")
        rows = [
            (on(day), accounts[payer], provider, model, "", calls, 0, 0, usd, tokens)
            for day, payer, provider, model, calls, usd, tokens in some
        ]
        bulk.insert(moment.session, usage_days, (*columns, "cost_nano_usd", "debit_micro_tokens"), rows)


def _write(folder: Path, month: Month, some: list[_Day]) -> None:
    """A file as `export archive` writes one."""
    about = {"table": archive_files.SPEND, "month": str(month), "least_people": "5"}
    rows = (
        (
            *(str(month), one.day.isoformat(), "usage", False, f"per_{one.payer:026}", f"per_m{one.payer % 100:025}"),
            *(f"CC-{one.payer % 20}", "", one.provider, one.provider, one.model, one.calls, 0, 0),
            *(decimal(one.nano_usd, NANO_PER_USD, 9), decimal(one.micro_tokens, MICRO_PER_TOKEN, 6)),
        )
        for one in some
    )
    part = folder / f"{archive_files.name_of(month)}.part"
    with part.open("wb") as out:
        lines = tables.write(out, Layout(COLUMNS, about=about), rows, "parquet")
    archive_files.keep(folder, month, Written(archive_files.name_of(month), lines, archive_files.digest_of(part)))


def _from_database(app: App, by: str) -> dict[tuple[str, str], int]:
    """The same sums, by day there and by month here: the databases name months differently."""
    d = usage_days.c
    column = {"service": d.service_key, "model": d.model}[by]
    query = sa.select(d.day, column, sa.func.sum(d.cost_nano_usd)).group_by(d.day, column)
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    with app.database.reading() as session:
        for day, name, usd in session.execute(query):
            found[f"{day:%Y-%m}", name] += int(usd)
    return dict(found)


class _Took(NamedTuple):
    """Seconds by the clock and of this process's processors."""

    clock: float
    cpu: float


def _timed(work: Callable[[], T]) -> tuple[_Took, T]:
    """The best of some rounds, and what came out."""
    took: list[_Took] = []
    while True:
        clock, cpu = time.perf_counter(), time.process_time()
        result = work()
        took.append(_Took(time.perf_counter() - clock, time.process_time() - cpu))
        if len(took) == ROUNDS:
            return min(took), result
