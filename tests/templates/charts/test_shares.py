"""The charts of a month's burn-down and of utilisation show their figures, say so in words, and fit their card."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.period import Month
from policy.units import MICRO_PER_TOKEN, MicroTokens
from templates import charts
from templates.charts import canvas, native
from templates.charts.burn_down import alt_text as text_of_month
from templates.charts.burn_down import drawing as draw_month
from templates.charts.burn_down import even_pace, finding
from templates.charts.utilisation import alt_text as text_of_shares
from templates.charts.utilisation import drawing as draw_shares
from templates.charts.utilisation import finding as finding_of_shares
from tests.support import depth
from tests.templates import charts_seen as seen
from views.balance import BurnDown
from views.value import Histogram

NOVEMBER = Month(2026, 11)
MONTHS_OF_USE = "Aug–Oct 2026"


def tokens(amount: float) -> MicroTokens:
    return MicroTokens(round(amount * MICRO_PER_TOKEN))


def a_month(*left: float, start: float | None = None, rate: float = 0, runs_out: int = 0) -> BurnDown:
    """November with so much left after each day so far, and from then on so much less a day, give or take a third."""
    days = [date(2026, 11, 1) + timedelta(days=i) for i in range(30)]

    def later(count: int, by: float) -> MicroTokens:
        return tokens(max(0, left[-1] - rate * count * by))

    ahead = [
        (day, later(k, 1.3), later(k, 1), later(k, 0.7)) for k, day in enumerate(days[len(left) :] if rate else (), 1)
    ]
    return BurnDown(
        NOVEMBER,
        days[len(left) - 1],
        tuple(zip(days, map(tokens, left), strict=False)),
        tokens(left[0] if start is None else start),
        tuple(ahead),
        days[runs_out - 1] if runs_out else None,
    )


def shares(*counts: int | None, **changes: int | None) -> Histogram:
    bins = tuple((10 * i, 10 * i + 10 if i < 10 else None, count) for i, count in enumerate(counts))
    return replace(Histogram(120, bins, 220, 780, MONTHS_OF_USE), **changes)  # type: ignore[arg-type]


CALM = [139_000 - 1_800 * day for day in range(24)]
MONTHS = {
    "calm": a_month(*CALM, rate=1_800),
    "running out": a_month(*(52_000 - 1_900 * day for day in range(18)), rate=1_900, runs_out=28),
    "nothing spent": a_month(*[139_000] * 9),
    "spent": a_month(20_000, 10_000, 0, 0, 0),
    "granted": a_month(47_000, 40_000, 33_000, 61_000, 55_000, start=82_000, rate=5_000, runs_out=16),
    "first day": a_month(138_000, start=139_000),
    "last day": a_month(*(139_000 - 1_800 * day for day in range(30))),
    "tiny": a_month(2.9, 2.5, 1.2, start=3, rate=0.1),
    "huge": a_month(*(4.4e6 - 9e4 * day for day in range(28)), rate=9e4),
}
SHARES = {
    "usual": shares(31, 24, 18, 14, 9, 8, 6, None, 5, 0, None),
    "high": shares(100, 80, 70, 90, 120, 200, 300, 420, 500, 320, 200, people=2_400, p95_permille=1_350),
    "low": shares(380, 12, None, 0, 0, 0, 0, 0, 0, None, None, people=400, median_permille=30, p95_permille=90),
    "merged": Histogram(9, ((0, 20, 5), (20, None, None)), None, None, MONTHS_OF_USE),
}

# --- A month's burn-down -------------------------------------------------------------------------------------------


def test_the_line_goes_through_every_day() -> None:
    """What was left at the end of each day so far is a point of the line; the even pace goes from the start to zero."""
    figure = draw_month(MONTHS["calm"])
    [line] = seen.lines(figure, "left")
    assert line[1:] == [(day, left) for day, left in enumerate(CALM, 1)]
    assert seen.lines(figure, "even pace") == [[(0, 139_000), (30, 0)]]


def test_a_grant_within_the_month_is_a_step_up() -> None:
    """The line begins without what came later, and rises at the beginning of the day of the grant."""
    [line] = seen.lines(draw_month(MONTHS["granted"]), "left")
    assert line == [(0, 54_000), (1, 47_000), (2, 40_000), (3, 33_000), (3, 61_000), (4, 61_000), (5, 55_000)]


def test_what_is_expected_begins_today() -> None:
    """The forecast's middle goes on from what is left to the month's end; without one there is no band."""
    [middle] = seen.lines(draw_month(MONTHS["calm"]), "expected middle")
    assert middle[0] == (24, CALM[-1])
    assert middle[-1] == (30, CALM[-1] - 6 * 1_800)
    assert not seen.lines(draw_month(MONTHS["last day"]), "expected middle")


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (MONTHS["calm"], "70 % left with 6 days to go"),
        (MONTHS["running out"], "At this pace your tokens last until 28 Nov"),
        (replace(MONTHS["running out"], runs_out=date(2026, 12, 3)), "38 % left with 12 days to go"),
        (MONTHS["nothing spent"], "Nothing spent yet in November"),
        (MONTHS["spent"], "All tokens are spent"),
        (MONTHS["last day"], "62 % left on the month's last day"),
        (a_month(*[90.0] * 29, start=100), "90 % left with 1 day to go"),
        (a_month(99.9, start=100), "Over 99 % left with 29 days to go"),
        (a_month(0.0, start=0), "No tokens to spend in November"),
    ],
)
def test_a_months_title_states_the_finding(of: BurnDown, words: str) -> None:
    """How long the tokens last, or how many are left, is the title and part of the text."""
    assert finding(of) == seen.title(draw_month(of)) == words
    assert words in text_of_month(of)


@pytest.mark.parametrize("of", MONTHS.values(), ids=MONTHS)
def test_a_months_card_has_room_for_its_texts_and_its_text_for_every_day(of: BurnDown) -> None:
    """No text meets another or leaves the card; the alternative text has each day, and what is expected."""
    seen.assert_texts_stand_free(draw_month(of))
    text = text_of_month(of)
    assert all(f"{canvas.of(day)} {canvas.tokens(left)}" in text for day, left in of.left)
    assert ("Expected to be left on 30 Nov" in text) == bool(of.ahead)
    assert len(text) <= 2_000


@settings(max_examples=depth.examples(15), deadline=None)
@given(
    st.lists(st.floats(0, 5e6).map(round), min_size=1, max_size=30), st.floats(0, 2e5).map(round), st.integers(0, 30)
)
def test_no_text_of_a_month_meets_another(left: list[int], rate: int, runs_out: int) -> None:
    """Whatever was left on whichever day; and Slack's own chart of it has the first day, the last, and its limits."""
    of = a_month(*left, start=max(left), rate=rate, runs_out=max(runs_out, len(left)) if runs_out else 0)
    seen.assert_texts_stand_free(draw_month(of))
    block = native.burn_down(of)
    assert (block is None) == (max(left) == 0)
    if block:
        seen.assert_native(block)
        categories = block["chart"]["axis_config"]["categories"]
        assert (categories[0], categories[-1]) == ("1 Nov", canvas.of(of.today))
        assert len(categories) == min(20, len(left))


def test_slacks_own_chart_of_a_month_has_the_same_figures() -> None:
    """What was left, and the even pace at the end of the same day."""
    block = native.burn_down(MONTHS["spent"])
    assert block is not None
    left, even = block["chart"]["series"]
    assert [point["value"] for point in left["data"]] == [20_000, 10_000, 0, 0, 0]
    assert even["data"][1] == {"label": "2 Nov", "value": round(even_pace(MONTHS["spent"], date(2026, 11, 2)))}


# --- Utilisation ---------------------------------------------------------------------------------------------------


def test_bars_are_the_people_and_too_few_are_a_mark() -> None:
    """Each bin has a bar as high as its people; too few to tell have one small mark, and none has none."""
    figure = draw_shares(SHARES["usual"])
    assert [box.top for box in seen.boxes(figure, "people")] == [31, 24, 18, 14, 9, 8, 6, 5]
    marks = seen.boxes(figure, "few")
    assert len({round(box.top - box.bottom, 6) for box in marks}) == 1
    assert len(marks) == 2
    assert "fewer than 5 people: 2 bars not shown" in seen.words(figure)
    assert "fewer than 5" not in " ".join(seen.words(draw_shares(SHARES["high"])))


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (SHARES["usual"], "Half of 120 people used less than 22 %"),
        (shares(9, median_permille=0), "Half of 120 people used nothing"),
        (shares(9, median_permille=1_000), "Half of 120 people used all of it or more"),
        (SHARES["merged"], "Too few people to tell what half of them used"),
        (shares(people=0), "No one had a regular grant"),
    ],
)
def test_the_title_of_shares_states_the_finding(of: Histogram, words: str) -> None:
    """What half of the people used is the title, and part of the text."""
    assert finding_of_shares(of) == seen.title(draw_shares(of)) == words
    assert words in text_of_shares(of)


@pytest.mark.parametrize("of", SHARES.values(), ids=SHARES)
def test_the_card_of_shares_has_room_for_its_texts_and_its_text_for_every_bin(of: Histogram) -> None:
    """No text meets another or leaves the card; the text has every bin, and Slack's chart its limits."""
    seen.assert_texts_stand_free(draw_shares(of))
    text = text_of_shares(of)
    for low, high, count in of.bins:
        name = f"over {low} %" if high is None else f"{low}–{high} %"
        assert f"{name}: {'fewer than 5' if count is None else f'{count:,}'}" in text
    assert ("95 of 100" in text) == (of.p95_permille is not None)
    block = native.utilisation(of)
    assert block is not None
    seen.assert_native(block)
    assert [point["value"] for point in block["chart"]["series"][0]["data"]] == [
        count for *_, count in of.bins if count is not None
    ]


def test_slacks_own_chart_says_what_it_leaves_out() -> None:
    """Shares of which too few people made use have no bar in it: the axis says how many there are."""
    block, all_told = native.utilisation(SHARES["usual"]), native.utilisation(SHARES["high"])
    assert block is not None
    assert all_told is not None
    assert block["chart"]["axis_config"]["x_label"] == "Share used; 2 with fewer than 5 people not shown"
    assert all_told["chart"]["axis_config"]["x_label"] == "Share of the regular grants that was used"


def test_nobody_is_no_chart_of_slacks() -> None:
    """Without people, or with too few in every bin, Slack's own chart is left out."""
    assert native.utilisation(shares(people=0)) is None
    assert native.utilisation(Histogram(6, ((0, None, None),), None, None, MONTHS_OF_USE)) is None


def test_pictures_are_files_with_their_texts() -> None:
    """Both become PNG files that say in words what they show."""
    for picture, words in (
        (charts.burn_down(MONTHS["calm"]), text_of_month(MONTHS["calm"])),
        (charts.utilisation(SHARES["usual"]), text_of_shares(SHARES["usual"])),
    ):
        assert picture.png.startswith(b"\x89PNG")
        assert picture.alt_text == words
