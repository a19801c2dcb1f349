"""What a manager's report says in words: one rendering of its figures for the message, the answer and Home."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from policy.value.valuation import worth
from templates import formats, render
from templates.charts import native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.units import NanoUSD
    from templates.render import Message
    from views.reports import TeamBelow, TeamReport


MOST_TEAMS = 40
"""Rows of a table that a message has room for."""


def weekly(report: TeamReport) -> Message:
    """What a manager is sent on a Monday."""
    return render.message("reports/weekly", **words(report))


def answer(report: TeamReport) -> Message:
    """The same at any time, for a manager who asks."""
    chart = native.team_lines(report) if report.weeks else None
    return render.message("reports/team", chart_of_weeks=chart, **words(report))


def words(report: TeamReport) -> dict[str, object]:
    """What the templates need beside the report: the last week's change and its services' shares."""
    told = bool(report.weeks)
    return {
        "report": report,
        "last": report.weeks[-2] if told else None,
        "change": change(report),
        "shares": shares(report),
        "spent_share": spent_share(report),
        "worth": partial(worth, per_token=report.per_token),
        "most_teams": MOST_TEAMS,
        "team_rows": team_rows(report.teams[:MOST_TEAMS]),
        "left_out": sum(week.hidden in {"team_changed", "few_spenders"} for week in report.weeks[:-2]),
    }


def change(report: TeamReport) -> Decimal | None:
    """The last week over the one before, less one; None where one of them is not told or nothing was spent before."""
    if not report.weeks:
        return None
    last, before = report.weeks[-2], report.weeks[-3]
    if last.hidden or before.hidden or not before.same_team or not before.spent:
        return None
    return Decimal(int(last.spent)) / int(before.spent) - 1


def spent_share(report: TeamReport) -> Decimal | None:
    """How much of the month's grants is spent, of the rounded figure that is told."""
    if report.month is None or not report.month.granted:
        return None
    return Decimal(int(report.month.spent)) / int(report.month.granted)


def shares(report: TeamReport) -> list[tuple[str, Decimal]]:
    """What the last week's spend went to, by service; nothing where nothing was spent, or told."""
    if not report.weeks or report.weeks[-2].hidden or not report.weeks[-2].spent:
        return []
    last = report.weeks[-2]
    parts = zip(report.services, last.usd, strict=True)
    return [(name, Decimal(int(usd)) / int(last.spent)) for name, usd in parts if usd]


def team_rows(teams: Sequence[TeamBelow]) -> list[list[str]]:
    """The table of the teams below, with its heading."""
    rows = [["Team of", "People", "Last week, USD", "Week before, USD"]]
    rows += [[formats.short(t.lead), formats.count(t.people), _usd(t.spent), _usd(t.before)] for t in teams]
    return rows


def _usd(amount: NanoUSD | None) -> str:
    return "not shown" if amount is None else formats.whole_usd(amount).removeprefix("USD ")
