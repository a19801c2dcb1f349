"""The picture of a month shows the month's figures, all of them inside its card, and its text says the same."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from policy.period import Month
from policy.units import MicroTokens
from templates.charts import month as charts
from tests.support import letters
from tests.support.letters import NOVEMBER, days_of, tokens, weekly
from tests.templates import charts_seen as seen
from views.grants import DayOfSpend

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from templates.charts.month import Series
    from views.grants import Digest

MONTHS = [Month(2026, number) for number in (2, 8, 9, 11)]
"""The shortest, a long one, the one with the longest name, and one that begins on a Sunday."""
HUES = (charts.WEEKDAY, charts.WEEKEND, charts.RUSH, charts.RUSH_WEEKEND)
MONDAYS = ["2 Nov", "9 Nov", "16 Nov", "23 Nov", "30 Nov"]
OCTOBER: dict[str, Any] = {"weekday_before": tokens("21000")}


def month(of: Month = NOVEMBER, spent: Callable[[date], int] = weekly, **changes: Any) -> Digest:  # noqa: ANN401 - any field
    return letters.digest(before=of, days=days_of(of, spent), **changes)


def series(**changes: Any) -> Series:  # noqa: ANN401 - what `month` takes
    return charts.series_of(month(**changes))


def late(day: date) -> int:
    return weekly(day) * 5 if day.day > 25 else weekly(day)


def bars(of: Series) -> dict[int, tuple[float, str]]:
    """(height, name) of each day's bar."""
    figure = charts.drawing(of)
    return {
        round((box.left + box.right) / 2): (box.top, name)
        for name in (f"{kind} {hue}" for kind in ("days", "evened") for hue in HUES)
        for box in seen.boxes(figure, name)
    }


# --- The figures ---------------------------------------------------------------------------------------------------


def test_every_day_has_its_bar() -> None:
    """One bar a day, as high as what was spent on it, from nothing up."""
    shown = bars(series())
    assert {day: height for day, (height, _) in shown.items()} == {day.day: weekly(day) for day in NOVEMBER.days()}


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
    plain, rushed = bars(series()), bars(series(spent=late, rush=True))
    assert {plain[1][1], plain[28][1]} == {f"days {charts.WEEKEND}"}
    assert {plain[2][1], plain[27][1], plain[30][1]} == {f"days {charts.WEEKDAY}"}
    assert {rushed[25][1], rushed[2][1]} == {f"days {charts.WEEKDAY}"}
    assert {rushed[26][1], rushed[27][1], rushed[30][1]} == {f"days {charts.RUSH}"}
    assert {rushed[28][1], rushed[29][1]} == {f"days {charts.RUSH_WEEKEND}"}
    assert "from 26 Nov on" in seen.words(charts.drawing(series(spent=late, rush=True)))


def test_days_at_their_mean_are_hatched_and_counted() -> None:
    """Days of few spenders do not look like others; the picture and its text say how many there are."""
    days = tuple(DayOfSpend(one.day, one.spent, one.day.day in {7, 8}) for one in days_of(NOVEMBER, weekly))
    of = charts.series_of(letters.digest(days=days))
    assert {day for day, (_, name) in bars(of).items() if name.startswith("evened")} == {7, 8}
    assert "2 days of too few people, drawn at their mean" in seen.words(charts.drawing(of))
    assert "2 days of too few people, drawn at their mean." in charts.alt_text(of)


@pytest.mark.parametrize(
    ("spent", "changes", "words"),
    [
        (weekly, {}, "November 2026: 23.9 k tokens a weekday"),
        (weekly, OCTOBER, "November 2026: 23.9 k tokens a weekday, after about 21 k in October"),
        (weekly, {"weekday_before": tokens("0")}, "November 2026: 23.9 k tokens a weekday, after none in October"),
        (lambda day: 90_000 if day.day == 2 else weekly(day), {}, "November 2026: 27.3 k tokens a weekday"),
        (late, {"rush": True}, "November 2026: the last 5 days took 50 % of all"),
        (late, {"rush": True, "rush_days": 1}, "November 2026: the last day took 15 % of all"),
        (lambda day: 7 if day.day == 12 else 0, {}, "November 2026: everything on one day, 12 Nov"),
        (lambda day: 7 if day.day == 30 else 0, {"rush": True}, "November 2026: everything on one day, 30 Nov"),
        (lambda day: 7 if day.weekday() == 6 else 0, {}, "November 2026: weekends only"),
        (lambda _: 0, {}, "No tokens were spent in November 2026"),
    ],
)
def test_the_title_states_the_finding(spent: Callable[[date], int], changes: dict[str, Any], words: str) -> None:
    """What there is to see in a month is its title, and part of its text."""
    of = series(spent=spent, **changes)
    assert seen.title(charts.drawing(of)) == words
    assert words in charts.alt_text(of)


def test_title_lines_and_text_have_the_same_figures() -> None:
    """Both averages are lines at the heights that the title, their rows and the text tell."""
    of = series(**OCTOBER)
    figure = charts.drawing(of)
    assert seen.lines(figure, "average") == [[(0.5, float(of.average_weekday)), (30.5, float(of.average_weekday))]]
    assert seen.lines(figure, "before") == [[(0.5, 21_000), (30.5, 21_000)]]
    shown = seen.words(figure)
    assert {"average weekday: 23.9 k tokens", "a weekday: about 21 k in October", "27 Nov: 28.9 k tokens"} <= set(shown)
    assert "An average weekday: 23.9 k tokens. A weekday took about 21 k in October." in charts.alt_text(of)
    assert [words for words in shown if re.fullmatch(r"\d+ Nov", words)] == MONDAYS


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_the_title_has_no_step(now: int, before: int) -> None:
    """However far apart two months are, the title compares them in the same words."""
    of = series(spent=lambda _: now, weekday_before=MicroTokens(before * 1_000_000))
    assert re.fullmatch(
        r"November 2026: [\d.]+( [kMB])? tokens? a weekday, after about [\d.]+( [kMB])? in October", charts.finding(of)
    )


def test_an_empty_month_has_its_axis_and_no_labels() -> None:
    """Nothing was spent: no bar and no line is shown, and nothing divides by it."""
    figure = charts.drawing(series(spent=lambda _: 0))
    assert seen.words(figure) == ["No tokens were spent in November 2026", "Tokens a day", *MONDAYS]
    assert not seen.lines(figure, "average")


@pytest.mark.parametrize("of", MONTHS, ids=str)
@pytest.mark.parametrize("busiest", [0, 1, 4, 5, 26, 27, 28, 31])
def test_every_text_stands_free(of: Month, busiest: int) -> None:
    """No title, label or date is cut off or meets a line, in whatever month and wherever its busiest day is."""

    def spent(day: date) -> int:
        return 999_949_999 if day.day == busiest else 123_456_000

    for before in (None, 123, 123_456_000, 999_000_000, 1_020_000_000, 5_000_000_000):
        amount = None if before is None else MicroTokens(before * 1_000_000)
        digest = month(of, spent, rush=busiest == 0, weekday_before=amount)
        seen.assert_texts_stand_free(charts.drawing(charts.series_of(digest)))


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
    assert "In all 523,600 tokens, 4 % of them on weekends; the most on 27 Nov, 28,900." in text
    assert (
        charts.alt_text(series(spent=lambda _: 0)) == "Bar chart without bars. No tokens were spent in November 2026."
    )


# --- The file ------------------------------------------------------------------------------------------------------


def test_the_picture_is_an_opaque_card() -> None:
    """720 x 660 dots, none of them transparent, white at the edges: it reads the same on dark screens."""
    picture = charts.month_of_spend(month())
    dots = imread(io.BytesIO(picture.png), format="png")
    assert dots.shape[:2] == (660, 720)
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
