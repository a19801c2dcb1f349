"""The draft of a permanent policy as a handbook's file: valid, changed in nothing else, and proposed like any."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from policy import handbook
from policy.changes import differences
from policy.period import Month
from policy.reasons import Refusal
from programme.grants import monthly
from programme.handbook import permanent
from store.handbook import reference
from tests.support import cast, rollout

if TYPE_CHECKING:
    from programme.app import App
    from programme.handbook.permanent import PolicyDraft

JANUARY = datetime(2027, 1, 20, 9, tzinfo=UTC)
MARCH = Month(2027, 3)
PEOPLE = "email,name,level,role_family,pay_band,time_zone,hired_on,wave\n" + "".join(
    f"p{i}@example.com,P{i},mid,engineering,P2,UTC,2024-01-01,1\n" for i in range(20)
)


def draft(app: App, *, year: int = 2026, month: Month = MARCH, now: datetime = JANUARY) -> PolicyDraft:
    with app.reading(now) as moment:
        return permanent.draft(moment, year, month)


@pytest.fixture
def played(sqlite_app: App) -> App:
    """A company of 25 engineers who had grants in December and used nothing of them."""
    cast.hire(sqlite_app, PEOPLE)
    rollout.launch(sqlite_app)
    with sqlite_app.transaction(datetime(2026, 12, 1, 9, tzinfo=UTC)) as moment:
        monthly.run(moment, Month(2026, 12))
    return sqlite_app


def test_the_file_changes_share_and_groups_and_nothing_else(played: App) -> None:
    """It reads as a handbook, from the month named on, under a free version."""
    made = draft(played)
    with played.reading() as moment:
        old = reference.handbook_body(moment.session, "2026.launch") or ""
    changed = {one.key: one.new for one in differences(old, made.body)}
    assert changed.pop("sizing.share_of_compensation") == "0.100"
    assert {key.rpartition(".")[0] for key in changed} == {
        "sizing.annual.above",
        "sizing.annual.as expected",
        "sizing.annual.below",
    }
    book = handbook.parse(made.body)
    assert (book.version, str(book.effective_from)) == ("2027.1", "2027-03-01")
    assert [str(one.factor) for one in book.sizing.annual] == ["1.05", "1.00", "0.95"]


def test_its_page_says_why_and_what_is_open(played: App) -> None:
    """Figures of the year first, then what it doesn't show, then how it is adopted."""
    page = permanent.reasons(draft(played))
    for words in (
        "# Version 2027.1: what 2026 calls for",
        "25 people, 25 used less than 40%",
        "from 25.0% to 10.0%",
        "Grants were made in 1 of four quarters",
        "tokens-bot handbook propose FILE",
    ):
        assert words in page, page


def test_a_year_that_is_not_over_is_not_drafted_from(played: App) -> None:
    """Nor is one without grants, nor for a month that has begun."""
    with pytest.raises(Refusal, match="2026 is not over"):
        draft(played, now=datetime(2026, 12, 31, 9, tzinfo=UTC))
    with pytest.raises(Refusal, match="No grants were made in 2025"):
        draft(played, year=2025)
    with pytest.raises(Refusal, match="has begun"):
        draft(played, month=Month(2027, 1))
