"""Half an hour of a real coding assistant, imported: every total is what plain arithmetic makes of the same file."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, NamedTuple

import pytest
import sqlalchemy as sa

from handlers.usage import csv_files, files
from policy.period import Month
from programme.balance import history
from store.tables.usage import usage_days, usage_events
from tests.support import books, cast
from tests.support.books import ADA, BEN, MARA
from tests.support.cast import GPT, SONNET
from tests.support.data import DATA

if TYPE_CHECKING:
    from programme.app import App

TRACE = DATA / "azure_llm_code_trace.csv"
WHO = (ADA, BEN, MARA)
USD_PER_MILLION = {
    SONNET: {"input": Decimal(3), "output": Decimal(15)},
    GPT: {"input": Decimal("1.25"), "output": Decimal(10)},
}
USD_PER_TOKEN = Decimal("0.01")
NANO, MICRO = Decimal("1e-9"), Decimal("1e-6")
TO_2026 = datetime(2026, 10, 31, 23, 0, tzinfo=UTC) - datetime(2023, 11, 16, 18, 45, tzinfo=UTC)
"""In the middle of the half hour November begins in Berlin: it lies in two days and in two months."""


class Request(NamedTuple):
    """One request of the trace, with a person and a model added, because the trace names neither."""

    event_id: str
    at: datetime
    who: str
    model: tuple[str, str]
    context: int
    generated: int


def requests() -> list[Request]:
    with TRACE.open(newline="") as file:
        return [
            Request(
                f"azure-{number}",
                # Their seventh decimal is more than a datetime holds.
                datetime.fromisoformat(row["TIMESTAMP"][:26]).replace(tzinfo=UTC) + TO_2026,
                WHO[number % len(WHO)],
                (SONNET, GPT)[number % 2],
                int(row["ContextTokens"]),
                int(row["GeneratedTokens"]),
            )
            for number, row in enumerate(csv.DictReader(file))
        ]


def as_csv(trace: list[Request]) -> io.BytesIO:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, csv_files.COLUMNS, restval="")
    table.writeheader()
    for request in trace:
        table.writerow(
            {
                "source": "azure-trace",
                "event_id": request.event_id,
                "occurred_at": request.at.isoformat(),
                "user": request.who,
                "provider": request.model[0],
                "model": request.model[1],
                "input_tokens": request.context,
                "output_tokens": request.generated,
            }
        )
    return io.BytesIO(text.getvalue().encode())


def cost(request: Request) -> Decimal:
    """Σ count × price, in USD to the nano-USD."""
    price = USD_PER_MILLION[request.model]
    usd = (request.context * price["input"] + request.generated * price["output"]) / 1_000_000
    return usd.quantize(NANO, ROUND_HALF_EVEN)


def debit(request: Request) -> Decimal:
    """Cost ÷ value, in tokens to the micro-token."""
    return (cost(request) / USD_PER_TOKEN).quantize(MICRO, ROUND_HALF_EVEN)


@pytest.fixture(scope="module")
def trace() -> list[Request]:
    return requests()


def test_the_trace_is_the_real_one(trace: list[Request]) -> None:
    """5,751 requests of half an hour, more than one batch of the import holds, with the totals of the original."""
    assert len(trace) == 5_751 > files.BATCH
    assert sum(request.context for request in trace) == 11_821_740
    assert sum(request.generated for request in trace) == 155_463
    assert max(request.at for request in trace) - min(request.at for request in trace) < timedelta(minutes=30)


def test_the_imported_half_hour_costs_what_arithmetic_says(app: App, trace: list[Request]) -> None:
    """Tokens of each meter, USD and debits agree to the last digit: in all, by person and month, and by day."""
    done = files.import_file(app, as_csv(trace), "csv")
    statuses = {"accepted": len(trace), "duplicate": 0, "conflict": 0, "quarantined": 0, "rejected": 0}
    assert done.counts == {"read": len(trace)} | statuses

    events = books.rows(
        app, sa.select(usage_events.c.meters, usage_events.c.cost_nano_usd, usage_events.c.debit_micro_tokens)
    )
    meters: dict[str, int] = defaultdict(int)
    for counts, *_ in events:
        for meter, count in counts.items():
            meters[meter] += count
    assert meters == {
        "input_uncached": sum(request.context for request in trace),
        "output": sum(request.generated for request in trace),
    }
    assert sum(nano for _, nano, _ in events) * NANO == sum(cost(request) for request in trace)
    assert sum(micro for *_, micro in events) * MICRO == sum(debit(request) for request in trace)

    days: dict[object, Decimal] = defaultdict(Decimal)
    months: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    wallets: dict[str, Decimal] = defaultdict(Decimal)
    for request in trace:
        day = request.at.astimezone(app.zone).date()
        days[day, request.model[1]] += cost(request)
        months[request.who, day.month] += debit(request)
        wallets[request.who] -= debit(request)
    assert {month for _, month in months} == {10, 11}
    columns = (usage_days.c.day, usage_days.c.model)
    by_day = sa.select(*columns, sa.func.sum(usage_days.c.cost_nano_usd)).group_by(*columns)
    assert {(day, model): int(nano) * NANO for day, model, nano in books.rows(app, by_day)} == days
    for who in WHO:
        assert books.wallet(app, who).decimal == wallets[who]
        for month in (Month(2026, 10), Month(2026, 11)):
            with app.reading() as moment:
                used = history.of_month(moment, cast.person_id(app, who), month)
            assert used.debit.decimal == months[who, month.month]
    assert books.findings(app) == {}


def test_the_imported_half_hour_is_imported_once(sqlite_app: App, trace: list[Request]) -> None:
    """The same file again is 5,751 duplicates, and no balance moves."""
    files.import_file(sqlite_app, as_csv(trace), "csv")
    before = {who: books.wallet(sqlite_app, who) for who in WHO}
    again = files.import_file(sqlite_app, as_csv(trace), "csv")
    assert (again.counts["accepted"], again.counts["duplicate"]) == (0, len(trace))
    assert {who: books.wallet(sqlite_app, who) for who in WHO} == before
