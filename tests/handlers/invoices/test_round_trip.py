"""What one ledger exports another takes in: the totals are equal to the cent, by every version of FOCUS."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.finance import focus_writing
from handlers.finance.focus_columns import SPECS
from handlers.invoices import files
from policy.period import Month
from programme.app import App
from programme.finance import month_charges
from programme.finance.months import Months
from programme.invoices.taking import Import
from store.engine import open_database
from store.tables.invoices import bill_lines, bill_shares
from store.tables.usage import usage_days
from tests.conftest import ZONE
from tests.support import bills as trial
from tests.support import books, data, focus_rules, offices
from tests.support.bills import AZURE, GPU, Row, user
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from handlers.finance.focus_columns import Spec
    from handlers.tables import Format

NOV, OCT, DEC = Month(2026, 11), Month(2026, 10), Month(2026, 12)
ALL_OF_IT = """
[[invoices.rules]]
name = "*training*"
service = "gpu-cluster"
rest = "to the company"

[[invoices.rules]]
service = "openai"
rest = "evenly"
"""
CENT = Decimal("0.01")
FORMATS: tuple[Format, ...] = ("csv", "parquet")


def exported(app: App, month: Month, spec: Spec = "1.4", format_: Format = "csv") -> bytes:
    out = io.BytesIO()
    with app.database.snapshot() as session:
        told = Months(app.moment(session), month)
        focus_writing.write(out, told, month_charges.of(told), spec, format_)
    return out.getvalue()


def total(content: bytes) -> Decimal:
    return sum((Decimal(row["BilledCost"]) for row in rows(content)), Decimal(0))


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.fixture(scope="module", params=["cost_centre", "person"])
def first(
    request: pytest.FixtureRequest, settled_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[App]:
    """A month's usage of every kind, which is exported by cost centre or by person."""
    path = shutil.copy(settled_sqlite, tmp_path_factory.mktemp("first"))
    app = App(open_database(f"sqlite:///{path}"), ZONE, Clock())
    offices.settle(app)
    offices.work(app, rounds=3)
    text = books.handbook_text("2026.rows", date(2026, 1, 1))
    books.apply_text(app, text.replace('rows = "cost_centre"', f'rows = "{request.param}"'))
    yield app
    app.database.close()


@pytest.mark.parametrize("spec", SPECS)
def test_a_month_goes_from_one_ledger_into_another(first: App, app: App, spec: Spec, clock: Clock) -> None:
    """CSV and Parquet alike: everything is posted or waits for its person, and the second's own export is as much."""
    trial.rule(app, ALL_OF_IT)
    files_ = {format_: exported(first, NOV, spec, format_) for format_ in FORMATS}
    told = {format_: files.read(app, [io.BytesIO(content)]).bills for format_, content in files_.items()}
    assert told["csv"] == told["parquet"]
    billed = total(files_["csv"])
    assert billed > 1
    done = files.import_files(app, [io.BytesIO(files_["csv"])], Import(actor="test"))
    assert done.rows == done.counts["read"] == len(rows(files_["csv"]))
    [(usage,)] = books.rows(app, sa.select(sa.func.sum(bill_lines.c.posted_nano_usd)))
    [(shared,)] = books.rows(app, sa.select(sa.func.sum(bill_shares.c.nano_usd)))
    posted = Decimal(int(usage) + int(shared or 0)) / 10**9
    assert posted == billed
    assert books.findings(app) == {}
    clock.now = datetime(2026, 12, 20, tzinfo=UTC)
    again = sum((total(exported(app, month, spec)) for month in (NOV, DEC)), Decimal(0))
    [(debited,)] = books.rows(app, sa.select(sa.func.coalesce(sa.func.sum(usage_days.c.cost_nano_usd), 0)))
    assert again == (Decimal(int(debited) + int(shared or 0)) / 10**9)
    assert (again.quantize(CENT) == billed.quantize(CENT)) == (not done.counts["quarantined"])


def test_the_sample_of_others_is_posted_whole(app: App) -> None:
    """Bills of three clouds, each posted to the nano-USD: tags' use and the rest come to the plain sum."""
    trial.rule(app, ALL_OF_IT.replace("evenly", "to the company"))
    content = (data.FOCUS / "sample-1.0.csv").read_bytes()
    done = files.import_files(app, [io.BytesIO(content)], Import(actor="test"))
    assert done.rows == done.counts["accepted"] + done.counts["quarantined"] == len(rows(content))
    [(usage,)] = books.rows(app, sa.select(sa.func.coalesce(sa.func.sum(bill_lines.c.posted_nano_usd), 0)))
    [(shared,)] = books.rows(app, sa.select(sa.func.sum(bill_shares.c.nano_usd)))
    away = Decimal(int(usage) + int(shared)) / 10**9 - total(content)
    assert abs(away) <= len(done.bills) * Decimal("0.0000000005")
    assert books.findings(app) == {}


def test_bills_are_in_finance_s_file(app: App, clock: Clock) -> None:
    """Shares, credits and late corrections keep each version's rules, and the months add up to what was posted."""
    trial.rule(app)
    offices.settle(app)
    settled = Row("40.00", AZURE, month="2026-11", period="2026-11", tags=user(offices.PLATFORM[0], project="zeus"))
    bill = [
        settled,
        *(Row(cost, name, month="2026-11", period="2026-11") for cost, name in (("90", AZURE), ("5", GPU))),
    ]
    trial.imported(app, *bill)
    clock.now = datetime(2026, 12, 20, tzinfo=UTC)
    trial.imported(app, *bill[:2], Row("-2.00", GPU, month="2026-12", period="2026-11"))
    november, december = (exported(app, month) for month in (NOV, DEC))
    assert (total(november), total(december)) == (Decimal(135), Decimal(-7))
    for spec in SPECS:
        for month in (NOV, DEC):
            assert focus_rules.findings(rows(exported(app, month, spec)), spec) == []
    shared = [row for row in rows(november) if "Shared" in row["x_Model"]]
    assert {row["SkuMeter"] for row in shared} == {"Vendor's Bill"}
    assert {(row["ChargeCategory"], row["ChargeClass"]) for row in rows(december)} == {
        ("Adjustment", "Correction"),
        ("Credit", ""),
    }
