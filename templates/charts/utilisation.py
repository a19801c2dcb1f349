"""How many people used which share of their regular grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import formats
from templates.charts import canvas, legend
from templates.charts.canvas import BAND, FAINT, INK, LINE, MARGIN, Box, Card, Picture, Plot
from templates.charts.legend import Sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from views.value import Histogram

PERCENT, APART, OVER, EDGE = 100, 106, 116, 118
"""What is over 100 % has a bar of its own, a little apart."""
GAP = 0.6
FEW = 12
"""Dots: the height of the mark for fewer than five."""
ALL = 1_000
BARS, DASHES = "#0072b2", (5, 3)


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
        f"{label(low, high)}: {f'fewer than {histogram.least}' if count is None else formats.count(count)}"
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
    rows = _rows(histogram)
    legend.draw(card, rows)
    most = max([1, *(count for *_, count in histogram.bins if count)])
    room = Box(MARGIN, legend.height(rows) + LINE + 12, canvas.ACROSS - MARGIN, card.top - 10)
    plot = Plot(room, Box(0, 0, EDGE, most * room_above(room)))
    bars = [(_span(low, high), count) for low, high, count in histogram.bins]
    card.boxes("people", [_bar(span, count) for span, count in bars if count], plot, colour=BARS)
    few = [plot.box(_bar(span, 0)) for span, count in bars if count is None]
    marks = [Box(one.left, one.bottom, one.right, one.bottom + FEW) for one in few]
    card.boxes("few", marks, canvas.DOTS, colour=BAND, edge=FAINT, hatch="xx")
    card.lines("base", [[(room.left, room.bottom), (room.right, room.bottom)]], canvas.DOTS, width=1.2, zorder=4)
    _counts(card, plot, [(sum(span) / 2, count) for span, count in bars if count])
    _shares_axis(card, plot, histogram)
    if histogram.p95_permille is not None:
        x = plot.x(min(histogram.p95_permille / 10, float(EDGE - 1)))
        # Below the bars: a count stands wherever its bar ends, and none is struck out.
        card.lines(
            "p95", [[(x, room.bottom), (x, room.top)]], canvas.DOTS, width=2, colour=INK, dashes=DASHES, zorder=1
        )
    return card.figure


def room_above(room: Box) -> float:
    """So many times the highest bar has room for its count as well."""
    tall = room.top - room.bottom
    return tall / (tall - LINE)


def _rows(histogram: Histogram) -> list[Sign | str]:
    """The share of nearly all, and the mark of those that are not told."""
    rows: list[Sign | str] = []
    if histogram.p95_permille is not None:
        words = f"95 of 100 people used less than {formats.permille(histogram.p95_permille)}"
        rows.append(Sign(words, dashes=DASHES))
    if hidden := sum(count is None for *_, count in histogram.bins):
        rows.append(legend.left_out(f"fewer than {histogram.least} people: {_bars(hidden)} not shown"))
    return rows


def _bars(count: int) -> str:
    return "a bar" if count == 1 else f"{count} bars"


def _counts(card: Card, plot: Plot, bars: Sequence[tuple[float, int]]) -> None:
    """How many people, above their bars; of neighbours without room for both, the more."""
    taken: list[Box] = []
    for at, count in sorted(bars, key=lambda bar: -bar[1]):
        words, y = formats.short_count(count), plot.y(count) + 5
        half = canvas.width_of(words) / 2 + 3
        box = Box(plot.x(at) - half, y - 5, plot.x(at) + half, y + LINE - 5)
        if box.right <= canvas.ACROSS and not any(box.meets(other) for other in taken):
            taken.append(box)
            text = card.write(plot.x(at), y, words, ha="center")
            text.set_bbox({"facecolor": canvas.CARD, "edgecolor": "none", "pad": 1})


def _span(low: int, high: int | None) -> tuple[float, float]:
    return (low + GAP, high - GAP) if high is not None else ((low if low < PERCENT else APART) + GAP, OVER - GAP)


def _bar(span: tuple[float, float], count: int) -> Box:
    return Box(span[0], 0, span[1], count)


def _shares_axis(card: Card, plot: Plot, histogram: Histogram) -> None:
    wanted = [(plot.x(at), f"{at} %" if at else "0") for at in (0, 20, 40, 60, 80, PERCENT)]
    if any(high is None for _, high, _ in histogram.bins):
        wanted.insert(0, (plot.x((APART + OVER) / 2), f">{PERCENT} %"))
    canvas.axis(card, plot.on.bottom, wanted)
