"""A person's year for the compensation review: bands and flags of its quarters, nothing that could be put in order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from policy.reviews.persons import LOW
from programme.reviews.annual_export import NOT_ENOUGH_DATA, NOT_KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from programme.reviews.annual_export import Line

MIXED = "mixed"
"""Not the same band in all quarters in which it is known: which of them weighs more is for people to say."""


@dataclass(frozen=True, slots=True)
class YearLine:
    """A person's year, of the quarters whose reviews were adopted."""

    person_id: str
    year: int
    quarters: int
    utilisation_band: str
    efficiency_band: str
    was_low: bool
    had_breach: bool
    had_exception: bool
    appealed: bool
    stewardship_met: bool


def of(lines: Iterable[Line], year: int) -> list[YearLine]:
    """A line for each person, in the order of the ids; `lines` are those of the quarters, in that order."""
    return [_year(person_id, year, list(theirs)) for person_id, theirs in groupby(lines, lambda one: one.person_id)]


def _year(person_id: str, year: int, lines: Sequence[Line]) -> YearLine:
    return YearLine(
        person_id=person_id,
        year=year,
        quarters=len(lines),
        utilisation_band=_band([one.utilisation_band for one in lines], NOT_KNOWN),
        efficiency_band=_band([one.efficiency_band for one in lines], NOT_ENOUGH_DATA),
        was_low=any(one.state == LOW for one in lines),
        had_breach=any(one.breaches for one in lines),
        had_exception=any(_exceptions(one) for one in lines),
        appealed=any(one.appeal for one in lines),
        stewardship_met=all(one.stewardship_met for one in lines),
    )


def _band(bands: Sequence[str], unknown: str) -> str:
    known = {one for one in bands if one != unknown}
    if not known:
        return unknown
    return known.pop() if len(known) == 1 else MIXED


def _exceptions(line: Line) -> int:
    return line.exceptions_delivered + line.exceptions_partly + line.exceptions_nothing + line.exceptions_untold
