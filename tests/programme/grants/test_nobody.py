"""A month or a review that concerns nobody is refused, and says of each person why."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook
from policy import rollout as policy
from policy.parameters.grants import LEVELS
from policy.period import Month, Quarter
from policy.reasons import Refusal
from policy.rollout import Participant
from programme.grants import monthly
from programme.people import terms
from programme.reviews import drafting
from store.audit import POLICY
from store.tables.grants import grants
from store.tables.outbox import outbox, runs
from store.tables.reviews import reviews
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from programme.app import App

DECEMBER, Q4 = Month(2026, 12), Quarter(2026, 4)
FIRST = datetime(2026, 12, 1, 9, tzinfo=UTC)
NEW_YEAR = datetime(2027, 1, 2, 9, tzinfo=UTC)
RULES = handbook.parse(handbook.packaged().replace("# launched_on = 2027-01-01", "launched_on = 2027-01-01")).rollout


def refused(app: App, month: Month = DECEMBER, now: datetime = FIRST) -> str:
    with pytest.raises(Refusal) as refusal, app.transaction(now) as moment:
        monthly.run(moment, month, announce_in="C0NEWS", pass_over=True)
    assert refusal.value.code == "month_of_nobody"
    return str(refusal.value)


def test_each_reason_names_its_people(app: App) -> None:
    """No band, no midpoint on the first, leave and another role family, each with its people; nothing is posted."""
    rollout.launch(app, without_midpoints=True)
    cast.hire(app, f"email,pay_band\n{BEN},-\n")
    with app.transaction() as moment:
        terms.set_leave(moment, MARA, date(2026, 10, 1), None, actor="test")
    rollout.set_midpoints(app, date(2026, 12, 2))
    told = refused(app)
    assert told.startswith("No one gets a grant for 2026-12:\n")
    assert f"no pay band: {BEN}." in told
    assert f"pay band 'P4' has no midpoint for 2026-12-01: {ADA}." in told
    assert f"on leave all month: {MARA}." in told
    assert "role family 'finance' has no part: omar@example.com." in told
    assert "`bands set`" in told
    assert [books.count(app, table) for table in (grants, outbox, runs)] == [0, 0, 0]


def test_a_pilot_without_waves_says_so(app: App) -> None:
    """In the pilot of the first wave those of no wave, and those of later ones, are told apart from junior levels."""
    rollout.launch(app, on=date(2026, 12, 1))
    cast.hire(app, f"email,wave\n{ADA},3\n")
    told = refused(app)
    assert f"wave 3 begins in 2027-06: {ADA}." in told
    assert f"level 'junior' is not in the pilot: {BEN}." in told
    assert f"no wave: iris@example.com, {MARA}, tess@example.com." in told


def test_many_people_are_counted(app: App) -> None:
    """Of thirty people with one reason twenty are named, and the others are counted."""
    rollout.launch(app, on=date(2026, 12, 1))
    cast.hire(app, f"email,wave\n{ADA},-\n")
    lines = "".join(f"p{i:02}@example.com,P,staff,engineering,P4,Europe/Paris,2020-01-01,\n" for i in range(30))
    cast.hire(app, f"email,name,level,role_family,pay_band,time_zone,hired_on,wave\n{lines}")
    told = refused(app)
    assert "p16@example.com and 14 more." in told


def test_a_review_of_nobody_is_refused_and_later_passed_over(app: App) -> None:
    """No one took part at the quarter's end: the reason is told; when the next quarter is over the calendar goes on."""
    rollout.launch(app)
    cast.hire(app, "email,left_on\n" + "".join(f"{who},2026-12-30\n" for who in (ADA, BEN, MARA)))
    cast.hire(app, "email,role_family\niris@example.com,legal\ntess@example.com,legal\n")
    with pytest.raises(Refusal) as refusal, app.transaction(NEW_YEAR) as moment:
        drafting.draft(moment, Q4)
    assert refusal.value.code == "review_of_nobody"
    assert f"left on 2026-12-30: {ADA}, {BEN}, {MARA}." in str(refusal.value)
    later = datetime(2027, 4, 1, 9, tzinfo=UTC)
    with pytest.raises(Refusal), app.transaction(later) as moment:
        drafting.draft(moment, Q4, actor="an administrator")
    with app.transaction(later) as moment:
        assert drafting.draft(moment, Q4, actor=POLICY) is None
    assert [books.count(app, table) for table in (reviews, runs)] == [0, 1]
    assert books.findings(app) == {}


@given(
    st.sampled_from([*LEVELS]),
    st.sampled_from(["engineering", "research", "legal"]),
    st.one_of(st.none(), st.integers(1, 6)),
    st.integers(0, 30),
)
def test_everyone_who_is_out_has_a_reason(level: str, family: str, wave: int | None, months: int) -> None:
    """There is a reason exactly while someone does not take part, and the wave's month it names is when they do."""
    person = Participant(level, family, wave, date(2020, 1, 1), None)
    month = Month(2026, 8).plus(months)
    why = policy.why_out(person, month, RULES)
    assert bool(why) != policy.takes_part(person, month, RULES)
    if "begins in" in why:
        first = Month.parse(why.rsplit(" ", 1)[1])
        assert month < first
        assert policy.takes_part(person, first, RULES)
