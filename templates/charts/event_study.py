"""How output changed around the month in which teams joined, beside teams that had not: with intervals and leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from templates import formats
from templates.charts import canvas, legend, signed
from templates.charts.canvas import CARD, FAINT, Box, Card, Picture
from templates.charts.legend import Sign

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from policy.roi.report import Effect, Report
    from templates.charts.canvas import Plot

EVERY = 3
BEFORE, AFTER = "#868d95", "#0072b2"
MOST_BEFORE, MOST_AFTER = 12, 24
DOT = 5
DASHES = (5.0, 3.0)
ROWS = [
    Sign("After they joined: the effect", colour=AFTER, width=2.5),
    Sign("Before: about 0 where teams are alike", colour=BEFORE, width=2.5),
    Sign("They joined", colour=FAINT, dashes=DASHES, width=1.2),
]


class Point(NamedTuple):
    """A month relative to a team's first one, with the effect and its interval as shares."""

    month: int
    share: float
    low: float | None
    high: float | None


def event_study(report: Report) -> Picture:
    """The effect month by month, under a title that says what was found."""
    return Picture(canvas.png(drawing(report)), alt_text(report), f"effect-{report.basis.through}.png")


# --- What there is to see ------------------------------------------------------------------------------------------


def finding(report: Report) -> str:
    """What there is to see, in one line; no percentage where teams are few."""
    effect = report.effect
    if effect is None:
        return "No effect can be estimated yet"
    low, high = effect.uplift.low, effect.uplift.high
    if effect.found.trust != "full":
        way = "more" if effect.uplift.estimate > 0 else "less" if effect.uplift.estimate < 0 else "as much"
        return f"Teams that joined made {way}; they are too few for a figure"
    span = "" if low is None or high is None else f" ({formats.change(low)} to {formats.change(high)})"
    return f"Output {formats.change(effect.uplift.estimate)}{span}"


def subtitle(report: Report) -> str:
    teams = f"{report.effect.found.units} teams" if report.effect else "Teams"
    return f"{teams}, by months since they joined, beside those that had not; 90 % bars"


def points(effect: Effect) -> list[Point]:
    """Leads and effects; the month before the first one is 0 by definition."""
    told = [
        Point(month, *(None if one is None else effect.relative(one) for one in figure))  # type: ignore[arg-type]
        for month, figure in effect.found.event_time
        if -MOST_BEFORE <= month <= MOST_AFTER
    ]
    return sorted([*told, Point(-1, 0.0, None, None)])


def label(month: int) -> str:
    """A month since joining with its sign."""
    return f"{month:+d}".replace("-", formats.MINUS) if month else "0"


def alt_text(report: Report) -> str:
    """The finding, and each month with its interval."""
    if report.effect is None:
        return f"Chart without points. {finding(report)}."
    months = ", ".join(_words(point) for point in points(report.effect) if point.month != -1)
    return f"Point chart. {finding(report)}. {subtitle(report)}. {months}."


def _words(point: Point) -> str:
    span = (
        ""
        if point.low is None or point.high is None
        else f" ({formats.change(point.low)} to {formats.change(point.high)})"
    )
    return f"month {label(point.month)}: {formats.change(point.share)}{span}"


# --- The drawing ---------------------------------------------------------------------------------------------------


def drawing(report: Report) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card = Card(finding(report), subtitle(report))
    if report.effect is None:
        return card.figure
    shown = points(report.effect)
    ends = [end for one in shown for end in (one.share, one.low, one.high) if end is not None]
    at = signed.steps(min(ends), max(ends))
    figures = [formats.change(share) if share else "0" for share in at]
    across = (shown[0].month - 0.7, shown[-1].month + 0.7)
    plot = signed.plot(signed.ground(card, ROWS, figures), across, at)
    signed.grid(card, plot, at, figures)
    legend.draw(card, ROWS)
    card.lines("joined", [[(-0.5, at[0]), (-0.5, at[-1])]], plot, width=1.2, colour=FAINT, dashes=DASHES)
    _marks(card, plot, shown)
    in_turn = sorted(shown, key=lambda one: (one.month % EVERY != 0, abs(one.month)))
    canvas.axis(card, plot.on.bottom, [(plot.x(one.month), label(one.month)) for one in in_turn])
    return card.figure


def _marks(card: Card, plot: Plot, shown: list[Point]) -> None:
    for name, some, colour in (
        ("before", [one for one in shown if one.month < 0], BEFORE),
        ("after", [one for one in shown if one.month >= 0], AFTER),
    ):
        bars = [[(one.month, one.low), (one.month, one.high)] for one in some if one.low is not None]
        card.lines(f"{name} intervals", bars, plot, width=2.5, colour=colour)  # type: ignore[arg-type]
        card.boxes(name, [_dot(plot, one) for one in some], canvas.DOTS, colour=colour, edge=CARD, zorder=4)


def _dot(plot: Plot, point: Point) -> Box:
    x, y = plot.x(point.month), plot.y(point.share)
    return Box(x - DOT, y - DOT, x + DOT, y + DOT)
