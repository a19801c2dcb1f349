"""Files of bills as vendors and spreadsheets write them: added up exactly, and every mistake told with its place."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from handlers.invoices import files
from handlers.invoices.tally import atto
from policy.bills import PERSON, PROJECT, BillName, Place, Sum
from policy.reasons import Refusal
from programme.invoices import told as adding
from tests.support import bills as trial
from tests.support import data
from tests.support.bills import AZURE, COLUMNS, GPU, Row, user
from tests.support.books import ADA

if TYPE_CHECKING:
    from programme.app import App

SAMPLE = data.FOCUS / "sample-1.0.csv"
ROWS = [
    Row("0.00001605990", tags=user(ADA)),
    Row("12.5", tags=user(ADA, project="zeus"), hour=23),
    Row("-3", AZURE, tags={"Project": "zeus"}),
    Row("1e-7", GPU, day=4),
    Row("7", "Amazon EC2"),
]


@pytest.fixture(scope="module")
def ruled(shared_app: App) -> App:
    trial.rule(shared_app)
    return shared_app


def told(app: App, *contents: bytes) -> dict[BillName, dict[Place, Sum]]:
    return {name: dict(places) for name, places in files.read(app, [io.BytesIO(one) for one in contents]).bills.items()}


def problems(app: App, content: bytes) -> list[str]:
    with pytest.raises(Refusal) as refused:
        told(app, content)
    return str(refused.value.text).splitlines()[1:]


def table(rows: list[Row]) -> dict[str, list[Any]]:
    cells = [trial.cells(row) for row in rows]
    return {name: [row[name] for row in cells] for name in COLUMNS}


def as_parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def test_the_sample_of_others_adds_up(ruled: App) -> None:
    """A thousand rows of three clouds come to their plain sum, to the last of their eleven decimals."""
    with SAMPLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    plain = sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0))
    found = told(ruled, SAMPLE.read_bytes())
    whole = adding.total(cost for places in found.values() for cost in places.values())
    assert whole == Sum(1_000, int(plain.scaleb(18)))
    assert {(name.account[-4:], name.period) for name in found} == {
        ("0123", date(2024, 9, 1)),
        ("1537", date(2024, 9, 1)),
        ("9880", date(2024, 9, 1)),
        ("9880", date(2024, 10, 1)),
    }


def test_a_row_goes_where_its_tags_and_its_service_say(ruled: App) -> None:
    """Persons and projects by day and item; the rest by service and month; times are days of here."""
    [places] = told(ruled, trial.written(ROWS)).values()
    third, october = date(2026, 10, 3), date(2026, 10, 1)
    assert places == {
        Place(PERSON, "aws", third, ADA, "", "tokens"): Sum(1, 16_059_900_000_000),
        # 23:00 in UTC is the next day in Berlin.
        Place(PERSON, "aws", date(2026, 10, 4), ADA, "zeus", "tokens"): Sum(1, 12_500_000_000_000_000_000),
        Place(PROJECT, "azure", third, "", "zeus", "tokens"): Sum(1, -3_000_000_000_000_000_000),
        Place("to the company", "gpu-cluster", october): Sum(1, 100_000_000_000),
        Place("outside", "Amazon EC2", october): Sum(1, 7_000_000_000_000_000_000),
    }


def test_days_of_utc_are_the_same_days_here(ruled: App) -> None:
    """A charge of a whole day, a month or no time at all stands on its first day, on either side of Greenwich."""
    text = trial.written([Row("1", tags=user(ADA))]).decode()
    for end in ("2026-10-04T00:00:00Z", "2026-11-01T00:00:00Z", "2026-10-03T00:00:00Z"):
        daily = text.replace("2026-10-03T09:00:00Z", "2026-10-03 00:00:00").replace("2026-10-03T10:00:00Z", end)
        [places] = told(ruled, daily.encode()).values()
        assert [place.day for place in places] == [date(2026, 10, 3)]


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\r\n", "\n") + "\n\n",
        lambda text: "sep=,\r\n" + text,
        lambda text: text.replace(',""', ",NULL"),
        lambda text: text.replace("ProviderName", "ServiceProviderName"),
        lambda text: text.replace("T09:00:00Z", " 09:00:00").replace("T10:00:00Z", " 10:00:00+00:00"),
    ],
)
def test_spellings_of_one_file(ruled: App, changed: Any) -> None:  # noqa: ANN401 - a function of a text
    """Byte-order marks, line ends, NULL, renamed columns and times without an offset say the same."""
    text = trial.written(ROWS).decode()
    assert told(ruled, changed(text).encode()) == told(ruled, text.encode())


def test_separators_gzip_and_parts(ruled: App) -> None:
    """Semicolons, a compressed file, and a bill in two files in either order are the bill."""
    whole = told(ruled, trial.written(ROWS))
    out = io.StringIO(newline="")
    with_semicolons = csv.DictWriter(out, COLUMNS, delimiter=";")
    with_semicolons.writeheader()
    with_semicolons.writerows(map(trial.cells, ROWS))
    assert told(ruled, out.getvalue().encode()) == whole
    assert told(ruled, gzip.compress(trial.written(ROWS))) == whole
    parts = trial.written(ROWS[:2]), as_parquet(table(ROWS[2:]))
    assert told(ruled, *parts) == told(ruled, *parts[::-1]) == whole
    digests = {files.read(ruled, [io.BytesIO(one) for one in some]).digest for some in (parts, parts[::-1])}
    assert len(digests) == 1


def test_every_mistake_is_told_with_line_column_and_value(ruled: App) -> None:
    """All of them at once, also several of one row and the same in many rows; of a charge to come only if it posts."""
    bad = [
        Row("12,50", tags=user(ADA)),
        Row("1_0", currency="usd"),
        Row("NaN", day=28, month="2026-12"),
        Row("5", "Amazon EC2", day=28, month="2026-12"),
        Row("2", ""),
        Row("2", "", hour=11),
        Row("3", tags=user("a" * 201)),
    ]
    text = trial.written(bad).decode() + "too,few\r\n"
    text = text.replace("2026-10-03T11:00:00Z", "3 October").replace('""user"": ""' + "a" * 201 + '""', "user: a", 1)
    assert problems(ruled, text.encode()) == [
        "line 2: BilledCost = '12,50': expected a number such as 12.345",
        "line 3: BilledCost = '1_0': expected a number such as 12.345",
        "line 3: BillingCurrency = 'usd': expected three letters such as USD",
        "line 4: BilledCost = 'NaN': expected a number such as 12.345",
        "line 4: ChargePeriodStart = '2026-12-28T09:00:00Z': expected a charge of a day that has begun",
        "line 6: ServiceName = '': expected a name that is not empty",
        "line 7: ChargePeriodStart = '3 October': expected a time such as 2026-11-01T00:00:00Z",
        "line 7: ServiceName = '': expected a name that is not empty",
        'line 8: Tags = \'{user: a}\': expected a JSON object such as {"project": "atlas"}',
        "line 9: 12 cells expected, 2 found",
    ]


def test_a_file_that_is_something_else_is_told(ruled: App) -> None:
    """Missing columns, an empty file, a PDF, other encodings and broken Parquet are said to be that."""
    assert problems(ruled, b"date,amount\n2026-10-01,3\n") == [
        (
            "line 1: no column BilledCost, BillingAccountId, BillingPeriodStart, ChargePeriodStart, ChargePeriodEnd,"
            " BillingCurrency, ServiceName, ProviderName: a FOCUS file has them"
        )
    ]
    for content, said in (
        (trial.written([]), "There is no row in it"),
        (b"%PDF-1.7", "is a PDF"),
        (trial.written(ROWS).decode().encode("utf-16"), "is UTF-16"),
        (trial.written([Row("1", "Café")]).decode().encode("latin-1"), "not UTF-8"),
        (b"PAR1 and no more", "no Parquet"),
    ):
        with pytest.raises(Refusal, match=said):
            told(ruled, content)


def test_parquet_says_the_same_in_every_type(ruled: App) -> None:
    """Decimals, doubles and texts; times, days and texts; tags as JSON, as a map or a struct; dictionaries."""
    whole, columns = told(ruled, trial.written(ROWS)), table(ROWS)
    numbers = [Decimal(cost) for cost in columns["BilledCost"]]
    times = {name: [datetime.fromisoformat(text) for text in columns[name]] for name in COLUMNS if "Period" in name}
    tags = [json.loads(text) if text else None for text in columns["Tags"]]
    kinds = {name: pa.array(values, pa.timestamp("us", "UTC")) for name, values in times.items()}
    for change in (
        {},
        {"BilledCost": pa.array(numbers, pa.decimal128(38, 15)), **kinds},
        {"BilledCost": pa.array(map(float, numbers), pa.float64())},
        {
            name: pa.array(values, pa.timestamp("ns"))
            for name, values in ((name, [time.replace(tzinfo=None) for time in some]) for name, some in times.items())
        },
        {"Tags": pa.array([list(one.items()) if one else None for one in tags], pa.map_(pa.string(), pa.string()))},
        {"Tags": pa.array(tags, pa.struct({"user": pa.string(), "project": pa.string(), "Project": pa.string()}))},
        {"ServiceName": pa.array(columns["ServiceName"]).dictionary_encode()},
        {"BillingPeriodStart": pa.array([date(2026, 10, 1)] * len(ROWS), pa.date32())},
    ):
        assert told(ruled, as_parquet(columns | change)) == whole


def test_rows_of_parquet_that_are_much_together_are_not_lost(ruled: App) -> None:
    """Each may be a billion; what rows that are alike come to may be more."""
    columns = table([Row("999999999")] * 3)
    columns["BilledCost"] = pa.array(map(Decimal, columns["BilledCost"]), pa.decimal128(38, 15))
    [places] = told(ruled, as_parquet(columns)).values()
    assert list(places.values()) == [Sum(3, 3 * 999_999_999 * 10**18)]


def test_mistakes_in_parquet_are_told_by_row(ruled: App) -> None:
    """Each row of a batch is looked at once one is wrong."""
    columns = table([Row("1"), Row("2", currency="dollars"), Row("3"), Row("4", "")])
    columns["BilledCost"][2] = None
    assert problems(ruled, as_parquet(columns)) == [
        "line 2: BillingCurrency = 'dollars': expected three letters such as USD",
        "line 3: BilledCost = '': expected a number such as 12.345",
        "line 4: ServiceName = '': expected a name that is not empty",
    ]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=18))
def test_costs_are_read_exactly(cost: Decimal) -> None:
    """To eighteen decimals, in plain or scientific writing."""
    assert atto(f"{cost:f}") == atto(str(cost)) == int(cost.scaleb(18))


def test_names_with_ids_of_their_own_take_no_memory(ruled: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that never come again are forgotten, and what they add up to is not."""
    monkeypatch.setattr("handlers.invoices.tally.MOST_REMEMBERED", 10)
    rows = [Row("1", tags={"request": f"r{number}", "user": ADA}) for number in range(50)]
    [places] = told(ruled, trial.written(rows)).values()
    assert list(places.values()) == [Sum(50, 50 * 10**18)]


def test_finer_than_anything_kept(ruled: App) -> None:
    """Beyond 18 decimals a cost is rounded, halves to the even digit; beyond a billion it is a mistake."""
    assert [atto(text) for text in ("1.0000000000000000005", "1.0000000000000000015", "-5e-19")] == [
        10**18,
        10**18 + 2,
        0,
    ]
    with pytest.raises(Refusal, match="BilledCost = '1e10'"):
        told(ruled, trial.written([Row("1e10")]))
