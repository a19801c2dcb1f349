"""Any panel as a CSV file: one line for each unit and period, under whatever names its columns have."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TextIO

import numpy as np

from policy import texts
from policy.reasons import Refusal
from policy.roi.panel import NEVER, Panel
from programme.files import headers
from programme.table_file import Problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MONTHS, QUARTERS = 12, 4
MOST_NUMBER = 10**9
MOST_FIGURES = 5_000_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])")
_NUMBER = re.compile(r"-?\d{1,10}(\.0+)?")
_MISSING = frozenset({"", "na", "nan", "null", "."})
_NEVER = _MISSING | {"0", "0.0", "never", "inf"}
_PERIOD = "a whole number, a date such as 2026-11-30, a month such as 2026-11 or a quarter such as 2026-Q4"


class Columns(NamedTuple):
    """What the file calls its columns."""

    unit: str
    period: str
    first: str
    outcome: str


@dataclass(frozen=True, slots=True, eq=False)
class PanelFile:
    """A panel with the words for its periods; `kind` is number, date, month or quarter."""

    panel: Panel
    kind: str

    def label(self, period: int) -> int | str:
        if self.kind == "date":
            return date.fromordinal(period).isoformat()
        if self.kind == "month":
            return f"{period // MONTHS:04}-{period % MONTHS + 1:02}"
        return f"{period // QUARTERS:04}-Q{period % QUARTERS + 1}" if self.kind == "quarter" else period


class _Line(NamedTuple):
    number: int
    unit: str
    period: int
    first: int
    outcome: float


def read(file: TextIO, columns: Columns) -> PanelFile:
    """The panel; the Refusal lists every bad line. What the file does not say of a unit and period is missing."""
    if len(set(columns)) < len(columns):
        raise Refusal("columns_repeat", "Unit, period, first treatment and outcome are four columns.")
    problems, kinds = Problems(), dict[str, int]()
    lines = [
        line
        for number, cells in _cells(file, columns, problems)
        if (line := _line(number, cells, (columns, kinds, problems)))
    ]
    if not problems and len(lines) > MOST_FIGURES:
        problems.append((MOST_FIGURES, f"{len(lines):,} lines; at most {MOST_FIGURES:,} are read"))
    problems += _contradictions(lines, columns)
    if not problems and not lines:
        problems.append((1, "no line has a unit and a period"))
    problems.refuse("panel_invalid", "The panel has mistakes:")
    return PanelFile(_panel(lines), next(iter(kinds), "number"))


def _cells(file: TextIO, columns: Columns, problems: Problems) -> Iterator[tuple[int, Columns]]:
    lines = iter(file)
    begin = headers.opening(lines, columns)
    reader = csv.reader(chain([begin.header], lines), delimiter=begin.separator, strict=True)
    places: list[int] | None = None
    while True:
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            problems.append((begin.above + reader.line_num, str(error)))
            continue
        number = begin.above + reader.line_num
        if places is None:
            names = [cell.strip().removeprefix("\ufeff") for cell in record]
            if not _fits(number, names, columns, problems):
                return
            places = [names.index(name) for name in columns]
        elif any(cell.strip() for cell in record):
            if len(record) != len(names):
                problems.append((number, f"{len(names)} cells expected, {len(record)} found"))
            else:
                yield number, Columns(*(record[place].strip() for place in places))
    if places is None:
        problems.append((1, "the file is empty"))


def _fits(number: int, names: list[str], columns: Columns, problems: Problems) -> bool:
    faults = [f"no column {name!r}" for name in columns if name not in names]
    faults += [f"column {name!r} stands there twice" for name in columns if names.count(name) > 1]
    if faults:
        problems.append((number, f"{', '.join(faults)}; the file has {', '.join(map(repr, names))}"))
    return not faults


def _line(number: int, cells: Columns, told_so_far: tuple[Columns, dict[str, int], Problems]) -> _Line | None:
    """A line's values; what is wrong is told. The first line decides what kind of periods the file has."""
    columns, kinds, problems = told_so_far
    before = len(problems)
    unit, period, first, outcome = cells
    if not unit:
        problems.add(number, columns.unit, unit, "the name of a unit")
    elif unfit := texts.unfit(unit, texts.LONGEST_NAME):
        problems.add(number, columns.unit, unit, unfit)
    told = _period(period)
    if told is None or told[0] != next(iter(kinds), told[0]):
        problems.add(number, columns.period, period, f"a {next(iter(kinds))} like the others" if told else _PERIOD)
    else:
        kinds.setdefault(told[0], number)
    since = ("", NEVER) if first.casefold() in _NEVER else _period(first)
    if since is None or (since[0] and since[0] != next(iter(kinds), since[0])):
        expected = "a period like the others" if since else _PERIOD
        problems.add(number, columns.first, first, f"{expected}, or nothing where it is never treated")
    figure = _figure(outcome)
    if figure is None:
        problems.add(number, columns.outcome, outcome, "a number, or nothing where it is not known")
    if len(problems) > before or told is None or since is None or figure is None:
        return None
    return _Line(number, unit, told[1], since[1], figure)


def _period(text: str) -> tuple[str, int] | None:
    """Its kind and its place in time."""
    if found := _MONTH.fullmatch(text):
        return "month", int(found[1]) * MONTHS + int(found[2]) - 1
    if found := _QUARTER.fullmatch(text):
        return "quarter", int(found[1]) * QUARTERS + int(found[2]) - 1
    if _DATE.fullmatch(text):
        return _date(text)
    if _NUMBER.fullmatch(text) and abs(number := int(float(text))) <= MOST_NUMBER:
        return "number", number if float(text) >= 0 else -number
    return None


def _date(text: str) -> tuple[str, int] | None:
    try:
        return "date", date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _figure(text: str) -> float | None:
    if text.casefold() in _MISSING:
        return math.nan
    try:
        figure = float(text)
    except ValueError:
        return None
    return figure if math.isfinite(figure) and "_" not in text else None


def _contradictions(lines: list[_Line], columns: Columns) -> Iterator[tuple[int, str]]:
    seen: dict[tuple[str, int], int] = {}
    first: dict[str, _Line] = {}
    for line in lines:
        if (before := seen.setdefault((line.unit, line.period), line.number)) != line.number:
            yield line.number, f"{columns.unit} = {line.unit!r} has this period in line {before} already"
        if (told := first.setdefault(line.unit, line)).first != line.first:
            yield line.number, f"{columns.first}: {line.unit!r} is first treated at another time in line {told.number}"


def _panel(lines: list[_Line]) -> Panel:
    units, periods = sorted({line.unit for line in lines}), sorted({line.period for line in lines})
    row, column = _places(units), {period: i for i, period in enumerate(periods)}
    outcome = np.full((len(units), len(periods)), np.nan)
    first = np.full(len(units), NEVER, dtype=np.int64)
    for line in lines:
        outcome[row[line.unit], column[line.period]] = line.outcome
        first[row[line.unit]] = line.first
    return Panel(tuple(units), tuple(periods), outcome, first)


def _places(units: list[str]) -> Mapping[str, int]:
    return {unit: i for i, unit in enumerate(units)}
