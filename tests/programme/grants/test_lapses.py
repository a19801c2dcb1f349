"""What ends: closed when late usage has had its time, announced before, and never taken from what goes on."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from policy.units import MicroTokens
from programme.grants import announcements, lapses, monthly
from programme.people import terms
from scheduler.composers import grants as composers
from store.tables.ledger import entries
from store.tables.outbox import outbox
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App

NOVEMBER = datetime(2026, 10, 31, 23, 5, tzinfo=UTC)


def close(app: App, day: date) -> int:
    with app.transaction(at(day)) as moment:
        return lapses.close_ended(moment, day)


def announce(app: App, day: date, *, now: datetime | None = None) -> int:
    with app.transaction(now or at(day)) as moment:
        return announcements.announce(moment, day)


def grant(app: App, month: Month) -> None:
    with app.transaction(at(month.first_day)) as moment:
        monthly.run(moment, month)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def notices(app: App, email: str) -> list[dict[str, object]]:
    query = sa.select(outbox.c.view).where(outbox.c.template == "grants/lapse_notice").order_by(outbox.c.id)
    return [dict(view) for (view,) in books.rows(app, query.where(outbox.c.person_id == cast.person_id(app, email)))]


def test_a_lot_is_closed_three_days_after_its_end(app: App) -> None:
    """Usage of the last day may come late: until the fourth day the lot pays for it; then what is left expires."""
    rollout.launch(app)
    cast.give(app, ADA, "100", days=10)
    end = app.clock() + timedelta(days=10)
    assert close(app, end.date()) == close(app, end.date() + timedelta(days=3)) == 0
    late = cast.event("late", at=end - timedelta(minutes=1))
    assert books.take_in(app, late) == ["accepted"]
    assert close(app, end.date() + timedelta(days=4)) == 1
    assert books.account(app, "expired") == MicroTokens(100_000_000 - 540_000)
    assert books.wallet(app, ADA) == MicroTokens(0)
    assert close(app, end.date() + timedelta(days=5)) == 0
    assert books.findings(app) == {}


def test_one_entry_closes_all_that_ended(app: App) -> None:
    """Two lots that ended together are one line of the statement, which names both."""
    rollout.launch(app)
    cast.give(app, ADA, "100", days=10, reason="First")
    cast.give(app, ADA, "50", days=10, reason="Second")
    day = (app.clock() + timedelta(days=20)).date()
    assert close(app, day) == 2
    [(memo, key)] = books.rows(
        app, sa.select(entries.c.memo, entries.c.idempotency_key).where(entries.c.kind == "expiry")
    )
    assert memo == "Ended: First; Second"
    assert key == f"expiry:{day}:{cast.person_id(app, ADA)}"


def test_a_leavers_tokens_lapse(app: App) -> None:
    """Three days after their last day all that someone held is gone; by a handbook of before it expires."""
    rollout.launch(app, changes={'leavers = "pool"\n': ""})
    cast.give(app, BEN, "100")
    cast.give(app, ADA, "100")
    cast.hire(app, f"email,left_on\n{BEN},2026-11-25\n")
    assert close(app, date(2026, 11, 28)) == 0
    assert close(app, date(2026, 11, 29)) == 1
    assert books.wallet(app, BEN) == MicroTokens(0)
    assert books.wallet(app, ADA) == MicroTokens.parse("100")
    assert (books.account(app, "expired"), books.account(app, "pool")) == (MicroTokens.parse("100"), MicroTokens(0))
    assert books.findings(app) == {}


def test_debt_is_not_made_larger_by_what_ends(app: App) -> None:
    """Anyone who owes and holds an ended lot owes the same when it is closed."""
    rollout.launch(app)
    cast.give(app, ADA, "100", days=10)
    end = app.clock() + timedelta(days=10)
    after = cast.event("after", at=end + timedelta(hours=1))
    books.take_in(app, after)
    assert books.wallet(app, ADA) == MicroTokens(100_000_000 - 540_000)
    close(app, end.date() + timedelta(days=4))
    assert books.wallet(app, ADA) == MicroTokens(-540_000)
    assert books.findings(app) == {}


def test_a_lapse_is_announced_a_week_and_a_day_before(app: App) -> None:
    """Two unused grants: what exceeds the limit on the first is told on the 24th and on the 30th, with the amount."""
    rollout.launch(app, changes=rollout.TO_EVERYONE)
    grant(app, Month(2026, 10))
    grant(app, Month(2026, 11))
    told = [day for day in range(20, 31) if announce(app, date(2026, 11, day))]
    assert told == [24, 30]
    week, day = notices(app, ADA)
    amount = int(rollout.granted(app, "2026-11")[ADA])
    assert (week["on"], week["days"], week["over_limit"]) == ("2026-12-01", 7, amount)
    assert (day["on"], day["days"], day["over_limit"]) == ("2026-12-01", 1, amount)


@pytest.mark.parametrize(("away_from", "until"), [(date(2026, 10, 16), date(2026, 11, 16)), (date(2026, 11, 15), None)])
def test_what_is_told_to_lapse_is_what_lapses(sqlite_app: App, away_from: date, until: date | None) -> None:
    """Back from a leave, a part of a month makes no smaller limit; on leave there is no grant, and nothing lapses."""
    app = sqlite_app
    rollout.launch(app, changes=rollout.TO_EVERYONE)
    with app.transaction() as moment:
        terms.set_leave(moment, BEN, away_from, until, actor="test")
    grant(app, Month(2026, 10))
    grant(app, Month(2026, 11))
    announce(app, date(2026, 11, 24))
    assert notices(app, BEN) == []
    assert len(notices(app, ADA)) == 1
    before = books.wallet(app, BEN)
    grant(app, Month(2026, 12))
    granted = rollout.granted(app, "2026-12").get(BEN, MicroTokens(0))
    assert books.wallet(app, BEN) == before + granted
    assert (granted == 0) == (until is None)


def test_the_end_of_a_lot_is_announced_wherever_it_falls(app: App) -> None:
    """A gift that ends in mid-month is announced like a grant; who holds nothing that ends hears nothing."""
    rollout.launch(app, changes=rollout.TO_EVERYONE)
    cast.give(app, ADA, "100", days=20)
    cast.give(app, BEN, "100", days=60)
    end = (app.clock() + timedelta(days=20)).date()
    assert announce(app, end - timedelta(days=7)) == 1
    [notice] = notices(app, ADA)
    assert notice["endings"] == [{"amount": 100_000_000, "ends_on": str(end)}]
    assert notices(app, BEN) == []


def test_a_notice_that_comes_too_late_is_left_out(app: App) -> None:
    """After an outage the week's notice gives way to the day's, and no one is told of a lapse that is past."""
    rollout.launch(app, changes=rollout.TO_EVERYONE)
    cast.give(app, ADA, "100", days=20)
    end = (app.clock() + timedelta(days=20)).date()
    assert announce(app, end - timedelta(days=7), now=at(end - timedelta(days=3))) == 1
    assert announce(app, end - timedelta(days=7), now=at(end - timedelta(days=1))) == 0
    assert announce(app, end - timedelta(days=1), now=at(end)) == 0


def test_a_notice_goes_out_on_the_last_working_morning_before(app: App) -> None:
    """February 2027 begins on a Monday: the day's notice comes on Friday and says three days, the week's on Monday."""
    rollout.launch(app, changes=rollout.TO_EVERYONE)
    grant(app, Month(2026, 12))
    grant(app, Month(2027, 1))
    days = [date(2027, 1, day) for day in range(20, 32)]
    told = [day.day for day in days if announce(app, day, now=at(day) - timedelta(hours=9, minutes=55))]
    assert told == [25, 29]
    week, day = notices(app, ADA)
    assert (week["on"], week["days"]) == ("2027-02-01", 7)
    assert (day["on"], day["days"]) == ("2027-02-01", 3)
    due_at = sa.select(outbox.c.due_at).where(outbox.c.template == "grants/lapse_notice")
    assert all(at.date() in {date(2027, 1, 25), date(2027, 1, 29)} for (at,) in books.rows(app, due_at))


def test_a_notice_is_written_from_what_holds_when_it_goes_out(app: App) -> None:
    """Delivered a day late it says the days that are left in London then; once the lapse is past it isn't sent."""
    rollout.launch(app, changes=rollout.TO_EVERYONE)
    grant(app, Month(2026, 10))
    grant(app, Month(2026, 11))
    announce(app, date(2026, 11, 24))
    [kept] = notices(app, ADA)
    for now, left in ((at(date(2026, 11, 25)), "In 5 days"), (at(date(2026, 11, 30)), "Today")):
        app.clock.now = now  # type: ignore[attr-defined]  # the tests' clock
        message = composers.compose_lapse_notice(app, kept)
        assert message is not None
        assert f"{left}, on 30 Nov 2026 at 23:00" in json.dumps(message.blocks)
    app.clock.now = at(date(2026, 12, 1))  # type: ignore[attr-defined]  # the tests' clock
    assert composers.compose_lapse_notice(app, kept) is None


def test_only_those_are_notified_who_could_use_a_quarter_of_it(app: App) -> None:
    """Ada's pace would use a quarter of what lapses in the week left; Ben, who used next to nothing, isn't nudged."""
    rollout.launch(app)
    grant(app, Month(2026, 10))
    grant(app, Month(2026, 11))
    lapsing = int(rollout.granted(app, "2026-11")[ADA]) // 10**6
    a_day = lapsing // 20
    for day in range(17, 24):
        used = {"input_uncached": a_day * 8_000}
        event = cast.event(f"e{day}", at=at(date(2026, 11, day)), model=cast.GPT, meters=used)  # type: ignore[arg-type]
        assert books.take_in(app, event) == ["accepted"]
    announce(app, date(2026, 11, 24))
    assert len(notices(app, ADA)) == 1
    assert notices(app, BEN) == []
