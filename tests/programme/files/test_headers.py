"""How a table begins: its separator, its header however it is written, and tables that are not ours."""

from __future__ import annotations

import csv
import io

import pytest

from programme.files import headers
from programme.files.headers import Opening

COLUMNS = ("email", "hired_on", "roles")


@pytest.mark.parametrize(
    ("text", "separator", "header"),
    [
        ("email,hired_on\n", ",", "email,hired_on\n"),
        ("email;hired_on;roles\n", ";", "email;hired_on;roles\n"),
        ("email\thired_on\n", "\t", "email\thired_on\n"),
        ("email|hired_on\n", "|", "email|hired_on\n"),
        ('"email";"hired_on"\n', ";", '"email";"hired_on"\n'),
        ("sep=;\nemail;hired_on\n", ";", "email;hired_on\n"),
        ('"sep=\t"\r\nemail\thired_on\n', "\t", "email\thired_on\n"),
        ("SEP=,\nemail\n", ",", "email\n"),
        ("\n\nemail;roles\n", ";", "email;roles\n"),
        ("email\n", ",", "email\n"),
        ("", ",", ""),
    ],
)
def test_the_header_tells_what_separates_the_cells(text: str, separator: str, header: str) -> None:
    """The separator is the one that finds our columns, unless `sep=` says it."""
    found = headers.opening(iter(io.StringIO(text, newline="")), COLUMNS)
    assert (found.separator, found.header) == (separator, header)
    assert found.above == text[: text.index(header)].count("\n")


def test_a_separator_in_a_cell_misleads_no_one() -> None:
    """Roles are separated by `;` inside of their cells: only the header is asked."""
    assert headers.opening(iter(["email,roles\n", "a@b.org,board;chair\n"]), COLUMNS) == Opening(
        ",", "email,roles\n", 0
    )


@pytest.mark.parametrize(
    "cells",
    [["Email", " Hired On ", "ROLES"], ["e-mail", "hired-on", "roles", "", " "], ["EMAIL", "hiredOn", "\ufeffroles"]],
)
def test_columns_are_known_in_any_case_and_with_blanks(cells: list[str]) -> None:
    """What HR programs call `Hired On` is our column; empty columns at the end are none."""
    found = headers.read(cells, COLUMNS, COLUMNS)
    assert (found.names, found.faults) == (COLUMNS, "")


def test_everything_wrong_with_a_header_is_told_at_once() -> None:
    """What is missing, what is unknown, what has no name and what stands there twice."""
    assert headers.read(["hired_on", "", "Salary", "Hired On"], COLUMNS, ("email",)).faults == (
        "no column 'email', column 2 has no name, unknown column 'Salary', column 'hired_on' stands there twice; "
        "expected email, hired_on, roles"
    )


@pytest.mark.parametrize(
    ("cells", "fitted"),
    [
        (["a", "b", "c"], ["a", "b", "c"]),
        (["a", "", "", "", " "], ["a", "", ""]),
        (["", " ", ""], []),
        ([""] * 9, []),
        ([], []),
        (["a", "b"], None),
        (["a", "b", "c", "d"], None),
    ],
)
def test_records_fit_their_header(cells: list[str], fitted: list[str] | None) -> None:
    """Empty cells beyond the table are none of it; a cell too few or too many moves what stands after it."""
    assert headers.read(COLUMNS, COLUMNS, COLUMNS).fitted(cells) == fitted


FOREIGN = [
    ("ChargePeriodStart,BilledCost,ChargeCategory,ServiceName", "this is a FOCUS file, a provider's costs"),
    ("start_time,end_time,model,input_tokens,num_model_requests", "this is a usage export of OpenAI"),
    ("usage_date_utc,model_version,api_key,workspace,usage_type", "this is a usage or cost export of the Anthropic"),
    ("Date,Model,Input (w/ Cache Write),Cache Read,Output Tokens,Cost", "this is a usage export of Cursor"),
    ("date,product,sku,quantity,unit_type,gross_amount", "this is a billing report of GitHub"),
    ("lineItem/ProductCode,lineItem/UsageAmount", "this is a Cost and Usage Report of AWS"),
    ("email,name,level,role_family", "this is a file of people: `tokens-bot people import` reads it"),
    ("project,name,complexity", "this is a file of projects: `tokens-bot projects import` reads it"),
    ("source,outcome_id,kind,occurred_at", "this is a file of outcomes: `tokens-bot outcomes import` reads it"),
]


@pytest.mark.parametrize(("header", "said"), FOREIGN)
def test_another_table_is_told_by_name(header: str, said: str) -> None:
    """Whoever mixes up two files, or has a vendor's, reads what it is and which command reads it."""
    cells = next(csv.reader([header]))
    assert headers.read(cells, ("source", "event_id"), ("source", "event_id")).faults.startswith(said)
