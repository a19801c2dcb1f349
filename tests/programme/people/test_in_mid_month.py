"""Records of people change amid a month's run and open requests: nothing is lost, and no letter goes astray."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from programme.grants import revoking
from programme.people import directory, linking, merging
from programme.people.slack_accounts import SlackAccount
from programme.privacy import erasing
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books, cast, requests, rollout
from tests.support.books import ADA, BEN
from tests.support.requests import OMAR, TESS

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

TWIN, GONE, NEW = "ada.king@example.com", "gone@example.com", "benedikt@example.com"
HEADER = "email,name,slack_user_id,level,role_family,pay_band,fte,time_zone,hired_on,wave\n"
NEWCOMERS = f"""\
{HEADER}{TWIN},Ada King,U0TWIN,staff,engineering,P4,1,UTC,2020-02-01,1
{GONE},Gone By,U0GONE,senior,engineering,P3,1,UTC,2020-01-01,1
"""
EVE = datetime(2026, 11, 30, 12, tzinfo=UTC)
FIRST, SECOND = datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 2, 9, tzinfo=UTC)


def awaited(app: App) -> set[str | None]:
    """The Slack accounts to which messages go that wait for somebody."""
    waiting = sa.and_(outbox.c.state == "waiting", outbox.c.person_id == people.c.id)
    return {account for (account,) in books.rows(app, sa.select(people.c.slack_user_id).where(waiting))}


def test_a_month_goes_on_over_changed_records(sqlite_app: App, clock: Clock) -> None:
    """After the first's run and before its lapse: one renamed and relinked, one merged, one revoked, one erased."""
    office = requests.convene(sqlite_app)
    cast.hire(office, NEWCOMERS)
    clock.now = EVE
    kept = requests.ask(office, BEN, "900")
    requests.ask(office, GONE, "800")
    twins = requests.ask(office, TWIN, "700")
    slip = cast.give(office, BEN, "5000")
    cast.hire(office, f"email,left_on\n{GONE},2026-11-30\n")
    clock.now = FIRST
    rollout.run_calendar(office, FIRST)
    granted = rollout.granted(office, "2026-12")
    assert {ADA, BEN, TWIN} <= granted.keys()
    gone = cast.person_id(office, GONE)
    clock.now = SECOND
    with office.transaction() as moment:
        directory.rename(moment, BEN, NEW, actor="cli:ruth")
        linking.relink(moment, NEW, SlackAccount("U0BENNEW", NEW), actor="cli:ruth")
        merging.merge(moment, TWIN, ADA, actor="cli:ruth")
        revoking.revoke(moment, slip.lot_id, reason="Meant for Ada", actor="cli:ruth")
        erasing.erase(moment, GONE, actor="cli:ruth")
    before = books.wallet(office, NEW)
    for request, voters in ((kept, [TESS]), (twins, [TESS, OMAR])):
        for who in voters:
            requests.vote(office, who, request)
    assert requests.now_of(office, kept).state == requests.now_of(office, twins).state == "approved"
    assert int(books.wallet(office, NEW)) == int(before) + int(kept.amount)
    assert requests.now_of(office, twins).person_id == cast.person_id(office, ADA)
    assert not awaited(office) & {"U0BEN", "U0TWIN", "U0GONE"}
    assert "U0BENNEW" in awaited(office)
    assert (gone,) not in books.rows(office, sa.select(outbox.c.person_id).where(outbox.c.state == "waiting"))
    clock.now = SECOND + timedelta(days=5)
    rollout.run_calendar(office, clock.now)
    assert not awaited(office) & {"U0BEN", "U0TWIN", "U0GONE"}
    assert not books.findings(office)
