"""The table of what an allowance was worth in a year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import formats, render

if TYPE_CHECKING:
    from templates.render import Message
    from views.offers import WorthLine, YearsWorth

NAMES = {
    "granted": "Granted",
    "exceptions": "In exceptions",
    "used": "Used",
    "lapsed": "Ended or lapsed",
    "other": "Netted, returned or written off",
}


def answer(year: YearsWorth) -> Message:
    return render.message("offers/worth", year=year, rows=rows(year))


def rows(year: YearsWorth) -> list[list[str]]:
    """Rows with their heading: what was there, what happened, what is left."""
    heading = ["", "Tokens", "USD", *([year.rate.currency] if year.rate else [])]
    heading[0] = str(year.year)
    last = f"Left at the end of {year.year}" if year.is_over else "Left now"
    named = [(f"Left from {year.year - 1}", year.opening), *((NAMES[one.name], one) for one in year.lines)]
    if not year.opening.tokens:
        named = named[1:]
    return [heading, *(_row(year, name, line) for name, line in (*named, (last, year.closing)))]


def _row(year: YearsWorth, name: str, line: WorthLine) -> list[str]:
    cells = [name, formats.tokens(line.tokens), formats.usd(line.worth).removeprefix("USD ")]
    if year.rate:
        converted = year.rate.of_usd(line.worth)
        cells.append(formats.money(converted).removeprefix(f"{converted.currency} ").replace("-", formats.MINUS))
    return cells
