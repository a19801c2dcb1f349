"""FOCUS's own rules, applied to a file's rows; every finding names the rule by its id.

`rules-1.2.json` holds the rules of the FinOps Foundation's validator for FOCUS 1.2 that a program can check. The
validator itself needs a newer Python than we do. We have no such model of 1.3: its rules here are those of 1.2, with
the columns that it adds. Of 1.4 the data model is checked by `focus-data-toolkit`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from focus_data_toolkit.model.validator import lint_focus_1_4_structure

from tests.support import data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Row = Mapping[str, str]
    Rule = Mapping[str, Any]

SUPPORTED = frozenset(
    {
        *("ACCOUNT_NAMING_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED"),
        *("PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "TAGGING_SUPPORTED"),
        *("UNIT_PRICING_SUPPORTED", "USAGE_MEASUREMENT_SUPPORTED", "VIRTUAL_CURRENCY_SUPPORTED"),
        *("MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED"),
    }
)
"""What our files claim to have, in the validator's words."""
LINTED = ("SupportsMultiplePricingCategories", "SupportsUnitPricing")
UNSTATED = frozenset({"InvoiceId-C-005-C"})
"""Rules with a condition that the model leaves out: no invoice is issued for these charges."""
SELLERS = {"ProviderName", "PublisherName"}
"""Columns that 1.4 no longer has."""
VIRTUAL = "AI Tokens"
_NUMBER = re.compile(r"-?\d+(\.\d+)?(E-?\d+)?")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_NEAR = Decimal("1e-9")


def findings(rows: Sequence[Row], spec: str) -> list[str]:
    """What is wrong with a file's rows by the rules of a version, each rule once; empty where nothing is."""
    found = dict.fromkeys(_of_1_2(rows, without=SELLERS if spec == "1.4" else set()))
    if spec == "1.3":
        found |= dict.fromkeys(_of_1_3(rows))
    if spec == "1.4":
        found |= dict.fromkeys(_of_1_4(rows))
    return list(found)


@cache
def _rules() -> dict[str, Rule]:
    rules: dict[str, Rule] = json.loads((data.FOCUS / "rules-1.2.json").read_text("utf-8"))["rules"]
    return rules


def checked() -> int:
    """How many rules of 1.2 there are."""
    return len(_rules())


def _of_1_2(rows: Sequence[Row], without: set[str]) -> Iterator[str]:
    for id_, rule in _rules().items():
        requires = rule["requires"]
        if without & set().union(*map(_columns, rule["when"])):
            continue
        if id_ in UNSTATED or not set(rule["if_supported"]) <= SUPPORTED or id_.split("-", 1)[0] in without:
            continue
        if requires["CheckFunction"] == "ColumnPresent":
            if requires["ColumnName"] not in {*rows[0], *without}:
                yield f"{id_}: {rule['says']}"
            continue
        if not _columns(requires) <= set(rows[0]):
            continue
        concerned = [row for row in rows if all(_holds(when, row) for when in rule["when"])]
        wrong = _distinct(requires, concerned) or next((row for row in concerned if not _holds(requires, row)), None)
        if wrong:
            yield f"{id_}: {rule['says']} {sorted((c, wrong.get(c)) for c in _columns(requires))}"


def _of_1_3(rows: Sequence[Row]) -> Iterator[str]:
    """FOCUS 1.3, ServiceProviderName and HostProviderName: present, and the first never null."""
    for name in ("ServiceProviderName", "HostProviderName"):
        if name not in rows[0]:
            yield f"CostAndUsage: {name} MUST be present in a FOCUS dataset."
    if any(not row.get("ServiceProviderName") for row in rows):
        yield "CAU-ServiceProviderName-C-003-M: ServiceProviderName MUST NOT be null."


def _of_1_4(rows: Sequence[Row]) -> Iterator[str]:
    report = lint_focus_1_4_structure("Cost and Usage", [dict(row) for row in rows], supported_conditions=LINTED)
    for one in report.violations:
        # CurrencyFormat allows a virtual currency's name there; the linter knows only ISO 4217.
        if not (one.rule == "bad_currency" and one.column == "PricingCurrency" and VIRTUAL in one.message):
            yield f"{one.rule}: {one.column} {one.message}"


def _columns(requires: Rule) -> set[str]:
    named = {
        requires[key] for key in ("ColumnName", "ColumnAName", "ColumnBName", "ResultColumnName") if key in requires
    }
    return named.union(*(_columns(item) for item in requires.get("Items", ())))


def _distinct(requires: Rule, rows: Sequence[Row]) -> Row | None:
    """A row that breaks "one and only one"."""
    if requires["CheckFunction"] != "CheckDistinctCount":
        return None
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        seen[row[requires["ColumnAName"]]].add(row[requires["ColumnBName"]])
        if len(seen[row[requires["ColumnAName"]]]) > requires["ExpectedCount"]:
            return row
    return None


def _holds(rule: Rule, row: Row) -> bool:
    return _CHECKS[rule["CheckFunction"]](rule, row)


def _value(rule: Rule, row: Row) -> str:
    return row.get(rule["ColumnName"]) or ""


def _wanted(rule: Rule) -> str:
    """Numbers are written as such in the model."""
    return "" if rule["Value"] is None else str(rule["Value"])


def _pair(rule: Rule, row: Row) -> tuple[str, str]:
    return row.get(rule["ColumnAName"]) or "", row.get(rule["ColumnBName"]) or ""


def _product(rule: Rule, row: Row) -> bool:
    one, other, result = (row[rule[key]] for key in ("ColumnAName", "ColumnBName", "ResultColumnName"))
    if not (one and other and result):
        return True
    return abs(Decimal(one) * Decimal(other) - Decimal(result)) <= _NEAR * max(abs(Decimal(result)), Decimal(1))


def _is_number(rule: Rule, row: Row) -> bool:
    return not _value(rule, row) or bool(_NUMBER.fullmatch(_value(rule, row)))


def _is_instant(rule: Rule, row: Row) -> bool:
    return not _value(rule, row) or bool(_INSTANT.fullmatch(_value(rule, row)))


def _is_text(rule: Rule, row: Row) -> bool:
    value = _value(rule, row)
    return value == value.strip() and "\r" not in value


def _is_currency(rule: Rule, row: Row) -> bool:
    value = _value(rule, row)
    return (
        not value
        or bool(re.fullmatch("[A-Z]{3}", value))
        or (rule["ColumnName"] != "BillingCurrency" and value == VIRTUAL)
    )


def _is_key_value(rule: Rule, row: Row) -> bool:
    value = _value(rule, row)
    if not value:
        return True
    read = json.loads(value)
    return isinstance(read, dict) and all(one is None or isinstance(one, str | int | bool) for one in read.values())


_CHECKS: dict[str, Callable[[Rule, Row], bool]] = {
    "AND": lambda rule, row: all(_holds(item, row) for item in rule["Items"]),
    "OR": lambda rule, row: any(_holds(item, row) for item in rule["Items"]),
    "CheckValue": lambda rule, row: _value(rule, row) == _wanted(rule),
    "CheckNotValue": lambda rule, row: _value(rule, row) != _wanted(rule),
    "CheckGreaterOrEqualThanValue": lambda rule, row: (
        not _value(rule, row) or Decimal(_value(rule, row)) >= rule["Value"]
    ),
    "CheckDecimalValue": _is_number,
    "CheckDistinctCount": lambda _rule, _row: True,
    "CheckNotSameValue": lambda rule, row: _pair(rule, row)[0] != _pair(rule, row)[1],
    "CheckSameValue": lambda rule, row: _pair(rule, row)[0] == _pair(rule, row)[1],
    "CheckNationalCurrency": lambda rule, row: bool(re.fullmatch("[A-Z]{3}", _value(rule, row))),
    "ColumnByColumnEqualsColumnValue": _product,
    "FormatCurrency": _is_currency,
    "FormatDateTime": _is_instant,
    "FormatKeyValue": _is_key_value,
    "FormatNumeric": _is_number,
    "FormatString": _is_text,
    "TypeDateTime": _is_instant,
    "TypeDecimal": _is_number,
    "TypeString": lambda _rule, _row: True,
}
