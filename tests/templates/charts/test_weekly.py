"""The chart of a team's weeks shows its report, says so in words, and nothing on it meets or leaves the card."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform

from policy.period import Week
from policy.units import MICRO_PER_TOKEN, NANO_PER_USD, MicroTokens, NanoUSD
from templates.charts import canvas as charts_canvas
from templates.charts import native, weekly, weekly_words
from templates.charts.text_cache import StampedText
from tests.support import depth
from tests.templates import charts_seen as seen
from views.reports import APART, TeamReport, WeekAhead, WeekOfSpend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TODAY = date(2026, 11, 24)
SERVICES = ("GPU cluster", "Anthropic API", "OpenAI API")
CALM = [(500.0, 300.0, 150.0)] * 11 + [(180.0, 100.0, 50.0)]
AHEAD = [(800.0, 960.0, 1150.0), (780.0, 970.0, 1200.0), (760.0, 980.0, 1230.0), (750.0, 990.0, 1260.0)]
LONG = ("GPU cluster Frankfurt and Dublin", "Anthropic API", "$earch$ of documents", "Amazon Bedrock", "Tuning", APART)


def report(
    amounts: Sequence[Sequence[float]] = CALM,
    services: Sequence[str] = SERVICES,
    *,
    pace: float | Sequence[float | None] | None = 1_200.0,
    ahead: Sequence[tuple[float, float, float]] = (),
    hidden: Mapping[int, str] | None = None,
    people: int = 8,
) -> TeamReport:
    """A report with these USD by week and service; nothing is told of a hidden week."""
    hidden = hidden or {}
    first = Week.containing(TODAY - timedelta(weeks=len(amounts) - 1)).first_day
    weeks = []
    for i, row in enumerate(amounts):
        usd = tuple(_nano(0 if i in hidden else amount) for amount in row)
        spent = sum(usd, NanoUSD(0))
        tokens = MicroTokens(int(spent) * 100 * MICRO_PER_TOKEN // NANO_PER_USD)
        per_week = pace if pace is None or isinstance(pace, float) else pace[i]
        weeks.append(
            WeekOfSpend(
                Week(first + timedelta(weeks=i)),
                usd,
                spent,
                tokens,
                None if per_week is None else _nano(per_week),
                hidden.get(i, ""),
                people=people,
            )
        )
    expected = tuple(
        WeekAhead(Week(weeks[-1].week.first_day + timedelta(weeks=i)), *(_nano(one) for one in each))
        for i, each in enumerate(ahead)
    )
    return TeamReport(
        manager_id="p1",
        today=TODAY,
        people=people,
        hidden="",
        services=tuple(services),
        weeks=tuple(weeks),
        ahead=expected,
        month=None,
        jumps=(),
        idle=None,
        lapsing=None,
        lapses_on=date(2026, 12, 1),
        open_requests=0,
        teams=(),
        teams_hidden=0,
        per_token=NanoUSD(NANO_PER_USD // 100),
        contact="",
    )


def _nano(amount: float) -> NanoUSD:
    return NanoUSD(round(amount * NANO_PER_USD))


def last_weeks(before: Sequence[float], last: Sequence[float]) -> list[Sequence[float]]:
    return [*CALM[:9], before, last, CALM[-1]]


SCRIPTS = ("山田クラスタ", "محرك البحث", "नमस्ते सेवा", "🚀 Rocket", "Облако 서울")
ODD: dict[str, TeamReport] = {
    "calm": report(ahead=AHEAD),
    "jump": report(last_weeks(CALM[0], (6_800, 400, 150)), ahead=[(1_900, 2_900, 5_200)] * 4),
    "empty": report([(0.0, 0.0, 0.0)] * 12),
    "nothing known": report([()] * 12, (), pace=None),
    "one week": report([(0.0, 0.0, 0.0)] * 10 + [(220.0, 100.0, 0.0), (40.0, 10.0, 0.0)], pace=None),
    "huge": report(
        [(2.1e6, 1.3e6, 4e5, 3e5, 2e5, 1e5)] * 12,
        LONG,
        pace=[5e6] * 5 + [4.2e6] * 7,
        ahead=[(2.9e6, 3.9e6, 5.1e6)] * 4,
        people=2_140,
    ),
    "tiny": report([(0.3, 0.1, 0.0)] * 12, pace=12.0, people=5),
    "uneven": report([(990.0, 10.0, 0.0)] * 12, pace=[None] * 4 + [900.0] * 8),
    "gaps": report(hidden={4: "team_changed", 5: "team_changed", 8: "few_people"}, ahead=AHEAD),
    "little beside a gap": report(
        [(900.0,)] * 2 + [(0.001,)] * 10, ("GPU cluster",), pace=None, hidden={9: "few_people", 8: "few_people"}
    ),
    "figure above a gap": report(
        [(0.0,)] * 9 + [(789_473_700.0,)] + [(0.0,)] * 2,
        ("GPU cluster Frankfurt and Dublin",),
        pace=None,
        ahead=[(0, 0, 1_000_000_200.0)],
        hidden={0: "few_people", 8: "few_people"},
        people=5,
    ),
    "gap at the end": report(hidden={10: "team_changed", 11: "few_people"}, pace=None),
    "gap this week": report(hidden={11: "team_changed"}, ahead=AHEAD),
    "six": report([(500.0, 300.0, 250.0, 200.0, 150.0, 100.0)] * 12, LONG, pace=None),
    "every script": report([(500.0, 300.0, 250.0, 200.0, 150.0)] * 12, SCRIPTS, pace=None),
    "wide forecast": report(ahead=[(0.0, 900.0, 88_000.0)] * 4),
}


def heights(of: TeamReport, name: str) -> dict[int, float]:
    """The rectangles of a service, by week."""
    return {round((box.left + box.right) / 2): box.top - box.bottom for box in seen.boxes(weekly.drawing(of), name)}


# --- The figures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", ODD.values(), ids=ODD)
def test_every_service_has_its_part_of_every_week_that_is_shown(of: TeamReport) -> None:
    """One rectangle for each amount above zero, as high as it, stacked without gaps; none where hidden."""
    figure = weekly.drawing(of)
    for i, week in enumerate(of.weeks):
        stack = []
        for place in range(len(of.services)):
            name = f"service {place}" + (", this week" if week is of.weeks[-1] else "")
            stack += [box for box in seen.boxes(figure, name) if round((box.left + box.right) / 2) == i]
        amounts = [int(amount) / NANO_PER_USD for amount in week.usd if amount]
        assert [box.top - box.bottom for box in stack] == pytest.approx(amounts)
        assert [box.bottom for box in stack] == pytest.approx([sum(amounts[:k]) for k in range(len(amounts))])
    assert len(seen.boxes(figure, "left out")) == sum(bool(week.hidden) for week in of.weeks)


def test_the_week_that_is_not_over_is_hatched_up_to_where_it_is_expected_to_end() -> None:
    """Its rectangles are hatched, the others are not; a dashed outline goes on to the forecast's middle."""
    figure = weekly.drawing(report(ahead=AHEAD))
    [this] = seen.named(figure, "service 0, this week", PolyCollection)
    [over] = seen.named(figure, "service 0", PolyCollection)
    assert this.get_hatch()
    assert not over.get_hatch()
    [outline] = seen.boxes(figure, "unfinished")
    assert (outline.bottom, outline.top) == pytest.approx((330, 960))


def test_the_forecast_is_a_band_with_a_middle() -> None:
    """A box from low to high in each of the four weeks, and a line at its middle."""
    figure = weekly.drawing(report(ahead=AHEAD))
    bands = seen.boxes(figure, "forecast")
    assert [box.bottom for box in bands] == pytest.approx([low for low, _, _ in AHEAD])
    assert [box.top for box in bands] == pytest.approx([high for *_, high in AHEAD])
    assert [round((box.left + box.right) / 2) for box in bands] == [11, 12, 13, 14]
    assert [line[0][1] for line in seen.lines(figure, "forecast middle")] == pytest.approx([one[1] for one in AHEAD])


def test_the_pace_steps_and_pauses_where_it_is_not_known() -> None:
    """A line through every week with a pace, at its height; none across weeks without one."""
    paces = [None, 900.0, 900.0, None, None, 1_000.0, 1_100.0, 1_100.0, 1_100.0, 1_100.0, 1_100.0, 1_100.0]
    first, second = seen.lines(weekly.drawing(report(pace=paces)), "pace")
    assert first == [(0.5, 900), (1.5, 900), (1.5, 900), (2.5, 900)]
    assert second[:3] == [(4.5, 1_000), (5.5, 1_000), (5.5, 1_100)]
    assert second[-1] == (11.5, 1_100)


def test_a_pace_far_above_every_bar_is_told_instead_of_drawn() -> None:
    """Bars keep their height where the grants are many times what is spent; the pace stands as a figure."""
    figure = weekly.drawing(ODD["tiny"])
    assert not seen.lines(figure, "pace")
    assert "grants' pace: USD 12 a week, above this picture" in seen.words(figure)


def test_figures_stand_above_the_highest_and_the_last_bar() -> None:
    """The largest week that is over carries its total, in USD as everywhere on the chart."""
    figure = weekly.drawing(ODD["jump"])
    assert "USD 7.3 k" in seen.words(figure)
    assert "USD 7.3 k (735 k tokens) last week, 8 people" in seen.words(figure)
    assert "USD 8 k" in seen.words(figure)


def test_names_stand_in_the_order_of_the_bars_parts() -> None:
    """The services are named from below, so that their order tells them apart as well as their colours."""
    shown = seen.words(weekly.drawing(report(ahead=AHEAD)))
    assert [words for words in shown if words in {weekly.FROM_BELOW, *SERVICES}] == [weekly.FROM_BELOW, *SERVICES]
    assert not seen.named(weekly.drawing(ODD["empty"]), "key", PolyCollection)
    one = seen.words(weekly.drawing(report([(9.0,)] * 12, ("GPU cluster",))))
    assert "GPU cluster" in one
    assert weekly.FROM_BELOW not in one


def test_pace_and_forecast_have_their_figures() -> None:
    """Each sign below the plot has its amount a week with its unit, and says if it ends above the picture."""
    shown = seen.words(weekly.drawing(report(ahead=AHEAD)))
    assert {"grants' pace: USD 1.2 k a week", "expected: USD 990 a week (750 to 1.3 k)"} <= set(shown)
    assert "expected: USD 900 a week (0 to 88 k, above" in " ".join(seen.words(weekly.drawing(ODD["wide forecast"])))


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (ODD["gaps"], ["2 weeks left out: the team changed", "1 week left out: too few people"]),
        (ODD["six"], ["Not told apart: services of too few people, and small ones."]),
        (
            replace(ODD["calm"], teams_hidden=1),
            ["The team below is not in this picture; it has too few people to tell."],
        ),
        (
            replace(ODD["calm"], teams_hidden=25),
            ["25 teams below are not in this picture; 25 of them: too few people to tell."],
        ),
        (ODD["calm"], []),
    ],
)
def test_what_is_left_out_is_told_on_the_picture_and_in_its_text(of: TeamReport, told: list[str]) -> None:
    """Weeks, services and teams of which nothing is told: how many, and why."""
    shown, text = " ".join(seen.words(weekly.drawing(of))), weekly_words.alt_text(of)
    for words in told:
        assert words in shown
        assert words.partition(" left out: ")[2] in text
        assert words in text or "left out" in words
    assert ("left out" in shown or "Not told" in shown or "not in this" in shown) == bool(told)
    seen.assert_texts_stand_free(weekly.drawing(of))


def test_texts_are_readable_on_a_phone() -> None:
    """Twelve CSS pixels or more where a phone shows the card 360 wide."""
    seen.assert_readable_on_a_phone()


# --- The words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "changes", "words"),
    [
        (last_weeks((500, 300, 150), (671, 300, 150)), {}, "Last week up 18 %, mostly GPU cluster"),
        (last_weeks((500, 300, 200), (450, 50, 100)), {}, "Last week down 40 %, less of Anthropic API"),
        (last_weeks((500, 300, 150), (500, 310, 160)), {}, "Last week much as before"),
        (last_weeks((100, 100, 100), (130, 130, 130)), {}, "Last week up 30 %"),
        (last_weeks((500, 300, 150), (6_800, 400, 150)), {}, "Last week 7.7 times the week before, mostly GPU cluster"),
        (last_weeks((0, 0, 0), (100, 0, 0)), {}, "USD 100 last week, after a week of nothing"),
        (last_weeks((100, 0, 0), (0, 0, 0)), {}, "Nothing was spent last week"),
        ([(0, 0, 0)] * 12, {}, "No tokens were spent in these twelve weeks"),
        ([(0, 0, 0)] * 12, {"hidden": {3: "few_people"}}, "No tokens were spent in the weeks shown"),
        ([(0, 0, 0)] * 10 + [(300, 20, 0), (1, 1, 1)], {}, "Spend began last week: USD 320"),
        ([(0, 0, 0)] * 11 + [(3, 0.5, 0)], {}, "Spend began this week: USD 3.50 so far"),
        (CALM, {"hidden": {10: "team_changed"}}, "Last week is left out: the team changed"),
        (CALM, {"hidden": {10: "few_people"}}, "Last week is left out: too few people"),
        (CALM, {"hidden": {9: "team_changed"}}, "USD 950 last week; the week before is left out"),
    ],
)
def test_the_title_states_the_finding(amounts: Any, changes: dict[str, Any], words: str) -> None:  # noqa: ANN401 - rows
    """What changed, by how much and because of what is the title, and part of the text."""
    of = report(amounts, **changes)
    assert seen.title(weekly.drawing(of)) == words
    assert words in weekly_words.alt_text(of)


def test_one_service_alone_is_no_explanation() -> None:
    """Where there is one service, the title does not say that the change was mostly that one's."""
    amounts = [(100.0,)] * 10 + [(150.0,), (20.0,)]
    assert weekly_words.finding(report(amounts, ("GPU cluster",))) == "Last week up 50 %"


@pytest.mark.parametrize("of", ODD.values(), ids=ODD)
def test_the_text_has_everything_that_the_picture_shows(of: TeamReport) -> None:
    """Every week's total, the pace and the forecast of the picture are in its text, which Slack takes whole."""
    text = weekly_words.alt_text(of)
    for week in of.weeks[:-1]:
        spent = f"USD {charts_canvas.usd(week.spent)}"
        told = f"left out ({weekly_words.WORDS[week.hidden]})" if week.hidden else spent
        assert f"{charts_canvas.of(week.week.first_day)} {told}" in text
    for pace in {week.pace for week in of.weeks if week.pace is not None}:
        assert f"USD {charts_canvas.usd(pace)}" in text
    for one in of.ahead:
        assert (
            f"USD {charts_canvas.usd(one.middle)} ({charts_canvas.usd(one.low)} to {charts_canvas.usd(one.high)})"
            in text
        )
    assert len(text) <= 2_000


def test_shares_of_services_are_in_the_text() -> None:
    """Each service's share of the weeks shown, and none told as nothing that is something."""
    assert "GPU cluster 53 %, Anthropic API 32 %, OpenAI API 16 %" in weekly_words.alt_text(report())
    assert "Anthropic API under 1 %" in weekly_words.alt_text(report([(9_990.0, 1.0, 0.0)] * 12))


def test_a_team_of_which_nothing_is_told_has_a_card_without_figures() -> None:
    """A hidden report has no week to draw; its picture says so, and its text too."""
    of = TeamReport(
        manager_id="p1",
        today=TODAY,
        people=3,
        hidden="few_people",
        services=(),
        weeks=(),
        ahead=(),
        month=None,
        jumps=(),
        idle=None,
        lapsing=None,
        lapses_on=date(2026, 12, 1),
        open_requests=0,
        teams=(),
        teams_hidden=0,
        per_token=NanoUSD(1),
        contact="",
    )
    assert seen.words(weekly.drawing(of)) == ["Nothing is shown: too few people", "3 people"]
    assert weekly_words.alt_text(of) == "Bar chart without bars. Nothing is shown: too few people. 3 people."
    assert native.team_lines(of) is None


# --- The card ------------------------------------------------------------------------------------------------------

AMOUNT = st.one_of(st.just(0.0), st.floats(0.01, 5e6).map(lambda one: round(one, 2)))


@st.composite
def reports(draw: st.DrawFn) -> TeamReport:
    """Reports with anything that may be in them."""
    services = draw(st.lists(st.sampled_from((*LONG, *SERVICES, *SCRIPTS, "W" * 60)), unique=True, max_size=6))
    scale = draw(st.sampled_from([0.000_1, 1.0, 1.0, 300.0]))
    rows = [[draw(AMOUNT) * scale for _ in services] for _ in range(12)]
    pace = draw(st.one_of(st.none(), st.lists(st.one_of(st.none(), AMOUNT), min_size=12, max_size=12)))
    spans = draw(st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT), max_size=4))
    ahead = [(low * scale, (low + up) * scale, (low + up + more) * scale) for low, up, more in spans]
    hidden = draw(st.dictionaries(st.integers(0, 11), st.sampled_from(["few_people", "team_changed"]), max_size=4))
    return report(rows, services, pace=pace, ahead=ahead, hidden=hidden, people=draw(st.integers(5, 5_000)))


@pytest.mark.parametrize("of", ODD.values(), ids=ODD)
def test_no_text_meets_another_or_leaves_the_card(of: TeamReport) -> None:
    """Title, keys, figures, labels and dates stand free, inside the card, large enough for a phone."""
    seen.assert_texts_stand_free(weekly.drawing(of))


@settings(max_examples=depth.examples(25), deadline=None)
@given(reports())
def test_no_text_meets_another_whatever_the_report(of: TeamReport) -> None:
    """As above, for reports no one thought of; and every bar stays within the plot."""
    figure = weekly.drawing(of)
    seen.assert_texts_stand_free(figure)
    for collection in seen.all_of(figure, PolyCollection):
        box = seen.extent(collection)
        assert box.y0 >= 0
        assert box.y1 <= charts_canvas.UP
        assert box.x1 <= charts_canvas.ACROSS
    assert seen.all_of(figure, LineCollection)


@settings(max_examples=depth.examples(60), deadline=None)
@given(reports())
def test_slacks_own_chart_is_within_its_limits(of: TeamReport) -> None:
    """Every series has a point for every category, each of them a week that is over and not hidden."""
    block = native.team_lines(of)
    shown = [week for week in of.weeks[:-1] if not week.hidden]
    assert (block is None) == (not any(week.spent for week in shown))
    if block:
        seen.assert_native(block)
        assert block["chart"]["axis_config"]["categories"] == [charts_canvas.of(week.week.first_day) for week in shown]


def test_slacks_own_chart_has_the_same_figures() -> None:
    """Spend and pace in USD, without the week that is left out and the one that is not over."""
    block = native.team_lines(report(hidden={4: "team_changed"}))
    assert block is not None
    spend, pace = block["chart"]["series"]
    assert (spend["name"], pace["name"]) == ("Spend", "Grants' pace")
    assert [point["value"] for point in spend["data"]] == [950] * 10
    assert [point["value"] for point in pace["data"]] == [1_200] * 10
    assert "5 Oct" not in block["chart"]["axis_config"]["categories"]
    assert block["chart"]["axis_config"]["x_label"] == "Week from; 1 week left out"
    small = native.team_lines(ODD["tiny"])
    assert small is not None
    assert small["chart"]["series"][0]["data"][0] == {"label": "7 Sep", "value": 0.4}


def test_colours_differ_for_everybody() -> None:
    """Neighbours in a stack differ in lightness; every colour stands out 3 : 1 from the card, texts 4.5 : 1."""
    for count in range(1, 7):
        for services in (LONG[:count], (*LONG[: count - 1], APART)):
            colours = charts_canvas.colours(services)
            assert len(set(colours)) == len(services)
            for below, above in pairwise(colours):
                assert abs(seen.lightness(below) - seen.lightness(above)) >= 12
            assert all(seen.contrast(colour, charts_canvas.CARD) >= 3 for colour in colours)
    assert seen.contrast(charts_canvas.FAINT, charts_canvas.CARD) >= 4.5
    assert seen.contrast(charts_canvas.INK, charts_canvas.CARD) >= 4.5


# --- The file ------------------------------------------------------------------------------------------------------


def test_the_picture_is_an_opaque_card() -> None:
    """720 x 660 dots without transparency, white at the edges: it reads the same on dark screens."""
    picture = weekly.weekly_spend(report())
    dots = imread(io.BytesIO(picture.png), format="png")
    assert dots.shape == (660, 720, 3)
    assert dots[0, 0].tolist() == [1.0] * 3
    assert picture.alt_text == weekly_words.alt_text(report())
    assert picture.filename == "team-spend-2026-W48.png"


def test_no_picture_leaks_into_the_next_one() -> None:
    """The same report gives the same bytes after other reports, and where several threads draw at once."""
    some = [ODD[name] for name in ("calm", "empty", "six", "gaps")]
    first = [weekly.weekly_spend(of).png for of in some]
    assert [weekly.weekly_spend(of).png for of in reversed(some)] == first[::-1]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda of: weekly.weekly_spend(of).png, some)) == first


@pytest.mark.parametrize("ha", ["left", "center", "right"])
@pytest.mark.parametrize(("words", "size", "weight"), [("USD 4.2 k, gypsy", 13, "normal"), ("Last week", 17, "bold")])
def test_a_stamp_is_the_text_as_it_would_be_set(ha: str, words: str, size: int, weight: str) -> None:
    """A text that is stamped, the first time and again, has the dots of one that is set in its place."""

    def dots(kind: type[Text]) -> Any:  # noqa: ANN401 - an array
        figure = Figure(figsize=(4, 1), dpi=charts_canvas.DPI, facecolor=charts_canvas.CARD)
        figure.add_artist(
            kind(
                200, 40, words, size=size, weight=weight, ha=ha, color=charts_canvas.INK, transform=IdentityTransform()
            )
        )
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        return np.array(canvas.buffer_rgba(), dtype=int)  # type: ignore[no-untyped-call]

    plain, first, again = dots(Text), dots(StampedText), dots(StampedText)
    assert (first == again).all()
    shifted = [
        np.abs(np.roll(first, (down, right), (0, 1)) - plain).mean() for down in (-1, 0, 1) for right in (-1, 0, 1)
    ]
    assert plain.min() < 60
    assert min(shifted) < np.abs(first - 255).mean() / 2
