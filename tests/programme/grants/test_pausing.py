"""While a leave pauses someone's grants their tokens do not run out: ends move by its length, shown and proved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.period import Month, first_instant
from programme.balance import balance
from programme.grants import lapses, monthly
from programme.people import terms
from store.tables.ledger import accounts, lots
from store.tables.people import people
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App
    from programme.moment import Moment

BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = Month(2026, 11)
FEBRUARY = date(2027, 2, 1)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def grant(app: App, month: Month = NOVEMBER) -> None:
    with app.transaction(at(month.first_day)) as moment:
        monthly.run(moment, month)


def away(app: App, first: date, last: date | None, *, on: date = date(2026, 11, 21)) -> None:
    with app.transaction(at(on)) as moment:
        terms.set_leave(moment, ADA, first, last, actor="test")


def close(app: App, day: date) -> int:
    with app.transaction(at(day)) as moment:
        return lapses.close_ended(moment, day)


def end(app: App, who: str = ADA) -> date:
    """The first day without the lot that ends first."""
    of_person = sa.select(accounts.c.id).join(people, people.c.id == accounts.c.person_id).where(people.c.email == who)
    query = sa.select(sa.func.min(lots.c.expires_at, type_=lots.c.expires_at.type))
    [[found]] = books.rows(app, query.where(lots.c.account_id.in_(of_person)))
    assert isinstance(found, datetime)
    assert first_instant(found.astimezone(BERLIN).date(), BERLIN) == found
    return found.astimezone(BERLIN).date()


def test_ends_move_by_the_length_of_a_leave(app: App) -> None:
    """46 days away: a grant that ended on 1 February ends on 19 March, also in the balance; with less it is back."""
    rollout.launch(app)
    grant(app)
    away(app, date(2026, 12, 1), date(2027, 1, 15))
    assert (end(app), end(app, BEN)) == (date(2027, 3, 19), FEBRUARY)
    with app.reading() as moment:
        card = balance.of_email(moment, ADA)
    assert card is not None
    assert [lot.expires_at for lot in card.lots] == [first_instant(date(2027, 3, 19), BERLIN)]
    assert books.findings(app) == {}
    away(app, date(2026, 12, 1), date(2026, 12, 30))
    assert end(app) == FEBRUARY
    assert books.rows(app, sa.select(lots.c.id).where(lots.c.granted_until.is_not(None))) == []
    away(app, date(2026, 12, 31), date(2026, 12, 31))
    assert end(app) == FEBRUARY + timedelta(days=31)
    assert books.findings(app) == {}


def test_a_leave_without_an_end_moves_them_day_by_day(app: App) -> None:
    """Each day's run adds the day; once the last day is known the end stays; nothing of hers is closed meanwhile."""
    rollout.launch(app)
    grant(app)
    away(app, date(2026, 11, 10), None, on=date(2026, 11, 10))
    assert end(app) == FEBRUARY + timedelta(days=1)
    assert close(app, date(2026, 11, 11)) == 0
    assert end(app) == FEBRUARY + timedelta(days=2)
    closed = close(app, date(2027, 3, 1))
    assert closed == 4
    assert end(app) == FEBRUARY + timedelta(days=112)
    assert books.wallet(app, ADA) == rollout.granted(app, "2026-11")[ADA]
    away(app, date(2026, 11, 10), date(2027, 3, 4), on=date(2027, 3, 2))
    close(app, date(2027, 3, 20))
    assert end(app) == FEBRUARY + timedelta(days=115)
    assert books.findings(app) == {}


def test_a_statement_names_the_moved_end(app: App) -> None:
    """Away from 15 November to 15 January, as is known on the first: the grant is for 14 days, and ends later."""
    rollout.launch(app)
    rollout.greet(app, ADA)
    away(app, date(2026, 11, 15), date(2027, 1, 15), on=date(2026, 10, 20))
    grant(app)
    assert end(app) == FEBRUARY + timedelta(days=62)
    [statement] = [s for key, s in rollout.owed(app, "grants/statement").items() if cast.person_id(app, ADA) in key]
    assert [one["ends_on"] for one in statement["endings"]] == [str(FEBRUARY + timedelta(days=62))]
    assert books.findings(app) == {}


def test_by_a_handbook_of_before_no_end_moves(app: App) -> None:
    """A leave is judged by the handbook of its first day."""
    rollout.launch(app, changes={'leaves = "joined"\n': ""})
    grant(app)
    away(app, date(2026, 12, 1), date(2027, 1, 15))
    assert end(app) == FEBRUARY
    assert books.findings(app) == {}


def test_an_end_that_no_leave_moved_is_found(app: App) -> None:
    """`verify` names a lot whose end was moved by hand, and a leave that was made longer behind the ledger's back."""
    rollout.launch(app)
    grant(app)
    away(app, date(2026, 12, 1), date(2027, 1, 15))
    for statement in (
        "UPDATE lots SET expires_at = '2027-05-01 00:00:00' WHERE granted_until IS NOT NULL",
        "UPDATE lots SET granted_until = '2027-01-01 00:00:00' WHERE id = (SELECT min(id) FROM lots)",
        "UPDATE absences SET last_day = '2027-02-15'",
    ):
        with books.rolled_back(app) as moment:
            assert moment.session.exec_driver_sql(statement).rowcount == 1
            assert "ends_as_paused" in books.findings_in(moment)


DAYS = st.integers(0, 150).map(lambda n: date(2026, 10, 15) + timedelta(days=n))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.lists(st.tuples(DAYS, st.one_of(st.none(), st.integers(0, 60))), min_size=1, max_size=4))
def test_order_of_notes_decides_nothing(
    sqlite_app: App, data: st.DataObject, some: list[tuple[date, int | None]]
) -> None:
    """In whatever order leaves are noted, with days passing between, ends come out alike and are proved."""
    app = sqlite_app
    if not books.rows(app, sa.select(lots.c.id)):
        rollout.launch(app)
        grant(app)
    noted = list(dict(some).items())
    ends = []
    for order in (noted, data.draw(st.permutations(noted))):
        with books.rolled_back(app) as moment:
            for number, (first, days) in enumerate(order):
                now = moment.at(at(date(2026, 12, 1 + number)))
                last = None if days is None else first + timedelta(days=days)
                terms.set_leave(now, ADA, first, last, actor="test")
                lapses.close_ended(now, now.today)
            ends.append(ends_of(moment, date(2027, 1, 2)))
            assert books.findings_in(moment) == {}
    assert ends[0] == ends[1]


def ends_of(moment: Moment, day: date) -> list[tuple[int, datetime]]:
    later = moment.at(at(day))
    lapses.close_ended(later, day)
    return [
        (id_, ends) for id_, ends in moment.session.execute(sa.select(lots.c.id, lots.c.expires_at).order_by(lots.c.id))
    ]
