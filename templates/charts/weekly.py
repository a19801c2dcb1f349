"""A team's weeks as a chart: what was spent on which service, the pace of the grants, and what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from policy.units import NANO_PER_USD, NanoUSD
from templates.charts import canvas, legend, scale
from templates.charts.canvas import BAND, CARD, FAINT, INK, LINE, MARGIN, Box, Card, Picture, Plot
from templates.charts.legend import Sign
from templates.charts.scripts import drawable
from templates.charts.weekly_words import WEEKS_COMPARED, alt_text, finding, left_out, notes, subtitle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from views.reports import TeamReport, WeekAhead, WeekOfSpend

BAR = 0.39
"""Half of a bar's width, in weeks."""
LEFT_GAP = 12
OFF_SCALE = 3
"""A pace or forecast of so many times the highest bar would leave only stubs of the bars: it is told instead."""
LONGEST_NAME, SHORTEST_NAME = 26, 8
KEY_GAP, KEY_LINES = 22, 3
FROM_BELOW = "From below:"
"""The order of the names is that of the bars' parts, for those who do not see their colours."""
PACE = (5, 2)


def weekly_spend(report: TeamReport) -> Picture:
    """The last weeks as bars stacked by service, under a title that says what they show."""
    last = f"-{report.weeks[-1].week}" if report.weeks else ""
    return Picture(canvas.png(drawing(report)), alt_text(report), f"team-spend{last}.png")


@dataclass(frozen=True, slots=True)
class _Scene:
    """A report with its scale: where each thing goes."""

    report: TeamReport
    plot: Plot
    grid: tuple[float, ...]

    @property
    def most(self) -> float:
        return self.plot.values.top

    @property
    def shown(self) -> list[tuple[int, WeekOfSpend]]:
        return [(i, one) for i, one in enumerate(self.report.weeks) if not one.hidden]

    @property
    def this(self) -> int:
        return len(self.report.weeks) - 1

    @property
    def expected(self) -> list[tuple[int, WeekAhead]]:
        return [(self.this + i, one) for i, one in enumerate(self.report.ahead)]


def drawing(report: TeamReport) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card = Card(finding(report), subtitle(report))
    if report.hidden or len(report.weeks) < WEEKS_COMPARED:
        legend.draw(card, notes(report))
        return card.figure
    keys = _key_lines(card, report.services if any(one.spent for one in report.weeks) else ())
    _draw_keys(card, report.services, keys)
    grid = _grid_of(report)
    rows = _rows(report, grid[-1] if grid else 0)
    legend.draw(card, rows)
    scene = _scene(report, grid, top=card.top - LINE * (len(keys) + 1) - 6, bottom=legend.height(rows) + LINE + 8)
    taken = [*_grid(card, scene), *_weeks_axis(card, scene)]
    _bars(card, scene)
    _forecast(card, scene)
    _pace(card, scene)
    _gaps(card, scene)
    _totals(card, scene, taken)
    return card.figure


def _value(amount: NanoUSD) -> float:
    return max(0.0, int(amount) / NANO_PER_USD)


def _grid_of(report: TeamReport) -> list[float]:
    highest = max((_value(one.spent) for one in report.weeks), default=0.0)
    highest = max([highest, *(_value(one.middle) for one in report.ahead)])
    others = [*(_value(one.high) for one in report.ahead), *(_value(one.pace) for one in report.weeks if one.pace)]
    return scale.ticks(max([highest, *(one for one in others if one <= OFF_SCALE * highest or not highest)]))


def _scene(report: TeamReport, grid: Sequence[float], *, top: float, bottom: float) -> _Scene:
    slots = len(report.weeks) + max(0, len(report.ahead) - 1)
    left = MARGIN + max((canvas.width_of(canvas.short(one)) for one in grid), default=0) + LEFT_GAP
    plot = Plot(Box(left, bottom, canvas.ACROSS - MARGIN, top), Box(-0.5, 0, slots - 0.5, grid[-1] if grid else 1))
    return _Scene(report, plot, tuple(grid))


def _rows(report: TeamReport, most: float) -> list[Sign | str]:
    """The pace and what is expected, each with its figure, and what is left out."""
    rows: list[Sign | str] = []
    paces = [one.pace for one in report.weeks if one.pace is not None]
    if paces:
        off = ", above this picture" if _value(paces[-1]) > most else ""
        rows.append(Sign(f"grants' pace: USD {canvas.usd(paces[-1])} a week{off}", dashes=PACE))
    if report.ahead:
        one = report.ahead[-1]
        cut = ", above this picture" if _value(one.high) > most else ""
        span = f" ({canvas.usd(one.low)} to {canvas.usd(one.high)}{cut})" if one.low != one.high else ""
        rows.append(Sign(f"expected: USD {canvas.usd(one.middle)} a week{span}", BAND, box=True))
    rows += [legend.left_out(words) for words in left_out(report)]
    return [*rows, *notes(report)]


def _grid(card: Card, scene: _Scene) -> list[Box]:
    """The highest of the figures says that all of them are USD."""
    words = [f"USD {canvas.short(at)}" if at == scene.grid[-1] else canvas.short(at) for at in scene.grid]
    return canvas.grid(card, scene.plot, scene.grid, words)


def _weeks_axis(card: Card, scene: _Scene) -> list[Box]:
    """The present week by its name; of the others as many Mondays as have room."""
    weeks, x = scene.report.weeks, scene.plot.x
    wanted = [(x(scene.this), "this week")]
    wanted += [(x(i), canvas.of(one.week.first_day)) for i, one in scene.expected[1:][-1:]]
    mondays = [*range(scene.this - 4, -1, -4), 0]
    wanted += [(x(i), canvas.of(weeks[i].week.first_day)) for i in mondays]
    return canvas.axis(card, scene.plot.on.bottom, wanted)


def stacked(report: TeamReport, service: int, weeks: Sequence[int]) -> list[Box]:
    """The boxes of a service in some of the weeks, each on those of the services before it."""
    boxes = []
    for i in weeks:
        one = report.weeks[i]
        below = sum(_value(amount) for amount in one.usd[:service])
        if one.usd and _value(one.usd[service]):
            boxes.append(Box(i - BAR, below, i + BAR, below + _value(one.usd[service])))
    return boxes


def _bars(card: Card, scene: _Scene) -> None:
    over = [i for i, _ in scene.shown if i != scene.this]
    this = [i for i, _ in scene.shown if i == scene.this]
    for place, colour in enumerate(canvas.colours(scene.report.services)):
        card.boxes(f"service {place}", stacked(scene.report, place, over), scene.plot, colour=colour, edge=CARD)
        card.boxes(
            f"service {place}, this week",
            stacked(scene.report, place, this),
            scene.plot,
            colour=colour,
            edge=CARD,
            hatch="////",
        )
    whole = [Box(i - BAR, 0, i + BAR, _value(one.spent)) for i, one in scene.shown if one.spent and not one.usd]
    card.boxes("not told apart", whole, scene.plot, colour=canvas.REST_DARK, edge=CARD, hatch="////")


def _forecast(card: Card, scene: _Scene) -> None:
    """Low to high as boxes with a line at the middle; this week's bar keeps an outline up to its own middle."""
    bands, middles, outline = [], [], []
    for i, one in scene.expected:
        low, middle, high = (min(_value(each), scene.most) for each in (one.low, one.middle, one.high))
        bands.append(Box(i - BAR, low, i + BAR, high))
        middles.append([(i - BAR, middle), (i + BAR, middle)])
        week = scene.report.weeks[i] if i == scene.this else None
        if week and not week.hidden and middle > _value(week.spent):
            outline.append(Box(i - BAR, _value(week.spent), i + BAR, middle))
    card.boxes("forecast", bands, scene.plot, colour=BAND, zorder=1)
    card.lines("forecast middle", middles, scene.plot, colour=INK, width=1.8)
    card.boxes("unfinished", outline, scene.plot, colour="none", edge=FAINT, width=1.2, dashed=True, zorder=3)


def _pace(card: Card, scene: _Scene) -> None:
    """The grants' pace as a line in steps, broken where it is not known."""
    runs = []
    known = enumerate(scene.report.weeks)
    for has_pace, run in groupby(known, key=lambda one: one[1].pace is not None and _value(one[1].pace) <= scene.most):
        points = [(i + side, _value(one.pace)) for i, one in run if one.pace is not None for side in (-0.5, 0.5)]
        if has_pace and points:
            runs.append(points)
    card.lines("pace's edge", runs, scene.plot, colour=CARD, width=4, zorder=2.9)
    card.lines("pace", runs, scene.plot, dashes=PACE)


def _gaps(card: Card, scene: _Scene) -> None:
    """A mark on the base line for each week that is left out."""
    card.boxes("left out", _left_out(scene), canvas.DOTS, colour=BAND, edge=FAINT, hatch="xx", zorder=3)


def _left_out(scene: _Scene) -> list[Box]:
    y, half = scene.plot.on.bottom, (scene.plot.x(BAR) - scene.plot.x(0))
    gaps = (scene.plot.x(i) for i, one in enumerate(scene.report.weeks) if one.hidden)
    return [Box(x - half, y, x + half, y + 12) for x in gaps]


def _totals(card: Card, scene: _Scene, taken: list[Box]) -> None:
    """The figures of the highest week and of the last one above their bars, where nothing else stands."""
    plot = scene.plot
    taken = taken + [plot.box(Box(i - BAR, 0, i + BAR, _value(one.spent))) for i, one in scene.shown]
    taken += [plot.box(Box(i - BAR, 0, i + BAR, min(_value(one.high), scene.most))) for i, one in scene.expected]
    taken += _steps(scene) + _left_out(scene)
    for i, one in enumerate(scene.report.weeks):
        if one.pace is not None and (at := _value(one.pace)) <= scene.most:
            taken.append(Box(plot.x(i - 0.5), plot.y(at) - 3, plot.x(i + 0.5), plot.y(at) + 3))
    over = [(i, one) for i, one in scene.shown if i != scene.this and one.spent]
    for i, one in sorted(over, key=lambda each: (-int(each[1].spent), -each[0]))[:1] + over[-1:]:
        words = f"USD {canvas.usd(one.spent)}"
        half, y = canvas.width_of(words, weight="bold") / 2, plot.y(_value(one.spent)) + 7
        x = min(max(plot.x(i), MARGIN + half), canvas.ACROSS - MARGIN - half)
        box = Box(x - half - 4, y - 5, x + half + 4, y + LINE - 6)
        if not any(box.meets(other) for other in taken):
            card.write(x, y, words, ha="center", weight="bold")
            taken.append(box)


def _steps(scene: _Scene) -> list[Box]:
    """Where the pace rises or falls between two weeks."""
    at = [None if one.pace is None else _value(one.pace) for one in scene.report.weeks]
    x, y = scene.plot.x, scene.plot.y
    return [
        Box(x(i + 0.5) - 3, y(min(before, after)), x(i + 0.5) + 3, y(max(before, after)))
        for i, (before, after) in enumerate(pairwise(at))
        if before is not None and after is not None
    ]


def _key_lines(card: Card, services: Sequence[str]) -> list[list[tuple[int, str, float]]]:
    """The services in a few lines, each with where its square begins; long names are cut until they fit."""
    lines: list[list[tuple[int, str, float]]] = []
    begin = canvas.width_of(FROM_BELOW) + 12 if len(services) > 1 else 0.0
    for longest in range(LONGEST_NAME, SHORTEST_NAME - 1, -1):
        lines, x = [[]], MARGIN + begin
        for place, name in enumerate(services):
            words = _cut(drawable(name), longest, room=canvas.ACROSS - 2 * MARGIN - begin)
            width = card.key_width(words)
            if x + width > canvas.ACROSS - MARGIN and lines[-1]:
                lines, x = [*lines, []], float(MARGIN)
            lines[-1].append((place, words, x))
            x += width + KEY_GAP
        if len(lines) <= KEY_LINES:
            break
    return [line for line in lines if line]


def _cut(name: str, longest: int, *, room: float) -> str:
    """A name so short that it has room on a line of its own."""
    while canvas.width_of(words := canvas.name(name, longest)) > room - canvas.SQUARE - LEFT_GAP:
        longest -= 1
    return words


def _draw_keys(card: Card, services: Sequence[str], lines: Sequence[Sequence[tuple[int, str, float]]]) -> None:
    colours = canvas.colours(services)
    if len(services) > 1 and lines:
        card.write(MARGIN, card.top - LINE + 4, FROM_BELOW, colour=FAINT)
    for row, line in enumerate(lines):
        for place, words, x in line:
            card.key(x, card.top - LINE * (row + 1) + 4, colours[place], words)
