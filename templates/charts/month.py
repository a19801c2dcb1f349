"""A month's spend by day."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.units import MICRO_PER_TOKEN
from templates import formats
from templates.charts.canvas import CARD, DPI, FAINT, HEIGHT, INK, TEXT, TITLE, WIDTH, Picture
from templates.charts.canvas import of as _of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from policy.period import Month
    from views.grants import Digest

WEEKDAY, WEEKEND = "#0072b2", "#9ecae9"
RUSH, RUSH_WEEKEND = "#d55e00", "#f2b384"
"""Of the colours that everyone can tell apart; they differ in lightness as well."""
SATURDAY = 5
UNEVEN = Decimal("1.5")
"""A busiest day of so many average weekdays makes the title: below, its bar looks like the others."""
NEAR_THE_EDGE = 4
"""Days within which the busiest day's label would leave the card if it were centred."""


@dataclass(frozen=True, slots=True)
class Series:
    """A month's days with the tokens spent on each; `rush_from` is the first of the last days if those stand out."""

    month: Month
    days: tuple[date, ...]
    tokens: tuple[Decimal, ...]
    rush_from: date | None

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
    written = io.BytesIO()
    drawing(series).savefig(written, format="png", dpi=DPI)
    return Picture(written.getvalue(), alt_text(series), f"tokens-{series.month}.png")


def series_of(digest: Digest) -> Series:
    """Every day of the month, also those on which nothing was spent."""
    days = tuple(digest.before.days())
    spent = dict.fromkeys(days, 0)
    for one in digest.days:
        spent[one.day] += int(one.spent)
    return Series(
        month=digest.before,
        days=days,
        tokens=tuple(Decimal(spent[day]) / MICRO_PER_TOKEN for day in days),
        rush_from=days[-1] - timedelta(days=digest.rush_days - 1) if digest.rush else None,
    )


def finding(series: Series) -> str:
    """What there is to see, in one line."""
    month = formats.month(series.month)
    if not series.total:
        return f"No tokens were spent in {month}"
    day, most = series.busiest
    if most == series.total:
        return f"{month}: everything on one day, {_of(day)}"
    if series.weekends == series.total:
        return f"{month}: weekends only"
    if series.rush_from:
        share = formats.percent(series.since(series.rush_from) / series.total)
        days = (series.days[-1] - series.rush_from).days + 1
        return f"{month}: the last {f'{days} days' if days > 1 else 'day'} took {share} of all"
    if most >= UNEVEN * series.average_weekday:
        return f"{month}: {_of(day)} took {most / series.average_weekday:.1f} average weekdays"
    return f"{month}: no day stood out"


def alt_text(series: Series) -> str:
    """The finding, the total, the busiest day and every week."""
    if not series.total:
        return f"Bar chart without bars. {finding(series)}."
    day, most = series.busiest
    weeks: dict[int, tuple[date, date, Decimal]] = {}
    for one, spent in zip(series.days, series.tokens, strict=True):
        first, _, sum_so_far = weeks.get(one.isocalendar().week, (one, one, Decimal(0)))
        weeks[one.isocalendar().week] = (first, one, sum_so_far + spent)
    by_week = ", ".join(f"{_span(first, last)} {_whole(spent)}" for first, last, spent in weeks.values())
    return (
        f"Bar chart of the tokens spent on each day. {finding(series)}. In all {_whole(series.total)} tokens, "
        f"{formats.percent(series.weekends / series.total)} of them on weekends; "
        f"the most on {_of(day)}, {_whole(most)}. By week: {by_week}."
    )


def drawing(series: Series) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes a second and a half, and most processes never draw

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=CARD)
    axes = figure.add_axes((0.035, 0.115, 0.815, 0.66), facecolor=CARD)
    figure.text(0.035, 0.965, finding(series), size=TITLE, weight="bold", color=INK, va="top")
    figure.text(0.035, 0.872, _subtitle(series), size=TEXT, color=FAINT, va="top")
    axes.bar(
        [day.day for day in series.days],
        [float(spent) for spent in series.tokens],
        width=0.78,
        color=[_colour(series, day) for day in series.days],
    )
    _set_days(axes, series)
    if series.total:
        _label(axes, series)
    return figure


def _subtitle(series: Series) -> str:
    if not series.total:
        return "Tokens a day"
    return f"{_short(series.total)} tokens in all; a bar a day, weekends lighter, Mondays dated"


def _colour(series: Series, day: date) -> str:
    weekend = day.weekday() >= SATURDAY
    if series.rush_from and day >= series.rush_from:
        return RUSH_WEEKEND if weekend else RUSH
    return WEEKEND if weekend else WEEKDAY


def _set_days(axes: Axes, series: Series) -> None:
    """The days' axis with its Mondays, and no other: the bars that matter carry their figures."""
    mondays = [day for day in series.days if not day.weekday()]
    axes.set_xticks([day.day for day in mondays], [_of(day) for day in mondays])
    axes.set_xlim(0.4, len(series.days) + 0.6)
    axes.set_ylim(0, float(max(series.tokens)) * 1.16 or 1)
    axes.set_yticks([])
    axes.tick_params(labelsize=TEXT, labelcolor=INK, color=FAINT)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)


def _label(axes: Axes, series: Series) -> None:
    """The busiest day's figure above its bar; the usual weekday as a line where there is more than one day."""
    day, most = series.busiest
    last = len(series.days)
    side = "left" if day.day <= NEAR_THE_EDGE else "right" if day.day > last - NEAR_THE_EDGE else "center"
    x = day.day + {"left": -0.4, "right": 0.4, "center": 0}[side]
    axes.text(x, float(most) * 1.02, f"{_of(day)}: {_short(most)}", size=TEXT, color=INK, ha=side, va="bottom")
    average = series.average_weekday
    if average and most < series.total:
        axes.axhline(float(average), color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(last + 1, float(average), f"average\nweekday\n{_short(average)}", size=TEXT, color=INK, va="center")


def _span(first: date, last: date) -> str:
    return _of(first) if first == last else f"{first.day}–{_of(last)}"


def _whole(tokens: Decimal) -> str:
    return f"{tokens:,.0f}"


def _short(tokens: Decimal) -> str:
    return formats.short_count(round(tokens))
