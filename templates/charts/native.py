"""The same series for Slack's own chart block, as plain dicts: it has no colours of ours and cannot mark a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from policy.units import MICRO_PER_TOKEN, NANO_PER_USD
from templates.charts import canvas, weekly_words
from templates.charts.burn_down import even_pace
from templates.charts.burn_down import finding as finding_of_month
from templates.charts.cumulative import finding as finding_of_return
from templates.charts.event_study import finding as finding_of_effect
from templates.charts.event_study import label as month_label
from templates.charts.event_study import points as event_points
from templates.charts.utilisation import finding as finding_of_shares
from templates.charts.utilisation import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policy.roi.report import Report
    from policy.units import NanoUSD
    from views.balance import BurnDown
    from views.reports import TeamReport
    from views.value import Histogram

T = TypeVar("T")
LONGEST_TITLE, LONGEST_LABEL, MOST_POINTS = 50, 20, 20
Block = dict[str, Any]


def team_lines(report: TeamReport) -> Block | None:
    """The weeks that are over, without those that are left out: what a week came to, and the grants' pace if known."""
    weeks = [one for one in report.weeks[:-1] if not one.hidden][-MOST_POINTS:]
    if report.hidden or not any(one.spent for one in weeks):
        return None
    series: dict[str, list[float]] = {"Spend": [_usd(one.spent) for one in weeks]}
    paces = [one.pace for one in weeks if one.pace is not None]
    if len(paces) == len(weeks):
        series["Grants' pace"] = [_usd(pace) for pace in paces]
    return _chart(
        "line",
        weekly_words.finding(report),
        "USD spent a week",
        [canvas.of(one.week.first_day) for one in weeks],
        series,
        x=_weeks_label(sum(bool(one.hidden) for one in report.weeks[:-1])),
        y="USD a week",
    )


def burn_down(month: BurnDown) -> Block | None:
    """What was left at the end of some of the days, always of the first and the last, beside the even pace."""
    if not month.left or month.start <= 0:
        return None
    chosen = _chosen(month.left)
    series = {
        "Left": [round(int(left) / MICRO_PER_TOKEN) for _, left in chosen],
        "Even pace": [round(even_pace(month, day)) for day, _ in chosen],
    }
    return _chart(
        "line",
        finding_of_month(month),
        "Tokens left",
        [canvas.of(day) for day, _ in chosen],
        series,
        x="End of",
        y="Tokens left",
    )


def utilisation(histogram: Histogram) -> Block | None:
    """People by the share of their grants that they used, without the shares of which too few to tell made use."""
    told = [(label(low, high), count) for low, high, count in histogram.bins if count is not None]
    if not any(count for _, count in told):
        return None
    return _chart(
        "bar",
        finding_of_shares(histogram),
        "People by share of grants used",
        [words for words, _ in told],
        {"People": [count for _, count in told]},
        x=_shares_label(sum(count is None for *_, count in histogram.bins), histogram.least),
        y="People",
    )


def event_study(report: Report) -> Block | None:
    """Effects by months since joining with both ends of their intervals, in per cent; the months nearest to joining."""
    if report.effect is None:
        return None
    told = [one for one in event_points(report.effect) if one.low is not None and one.high is not None]
    told = sorted(sorted(told, key=lambda one: (abs(one.month), one.month))[:MOST_POINTS])
    if not told:
        return None
    ends: dict[str, list[float | None]] = {
        "Effect": [one.share for one in told],
        "Low": [one.low for one in told],
        "High": [one.high for one in told],
    }
    return _chart(
        "line",
        finding_of_effect(report),
        "Output beside teams that had not joined",
        [month_label(one.month) for one in told],
        {name: [round(100 * share, 1) for share in shares if share is not None] for name, shares in ends.items()},
        x="Months since a team joined",
        y="Per cent; 90 % intervals",
    )


def cumulative(report: Report) -> Block | None:
    """The net result at the end of some of the months, always of the last, for the effect and its interval's ends."""
    judged = report.told
    if judged is None:
        return None
    courses = {"Low": judged.low, "Net": judged.middle, "High": judged.high}
    months = _chosen(range(len(judged.middle.cumulative)))
    return _chart(
        "line",
        finding_of_return(report),
        "Cumulative net result",
        [str(month) for month in months],
        {name: [_usd(one.cumulative[month]) for month in months] for name, one in courses.items() if one},
        x="Months since the launch",
        y="USD, cumulative",
    )


def _weeks_label(hidden: int) -> str:
    """Slack draws the weeks beside one another, also where some between them are not told: their axis says so."""
    return f"Week from; {hidden} {'week' if hidden == 1 else 'weeks'} left out" if hidden else "Week from"


def _shares_label(hidden: int, least: int) -> str:
    few = f"{hidden} with fewer than {least} people not shown"
    return f"Share used; {few}" if hidden else "Share of the regular grants that was used"


def _chart(
    kind: str,
    title: str,
    plain_title: str,
    categories: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    x: str,
    y: str,
) -> Block:
    return {
        "type": "data_visualization",
        "title": title if len(title) <= LONGEST_TITLE else plain_title,
        "chart": {
            "type": kind,
            "series": [
                {"name": name, "data": [{"label": at, "value": v} for at, v in zip(categories, values, strict=True)]}
                for name, values in series.items()
            ],
            "axis_config": {"categories": list(categories), "x_label": x, "y_label": y},
        },
    }


def _chosen(left: Sequence[T]) -> list[T]:
    """As many of them as a chart takes, evenly apart: the first, the last, and those between."""
    last = len(left) - 1
    points = min(len(left), MOST_POINTS)
    return [left[round(i * last / (points - 1))] for i in range(points)] if last else list(left)


def _usd(amount: NanoUSD) -> float:
    """USD as the picture tells them: without cents from ten on."""
    value = int(amount) / NANO_PER_USD
    return round(value) if abs(value) >= canvas.DOLLARS / NANO_PER_USD else round(value, 2)
