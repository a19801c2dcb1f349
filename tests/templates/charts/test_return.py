"""The pictures of the return show their figures, say so in words, and fit their card; with few teams they tell none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.units import NANO_PER_USD
from templates import charts
from templates.charts import native, signed
from templates.charts.cumulative import alt_text as text_of_return
from templates.charts.cumulative import drawing as draw_return
from templates.charts.cumulative import finding as finding_of_return
from templates.charts.event_study import drawing as draw_effect
from templates.charts.event_study import finding as finding_of_effect
from templates.charts.event_study import points
from tests.support import depth, roi
from tests.support.roi import KINDS, Planted
from tests.templates import charts_seen as seen

every_kind = pytest.mark.parametrize("planted", KINDS.values(), ids=KINDS)


@every_kind
def test_no_text_of_a_picture_meets_another(planted: Planted) -> None:
    """Whatever was found; and the pictures are files with a text that says the same."""
    report = roi.made(planted)
    for picture, drawing in ((charts.event_study, draw_effect), (charts.cumulative, draw_return)):
        seen.assert_texts_stand_free(drawing(report))
        made = picture(report)
        assert made.png.startswith(b"\x89PNG")
        assert seen.words(drawing(report))[0] in made.alt_text
        assert len(made.alt_text) <= 2_000


def test_each_month_has_its_interval_and_the_base_has_none() -> None:
    """Leads stand before the line, effects after it, each in the middle of its bar."""
    report = roi.made(roi.PAYS)
    assert report.effect is not None
    figure = draw_effect(report)
    bars = seen.lines(figure, "after intervals")
    after = [one for one in points(report.effect) if one.month >= 0]
    assert bars == [[(one.month, one.low), (one.month, one.high)] for one in after]
    assert len(seen.boxes(figure, "before")) == len(seen.lines(figure, "before intervals")) + 1


def test_the_net_result_goes_through_every_month_within_its_band() -> None:
    """The line is that of the estimate, the band that of both ends; the mark is where it is paid back."""
    report = roi.made(roi.PAYS)
    assert report.judged is not None
    figure = draw_return(report)
    [line] = seen.lines(figure, "net")
    assert [value for _, value in line] == [int(one) / NANO_PER_USD for one in report.judged.middle.cumulative]
    [band] = seen.boxes(figure, "between")
    assert report.judged.high is not None
    assert band.top == int(report.judged.high.cumulative[-1]) / NANO_PER_USD
    assert f"Paid back after {report.judged.middle.payback:.1f} months" in seen.words(figure)


@pytest.mark.parametrize(
    ("planted", "effect", "net"),
    [
        (roi.PAYS, "Output +17 % (+11 % to +24 %)", "It pays, and pays back after 1.7 months"),
        (roi.SPANS, "Output −6 % (−18 % to +8.4 %)", "Not established whether it pays"),
        (roi.COSTS_MORE, "Output −27 % (−30 % to −23 %)", "It does not pay within 24 months"),
        (roi.SOME_TEAMS, "Teams that joined made more; they are too few for a figure", None),
        (
            roi.FEW_TEAMS,
            "Teams that joined made more; they are too few for a figure",
            "Not established whether it pays",
        ),
        (roi.ALL_AT_ONCE, "No effect can be estimated yet", "Not established whether it pays"),
    ],
)
def test_titles_state_the_finding(planted: Planted, effect: str, net: str | None) -> None:
    """With fewer than twelve teams no percentage stands in one."""
    report = roi.made(planted)
    assert finding_of_effect(report) == effect
    assert net is None or finding_of_return(report) == net
    if report.effect is None or report.effect.found.units < 12:
        assert not re.search(r"\d+ ?%", finding_of_effect(report) + finding_of_return(report))


def test_six_teams_have_no_course_of_money() -> None:
    """A direction has no amount: neither picture, nor chart, nor text has one."""
    report = roi.made(roi.FEW_TEAMS)
    assert not seen.lines(draw_return(report), "net")
    assert native.cumulative(report) is None
    assert "USD" not in text_of_return(report)


@every_kind
def test_slacks_own_charts_have_the_same_figures(planted: Planted) -> None:
    """As many months as Slack takes, the nearest to joining, and the first and last of the money."""
    report = roi.made(planted)
    effect, net = native.event_study(report), native.cumulative(report)
    assert (effect is None) == (report.effect is None)
    assert (net is None) == (report.told is None)
    for block in filter(None, (effect, net)):
        seen.assert_native(block)
    if net is not None and report.judged is not None:
        middle = next(one for one in net["chart"]["series"] if one["name"] == "Net")
        assert middle["data"][-1]["value"] == round(int(report.judged.middle.net) / NANO_PER_USD)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
@settings(max_examples=depth.examples(100))
def test_steps_hold_all_figures_and_zero(one: float, other: float) -> None:
    """Few round lines, evenly apart, 0 among them."""
    low, high = sorted((one, other))
    at = signed.steps(low, high)
    assert 2 <= len(at) <= signed.MOST_LINES
    assert 0.0 in at
    tolerance = 1e-6 * (at[-1] - at[0])
    assert at[0] <= low + tolerance
    assert at[-1] >= high - tolerance
