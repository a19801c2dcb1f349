"""What stands below a picture: each sign with what it means and its figure, and what the picture leaves out.

Words beside a line have no room on a phone without meeting it; here they always have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from templates.charts import canvas
from templates.charts.canvas import ACROSS, BAND, DOTS, FAINT, INK, LINE, MARGIN, Box
from templates.charts.scripts import drawable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from templates.charts.canvas import Card

SIGN, GAP, BASE = 40, 12, 20
"""Dots: a sign's width, the room beside it, and the base of the last line."""
HALF_A_LETTER = 8


@dataclass(frozen=True, slots=True)
class Sign:
    """A line or a box as it is drawn, and what it stands for."""

    words: str
    colour: str = INK
    dashes: tuple[float, ...] = ()
    width: float = 2
    box: bool = False
    edge: str = "none"
    hatch: str = ""


def height(rows: Sequence[Sign | str]) -> float:
    """Dots from the card's edge up to the top of the first row."""
    return BASE + LINE * sum(len(_lines(row)) for row in rows)


def draw(card: Card, rows: Sequence[Sign | str]) -> None:
    """Rows from the top: a sign with its words, or words alone."""
    at = height(rows) - LINE
    for row in rows:
        if isinstance(row, Sign):
            _sign(card, row, at + HALF_A_LETTER)
        for line in _lines(row):
            left = MARGIN + SIGN + GAP if isinstance(row, Sign) else MARGIN
            card.write(left, at, line, colour=INK if isinstance(row, Sign) else FAINT)
            at -= LINE


def _sign(card: Card, sign: Sign, middle: float) -> None:
    if sign.box:
        box = Box(MARGIN, middle - 9, MARGIN + SIGN, middle + 9)
        card.boxes("sign", [box], DOTS, colour=sign.colour, edge=sign.edge, hatch=sign.hatch)
    else:
        line = [(MARGIN, middle), (MARGIN + SIGN, middle)]
        card.lines("sign", [line], DOTS, colour=sign.colour, width=sign.width, dashes=sign.dashes)


def _lines(row: Sign | str) -> list[str]:
    words = row.words if isinstance(row, Sign) else row
    room = ACROSS - 2 * MARGIN - (SIGN + GAP if isinstance(row, Sign) else 0)
    return canvas.wrapped(drawable(words), room=room)


def left_out(words: str) -> Sign:
    """The mark that stands in the place of what is not told."""
    return Sign(words, colour=BAND, box=True, edge=FAINT, hatch="xx")
