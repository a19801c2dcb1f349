"""A cloud's bill of a month taken in, over bare reading of the very same rows; memory beside it."""

from __future__ import annotations

import csv
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import ledgers, traffic
from bot import settings, wiring
from handlers import tables
from handlers.invoices import files
from policy import handbook
from programme import handbooks
from programme.handbook import applying
from programme.invoices.taking import Import
from programme.people import directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handlers.tables import Format
    from programme.app import App

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
HOURS = 30 * 24
BATCH, ROUNDS = 10_000, 3
FORMATS: tuple[Format, ...] = ("csv", "parquet")
PEOPLE = 200
METERS = ("Input tokens", "Output tokens", "Cached input tokens")
SERVICES = ("Amazon Bedrock", "Amazon SageMaker", "Amazon EC2", "Amazon Simple Storage Service")
RULES = """
[[invoices.rules]]
name = "Amazon Bedrock"
service = "aws"
rest = "by use"

[[invoices.rules]]
name = "Amazon SageMaker"
service = "gpu-cluster"
rest = "to the company"
"""
COLUMNS = (
    *("AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription"),
    *("ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "CommitmentDiscountId", "ConsumedQuantity"),
    *("ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuerName", "ListCost"),
    *("ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName"),
    *("RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName"),
    *("SkuId", "SkuMeter", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags"),
)
DECIMALS = frozenset(
    {"BilledCost", "ContractedCost", "EffectiveCost", "ListCost", "ConsumedQuantity", "PricingQuantity"}
)


class Measured(NamedTuple):
    """Seconds that an import took, reading and adding up alone, and bare reading of the rows; lines of the bill."""

    ours: float
    read: float
    floor: float
    lines: int


def main(kind: str, rows: int) -> None:
    """A fifth of a bill, and all of it: memory should follow from people and items, not from rows."""
    peaks = []
    for count in (rows // 5, rows):
        with tempfile.TemporaryDirectory(prefix="tokens-bench-") as folder:
            for format_ in FORMATS:
                path = _written(Path(folder), count, format_)
                one = measure(kind, path, format_)
                print(
                    f"focus import, {kind}, a bill of {count:,} rows of {format_}, {one.lines:,} lines:"
                    f" {one.ours:.2f} s over bare reading's {one.floor:.2f} s = {one.ours / one.floor:.1f}"
                    f" (target <= 4), of it reading {one.read:.2f} s"
                )
                with ledgers.url(kind) as url:
                    _app(url)
                    peaks.append(_memory(url, path))
                before, peak = peaks[-1]
                print(f"focus import, {kind}, {count:,} rows of {format_}: {peak - before:.0f} MiB beside {before:.0f}")
    for format_, small, large in zip(FORMATS, peaks[:2], peaks[2:], strict=True):
        growth = (large[1] - large[0]) / (small[1] - small[0])
        print(f"growth, {kind}, {format_}: a bill takes {growth:.2f} of the memory for a fifth of its rows")


def measure(kind: str, path: Path, format_: Format) -> Measured:
    """The best of some rounds, each into an empty ledger, in turn with the floor."""
    ours = read = floor = float("inf")
    lines = 0
    for _ in range(ROUNDS):
        floor = min(floor, _seconds(lambda: _bare(path, format_)))
        with ledgers.url(kind) as url, path.open("rb") as file:
            app = _app(url)
            begun = time.perf_counter()
            files.read(app, [file])
            told = time.perf_counter()
            done = files.import_files(app, [file], Import(actor="bench"))
            ours, read = min(ours, time.perf_counter() - told), min(read, told - begun)
            assert done.counts["quarantined"] == 0
            lines = sum(len(one.change.told) for one in done.bills)
            app.database.close()
    return Measured(ours, read, floor, lines)


def _bare(path: Path, format_: Format) -> None:
    if format_ == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            for _ in csv.reader(file):
                pass
        return
    _, parquet = tables.pyarrow()
    with path.open("rb") as file:
        for _ in parquet.ParquetFile(file).iter_batches():
            pass


def _written(folder: Path, count: int, format_: Format) -> Path:
    path = folder / f"bill-{count}.{format_}"
    if format_ == "csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(_rows(count))
        return path
    arrow, parquet = tables.pyarrow()
    decimal = arrow.decimal128(38, 15)
    schema = arrow.schema([(name, decimal if name in DECIMALS else arrow.string()) for name in COLUMNS])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        rows, some = _rows(count), []
        while some := [row for row, _ in zip(rows, range(BATCH), strict=False)]:
            columns = zip(*some, strict=True)
            arrays = [
                arrow.array(values, arrow.string()).cast(field.type)
                for values, field in zip(columns, schema, strict=True)
            ]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
    return path


def _rows(count: int) -> Iterator[tuple[str, ...]]:
    """Hours of resources: of four in ten rows a tag names a person, of one a project; a half is not for AI at all."""
    rng = random.Random(65)
    for number in range(count):
        begin = BEGIN + timedelta(hours=number * HOURS // count)
        person = rng.randrange(PEOPLE)
        place = rng.random()
        service = SERVICES[person % 2] if place < 0.5 else SERVICES[2 + number % 2]
        tags = {"env": "prod", "team": f"team-{person % 10}"}
        if place < 0.4:
            tags["user"] = traffic.email(person)
        elif place < 0.45:
            tags["project"] = f"project-{person % 12}"
        yield _row(number, begin, service, METERS[number % 3], tags, f"{rng.randrange(10**10)}")


def _row(number: int, begin: datetime, service: str, meter: str, tags: dict[str, str], digits: str) -> tuple[str, ...]:  # noqa: PLR0917
    cost = f"0.0{digits}"
    sku = f"SKU{number % 40:03}XF5FTYV3"
    return (
        *("us-west-2a", cost, "1234567890123", "SunBird", "USD"),
        *(
            "2026-10-01T00:00:00Z",
            "2026-09-01T00:00:00Z",
            "Usage",
            "",
            f"$0.40 per million {meter} in US West (Oregon)",
        ),
        *("Usage-Based", f"{begin + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", f"{begin:%Y-%m-%dT%H:%M:%SZ}", "", "2"),
        *("Tokens", cost, "0.0000004", cost, "Amazon Web Services, Inc.", cost),
        *("0.0000004", "Standard", "2", "Tokens", "AWS", "Amazon Web Services, Inc."),
        *("us-west-2", "US West (Oregon)", f"arn:aws:bedrock:us-west-2:347410479675:{number % 997}", "", ""),
        *("AI and Machine Learning", service, sku, meter, f"{sku}.JRTCKXETXF", "51738928782", "Atlas Nimbus"),
        json.dumps(tags),
    )


def _app(url: str) -> App:
    """A ledger of people, with a handbook that says which rows are whose."""
    app = wiring.new_app(
        settings.load({"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ledgers.ZONE}), clock=lambda: ledgers.NOW
    )
    wiring.migrate(app)
    text = handbook.packaged().replace('version = "2026.1"', 'version = "bench"') + RULES
    with app.transaction() as moment:
        if date(2026, 1, 1) not in {one.effective_from for one in moment.handbooks.versions[1:]}:
            applying.apply(moment, text, actor=handbooks.SYSTEM)
            directory.import_csv(moment, io.StringIO(traffic.people_csv()), actor="bench")
    return app


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _memory(url: str, path: Path) -> tuple[float, float]:
    """MiB of a process of its own before an import and at its peak."""
    command = [sys.executable, "-m", "benchmarks.invoiced", url, str(path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    before, peak = map(float, answer.stdout.split())
    return before, peak


def _peak(url: str, path: Path) -> None:
    app = _app(url)
    if path.suffix == ".parquet":
        tables.pyarrow()
    before = _most()
    with path.open("rb") as file:
        files.import_files(app, [file], Import(actor="bench"))
    print(before, _most())


def _most() -> float:
    """MiB at the peak; `getrusage` would tell that of the process that started this one."""
    [line] = [one for one in Path("/proc/self/status").read_text("ascii").splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _peak(sys.argv[1], Path(sys.argv[2]))
