"""A person's month: the tokens left at the end of each day, the even pace, and how it is expected to go on."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from policy.units import MICRO_PER_TOKEN, MicroTokens
from templates.charts import canvas, legend, scale
from templates.charts.canvas import CARD, FAINT, INK, LINE, MARGIN, Box, Card, Picture, Plot
from templates.charts.legend import Sign

if TYPE_CHECKING:
    from datetime import date

    from matplotlib.figure import Figure

    from templates.charts.canvas import Point
    from views.balance import BurnDown

LEFT_OF_IT, UNDER_IT, EXPECTED = "#0072b2", "#d6e8f4", "#c9d1d9"
GAP = 12
DASHES = (5, 3)
WEEK = 7


def burn_down(month: BurnDown) -> Picture:
    """What is left of a month's tokens, under a title that says how long it will last."""
    return Picture(canvas.png(drawing(month)), alt_text(month), f"tokens-left-{month.month}.png")


# --- What there is to see ------------------------------------------------------------------------------------------


def finding(month: BurnDown) -> str:
    """What there is to see, in one line."""
    name = f"{month.month.first_day:%B}"
    if month.start <= 0 or not month.left:
        return f"No tokens to spend in {name}"
    now = month.left[-1][1]
    if now <= 0:
        return "All tokens are spent"
    if now >= month.start:
        return f"Nothing spent yet in {name}"
    if month.runs_out and month.month.contains(month.runs_out):
        until = "today" if month.runs_out <= month.today else canvas.of(month.runs_out)
        return f"At this pace your tokens last until {until}"
    return f"{_share(Fraction(int(now), int(month.start)))} left {_to_go(month)}"


def _share(share: Fraction) -> str:
    percent = round(share * 100)
    return "Under 1 %" if percent < 1 else "Over 99 %" if percent > 99 else f"{percent} %"  # noqa: PLR2004 - percent


def _to_go(month: BurnDown) -> str:
    days = (month.month.next().first_day - month.today).days - 1
    if days <= 0:
        return "on the month's last day"
    return f"with {days} {'day' if days == 1 else 'days'} to go"


def subtitle(month: BurnDown) -> str:
    if not month.left:
        return ""
    day, now = month.left[-1]
    return f"{canvas.tokens(now)} of this month's {canvas.tokens(month.start)} tokens left on {canvas.of(day)}"


def alt_text(month: BurnDown) -> str:
    """The finding, what was left on each day, the even pace and what is expected."""
    if month.start <= 0 or not month.left:
        return f"Line chart without a line. {finding(month)}."
    days = ", ".join(f"{canvas.of(day)} {canvas.tokens(left)}" for day, left in month.left)
    last = month.left[-1][0]
    parts = [
        f"Line chart of the tokens left at the end of each day. {finding(month)}. {subtitle(month)}. By day: {days}.",
        f"At an even pace {canvas.tokens(_micro(even_pace(month, last)))} would be left on {canvas.of(last)}.",
    ]
    if month.ahead:
        end, low, middle, high = month.ahead[-1]
        span = f"{canvas.tokens(low)} to {canvas.tokens(high)}"
        parts.append(f"Expected to be left on {canvas.of(end)}: {canvas.tokens(middle)} ({span}).")
    return " ".join(parts)


def even_pace(month: BurnDown, day: date) -> float:
    """What would be left at the end of a day if the tokens were spent evenly to the month's end."""
    days = (month.month.next().first_day - month.month.first_day).days
    return _value(month.start) * (days - day.day) / days


def course(month: BurnDown) -> list[Point]:
    """What was left, in days since the month's first instant: a rise, which is a grant, comes when its day begins."""
    values = [_value(left) for _, left in month.left]
    granted = sum(max(0.0, after - before) for before, after in pairwise(values))
    points = [(0.0, max(values[0], _value(month.start) - granted))]
    for (day, _), value in zip(month.left, values, strict=True):
        if value > points[-1][1]:
            points.append((day.day - 1, value))
        points.append((day.day, value))
    return points


def _micro(value: float) -> MicroTokens:
    return MicroTokens(round(value * MICRO_PER_TOKEN))


def _value(amount: MicroTokens) -> float:
    return max(0.0, int(amount) / MICRO_PER_TOKEN)


# --- The drawing ---------------------------------------------------------------------------------------------------


def drawing(month: BurnDown) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card = Card(finding(month), subtitle(month))
    if month.start <= 0 or not month.left:
        return card.figure
    rows = _rows(month)
    legend.draw(card, rows)
    points, plot, at = course(month), *_scale(month, card.top, legend.height(rows))
    words = [f"{canvas.short(one)} tokens" if one == at[-1] else canvas.short(one) for one in at]
    canvas.grid(card, plot, at, words)
    _days_axis(card, plot, month)
    (x, _), days = points[-1], plot.values.right
    card.area("left, filled", [*points, (x, 0), (0, 0)], plot, colour=UNDER_IT)
    card.lines("even pace", [[(0, _value(month.start)), (days, 0)]], plot, width=2, dashes=DASHES)
    _expected(card, plot, month, points[-1])
    card.lines("left", [points], plot, colour=LEFT_OF_IT, width=4, zorder=3.5)
    card.lines("today", [[(x, 0), points[-1]]], plot, width=1, colour=FAINT, dashes=(2, 2))
    _dot(card, plot, points[-1])
    return card.figure


def _rows(month: BurnDown) -> list[Sign | str]:
    """Each line with its figure."""
    day, now = month.left[-1]
    when = "today" if day == month.today else canvas.of(day)
    rows: list[Sign | str] = [
        Sign(f"left: {canvas.in_tokens(now)} {when}", LEFT_OF_IT, width=4),
        Sign(f"even pace: {canvas.in_tokens(_micro(even_pace(month, day)))} {when}", dashes=DASHES),
    ]
    if month.ahead:
        end, low, middle, high = month.ahead[-1]
        words = f"expected on {canvas.of(end)}: {canvas.in_tokens(middle)}"
        span = f"({canvas.tokens(low)} to {canvas.tokens(high)})" if low != high else ""
        rows.append(Sign(f"{words} {span}".rstrip(), EXPECTED, box=True, edge=LEFT_OF_IT))
    return rows


def _scale(month: BurnDown, top: float, bottom: float) -> tuple[Plot, list[float]]:
    highs = [_value(high) for *_, high in month.ahead]
    at = scale.ticks(max(_value(month.start), *(value for _, value in course(month)), *highs))
    days = (month.month.next().first_day - month.month.first_day).days
    widest = max(canvas.width_of(canvas.short(one)) for one in at)
    on = Box(MARGIN + widest + GAP, bottom + LINE + GAP, canvas.ACROSS - MARGIN, top - LINE)
    return Plot(on, Box(0, 0, days, at[-1])), at


def _days_axis(card: Card, plot: Plot, month: BurnDown) -> None:
    """The day on which the tokens end and today come first, then the weeks of the month."""
    wanted, base = [], plot.on.bottom
    if month.runs_out and month.month.contains(month.runs_out) and month.left[-1][1] > 0:
        x = plot.x(month.runs_out.day)
        card.boxes("runs out", [Box(x - 6, base - 6, x + 6, base + 6)], canvas.DOTS, colour=INK, zorder=4.5)
        wanted.append((x, canvas.of(month.runs_out)))
    wanted.append((plot.x(month.left[-1][0].day), "today" if month.left[-1][0] == month.today else "yesterday"))
    days = list(month.month.days())
    wanted += [(plot.x(day.day - 0.5), canvas.of(day)) for day in (days[0], days[-1], *days[WEEK::WEEK])]
    canvas.axis(card, base, wanted)


def _expected(card: Card, plot: Plot, month: BurnDown, now: Point) -> None:
    """From today's point on, low to high with a line at the middle."""
    if not month.ahead:
        return
    rest = [(float(day.day), *(_value(each) for each in ends)) for day, *ends in month.ahead]
    highs, middles, lows = ([now, *((one[0], one[k]) for one in rest)] for k in (3, 2, 1))
    card.area("expected", [*highs, *reversed(lows)], plot, colour=EXPECTED, zorder=1.5)
    card.lines("expected middle", [middles], plot, colour=LEFT_OF_IT, width=2.5, dashes=(2, 1.5))


def _dot(card: Card, plot: Plot, at: Point) -> None:
    from matplotlib.patches import Circle  # noqa: PLC0415 - with the drawing library
    from matplotlib.transforms import IdentityTransform  # noqa: PLC0415 - as above

    where = (plot.x(at[0]), plot.y(at[1]))
    dot = Circle(where, 8, facecolor=LEFT_OF_IT, edgecolor=CARD, linewidth=1.5, zorder=4.5, gid="now")
    dot.set_transform(IdentityTransform())
    card.figure.add_artist(dot)
