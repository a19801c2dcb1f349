"""How many people used which share of their regular grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import formats
from templates.charts import canvas
from templates.charts.canvas import BAND, CARD, FAINT, INK, LINE, MARGIN, Box, Card, Picture, Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from views.value import Histogram

PLOT = Box(MARGIN, 50, canvas.ACROSS - MARGIN, 294)
PERCENT, APART, OVER, EDGE = 100, 106, 116, 118
"""What is over 100 % has a bar of its own, a little apart."""
GAP = 0.6
FEW = 10
"""Dots: the height of the mark for fewer than five."""
ALL = 1_000
BARS = "#0072b2"


def utilisation(histogram: Histogram) -> Picture:
    """People by the share that they used, under a title that says what half of them did."""
    return Picture(canvas.png(drawing(histogram)), alt_text(histogram), "utilisation.png")


# --- What there is to see ------------------------------------------------------------------------------------------


def finding(histogram: Histogram) -> str:
    """What there is to see, in one line."""
    median = histogram.median_permille
    if not histogram.people:
        return "No one had a regular grant"
    if median is None:
        return "Too few people to tell what half of them used"
    half = f"Half of {canvas.people(histogram.people)} used"
    if not median:
        return f"{half} nothing"
    return f"{half} all of it or more" if median >= ALL else f"{half} less than {formats.permille(median)}"


def subtitle(histogram: Histogram) -> str:
    return f"People by the share of their grants that they used, {histogram.months}"


def label(low: int, high: int | None) -> str:
    """A bin: `0–10 %`, `over 100 %`."""
    return f"over {low} %" if high is None else f"{low}–{high} %"


def alt_text(histogram: Histogram) -> str:
    """The finding, every bin and the share below which 95 of 100 people stay."""
    if not histogram.people:
        return f"Bar chart without bars. {finding(histogram)}."
    bins = ", ".join(
        f"{label(low, high)}: {'fewer than 5' if count is None else formats.count(count)}"
        for low, high, count in histogram.bins
    )
    p95 = histogram.p95_permille
    most = "" if p95 is None else f" 95 of 100 people used less than {formats.permille(p95)}."
    return f"Bar chart. {finding(histogram)}. {subtitle(histogram)}. {bins}.{most}"


# --- The drawing ---------------------------------------------------------------------------------------------------


def drawing(histogram: Histogram) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card = Card(finding(histogram), subtitle(histogram))
    if not histogram.people:
        return card.figure
    most = max([1, *(count for *_, count in histogram.bins if count)])
    plot = Plot(PLOT, Box(0, 0, EDGE, most * 1.12))
    bars = [(_span(low, high), count) for low, high, count in histogram.bins]
    card.boxes("people", [_bar(span, count) for span, count in bars if count], plot, colour=BARS)
    few = [plot.box(_bar(span, 0)) for span, count in bars if count is None]
    marks = [Box(one.left, one.bottom, one.right, one.bottom + FEW) for one in few]
    card.boxes("few", marks, canvas.DOTS, colour=BAND, edge=FAINT, dashed=True)
    card.lines("base", [[(PLOT.left, PLOT.bottom), (PLOT.right, PLOT.bottom)]], canvas.DOTS, width=1.2, zorder=4)
    if few:
        card.boxes("key", [Box(MARGIN, 346, MARGIN + 14, 346 + FEW)], canvas.DOTS, colour=BAND, edge=FAINT, dashed=True)
        card.write(MARGIN + 20, 346, "fewer than 5 people", colour=FAINT)
    for span, count in bars:
        if count:
            words = formats.short_count(count)
            card.write(plot.x(sum(span) / 2), plot.y(count) + 4, words, ha="center")
    _shares_axis(card, plot, histogram)
    _p95(card, plot, histogram)
    return card.figure


def _span(low: int, high: int | None) -> tuple[float, float]:
    return (low + GAP, high - GAP) if high is not None else ((low if low < PERCENT else APART) + GAP, OVER - GAP)


def _bar(span: tuple[float, float], count: int) -> Box:
    return Box(span[0], 0, span[1], count)


def _shares_axis(card: Card, plot: Plot, histogram: Histogram) -> None:
    wanted = [(plot.x(at), f"{at} %" if at else "0") for at in (0, 20, 40, 60, 80, PERCENT)]
    if any(high is None for _, high, _ in histogram.bins):
        wanted.insert(0, (plot.x((APART + OVER) / 2), "over"))
    canvas.axis(card, PLOT.bottom, wanted)


def _p95(card: Card, plot: Plot, histogram: Histogram) -> None:
    """A line where 95 of 100 people stay to the left, with its words on the side that has room."""
    if histogram.p95_permille is None:
        return
    share = min(histogram.p95_permille / 10, float(EDGE - 1))
    x, top = plot.x(share), PLOT.top + LINE + 8
    card.lines("p95", [[(x, PLOT.bottom), (x, top)]], canvas.DOTS, width=1.5, colour=INK, dashes=(5, 3))
    words = f"95 of 100 people used less than {formats.permille(histogram.p95_permille)}"
    left = x - 8 - canvas.width_of(words) >= MARGIN
    text = card.write(x + (-8 if left else 8), top - 12, words, ha="right" if left else "left")
    text.set_bbox({"facecolor": CARD, "edgecolor": "none", "pad": 1})
