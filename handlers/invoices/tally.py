"""Rows of bills in FOCUS's columns, checked and added up: what is kept follows from people and items, not from rows.

Sources: the FinOps Open Cost and Usage Specification 1.0 to 1.4 (focus.finops.org, CC BY 4.0). Amounts are added up
exactly; all other figures of a row are the vendor's to prove.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from handlers.decoding import END_OF_TIME, FIRST_INSTANT
from policy import texts
from policy.bills import NOT_POSTED, Sum
from policy.units import NANO_PER_USD, divide_half_even
from policy.value import currencies
from programme.files.cells import excel_wreck
from programme.invoices.sorting import Charged, Named, NoRateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policy.bills import BillName, Place
    from programme.invoices.sorting import Sorting
    from programme.table_file import Problems

COST = "BilledCost"
WHEN = ("BillingAccountId", "BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd", "BillingCurrency")
SERVICE = "ServiceName"
SELLERS = ("ServiceProviderName", "ProviderName")
"""1.3 renamed the second to the first."""
MODELS = ("x_Model", "SkuMeter")
TAGS = "Tags"
REQUIRED = (COST, *WHEN, SERVICE)
DECIMALS = 18
MOST = 10**9
"""Units of a currency in one row; what is more is a mistake."""
_DIGITS = len(str(MOST))
MOST_REMEMBERED = 100_000
"""Combinations of names and tags that are known by their texts; those with an id of their own in them are endless."""
_NULL = frozenset({"", "NULL", "null", "None"})
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)

When = tuple[Any, ...]
What = tuple[str, ...]


class UnfitError(ValueError):
    """A cell that cannot be: its column, its value and what was expected."""

    def __init__(self, column: str, value: object, expected: str) -> None:
        super().__init__(column, value, expected)
        self.column, self.value, self.expected = column, value, expected


def wanted(sorting: Sorting) -> tuple[str, ...]:
    """The columns beside `COST` and `WHEN` that may say something."""
    rules = sorting.reads
    return tuple(dict.fromkeys((*SELLERS, SERVICE, TAGS, *MODELS, *rules.persons, *rules.projects)))


def atto(text: str) -> int:
    """A cost in units of 10^-18, exactly unless it is finer; ValueError for what is no number."""
    whole, _, part = text.partition(".")
    # Nearly all are written so, and a Decimal takes three times as long.
    if len(part) <= DECIMALS and len(whole) < _DIGITS and text.isascii() and whole.isdecimal() and part.isdecimal():
        return int(whole + part.ljust(DECIMALS, "0"))
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if "_" in text:
        raise ValueError(text)
    return atto_of(number)


def atto_of(number: Decimal) -> int:
    if not number.is_finite() or abs(number) > MOST:
        raise ValueError(str(number))
    return int(_EXACT.to_integral_value(_EXACT.scaleb(number, DECIMALS)))


class Tally:
    """Adds up rows; `columns` are the names of the texts that each row's `what` has."""

    def __init__(self, sorting: Sorting, columns: Sequence[str], problems: Problems) -> None:
        self._sorting, self._columns, self.problems = sorting, tuple(columns), problems
        self.days: dict[When, int] = {}
        self.names: dict[What, int] = {}
        self.slots: dict[tuple[int, int], list[int]] = {}
        """Rows and atto-units of a currency, by day and name."""
        self._charged: list[Charged] = []
        self._named: list[Named] = []
        self._number_of: dict[Charged | Named, int] = {}

    def slot(self, line: int, when: When, what: What) -> list[int] | None:
        """Where a row is added up; None where it cannot be, and that is noted."""
        day, name = self.day(line, when), self.name(line, what)
        if day is None or name is None:
            return None
        if (found := self.slot_of(day, name)) is None:
            self.problems.add(line, WHEN[2], str(when[2]), "a charge of a day that has begun")
        return found

    def slot_of(self, day: int, name: int) -> list[int] | None:
        """Where rows of a day and name are added up; None where they are ahead of the clock and would be posted."""
        found = self.slots.get((day, name))
        if found is None:
            charged = self._charged[day]
            if charged.is_ahead and self._sorting.place(charged, self._named[name]).bears not in NOT_POSTED:
                return None
            found = self.slots[day, name] = [0, 0]
        return found

    def day(self, line: int, when: When) -> int | None:
        """The number of what a row says of its bill and time; None where that cannot be, and is noted."""
        known = self.days.get(when)
        if known is not None:
            return known
        cells = zip(WHEN, (_account, _instant, _instant, _instant, _currency), when, strict=True)
        if (found := _checked(self.problems, line, cells)) is None:
            return None
        try:
            charged = self._sorting.charged(*found)
        except NoRateError as error:
            self.problems.add(line, "BillingCurrency", found[-1], str(error))
            return None
        self.days[when] = number = self._number(charged, self._charged)
        return number

    def name(self, line: int, what: What) -> int | None:
        """The number of what a row says of whose it is; None where that cannot be, and is noted."""
        known = self.names.get(what)
        if known is not None:
            return known
        try:
            named = self._read(dict(zip(self._columns, what, strict=True)))
        except UnfitError as error:
            self.problems.add(line, error.column, str(error.value), error.expected)
            return None
        if len(self.names) >= MOST_REMEMBERED:
            self.names.clear()
        self.names[what] = number = self._number(named, self._named)
        return number

    def _number(self, one: Any, all_of: list[Any]) -> int:  # noqa: ANN401 - a Charged or a Named
        number = self._number_of.get(one)
        if number is None:
            number = self._number_of[one] = len(all_of)
            all_of.append(one)
        return number

    def _read(self, cells: Mapping[str, str]) -> Named:
        said = {column: text for column, text in cells.items() if text not in _NULL}
        seller = next((column for column in SELLERS if column in said), "")
        if not seller:
            raise UnfitError(next(c for c in SELLERS[::-1] if c in cells), "", "a name that is not empty")
        if SERVICE not in said:
            raise UnfitError(SERVICE, "", "a name that is not empty")
        tags = _tags(said.get(TAGS, ""))
        rules = self._sorting.reads
        person, project = (_tagged(names, tags, said) for names in (rules.persons, rules.projects))
        names = ((seller, said[seller]), (SERVICE, said[SERVICE]), person, project)
        # What was bought only describes: a long name is no reason to refuse a bill.
        model = texts.storable(next(said[column] for column in (*MODELS, SERVICE) if column in said))
        seller_name, service, who, what = (_fit(column, text) for column, text in names)
        return Named(seller_name, service, who, what, model[: texts.LONGEST_NAME])

    def bills(self) -> dict[BillName, dict[Place, Sum]]:
        """Everything by bill and place, in atto-USD."""
        found: defaultdict[BillName, dict[Place, Sum]] = defaultdict(dict)
        for (day, name), (rows, amount) in self.slots.items():
            if not rows:
                continue
            charged = self._charged[day]
            places, place = found[charged.bill], self._sorting.place(charged, self._named[name])
            usd = divide_half_even(amount * charged.nano_usd_per_unit, NANO_PER_USD)
            places[place] = places.get(place, Sum(0, 0)).plus(Sum(rows, usd))
        return dict(found)


def _checked(problems: Problems, line: int, cells: Iterable[tuple[str, Any, Any]]) -> list[Any] | None:
    """What cells say, all of them read; None where one cannot be."""
    read, before = [], len(problems)
    for column, reader, value in cells:
        try:
            read.append(reader(column, value))
        except UnfitError as error:
            problems.add(line, error.column, str(error.value), error.expected)
    return read if len(problems) == before else None


def _account(column: str, text: str) -> str:
    if text in _NULL:
        raise UnfitError(column, text, "the id of an account")
    return _fit(column, text)


def _fit(column: str, text: str) -> str:
    expected = (texts.unfit(text, texts.LONGEST_NAME) or excel_wreck(text)) if text else ""
    if expected:
        raise UnfitError(column, text, expected)
    return text


def _instant(column: str, value: Any) -> datetime:  # noqa: ANN401 - a text, or as Parquet has it
    when: Any = value
    if isinstance(value, str):
        try:
            when = datetime.fromisoformat(value.strip())
        except ValueError:
            when = None
    if isinstance(when, date) and not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=UTC)
    if when is None:
        raise UnfitError(column, value, "a time such as 2026-11-01T00:00:00Z")
    # FOCUS's times are in UTC, whether a file says so or not.
    utc: datetime = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    if not FIRST_INSTANT <= utc < END_OF_TIME:
        raise UnfitError(column, value, "a time in the years 2000 to 2100")
    return utc


def _currency(column: str, text: str) -> str:
    if not currencies.is_code(text):
        raise UnfitError(column, text, "three letters such as USD")
    return text


def _tags(text: str) -> dict[str, str]:
    """Tags by their names in small letters; a tag without a value has none."""
    if not text:
        return {}
    try:
        tags = json.loads(text)
    except ValueError:
        tags = None
    if not isinstance(tags, dict):
        raise UnfitError(TAGS, text, 'a JSON object such as {"project": "atlas"}')
    return {name.strip().casefold(): value.strip() for name, value in tags.items() if isinstance(value, str)}


def _tagged(names: Iterable[str], tags: Mapping[str, str], cells: Mapping[str, str]) -> tuple[str, str]:
    """The first of some tags or columns that says something, with its name."""
    for name in names:
        if text := tags.get(name.casefold(), ""):
            return f"{TAGS} ({name})", text
        if text := cells.get(name, "").strip():
            return name, text
    return "", ""
