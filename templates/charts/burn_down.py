"""A person's month: the tokens left at the end of each day, the even pace, and how it is expected to go on."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from policy.units import MICRO_PER_TOKEN
from templates.charts import canvas
from templates.charts.canvas import CARD, FAINT, INK, LINE, MARGIN, Box, Card, Picture, Plot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from matplotlib.figure import Figure

    from policy.units import MicroTokens
    from templates.charts.canvas import Point
    from views.balance import BurnDown

PLOT = Box(96, 50, 606, 336)
LEFT_OF_IT, UNDER_IT, EXPECTED = "#0072b2", "#d6e8f4", "#c9d1d9"
GAP = 12
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
        f"At an even pace {canvas.short(even_pace(month, last))} would be left on {canvas.of(last)}.",
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


def _value(amount: MicroTokens) -> float:
    return max(0.0, int(amount) / MICRO_PER_TOKEN)


# --- The drawing ---------------------------------------------------------------------------------------------------


def drawing(month: BurnDown) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card = Card(finding(month), subtitle(month))
    if month.start <= 0 or not month.left:
        return card.figure
    points, plot, at = course(month), *_scale(month)
    words = [f"{canvas.short(one)} tokens" if one == at[-1] else canvas.short(one) for one in at]
    taken = canvas.grid(card, plot, at, words)
    _days_axis(card, plot, month)
    (x, _), days = points[-1], plot.values.right
    card.area("left, filled", [*points, (x, 0), (0, 0)], plot, colour=UNDER_IT)
    card.lines("even pace", [[(0, _value(month.start)), (days, 0)]], plot, width=1.5, dashes=(5, 3))
    taken += _expected(card, plot, month, points[-1])
    card.lines("left", [points], plot, colour=LEFT_OF_IT, width=3, zorder=3.5)
    card.lines("today", [[(x, 0), points[-1]]], plot, width=1, colour=FAINT, dashes=(2, 2))
    _dot(card, plot, points[-1])
    _labels(card, plot, month, points, taken)
    return card.figure


def _scale(month: BurnDown) -> tuple[Plot, list[float]]:
    highs = [_value(high) for *_, high in month.ahead]
    at = canvas.ticks(max(_value(month.start), *(value for _, value in course(month)), *highs))
    days = (month.month.next().first_day - month.month.first_day).days
    return Plot(PLOT, Box(0, 0, days, at[-1])), at


def _days_axis(card: Card, plot: Plot, month: BurnDown) -> None:
    """The day on which the tokens end and today come first, then the weeks of the month."""
    wanted = []
    if month.runs_out and month.month.contains(month.runs_out) and month.left[-1][1] > 0:
        end = month.runs_out.day
        card.boxes(
            "runs out",
            [Box(plot.x(end) - 4, PLOT.bottom - 4, plot.x(end) + 4, PLOT.bottom + 4)],
            canvas.DOTS,
            colour=INK,
            zorder=4.5,
        )
        wanted.append((plot.x(end), canvas.of(month.runs_out)))
    wanted.append((plot.x(month.left[-1][0].day), "today" if month.left[-1][0] == month.today else "yesterday"))
    days = list(month.month.days())
    wanted += [(plot.x(day.day - 0.5), canvas.of(day)) for day in (days[0], days[-1], *days[WEEK::WEEK])]
    canvas.axis(card, PLOT.bottom, wanted)


def _expected(card: Card, plot: Plot, month: BurnDown, now: Point) -> list[Box]:
    """From today's point on, low to high with a line at the middle, and at its end what that comes to."""
    if not month.ahead:
        return []
    rest = [(float(day.day), *(_value(each) for each in ends)) for day, *ends in month.ahead]
    highs, middles, lows = ([now, *((one[0], one[k]) for one in rest)] for k in (3, 2, 1))
    card.area("expected", [*highs, *reversed(lows)], plot, colour=EXPECTED, zorder=1.5)
    card.lines("expected middle", [middles], plot, colour=LEFT_OF_IT, width=2, dashes=(2, 1.5))
    day, low, middle, high = month.ahead[-1]
    if middle > 0:
        lines = ["expected", f"{canvas.tokens(middle)} left", f"{canvas.tokens(low)} to {canvas.tokens(high)}"]
    elif high > 0:
        lines = ["at best", f"{canvas.tokens(high)} left", f"on {canvas.of(day)}"]
    else:
        lines = []
    height = plot.y(rest[-1][2] if middle > 0 else rest[-1][3])
    top = min(max(height + LINE / 2 + 5, PLOT.bottom + LINE * len(lines)), PLOT.top)
    for row, words in enumerate(lines):
        card.write(PLOT.right + GAP, top - LINE * (row + 1) + 5, words, weight="normal" if row else "bold")
    width = max((canvas.width_of(words, weight="bold") for words in lines), default=0)
    beside = Box(PLOT.right, top - LINE * len(lines), PLOT.right + GAP + width, top)
    parts = (0, 0.2, 0.4, 0.6, 0.8, 1)
    across = [[(a[0], a[1] * p + b[1] * (1 - p)) for a, b in zip(highs, lows, strict=True)] for p in parts]
    return [beside, *_along(plot, middles), *(box for line in across for box in _along(plot, line))]


def _dot(card: Card, plot: Plot, at: Point) -> None:
    from matplotlib.patches import Circle  # noqa: PLC0415 - with the drawing library
    from matplotlib.transforms import IdentityTransform  # noqa: PLC0415 - as above

    where = (plot.x(at[0]), plot.y(at[1]))
    dot = Circle(where, 6, facecolor=LEFT_OF_IT, edgecolor=CARD, linewidth=1.5, zorder=4.5, gid="now")
    dot.set_transform(IdentityTransform())
    card.figure.add_artist(dot)


def _labels(card: Card, plot: Plot, month: BurnDown, points: Sequence[Point], taken: list[Box]) -> None:
    """What is left now, and the name of the even pace, each where it meets nothing."""
    days, start = plot.values.right, _value(month.start)
    even: list[Point] = [(0, start), (days, 0)]
    taken = [*taken, *_along(plot, points), *_along(plot, even), *_along(plot, [(points[-1][0], 0), points[-1]])]
    x, y = points[-1]
    near = [(plot.x(x), plot.y(y))]
    taken += _write_clear(card, f"{canvas.tokens(month.left[-1][1])} left", near, taken, weight="bold")
    on_line = [(plot.x(days * part), plot.y(start * (1 - part))) for part in (0.75, 0.6, 0.45, 0.85, 0.3, 0.2, 0.12)]
    _write_clear(card, "even pace", on_line, taken, colour=FAINT)


def _along(plot: Plot, line: Sequence[Point]) -> list[Box]:
    """Small boxes that a line passes through."""
    boxes = []
    for (x0, y0), (x1, y1) in pairwise([(plot.x(x), plot.y(y)) for x, y in line]):
        steps = max(1, round(max(abs(x1 - x0), abs(y1 - y0)) / 6))
        for i in range(steps + 1):
            x, y = x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps
            boxes.append(Box(x - 3, y - 3, x + 3, y + 3))
    return boxes


def _write_clear(
    card: Card, words: str, near: Sequence[Point], taken: Sequence[Box], *, weight: str = "normal", colour: str = INK
) -> list[Box]:
    """Words at the first corner of the first point where they meet nothing, or nowhere."""
    width = canvas.width_of(words, weight=weight)
    room = Box(PLOT.left, PLOT.bottom + 2, canvas.ACROSS - MARGIN, PLOT.top + LINE)
    for x, y in near:
        for left, bottom in (
            (x + 7, y + 7),
            (x - width - 7, y - LINE - 3),
            (x - width - 7, y + 7),
            (x + 9, y - LINE - 3),
        ):
            box = Box(left, bottom, left + width, bottom + LINE - 4)
            inside = room.left <= box.left and box.right <= room.right
            inside = inside and room.bottom <= box.bottom and box.top <= room.top
            if inside and not any(box.meets(other) for other in taken):
                card.write(left, bottom + 2, words, weight=weight, colour=colour)
                return [box]
    return []
