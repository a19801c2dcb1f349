"""Records of people change while the board votes on their quarter: nothing is lost, and no letter goes astray."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.period import Month
from programme.grants import monthly
from programme.people import directory, linking, merging
from programme.people.slack_accounts import SlackAccount
from programme.privacy import erasing
from programme.reviews import calendar
from store.reviews import drafts
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books, cast, voted
from tests.support.requests import IRIS, OMAR, TESS
from tests.support.reviewed import BUSY, GIFTED, MORNING, Q4, STOPPED
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

TWIN, NEW = "t3p1@old.example.com", "busy@example.com"
HEADER = "email,name,manager_email,level,role_family,pay_band,fte,time_zone,hired_on\n"


def test_a_review_is_adopted_over_changed_records(sqlite_app: App, clock: Clock) -> None:
    """One renamed, one relinked, one merged with a second record, one erased: the vote and the next grants hold."""
    office = voted.settle(sqlite_app, clock)
    with office.transaction(MORNING) as moment:
        calendar.advance(moment, Q4)
    cast.hire(office, f"{HEADER}{TWIN},Stopped Again,m3@example.com,senior,engineering,P3,1,UTC,2026-12-01\n")
    cast.hire(office, f"email,left_on\n{GIFTED},2027-01-03\n")
    erased = cast.person_id(office, GIFTED)
    with office.transaction(MORNING) as moment:
        directory.rename(moment, BUSY, NEW, actor="cli:ruth")
        linking.relink(moment, NEW, SlackAccount("U0BUSYNEW", NEW), actor="cli:ruth")
        merging.merge(moment, TWIN, STOPPED, actor="cli:ruth")
        erasing.erase(moment, GIFTED, actor="cli:ruth")
    with office.transaction(MORNING) as moment:
        for who in (IRIS, TESS, OMAR):
            voted.vote(moment, who)
    clock.now = MORNING + timedelta(days=27, hours=15)
    with office.transaction() as moment:
        review = drafts.get(moment.session, Q4)
        assert monthly.run(moment, Month(2027, 2)) is not None
    assert review is not None
    assert review.state == ADOPTED
    twins = books.rows(office, sa.select(people.c.id).where(people.c.merged_into.is_not(None)))
    waiting = books.rows(office, sa.select(outbox.c.person_id).where(outbox.c.state == "waiting"))
    assert not set(waiting) & {*twins, (erased,)}
    assert not books.findings(office)
