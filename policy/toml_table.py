"""Reading one TOML table with every mistake noted: its path, the value, and what was expected."""

from __future__ import annotations

import difflib
from datetime import date
from decimal import Decimal
from typing import Any

from policy.business_time import Span
from policy.units import LARGEST_AMOUNT, NANO_PER_USD, NanoUSD

LARGEST_NUMBER = LARGEST_AMOUNT // NANO_PER_USD
"""No figure in a handbook is larger than the largest amount of USD."""
MOST = Decimal(10)
"""No factor in a handbook is larger; one that is was mistyped."""


class Table:
    """One TOML table being read: takes entries out, notes what is wrong, and complains of what is left over."""

    def __init__(self, entries: dict[str, Any], path: str, problems: list[str]) -> None:
        self.entries = dict(entries)
        self.path = path
        self.problems = problems
        self._known: list[str] = []

    def wrong(self, key: str, value: object, expected: str) -> None:
        self.note(key, value, f"expected {expected}")

    def note(self, key: str, value: object, problem: str) -> None:
        shown = str(value) if isinstance(value, Decimal | date) else repr(value)
        self.problems.append(f"{'.'.join(filter(None, (self.path, key)))} = {shown}: {problem}")

    def has(self, key: str) -> bool:
        """Whether a key is there that may be left out."""
        self._known.append(key)
        return key in self.entries

    def _take(self, key: str, expected: str) -> Any:  # noqa: ANN401 - TOML's values are of any type
        self._known.append(key)
        if key not in self.entries:
            self.problems.append(f"{'.'.join(filter(None, (self.path, key)))}: missing; expected {expected}")
        return self.entries.pop(key, None)

    def text(self, key: str) -> str:
        value = self._take(key, "a text")
        if value is not None and (not isinstance(value, str) or not value.strip()):
            self.wrong(key, value, "a text")
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> list[str]:
        value = self._take(key, "a list of texts")
        if isinstance(value, list) and value and all(isinstance(v, str) and v for v in value):
            return list(value)
        if value is not None:
            self.wrong(key, value, "a list of texts, not empty")
        return []

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self._take(key, f"one of {', '.join(allowed)}")
        if value is not None and value not in allowed:
            self.wrong(key, value, f"one of {', '.join(allowed)}")
        return value if value in allowed else allowed[0]

    def day(self, key: str) -> date:
        value = self._take(key, "a date such as 2026-11-01")
        if value is not None and type(value) is not date:
            self.wrong(key, value, "a date such as 2026-11-01, without quotes")
        return value if type(value) is date else date.min

    def optional_day(self, key: str) -> date | None:
        return self.day(key) if self.has(key) else None

    def number(self, key: str) -> Decimal:
        value = self._take(key, "a number")
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            number = Decimal(value)
            if number.is_finite() and 0 <= number <= LARGEST_NUMBER:
                return number
        if value is not None:
            self.wrong(key, value, f"a number from 0 to {LARGEST_NUMBER}")
        return Decimal(1)

    def share(self, key: str, most: Decimal = Decimal(1)) -> Decimal:
        """A number from 0 to `most` with at most four decimals, so that it scales to whole ten-thousandths."""
        number = self.number(key)
        if number > most or number * 10_000 != int(number * 10_000):
            self.wrong(key, number, f"a number from 0 to {most} with at most four decimals")
            return Decimal(1)
        return number

    def count(self, key: str, least: int, most: int) -> int:
        """A whole number within bounds."""
        number = self.number(key)
        if number != int(number) or not least <= number <= most:
            self.wrong(key, number, f"a whole number from {least} to {most}")
            return least
        return int(number)

    def counts(self, key: str, least: int, most: int) -> tuple[int, ...]:
        """Whole numbers within bounds; the list may be empty."""
        value = self._take(key, "a list of whole numbers")
        if isinstance(value, list) and all(type(v) is int and least <= v <= most for v in value):
            return tuple(value)
        if value is not None:
            self.wrong(key, value, f"a list of whole numbers from {least} to {most}")
        return ()

    def days(self, key: str) -> tuple[date, ...]:
        """Dates; the list may be empty."""
        value = self._take(key, "a list of dates such as 2026-12-25")
        if isinstance(value, list) and all(type(v) is date for v in value):
            return tuple(sorted(value))
        if value is not None:
            self.wrong(key, value, "a list of dates such as 2026-12-25, without quotes")
        return ()

    def optional_number(self, key: str) -> Decimal | None:
        return self.number(key) if self.has(key) else None

    def span(self, key: str) -> Span:
        """A length of time, such as `4 business hours`."""
        text = self.text(key)
        try:
            return Span.parse(text)
        except ValueError:
            if text:
                self.wrong(key, text, "a length of time such as '4 business hours', '2 business days' or '2 days'")
            return Span(1, "day", is_business=False)

    def usd(self, key: str) -> NanoUSD:
        number = self.number(key)
        try:
            amount = NanoUSD.parse(number)
        except ValueError as error:
            self.wrong(key, number, f"USD with at most nine decimals ({error})")
            return NanoUSD(1)
        if amount <= 0:
            self.wrong(key, number, "an amount above zero")
            return NanoUSD(1)
        return amount

    def table(self, key: str) -> Table:
        value = self._take(key, "a table")
        if value is not None and not isinstance(value, dict):
            self.wrong(key, value, "a table")
        path = ".".join(filter(None, (self.path, key)))
        # That the table is not there is said once, not for each of its keys.
        return Table(value, path, self.problems) if isinstance(value, dict) else Table({}, path, [])

    def tables(self, key: str) -> list[Table]:
        self._known.append(key)
        value = self.entries.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.wrong(key, value, f"tables, each headed [[{key}]]")
            return []
        path = ".".join(filter(None, (self.path, key)))
        return [Table(entry, f"{path}[{i}]", self.problems) for i, entry in enumerate(value, start=1)]

    def done(self) -> None:
        """Report every entry that no one asked for, with the nearest name that exists."""
        for key, value in self.entries.items():
            near = difflib.get_close_matches(key, self._known, n=1)
            self.note(key, value, f"there is no such key{f'; did you mean {near[0]!r}?' if near else ''}")
