"""A month's spend by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.units import MICRO_PER_TOKEN
from templates import formats
from templates.charts import canvas, legend
from templates.charts.canvas import CARD, INK, LINE, MARGIN, Box, Card, Picture, Plot
from templates.charts.canvas import of as _of
from templates.charts.legend import Sign

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from matplotlib.figure import Figure

    from policy.period import Month
    from views.grants import Digest

WEEKDAY, WEEKEND = "#0072b2", "#9ecae9"
RUSH, RUSH_WEEKEND = "#d55e00", "#f2b384"
"""Of the colours that everyone can tell apart; they differ in lightness as well."""
EVENED = "//"
"""Days of few spenders are hatched."""
SATURDAY = 5
BAR = 0.39
"""Half of a bar's width, in days."""
UNDER_LETTERS = 8
"""Dots between a bar or a line and the words above it."""
USUAL, BEFORE = (5, 3), (1.5, 2)


@dataclass(frozen=True, slots=True)
class Series:
    """A month's days with the tokens spent on each; `rush_from` is the first of the last days if those stand out.

    `weekday_before` is what an average weekday of the month before took, to two digits; None where that is not told.
    Each of the days in `evened` stands at their common mean, since few people spent on it.
    """

    month: Month
    days: tuple[date, ...]
    tokens: tuple[Decimal, ...]
    rush_from: date | None
    weekday_before: Decimal | None = None
    evened: frozenset[date] = frozenset()

    @property
    def total(self) -> Decimal:
        return sum(self.tokens, Decimal(0))

    @property
    def busiest(self) -> tuple[date, Decimal]:
        """The first of the days with the largest spend."""
        at = max(range(len(self.days)), key=lambda i: self.tokens[i])
        return self.days[at], self.tokens[at]

    @property
    def average_weekday(self) -> Decimal:
        return (self.total - self.weekends) / sum(day.weekday() < SATURDAY for day in self.days)

    @property
    def weekends(self) -> Decimal:
        return self._on(lambda day: day.weekday() >= SATURDAY)

    def since(self, first: date) -> Decimal:
        return self._on(lambda day: day >= first)

    def _on(self, chosen: Callable[[date], bool]) -> Decimal:
        return sum((spent for day, spent in zip(self.days, self.tokens, strict=True) if chosen(day)), Decimal(0))


def month_of_spend(digest: Digest) -> Picture:
    """The days of the month before a digest, as bars under a title that says what they show."""
    series = series_of(digest)
    return Picture(canvas.png(drawing(series)), alt_text(series), f"tokens-{series.month}.png")


def series_of(digest: Digest) -> Series:
    """Every day of the month, also those on which nothing was spent."""
    days = tuple(digest.before.days())
    spent = dict.fromkeys(days, 0)
    for one in digest.days:
        spent[one.day] += int(one.spent)
    before = digest.weekday_before
    return Series(
        month=digest.before,
        days=days,
        tokens=tuple(Decimal(spent[day]) / MICRO_PER_TOKEN for day in days),
        rush_from=days[-1] - timedelta(days=digest.rush_days - 1) if digest.rush else None,
        weekday_before=None if before is None else before.decimal,
        evened=frozenset(one.day for one in digest.days if one.evened),
    )


# --- What there is to see ------------------------------------------------------------------------------------------


def finding(series: Series) -> str:
    """What there is to see, in one line: the figures of the two lines, unless the days themselves stand out."""
    month = formats.month(series.month)
    if not series.total:
        return f"No tokens were spent in {month}"
    day, most = series.busiest
    if most == series.total:
        return f"{month}: everything on one day, {_of(day)}"
    if series.weekends == series.total:
        return f"{month}: weekends only"
    if series.rush_from:
        share = formats.whole_percent(series.since(series.rush_from) / series.total)
        days = (series.days[-1] - series.rush_from).days + 1
        return f"{month}: the last {f'{days} days' if days > 1 else 'day'} took {share} of all"
    usual = f"{month}: {_tokens(series.average_weekday)} a weekday"
    return usual if series.weekday_before is None else f"{usual}, after {_before(series)}"


def _before(series: Series) -> str:
    """The weekday of the month before, which has two digits only."""
    name = formats.month_name(series.month.previous())
    return f"about {_short(series.weekday_before)} in {name}" if series.weekday_before else f"none in {name}"


def subtitle(series: Series) -> str:
    if not series.total:
        return "Tokens a day"
    return f"{_tokens(series.total)} in all; weekends are lighter"


def alt_text(series: Series) -> str:
    """The finding, the total, the busiest day, both averages, every week and which days are evened."""
    if not series.total:
        return f"Bar chart without bars. {finding(series)}."
    day, most = series.busiest
    weeks: dict[int, tuple[date, date, Decimal]] = {}
    for one, spent in zip(series.days, series.tokens, strict=True):
        first, _, sum_so_far = weeks.get(one.isocalendar().week, (one, one, Decimal(0)))
        weeks[one.isocalendar().week] = (first, one, sum_so_far + spent)
    by_week = ", ".join(f"{_span(first, last)} {_whole(spent)}" for first, last, spent in weeks.values())
    on_weekends = formats.whole_percent(series.weekends / series.total) if series.weekends else "none"
    begin = (
        f"Bar chart of the tokens spent on each day. {finding(series)}. In all {_whole(series.total)} tokens, "
        f"{on_weekends} of them on weekends; "
        f"the most on {_of(day)}, {_whole(most)}. By week: {by_week}."
    )
    parts = [begin, *(f"An {row.words}." for row in _averages(series)[:1])]
    if series.weekday_before is not None:
        parts.append(f"A weekday took {_before(series)}.")
    if series.evened:
        parts.append(f"{_evened(series).capitalize()}.")
    return " ".join(parts)


# --- The drawing ---------------------------------------------------------------------------------------------------


def drawing(series: Series) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card, rows = Card(finding(series), subtitle(series)), _rows(series)
    legend.draw(card, rows)
    on = Box(MARGIN, legend.height(rows) + LINE + 10, canvas.ACROSS - MARGIN, card.top - LINE - 8)
    averages = [value for _, value, _ in _lines(series)]
    most = max([*series.tokens, *averages]) or Decimal(1)
    plot = Plot(on, Box(0.5, 0, len(series.days) + 0.5, float(most)))
    _bars(card, plot, series)
    card.lines("base", [[(on.left, on.bottom), (on.right, on.bottom)]], canvas.DOTS, width=1.2, zorder=4)
    canvas.axis(card, on.bottom, [(plot.x(day.day), _of(day)) for day in series.days if not day.weekday()])
    for name, value, dashes in _lines(series):
        across = [[(0.5, float(value)), (len(series.days) + 0.5, float(value))]]
        card.lines(f"{name}'s edge", across, plot, colour=CARD, width=4, zorder=2.9)
        card.lines(name, across, plot, dashes=dashes)
    if series.total:
        _label(card, plot, series)
    return card.figure


def _lines(series: Series) -> list[tuple[str, Decimal, tuple[float, ...]]]:
    """(name, height, dashes) of the average weekdays, as far as there are any to speak of."""
    if not series.average_weekday or series.busiest[1] == series.total:
        return []
    before = series.weekday_before
    return [("average", series.average_weekday, USUAL), *([] if before is None else [("before", before, BEFORE)])]


def _averages(series: Series) -> list[Sign]:
    """The lines with their figures."""
    of = {"average": f"average weekday: {_tokens(series.average_weekday)}", "before": f"a weekday: {_before(series)}"}
    return [Sign(of[name], dashes=dashes) for name, _, dashes in _lines(series)]


def _rows(series: Series) -> list[Sign | str]:
    rows: list[Sign | str] = [*_averages(series)]
    if series.rush_from:
        rows.append(Sign(f"from {_of(series.rush_from)} on", RUSH, box=True))
    if series.evened:
        rows.append(Sign(_evened(series), WEEKDAY, box=True, edge=CARD, hatch=EVENED))
    return rows


def _evened(series: Series) -> str:
    count = len(series.evened)
    return f"{count} {'day' if count == 1 else 'days'} of too few people, drawn at their mean"


def _bars(card: Card, plot: Plot, series: Series) -> None:
    """The days of a colour at once."""
    for colour in (WEEKDAY, WEEKEND, RUSH, RUSH_WEEKEND):
        for name, hatch in (("days", ""), ("evened", EVENED)):
            boxes = [
                Box(day.day - BAR, 0, day.day + BAR, float(spent))
                for day, spent in zip(series.days, series.tokens, strict=True)
                if spent and _colour(series, day) == colour and (day in series.evened) == bool(hatch)
            ]
            card.boxes(f"{name} {colour}", boxes, plot, colour=colour, edge=CARD if hatch else "none", hatch=hatch)


def _colour(series: Series, day: date) -> str:
    weekend = day.weekday() >= SATURDAY
    if series.rush_from and day >= series.rush_from:
        return RUSH_WEEKEND if weekend else RUSH
    return WEEKEND if weekend else WEEKDAY


def _label(card: Card, plot: Plot, series: Series) -> None:
    """The busiest day's figure above its bar, where no line passes."""
    day, most = series.busiest
    words = f"{_of(day)}: {_tokens(most)}"
    half = canvas.width_of(words, weight="bold") / 2
    x = min(max(plot.x(day.day), MARGIN + half), canvas.ACROSS - MARGIN - half)
    y = max(
        [plot.y(float(most)), *(plot.y(float(value)) for _, value, _ in _lines(series) if _is_near(plot, value, most))]
    )
    card.write(x, y + UNDER_LETTERS, words, ha="center", weight="bold", colour=INK)


def _is_near(plot: Plot, value: Decimal, most: Decimal) -> bool:
    """Whether a line would strike out what stands on a bar."""
    above = plot.y(float(value)) - plot.y(float(most))
    return -UNDER_LETTERS < above < LINE + UNDER_LETTERS


def _span(first: date, last: date) -> str:
    return _of(first) if first == last else f"{first.day}–{_of(last)}"


def _whole(tokens: Decimal) -> str:
    return "under 1" if 0 < tokens < Decimal("0.5") else f"{tokens:,.0f}"


def _short(tokens: Decimal) -> str:
    return "under 1" if 0 < tokens < Decimal("0.5") else formats.short_count(round(tokens))


def _tokens(tokens: Decimal) -> str:
    said = _short(tokens)
    return f"{said} {'token' if said in {'1', 'under 1'} else 'tokens'}"
