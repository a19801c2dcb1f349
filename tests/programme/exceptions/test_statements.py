"""How many statements a board, a Home, a click and a message take: never more for more requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.exceptions import voting
from handlers.slack.commands import Request as Command
from handlers.slack.interactions import Press
from programme import home
from programme.exceptions import questions
from programme.people import board
from scheduler import messages
from store.tables.outbox import outbox
from store.tables.people import projects
from tests.support import books
from tests.support.books import ADA, BEN, MARA
from tests.support.requests import IRIS, LENA, OMAR, TESS, ask, convene, person
from tests.support.sent import statements

if TYPE_CHECKING:
    from programme.app import App
    from store.exceptions.requests import Request

BOARD, MESSAGE = 13, 6
APPROVE = {"sqlite": 13, "postgresql": 12}
"""There each is a round trip, and a lock one more; but what a decision adds to the ledger is one."""


@pytest.fixture
def office(sqlite_app: App) -> App:
    return filled(sqlite_app)


def filled(empty: App) -> App:
    """A board with two requests that have whatever a card can show, and a member who is away."""
    app = convene(empty)
    with app.transaction() as moment:
        mara = person(moment.session, MARA)
        moment.session.execute(
            sa.insert(projects).values(key="atlas", name="Atlas", complexity="novel", sponsor_id=mara.id)
        )
        board.delegate(moment, person(moment.session, OMAR), person(moment.session, LENA), moment.today)
    incident = ask(app, BEN, "5", incident="INC-1", beneficiaries=(ADA,), project="atlas")
    ask(app, ADA, "150000", beneficiaries=(BEN,))
    with app.transaction() as moment:
        questions.ask(moment, person(moment.session, TESS), incident.id, "What for?", key="q1")
    return app


def fill(app: App) -> None:
    """Eighteen requests more."""
    for number in range(18):
        ask(app, BEN if number % 2 else ADA, "5", beneficiaries=(MARA,), project="atlas")


@pytest.mark.parametrize("who", ["U0IRIS", "U0LENA"])
def test_a_full_board_takes_what_a_short_one_does(office: App, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """`/tokens board` with twenty waiting requests takes no more statements than with two, and at most fifteen."""

    def shown() -> tuple[int, int]:
        with statements(office.database, monkeypatch) as sent:
            message = voting.show_queue(office, Command(who, "", office.clock()))
        assert message is not None
        return len(sent), str(message).count("Approve")

    few, some = shown()
    fill(office)
    many, more = shown()
    assert many <= few <= BOARD
    assert some < more


@pytest.mark.parametrize("who", [IRIS, BEN])
def test_a_home_takes_the_same_for_many_requests(office: App, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """The Home of a member, and of someone who asks again and again, is flat in the number of requests."""

    def gathered() -> tuple[int, int]:
        with office.reading() as moment:
            reader = person(moment.session, who)
            with statements(office.database, monkeypatch) as sent:
                seen = home.of(moment, reader)
        return len(sent), len(seen.board.queue.lines if seen.board else seen.requests.cards)

    gathered()
    few, some = gathered()
    fill(office)
    many, more = gathered()
    assert many <= few
    assert some < more


def decided(office: App, monkeypatch: pytest.MonkeyPatch) -> tuple[Request, int]:
    """A request that a click approved, and the statements of that click."""
    request = ask(office, BEN, "5000", project="atlas")
    with office.reading() as moment:
        iris = person(moment.session, IRIS)
    press = Press(iris, f"{request.id}:1", office.clock(), "C0BOARD", "1.1")
    with statements(office.database, monkeypatch) as sent:
        voting.press_approve(office, press)
    return request, len(sent)


@pytest.mark.every_database
def test_a_click_on_approve_reads_nothing_twice(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vote, decision, credit, messages and audit take a dozen statements on either database."""
    office = filled(app)
    _, sent = decided(office, monkeypatch)
    assert sent == APPROVE[office.database.dialect]
    assert books.audited(office, "request.vote")[-1]["after"]["state"] == "approved"


def test_a_message_about_a_request_takes_few(office: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is told of a request is written from what holds then, in a handful of statements each."""
    request, _ = decided(office, monkeypatch)
    query = sa.select(outbox.c.template, outbox.c.view).where(outbox.c.about == request.id)
    owed = books.rows(office, query)
    assert len(owed) > 4
    for template, view in owed:
        with statements(office.database, monkeypatch) as sent:
            messages.compose(template, view, app=office)
        assert len(sent) <= MESSAGE, template
