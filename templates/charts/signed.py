"""Axes of figures that may be below 0."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from templates.charts import canvas, legend
from templates.charts.canvas import ACROSS, FAINT, GRID, LINE, MARGIN, Box, Plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from templates.charts.canvas import Card
    from templates.charts.legend import Sign

MOST_LINES = 6
GAP = 12
"""Dots between the figures and what is drawn, and above the rows."""
LEAST = 1e-6
"""What differs by less is nothing to look at."""


def steps(low: float, high: float) -> list[float]:
    """Round steps from at or below the lowest to at or above the highest figure, with 0 among them."""
    low, high = min(0.0, low), max(0.0, high)
    if high - low < LEAST:
        return [0.0, 1.0]
    exponent = 10.0 ** math.floor(math.log10((high - low) / (MOST_LINES - 1)))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = factor * exponent
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first < MOST_LINES:
            return [step * place for place in range(first, last + 1)]
    raise AssertionError("a step of 20 is always large enough")


def ground(card: Card, rows: Sequence[Sign | str], figures: Sequence[str]) -> Box:
    """Where to draw: beside the steps' figures, below the heading, above the axis and the rows."""
    left = MARGIN + max(map(canvas.width_of, figures)) + GAP
    return Box(left, legend.height(rows) + LINE + GAP, ACROSS - MARGIN, card.top - LINE)


def plot(on: Box, across: tuple[float, float], at: Sequence[float]) -> Plot:
    return Plot(on, Box(across[0], at[0], across[1], at[-1]))


def grid(card: Card, plotted: Plot, at: Sequence[float], figures: Sequence[str]) -> None:
    """A line for each step with its figure at the left, the line at 0 stronger."""
    on, y = plotted.on, plotted.y
    others = [[(MARGIN, y(one)), (on.right, y(one))] for one in at if one]
    card.lines("grid", others, canvas.DOTS, colour=GRID, width=1, zorder=0)
    card.lines("base", [[(MARGIN, y(0)), (on.right, y(0))]], canvas.DOTS, width=1.2, zorder=2)
    for one, words in zip(at, figures, strict=True):
        card.write(MARGIN, y(one) + 4, words, colour=FAINT)
