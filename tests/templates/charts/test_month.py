"""The picture of a month shows the month's figures, all of them inside its card, and its text says the same."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.image import imread

from policy.period import Month
from policy.units import MicroTokens
from templates.charts import canvas
from templates.charts import month as charts
from tests.support import letters
from tests.support.letters import NOVEMBER, days_of, weekly
from views.grants import DayOfSpend

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from matplotlib.figure import Figure

    from templates.charts.month import Series
    from views.grants import Digest

MONTHS = [Month(2026, number) for number in (2, 8, 9, 11)]
"""The shortest, a long one, the one with the longest name, and one that begins on a Sunday."""


def month(of: Month = NOVEMBER, spent: Callable[[date], int] = weekly, **changes: Any) -> Digest:  # noqa: ANN401 - any field
    return letters.digest(before=of, days=days_of(of, spent), **changes)


def series(**changes: Any) -> Series:  # noqa: ANN401 - what `month` takes
    return charts.series_of(month(**changes))


def late(day: date) -> int:
    return weekly(day) * 5 if day.day > 25 else weekly(day)


def texts_of(figure: Figure) -> list[str]:
    [axes] = figure.axes
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    return [text.get_text() for text in (*figure.texts, *axes.texts)] + ticks


# --- The figures ---------------------------------------------------------------------------------------------------


def test_every_day_has_its_bar() -> None:
    """One bar a day, as high as what was spent on it, from nothing up."""
    [axes] = charts.drawing(series()).axes
    heights = [bar.get_height() for bar in axes.patches]  # type: ignore[attr-defined]
    assert heights == [weekly(day) for day in NOVEMBER.days()]
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] > max(heights)


def test_days_without_spend_count_as_nothing() -> None:
    """A series has every day of its month, also when the digest names only some, and adds a day's amounts up."""
    first, *_, last = NOVEMBER.days()
    some = (
        DayOfSpend(last, MicroTokens(2_000_000)),
        DayOfSpend(first, MicroTokens(1)),
        DayOfSpend(last, MicroTokens(5)),
    )
    of = charts.series_of(letters.digest(days=some))
    assert len(of.days) == len(of.tokens) == 30
    assert (of.tokens[0], of.tokens[-1], of.total) == (Decimal("0.000001"), Decimal("2.000005"), Decimal("2.000006"))


def test_weekends_are_lighter_and_a_rush_stands_out() -> None:
    """Colours tell weekdays, weekends and, after a rush, the last days apart; without one there are only two."""

    def colours(of: Series) -> dict[int, str]:
        [axes] = charts.drawing(of).axes
        return {day.day: to_hex(bar.get_facecolor()) for day, bar in zip(of.days, axes.patches, strict=True)}

    plain, rushed = colours(series()), colours(series(spent=late, rush=True))
    assert {plain[1], plain[28]} == {charts.WEEKEND}
    assert {plain[2], plain[27], plain[30]} == {charts.WEEKDAY}
    assert {rushed[25], rushed[2]} == {charts.WEEKDAY}
    assert {rushed[26], rushed[27], rushed[30]} == {charts.RUSH}
    assert {rushed[28], rushed[29]} == {charts.RUSH_WEEKEND}


@pytest.mark.parametrize(
    ("spent", "changes", "words"),
    [
        (weekly, {}, "November 2026: no day stood out"),
        (lambda day: 46_500 if day.day == 17 else weekly(day), {}, "November 2026: 17 Nov took 1.9 average weekdays"),
        (lambda day: 90_000 if day.day == 2 else weekly(day), {}, "November 2026: 2 Nov took 3.3 average weekdays"),
        (late, {"rush": True}, "November 2026: the last 5 days took 50.5 % of all"),
        (late, {"rush": True, "rush_days": 1}, "November 2026: the last day took 15.4 % of all"),
        (lambda day: 7 if day.day == 12 else 0, {}, "November 2026: everything on one day, 12 Nov"),
        (lambda day: 7 if day.day == 30 else 0, {"rush": True}, "November 2026: everything on one day, 30 Nov"),
        (lambda day: 7 if day.weekday() == 6 else 0, {}, "November 2026: weekends only"),
        (lambda _: 0, {}, "No tokens were spent in November 2026"),
    ],
)
def test_the_title_states_the_finding(spent: Callable[[date], int], changes: dict[str, Any], words: str) -> None:
    """What there is to see in a month is its title, and part of its text."""
    of = series(spent=spent, **changes)
    assert texts_of(charts.drawing(of))[0] == words
    assert words in charts.alt_text(of)


def test_labels_stand_where_the_figures_are() -> None:
    """The busiest day carries its figure, the average weekday its line; both are computed from the same series."""
    of = series()
    figure = charts.drawing(of)
    assert "27 Nov: 28.9 k" in texts_of(figure)
    assert "average\nweekday\n23.9 k" in texts_of(figure)
    [axes] = figure.axes
    [line] = axes.lines
    assert list(line.get_ydata()) == [float(of.average_weekday)] * 2  # type: ignore[arg-type]
    assert [label for label in texts_of(figure) if re.fullmatch(r"\d+ Nov", label)] == [
        "2 Nov",
        "9 Nov",
        "16 Nov",
        "23 Nov",
        "30 Nov",
    ]


def test_an_empty_month_has_its_axis_and_no_labels() -> None:
    """Nothing was spent: no figure is shown, and nothing divides by it."""
    [axes] = charts.drawing(series(spent=lambda _: 0)).axes
    assert not axes.texts
    assert not axes.lines
    assert axes.get_ylim() == (0, 1)


@pytest.mark.parametrize("of", MONTHS, ids=str)
@pytest.mark.parametrize("busiest", [0, 1, 4, 5, 26, 27, 28, 31])
def test_every_text_is_inside_the_card(of: Month, busiest: int) -> None:
    """No title, label or date is cut off, in whatever month and wherever its busiest day is."""

    def spent(day: date) -> int:
        return 999_949_999 if day.day == busiest else 123_456_000

    figure = charts.drawing(charts.series_of(month(of, spent, rush=busiest == 0)))
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw(renderer)
    [axes] = figure.axes
    for text in (*figure.texts, *axes.texts, *axes.get_xticklabels()):
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= canvas.WIDTH * canvas.DPI, text
        assert box.y1 <= canvas.HEIGHT * canvas.DPI, text
        assert float(text.get_fontsize()) >= canvas.TEXT


# --- The text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", MONTHS, ids=str)
def test_the_text_has_every_week(of: Month) -> None:
    """The weeks of the text are those of the month, and add up to its total."""
    text = charts.alt_text(charts.series_of(month(of)))
    weeks = text.partition("By week: ")[2]
    figures = [int(figure.replace(",", "")) for figure in re.findall(r"[A-Z][a-z]{2} ([\d,]+\d)", weeks)]
    assert sum(figures) == sum(weekly(day) for day in of.days())
    assert len(figures) == len({day.isocalendar()[:2] for day in of.days()})
    assert len(text) <= 2_000


def test_the_text_tells_what_the_bars_do() -> None:
    """Total, weekends and the busiest day, from the same series as the bars."""
    text = charts.alt_text(series())
    assert "In all 523,600 tokens, 4.1 % of them on weekends; the most on 27 Nov, 28,900." in text
    assert (
        charts.alt_text(series(spent=lambda _: 0)) == "Bar chart without bars. No tokens were spent in November 2026."
    )


# --- The file ------------------------------------------------------------------------------------------------------


def test_the_picture_is_an_opaque_card() -> None:
    """800 x 450 dots, none of them transparent, white at the edges: it reads the same on dark screens."""
    picture = charts.month_of_spend(month())
    dots = imread(io.BytesIO(picture.png), format="png")
    assert dots.shape[:2] == (450, 800)
    assert dots[0, 0].tolist() == [1.0] * dots.shape[2]
    assert dots.shape[2] == 3 or dots[:, :, 3].min() == 1.0
    assert picture.alt_text == charts.alt_text(series())


def test_the_bot_starts_without_the_drawing_library() -> None:
    """It takes longer to load than all the rest: it is loaded with the first picture, and never its global state."""
    lines = (
        "import sys, scheduler.composers.grants, handlers.slack_app",
        "from tests.support import letters",
        "from templates import charts",
        "assert 'matplotlib' not in sys.modules",
        "charts.month_of_spend(letters.digest())",
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=60)
