"""What the calendar does about an appeal, and what its person finds of it: each once, and nothing that is over."""

from __future__ import annotations

import dataclasses
import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from programme.appeals import appeals, calendar, notices
from programme.people import directory
from scheduler import due, messages, tick
from store.appeals import records as store
from store.reviews import drafts as reviews_store
from store.tables.outbox import outbox
from tests.support import appealed, books, cast
from tests.support import requests as asking
from tests.support.appealed import FEBRUARY_THIRD, FRIDAY
from tests.support.clock import Clock
from tests.support.requests import IRIS, KOFI, OMAR, TESS, ZOE
from tests.support.reviewed import IDLE, Q4

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from programme.app import App
    from programme.moment import Moment
    from views.appeals import Appeal

BOARD = (IRIS, OMAR, TESS, ZOE, KOFI)


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """The company with its draft and its board."""
    assert isinstance(shared_app.clock, Clock)
    appealed.settle(shared_app, shared_app.clock)
    return dataclasses.replace(shared_app, governance_channel=asking.BOARD_CHANNEL)


@pytest.fixture
def moment(company: App) -> Iterator[Moment]:
    """A transaction that leaves nothing, in which the review is adopted."""
    with books.rolled_back(company) as moment:
        appealed.adopt(moment)
        yield moment


def reminders(moment: Moment, appeal: Appeal) -> list[tuple[str, str | None, str | None]]:
    """(what, reader, channel) of what was owed about an appeal beside its cards and notes, in order."""
    o = outbox.c
    query = sa.select(o.key, o.person_id, o.channel, o.template, o.replaces).where(o.about == appeal.id).order_by(o.id)
    steps = {store.REMIND: f"appeal:{appeal.id}:remind:", "nobody": f"appeal:{appeal.id}:nobody"}
    return [
        (name, person, channel)
        for key, person, channel, _, replaces in moment.session.execute(query)
        for name, prefix in steps.items()
        if key.startswith(prefix) and replaces is None
    ]


def remind_at(appeal: Appeal) -> datetime:
    assert appeal.remind_at is not None
    return appeal.remind_at


def test_those_who_can_decide_are_reminded_once(company: App, moment: Moment) -> None:
    """Five working days after the appeal each who can decide gets a card of their own; never a second time."""
    appealed.vote_on_package(moment.session, company, TESS)
    appeal = appealed.file(moment)
    at = remind_at(appeal)
    assert at == FEBRUARY_THIRD + timedelta(days=7)
    early = at - timedelta(seconds=1)
    assert store.due(moment.session, early, limit=9) == []
    assert calendar.advance(moment.at(early), appeal.id) is None
    assert store.due(moment.session, at, limit=9) == [(appeal.id, store.REMIND, at)]
    assert calendar.advance(moment.at(at), appeal.id) == store.REMIND
    able = sorted(cast.person_id(company, one) for one in BOARD if one != TESS)
    assert reminders(moment, appeal) == [(store.REMIND, one, None) for one in able]
    assert store.due(moment.session, at, limit=9) == []
    assert calendar.advance(moment.at(at), appeal.id) is None
    assert len(reminders(moment, appeal)) == len(able)


def test_nobody_is_reminded_of_what_is_decided(company: App, moment: Moment) -> None:
    """Decided in time, nothing is due; a reminder under way then gets the face of the decision."""
    appeal = appealed.file(moment)
    calendar.advance(moment.at(remind_at(appeal)), appeal.id)
    appealed.decide(moment, IRIS, appeal, upheld=False, at=remind_at(appeal))
    assert store.due(moment.session, remind_at(appeal), limit=9) == []
    o = outbox.c
    query = sa.select(o.replaces).where(o.about == appeal.id, o.template == notices.FACE)
    faces = moment.session.execute(query).scalars()
    assert f"appeal:{appeal.id}:remind:{cast.person_id(company, OMAR)}" in set(faces)


def test_after_an_outage_only_the_end_is_due(moment: Moment) -> None:
    """Neither reminded nor decided in time, it is passed on, and no one is reminded of what is over."""
    appeal = appealed.file(moment)
    assert store.due(moment.session, appeal.decide_by, limit=9) == [(appeal.id, store.LAPSE, appeal.decide_by)]
    assert calendar.advance(moment.at(appeal.decide_by), appeal.id) == store.ESCALATE
    assert reminders(moment, appeal) == []
    assert calendar.advance(moment.at(appeal.decide_by), appeal.id) is None


def leave_nobody(moment: Moment) -> None:
    """Everyone on the board but Iris goes, and she amended the case."""
    others = "".join(f"{one},-\n" for one in BOARD if one != IRIS)
    directory.import_csv(moment.at(FRIDAY), io.StringIO(f"email,roles\n{others}"), actor="test")
    reviews_store.decide(
        moment.session,
        Q4,
        cast.id_of(moment.session, IDLE),
        decision="amended",
        decided_by=cast.id_of(moment.session, IRIS),
        decided_at=FRIDAY,
        amended_thousandths=-50,
        amended_factor="0.9500",
    )


@pytest.mark.parametrize("channel", [asking.BOARD_CHANNEL, None])
def test_where_nobody_can_decide_that_is_told(moment: Moment, channel: str | None) -> None:
    """The board's channel, or else its chair, learns that it needs another member; no one else is told."""
    moment = dataclasses.replace(moment, governance_channel=channel)
    leave_nobody(moment)
    appeal = appealed.file(moment)
    assert calendar.advance(moment.at(remind_at(appeal)), appeal.id) == store.REMIND
    reader = None if channel else cast.id_of(moment.session, IRIS)
    assert reminders(moment, appeal) == [("nobody", reader, channel)]


# --- In a company of its own: what is composed when it goes out ------------------------------------------------------


@pytest.fixture
def office(sqlite_app: App, clock: Clock) -> App:
    """A company in which an appeal is open."""
    appealed.settle(sqlite_app, clock)
    with sqlite_app.transaction() as moment:
        appealed.adopt(moment)
    with sqlite_app.transaction() as moment:
        appealed.file(moment)
    return dataclasses.replace(sqlite_app, governance_channel=asking.BOARD_CHANNEL)


def composed(app: App, prefix: str) -> list[bool]:
    """Of the messages with such keys: whether there is still something to say."""
    o = outbox.c
    query = sa.select(o.template, o.view).where(o.key.startswith(prefix), o.replaces.is_(None)).order_by(o.id)
    return [messages.compose(template, view, app=app) is not None for template, view in books.rows(app, query)]


def test_a_reminder_that_waits_says_nothing_once_it_is_decided(office: App, clock: Clock) -> None:
    """The calendar owes them through the tick; each says something until the decision, and nothing afterwards."""
    with office.reading() as moment:
        appeal = appeals.require(moment, Q4, cast.person_id(office, IDLE))
    clock.now = remind_at(appeal)
    jobs = [run.job for run in tick.tick(office, now=clock.now).done]
    assert jobs.count(f"{due.APPEAL}{store.REMIND}") == 1
    assert f"{due.APPEAL}{store.REMIND}" not in [run.job for run in tick.tick(office, now=clock.now).done]
    key = f"appeal:{appeal.id}:remind:"
    assert composed(office, key) == [True] * len(BOARD)
    with office.transaction() as moment:
        appealed.decide(moment, IRIS, appeal, upheld=False, at=clock.now)
    assert composed(office, key) == [False] * len(BOARD)
    assert composed(office, f"appeal:{appeal.id}:board") == []
    assert books.findings(office) == {}


def test_that_nobody_can_decide_is_not_said_once_somebody_can(office: App, clock: Clock) -> None:
    """With another member on the board the word that no one can is dropped."""
    with office.transaction() as moment:
        leave_nobody(moment)
        appeal = appeals.require(moment, Q4, cast.person_id(office, IDLE))
        calendar.advance(moment.at(remind_at(appeal)), appeal.id)
    clock.now = remind_at(appeal)
    key = f"appeal:{appeal.id}:nobody"
    assert composed(office, key) == [True]
    cast.hire(office, f"email,roles\n{TESS},board\n")
    assert composed(office, key) == [False]
