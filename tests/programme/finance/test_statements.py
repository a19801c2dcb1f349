"""Owners of cost centres are told once a month, by the calendar, and read what is so when it goes out."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from programme.finance import statements
from programme.people import cost_centres, merging
from scheduler import messages as composing
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books, cast, charged, offices, rollout
from tests.support.offices import FEW, NOVEMBER, PLATFORM, RESEARCH

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

NOV = Month(2026, 11)
SETTLED = datetime(2026, 12, 4, 12, tzinfo=UTC)


@pytest.fixture
def office(app: App, clock: Clock) -> App:
    """A month of usage, whose figures are final now."""
    offices.settle(app)
    charged.name_owners(app)
    offices.work(app, NOVEMBER, rounds=3)
    clock.now = SETTLED
    return app


def owe(app: App, month: Month = NOV) -> int:
    with app.transaction() as moment:
        return statements.owe(moment, month)


def owed(app: App) -> dict[str, datetime]:
    """Who is owed a statement, and when it goes out."""
    query = sa.select(people.c.email, outbox.c.due_at).join(people, people.c.id == outbox.c.person_id)
    return dict(books.rows(app, query.where(outbox.c.template == statements.TEMPLATE)))


def read(app: App, who: str) -> str | None:
    """What somebody's statement says, composed now."""
    query = sa.select(outbox.c.view).join(people, people.c.id == outbox.c.person_id)
    [(view,)] = books.rows(app, query.where(people.c.email == who, outbox.c.template == statements.TEMPLATE))
    composed = composing.compose(statements.TEMPLATE, view, app=app)
    if composed is None:
        return None
    return "\n".join(block["text"]["text"] for block in composed.message.blocks if block["type"] == "section")


def test_each_owner_is_told_in_their_own_morning(office: App) -> None:
    """On the next working day at nine; nobody of whose cost centre nothing may be told."""
    assert owe(office) == 2
    assert owed(office) == dict.fromkeys((PLATFORM[0], RESEARCH[0]), datetime(2026, 12, 4, 12, tzinfo=UTC))
    said = read(office, PLATFORM[0])
    assert said is not None
    assert said.startswith("*Cost centre Platform: USD 8.49 for November 2026*. That is 849 tokens, by 6 people.")
    assert FEW[0] not in said


def test_an_owner_of_several_has_one_message(office: App) -> None:
    """The cost centre that is not told stands last in it."""
    charged.name_owners(office, dict.fromkeys(charged.OWNERS, RESEARCH[0]))
    assert owe(office) == 1
    said = read(office, RESEARCH[0])
    assert said is not None
    assert said.index("Platform") < said.index("*Cost centre Few:* not shown")


def test_it_is_true_when_it_is_read(office: App) -> None:
    """A cost centre has the name and the owner of the day; whoever owns none any more reads nothing."""
    owe(office)
    renamed = "cost_centre,name\nCC-10,Foundations\nCC-20,Research\n"
    with office.transaction() as moment:
        cost_centres.import_csv(moment, io.StringIO(renamed), actor="test")
    said = read(office, PLATFORM[0])
    assert said is not None
    assert said.startswith("*Cost centre Foundations: USD")
    charged.name_owners(office, {"CC-20": RESEARCH[1]})
    assert [read(office, who) for who in (PLATFORM[0], RESEARCH[0])] == [None, None]


def test_whoever_has_left_owns_nothing(office: App, clock: Clock) -> None:
    """Neither when it is owed nor when it would go out."""
    cast.hire(office, f"email,left_on\n{PLATFORM[0]},2026-12-03\n")
    assert owe(office) == 1
    cast.hire(office, f"email,left_on\n{RESEARCH[0]},2026-12-04\n")
    clock.now = SETTLED + timedelta(days=1)
    assert read(office, RESEARCH[0]) is None


def test_two_records_of_one_person_own_together(office: App) -> None:
    """What the second owned the first owns after they are merged."""
    with office.transaction() as moment:
        merging.merge(moment, RESEARCH[0], PLATFORM[0], actor="test")
    assert owe(office) == 1
    said = read(office, PLATFORM[0])
    assert said is not None
    assert "Research" in said


def test_the_calendar_tells_a_month_once(office: App, clock: Clock) -> None:
    """On the day on which its figures are final, however often the calendar looks; not before."""
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    rollout.launch(office)
    begun, told = clock.now, []
    for days in (0, 13, 14, 14, 15):
        clock.now = begun + timedelta(days=days)
        done = rollout.run_calendar(office, clock.now).done
        told.append([run.period for run in done if run.job == "charges"])
    assert told == [[], [], ["2026-11"], [], []]
    assert owed(office).keys() == {PLATFORM[0], RESEARCH[0]}


def test_a_month_is_not_told_after_the_next_one(office: App, clock: Clock) -> None:
    """After a long outage owners are told of the last month alone; the others can be asked for."""
    clock.now = datetime(2027, 1, 5, tzinfo=UTC)
    assert owe(office) == 0
    assert owe(office, Month(2026, 12)) == 0
