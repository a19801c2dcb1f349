"""What people and spreadsheets write into cells: read where it has one meaning, told with what is wrong where not.

A reader takes the text of a cell without the blanks around it. It raises ValueError; a WrongCellError says more than
that the cell is not what was expected.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from policy.units import as_permille

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from policy.units import Permille

FIRST_YEAR, LAST_YEAR = 1950, 2100
"""Of days in people's lives at work; what lies outside is a slip of the pen."""

PERMILLE = 1_000
MOST_DECIMALS = 18

LEAST_PERCENT = 5
"""From here on a share above 1 looks like percent without the sign."""

_EXCEL_DAY_ZERO = date(1899, 12, 30)
_EXCEL_DAYS = range(18_000, 80_000)
_EXCEL_ERROR = re.compile(r"#(N/A|REF!|NAME\?|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|CALC!|#{3,})", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d{2,3}")
_YEAR_FIRST = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})(?:[ T].*)?", re.ASCII)
_DAY_MONTH = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[ T].*)?")
_AND_A_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T+-]|Z$).*")
_DECIMAL = re.compile(r"\d*(?:[.,]\d+)?|\d+[.,]")
_WORD_BREAKS = re.compile(r"[\s_-]+")
_FORMULA = ("=", "+", "-", "@")


class WrongCellError(ValueError):
    """A cell that is not what was expected, and what it is instead or how it is mended."""


def strange_character(text: str) -> str:
    """The first character that cannot be seen or is no ASCII, by its number and name; empty if there is none."""
    for character in text:
        if not (character.isascii() and character.isprintable()):
            return f"U+{ord(character):04X} {unicodedata.name(character, 'CONTROL CHARACTER')}"
    return ""


def unseen_character(text: str) -> str:
    """The first character that cannot be seen, by its number and name; empty if there is none."""
    return "" if text.isprintable() else strange_character("".join(c for c in text if not c.isprintable()))


def read_twice(text: str) -> str:
    """What a text was before a program took its UTF-8 for Windows-1252 (`MÃ¼ller`); empty if none did."""
    if text.isascii():
        return ""
    try:
        return text.encode("cp1252").decode()
    except UnicodeError:
        return ""


def excel_wreck(text: str) -> str:
    """What Excel has made of a cell, or what was written for it instead of the content; empty if neither."""
    if "E+" in text and _SCIENTIFIC.fullmatch(text):
        return "Excel has rounded this number: format the column as text before you enter or open it"
    if text.startswith("#") and _EXCEL_ERROR.fullmatch(text):
        return "this is an error of Excel: correct the formula"
    if text.startswith('="'):
        return "this is a formula: write only what stands between its quotation marks"
    return ""


def text(cell: str) -> str:
    """A text as it is, unless Excel has lost what it was."""
    if said := excel_wreck(cell):
        raise WrongCellError(said)
    return cell


def email(cell: str) -> str:
    """An address in lower case. Nothing is mended: an address that looks right and is not would be a second person."""
    if fault := email_fault(cell):
        raise WrongCellError(fault)
    name, at, domain = cell.partition("@")
    if not (name and at and domain) or "@" in domain:
        raise ValueError(cell)
    return cell.lower()


def email_fault(cell: str) -> str:
    """What is wrong with an address that has an @, or had one before it was copied; empty if that is nothing."""
    domain = cell.rpartition("@")[2]
    odd = next((mark for mark in "<>()[],;:\"'`\\" if mark in cell), "")
    faults = (
        (found := strange_character(cell), f"{found} is in it: type it again"),
        (cell.lower().startswith("mailto:"), f"without {cell[:7]!r}"),
        (" " in cell, "without blanks"),
        (cell.startswith(_FORMULA), f"it begins with {cell[:1]!r}, like a formula"),
        (odd, f"without {odd!r}"),
        (domain.startswith(".") or domain.endswith(".") or ".." in domain, "a dot too many after the @"),
        ("@" in cell and "." not in domain, f"{domain!r} has no dot, as example.com has"),
    )
    return next((said for fault, said in faults if fault), "")


def day(cell: str) -> date:
    """A day written as 2026-11-01. Other ways are told with what they may mean, never guessed."""
    try:
        found = date.fromisoformat(cell)
    except ValueError:
        raise WrongCellError(_meant_day(cell)) from None
    if cell != found.isoformat():
        raise WrongCellError(f"write {found}")
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise WrongCellError(f"in the years {FIRST_YEAR} to {LAST_YEAR}")
    return found


def _meant_day(cell: str) -> str:
    if (found := _AND_A_TIME.fullmatch(cell)) and _date(*map(int, found[1].split("-"))):
        return f"write {found[1]}, without a time"
    if parts := _YEAR_FIRST.fullmatch(cell):
        meant = _date(*map(int, parts.groups()))
        return f"write {meant}" if meant else ""
    if parts := _DAY_MONTH.fullmatch(cell):
        first, second, year = map(int, parts.groups())
        either = (_date(year, second, first), _date(year, first, second))
        days = sorted({found for found in either if found})
        return f"write {' or '.join(map(str, days))}" if days else ""
    if cell.isascii() and cell.isdecimal() and len(cell) < len("100000") and int(cell) in _EXCEL_DAYS:
        return f"Excel's number of {_EXCEL_DAY_ZERO + timedelta(days=int(cell))}: format the column as yyyy-mm-dd"
    return ""


def _date(year: int, month: int, of_month: int) -> date | None:
    try:
        return date(year, month, of_month)
    except ValueError:
        return None


def decimal(cell: str) -> Decimal:
    """A number that is not negative, with a point or a comma before its decimals and nothing between thousands."""
    if cell.isascii() and any(map(str.isdigit, cell)) and _DECIMAL.fullmatch(cell):
        return Decimal(cell.replace(",", "."))
    raise ValueError(cell)


def exact_permille(cell: str) -> Permille:
    """A share above 0 and at most 1 in thousandths, exactly: 0.9625, 0,9625 and 96.25 % are 962.5."""
    number, percent = (cell[:-1].rstrip(), True) if cell.endswith("%") else (cell, False)
    try:
        thousandths = decimal(number).scaleb(1 if percent else 3).normalize()
    except InvalidOperation:
        raise ValueError(cell) from None
    if not percent and LEAST_PERCENT * PERMILLE <= thousandths <= 100 * PERMILLE:
        raise WrongCellError(f"write {cell} % for a share in percent")
    if not 0 < thousandths <= PERMILLE or len(number) > MOST_DECIMALS + len("0."):
        raise ValueError(cell)
    return as_permille(thousandths)


def permille(cell: str) -> int:
    """A share above 0 and at most 1 with at most three decimals, in thousandths."""
    exact = exact_permille(cell)
    if not isinstance(exact, int):
        raise ValueError(cell)  # noqa: TRY004 - a share finer than thousandths, not a wrong type
    return exact


def fold(word: str) -> str:
    """A word however it is written: `Pull Request` and `pull_request` are one."""
    return _WORD_BREAKS.sub("_", word.strip()).casefold()


def one_of(words: Iterable[str]) -> Callable[[str], str]:
    """A reader of words that are known, in whatever case; two that differ by case only stay two."""
    known = {fold(word): word for word in words}
    spelled = frozenset(known.values())

    def read(cell: str) -> str:
        if cell in spelled:
            return cell
        if (word := known.get(fold(cell))) is not None:
            return word
        if found := strange_character(cell):
            raise WrongCellError(f"{found} is in it: type it again")
        raise ValueError(cell)

    return read
