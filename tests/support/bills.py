"""Bills in FOCUS's columns, as clouds issue and re-issue them, and a handbook that says whose they are."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from handlers.invoices import files, focus_csv
from programme.invoices import posting, sharing, taking
from programme.invoices.sorting import Sorting
from programme.invoices.taking import Import
from programme.invoices.told import Told
from programme.table_file import Problems
from store.invoices import bills as store
from store.tables.usage import usage_events
from tests.support import books, cast
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handlers.invoices.files import Imported
    from programme.app import App
    from programme.moment import Moment

RULES = """
[[invoices.rules]]
name = "Amazon Bedrock*"
service = "aws"
rest = "by use"

[[invoices.rules]]
name = "Azure OpenAI"
service = "azure"
rest = "evenly"

[[invoices.rules]]
name = "Vertex AI"
service = "google"
rest = "to the pool"

[[invoices.rules]]
name = "GPU cluster"
service = "gpu-cluster"
rest = "to the company"

[[invoices.rules]]
name = "Claude"
service = "anthropic"
rest = "to the company"
metered = "gateways"
"""
PRICE = """
[[prices]]
provider = "aws"
model = "*"
per = "million"
usd = { output = 15 }
from = 2026-01-01
"""
"""Of Bedrock, where gateways report it: USD 15 per million output tokens."""
EVERYONE = (MARA, ADA, BEN, "iris@example.com", "omar@example.com", "tess@example.com")
BEDROCK, AZURE, VERTEX, GPU, CLAUDE = "Amazon Bedrock", "Azure OpenAI", "Vertex AI", "GPU cluster", "Claude"
COLUMNS = (
    *("BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd"),
    *("ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ProviderName", "ServiceName", "SkuMeter", "Tags"),
)
ACCOUNT = "1234567890"
IN_OCTOBER = datetime(2026, 10, 7, 12, tzinfo=UTC)


class Row(NamedTuple):
    """A row of a bill; `day` and `hour` are of UTC."""

    cost: str
    service: str = BEDROCK
    day: int = 3
    tags: Mapping[str, str] = {}
    meter: str = "tokens"
    hour: int = 9
    month: str = "2026-10"
    period: str = "2026-10"
    account: str = ACCOUNT
    currency: str = "USD"


def user(who: str, **more: str) -> dict[str, str]:
    return {"user": who, **more}


def written(rows: Iterable[Row], columns: Iterable[str] = COLUMNS) -> bytes:
    """The rows as a CSV file."""
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, list(columns), extrasaction="ignore")
    table.writeheader()
    table.writerows(map(cells, rows))
    return out.getvalue().encode()


def cells(row: Row) -> dict[str, str]:
    begin = datetime.fromisoformat(f"{row.month}-{row.day:02}").replace(hour=row.hour, tzinfo=UTC)
    period = date.fromisoformat(f"{row.period}-01")
    return {
        "BilledCost": row.cost,
        "BillingAccountId": row.account,
        "BillingCurrency": row.currency,
        "BillingPeriodStart": f"{period}T00:00:00Z",
        "BillingPeriodEnd": f"{(period + timedelta(days=31)).replace(day=1)}T00:00:00Z",
        "ChargePeriodStart": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
        "ChargePeriodEnd": f"{begin + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "ChargeCategory": "Usage",
        "ProviderName": "Cloud",
        "ServiceName": row.service,
        "SkuMeter": row.meter,
        "Tags": json.dumps(row.tags) if row.tags else "",
    }


def rule(app: App, more: str = RULES) -> None:
    """A handbook that says which rows are of which service."""
    books.apply_handbook(app, "2026.bills", date(2026, 1, 1), more=more + PRICE)


def used(app: App, who: str, usd: str) -> None:
    """Somebody uses Bedrock through a gateway in October, for so many USD."""
    tokens = int(Decimal(usd) / 15 * 1_000_000)
    event = cast.event(who, at=IN_OCTOBER, who=who, model=("aws", "claude"), meters={"output": tokens})
    assert books.take_in(app, event) == ["accepted"]


def wallets(app: App) -> dict[str, Decimal]:
    """What everyone has, in tokens."""
    return {who: books.wallet(app, who).decimal for who in EVERYONE}


def balance(app: App, code: str) -> Decimal:
    """What an account has, in tokens."""
    return books.account(app, code).decimal


def imported(app: App, *rows: Row, issued: datetime | None = None, whole: bool = True) -> Imported:
    """Import rows as one file."""
    return files.import_files(app, [io.BytesIO(written(rows))], Import(issued, whole, "test"))


def total(rows: Iterable[Row]) -> Decimal:
    return sum((Decimal(row.cost) for row in rows), Decimal(0))


def usage(app: App) -> dict[str, Decimal]:
    """What was posted as usage, in USD, by what was bought."""
    e = usage_events.c
    query = sa.select(e.model, sa.func.sum(e.cost_nano_usd)).where(e.cost_nano_usd.is_not(None)).group_by(e.model)
    return {model: Decimal(int(cost)) / 10**9 for model, cost in books.rows(app, query)}


def take(moment: Moment, rows: Iterable[Row], issued: datetime) -> None:
    """Import rows in a transaction that is open already, as far as it goes."""
    problems = Problems()
    content = written(rows)
    tally, count = focus_csv.read(io.BytesIO(content), Sorting(moment), problems, lambda: None)
    assert problems == []
    told = Told(sha256(content).hexdigest(), "bill.csv", tally.bills(), count)
    for change in taking.keep(moment, told, Import(issued, is_whole=True, actor="test")):
        bill = store.find(moment.session, change.name)
        assert bill is not None
        if bill.posted_at is None:
            while posting.step(moment, bill, actor="test"):
                pass
            sharing.spread(moment, bill, actor="test")
