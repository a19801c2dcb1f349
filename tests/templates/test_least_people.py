"""How many people a figure is of at least: the handbook says so, and messages and charts say what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from templates import finance, render, team
from templates.charts import native
from templates.charts.utilisation import alt_text
from tests.support import charged, packs, reported
from views.finance import OwnersMonth

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = re.compile(r"(?i:fewer than|only shown for|totals of|sums of|not yet) (\w+)")
"""A number of people behind the words that name a limit."""
EIGHT = replace(reported.CALM, least=8)
LEFT_OUT = [replace(week, hidden="few_spenders") for week in EIGHT.weeks[-2:]]
USE = replace(packs.USE, least=8)
OWNED = OwnersMonth("per_1", "2026-10", (charged.PLAIN, charged.HIDDEN), "the team", 8)
TOLD: dict[str, Callable[[], object]] = {
    "the weekly report": lambda: team.weekly(EIGHT).blocks,
    "a team of few": lambda: team.answer(replace(EIGHT, hidden="few_people", people=6)).blocks,
    "a team of few spenders": lambda: team.answer(replace(EIGHT, hidden="few_spenders")).blocks,
    "a week of few spenders": lambda: team.answer(replace(EIGHT, weeks=(*EIGHT.weeks[:-2], *LEFT_OUT))).blocks,
    "a cost centre": lambda: finance.statement(OWNED).blocks,
    "use below the pack": lambda: render.message("reviews/use", use=USE, quarter="2026-Q4").blocks,
    "the chart of use": lambda: alt_text(USE),
    "Slack's own chart of use": lambda: native.utilisation(USE),
}


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_what_is_told_of_is_as_many_as_the_handbook_says(told: Callable[[], object]) -> None:
    """Where the handbook says eight, nothing says five."""
    said = str(told())
    assert LIMIT.findall(said)
    assert set(LIMIT.findall(said)) <= {"8", "eight"}
