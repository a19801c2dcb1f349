"""A team's weeks as a chart: what was spent on which service, the pace of the grants, and what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from policy.units import NANO_PER_USD, NanoUSD
from templates.charts import canvas
from templates.charts.canvas import BAND, CARD, FAINT, INK, LINE, MARGIN, Box, Card, Picture, Plot
from templates.charts.scripts import drawable
from templates.charts.weekly_words import WEEKS_COMPARED, WORDS, alt_text, finding, subtitle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from views.reports import TeamReport, WeekAhead, WeekOfSpend

BAR = 0.39
"""Half of a bar's width, in weeks."""
LEFT, RIGHT, LABELLED_RIGHT, BOTTOM = 96, 772, 606, 50
KEY_TOP, GRID_LABEL = 366, 28
OFF_SCALE = 3
"""A pace or forecast of so many times the highest bar would leave only stubs of the bars: it is told instead."""
LONGEST_NAME, SHORTEST_NAME = 26, 8
LABEL_GAP, KEY_GAP, KEY_LINES = 12, 22, 2
ASTRAY = 24
"""Dots by which a label may stand beside what it names."""


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

    @property
    def last_pace(self) -> float | None:
        paces = [one.pace for one in self.report.weeks if one.pace is not None]
        return _value(paces[-1]) if paces else None


def drawing(report: TeamReport) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card = Card(finding(report), subtitle(report))
    if report.hidden or len(report.weeks) < WEEKS_COMPARED:
        return card.figure
    scene = _scene(report, key_lines=0)
    labels = [*_labels(scene), *_beside(scene)]
    centres = _placed(card, scene, labels)
    if not centres or not any(one.colour for one in labels):
        keys = _key_lines(card, report.services if any(one.spent for one in report.weeks) else ())
        _draw_keys(card, report.services, keys)
        scene = _scene(report, key_lines=len(keys))
        labels = _labels(scene)
        centres = _placed(card, scene, labels)
    taken = [*_grid(card, scene), *_weeks_axis(card, scene)]
    _bars(card, scene)
    _forecast(card, scene)
    _pace(card, scene)
    taken += _gaps(card, scene)
    _draw_labels(card, scene, labels, centres)
    _totals(card, scene, taken)
    return card.figure


def _value(amount: NanoUSD) -> float:
    return max(0.0, int(amount) / NANO_PER_USD)


def _scene(report: TeamReport, *, key_lines: int) -> _Scene:
    highest = max((_value(one.spent) for one in report.weeks), default=0.0)
    highest = max([highest, *(_value(one.middle) for one in report.ahead)])
    others = [*(_value(one.high) for one in report.ahead), *(_value(one.pace) for one in report.weeks if one.pace)]
    most = max([highest, *(one for one in others if one <= OFF_SCALE * highest or not highest)])
    grid = tuple(canvas.ticks(most))
    beside = not key_lines and not report.ahead and any(one.spent for one in report.weeks)
    labelled = beside or report.ahead or any(one.pace is not None for one in report.weeks)
    slots = len(report.weeks) + max(0, len(report.ahead) - 1)
    top = KEY_TOP - GRID_LABEL - LINE * key_lines
    return _Scene(
        report=report,
        plot=Plot(
            on=Box(LEFT, BOTTOM, LABELLED_RIGHT if labelled else RIGHT, top),
            values=Box(-0.5, 0, slots - 0.5, grid[-1] if grid else 1),
        ),
        grid=grid,
    )


def _grid(card: Card, scene: _Scene) -> list[Box]:
    """The highest of the figures says that all of them are USD."""
    words = [f"USD {canvas.short(at)}" if at == scene.grid[-1] else canvas.short(at) for at in scene.grid]
    return canvas.grid(card, scene.plot, scene.grid, words)


def _weeks_axis(card: Card, scene: _Scene) -> list[Box]:
    """The present week by its name; of the others as many Mondays as have room."""
    weeks, x = scene.report.weeks, scene.plot.x
    wanted = [(x(scene.this), "this week")]
    wanted += [(x(i), canvas.of(one.week.first_day)) for i, one in scene.expected[1:][-1:]]
    mondays = [*range(scene.this - 3, -1, -4), 0]
    return canvas.axis(card, BOTTOM, [*wanted, *((x(i), canvas.of(weeks[i].week.first_day)) for i in mondays)])


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
    """The grants' pace as a line in steps, broken where it is not known; on to its label where it is the last."""
    runs = []
    known = enumerate(scene.report.weeks)
    for has_pace, run in groupby(known, key=lambda one: one[1].pace is not None and _value(one[1].pace) <= scene.most):
        points = [(i + side, _value(one.pace)) for i, one in run if one.pace is not None for side in (-0.5, 0.5)]
        if has_pace and points:
            runs.append(points)
    card.lines("pace's edge", runs, scene.plot, colour=CARD, width=4, zorder=2.9)
    card.lines("pace", runs, scene.plot, dashes=(5, 2))
    right = scene.plot.values.right
    if runs and runs[-1][-1][0] == scene.this + 0.5 < right:
        (x, y) = runs[-1][-1]
        card.lines("pace goes on", [[(x, y), (right, y)]], scene.plot, width=1, dashes=(2, 3))


def _gaps(card: Card, scene: _Scene) -> list[Box]:
    """A mark on the base line for each week that is left out, and the reason once for those in a row."""
    gaps = [(i, one.hidden) for i, one in enumerate(scene.report.weeks) if one.hidden]
    y = scene.plot.on.bottom
    card.boxes(
        "left out",
        [Box(scene.plot.x(i) - 9, y, scene.plot.x(i) + 9, y + 6) for i, _ in gaps],
        canvas.DOTS,
        colour=BAND,
        zorder=3,
    )
    taken = []
    for (_, reason), run in groupby(gaps, key=lambda gap: (gap[0] - gaps.index(gap), gap[1])):
        at = [i for i, _ in run]
        words, x = WORDS.get(reason, reason), scene.plot.x((at[0] + at[-1]) / 2)
        text = card.write(x, y + 12, words, colour=FAINT, ha="center", va="bottom", rotation=90)
        text.set_bbox({"facecolor": CARD, "edgecolor": "none", "pad": 1})
        taken.append(Box(x - LINE / 2, y, x + LINE / 2, y + 12 + canvas.width_of(words)))
    return taken


def _totals(card: Card, scene: _Scene, taken: list[Box]) -> None:
    """The figures of the highest week and of the last one above their bars, where nothing else stands."""
    plot = scene.plot
    taken = taken + [plot.box(Box(i - BAR, 0, i + BAR, _value(one.spent))) for i, one in scene.shown]
    taken += [plot.box(Box(i - BAR, 0, i + BAR, min(_value(one.high), scene.most))) for i, one in scene.expected]
    for i, one in enumerate(scene.report.weeks):
        if one.pace is not None and _value(one.pace) <= scene.most:
            taken.append(
                Box(plot.x(i - 0.5), plot.y(_value(one.pace)) - 2, plot.x(i + 0.5), plot.y(_value(one.pace)) + 2)
            )
    over = [(i, one) for i, one in scene.shown if i != scene.this and one.spent]
    for i, one in sorted(over, key=lambda each: (-int(each[1].spent), -each[0]))[:1] + over[-1:]:
        words = canvas.usd(one.spent)
        half, y = canvas.width_of(words, weight="bold") / 2, plot.y(_value(one.spent)) + 4
        box = Box(plot.x(i) - half - 2, y - 3, plot.x(i) + half + 2, y + LINE - 4)
        if not any(box.meets(other) for other in taken):
            card.write(plot.x(i), y, words, ha="center", weight="bold")
            taken.append(box)


@dataclass(frozen=True, slots=True)
class _Label:
    """Words at the right end of the plot, at a height in dots; the first line of a figure's label is its name."""

    at: float
    lines: tuple[str, ...]
    colour: str = ""

    @property
    def height(self) -> float:
        return LINE * len(self.lines) + (0 if self.colour else 8)


def _labels(scene: _Scene) -> list[_Label]:
    """The pace and what is expected."""
    labels, y = [], scene.plot.y
    if (pace := scene.last_pace) is not None:
        off = " ↑" if pace > scene.most else ""
        labels.append(_Label(y(min(pace, scene.most)), (f"grants' pace{off}", f"{canvas.short(pace)} a week")))
    if scene.expected:
        one = scene.expected[-1][1]
        span = f"{canvas.usd(one.low)} to {canvas.usd(one.high)}"
        middle = y(min(_value(one.middle), scene.most))
        labels.append(_Label(middle, ("expected", f"{canvas.usd(one.middle)} a week", span)))
    return labels


def _beside(scene: _Scene) -> list[_Label]:
    """The services' names by their parts of the last bar that is over; none unless all of them fit there."""
    at = scene.this - 1
    if scene.report.ahead or scene.report.weeks[at].hidden or not scene.report.weeks[at].spent:
        return []
    labels, below = [], 0.0
    places = zip(scene.report.services, scene.report.weeks[at].usd, canvas.colours(scene.report.services), strict=True)
    for name, amount, colour in places:
        labels.append(_Label(scene.plot.y(below + _value(amount) / 2), (" ".join(name.split()),), colour))
        below += _value(amount)
    return labels


def _placed(card: Card, scene: _Scene, labels: Sequence[_Label]) -> list[float]:
    """The heights at which labels stand, beside what they name; none where there is no room."""
    top = scene.plot.on.top + GRID_LABEL
    centres = canvas.apart([one.at for one in labels], [one.height for one in labels], BOTTOM, top)
    room = canvas.ACROSS - scene.plot.on.right - 2 * LABEL_GAP
    if centres is None or any(card.key_width(one.lines[0]) > room for one in labels):
        return []
    far = any(abs(centre - one.at) > ASTRAY for centre, one in zip(centres, labels, strict=True) if one.colour)
    return [] if far else centres


def _draw_labels(card: Card, scene: _Scene, labels: Sequence[_Label], centres: Sequence[float]) -> None:
    x = scene.plot.on.right + LABEL_GAP
    for one, centre in zip(labels, centres, strict=True):
        base = centre + LINE * (len(one.lines) / 2 - 1) + 5
        if one.colour:
            card.key(x, base, one.colour, one.lines[0])
            continue
        for row, words in enumerate(one.lines):
            card.write(x, base - LINE * row, words, weight="normal" if row else "bold")


def _key_lines(card: Card, services: Sequence[str]) -> list[list[tuple[int, str, float]]]:
    """The services in at most two lines, each with where its square begins; long names are cut until they fit."""
    lines: list[list[tuple[int, str, float]]] = []
    for longest in range(LONGEST_NAME, SHORTEST_NAME - 1, -1):
        lines, x = [[]], float(MARGIN)
        for place, name in enumerate(services):
            words = canvas.name(drawable(name), longest)
            width = card.key_width(words)
            if x + width > canvas.ACROSS - MARGIN and lines[-1]:
                lines, x = [*lines, []], float(MARGIN)
            lines[-1].append((place, words, x))
            x += width + KEY_GAP
        if len(lines) <= KEY_LINES:
            break
    return [line for line in lines if line]


def _draw_keys(card: Card, services: Sequence[str], lines: Sequence[Sequence[tuple[int, str, float]]]) -> None:
    colours = canvas.colours(services)
    for row, line in enumerate(lines):
        for place, words, x in line:
            card.key(x, KEY_TOP - LINE * row - 18, colours[place], words)
