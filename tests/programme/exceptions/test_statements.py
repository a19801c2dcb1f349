"""How many statements a board, a Home, a click and a message take: never more for more requests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from handlers.exceptions import voting
from handlers.slack.commands import Request as Command
from handlers.slack.interactions import Press
from programme import home
from programme.exceptions import questions
from programme.people import board
from scheduler import messages
from store import bulk
from store.tables.outbox import outbox
from store.tables.people import projects
from tests.support import books
from tests.support.books import ADA, BEN, MARA
from tests.support.requests import IRIS, LENA, OMAR, TESS, ask, convene, person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from store.exceptions.requests import Request

BOARD, APPROVE, MESSAGE = 15, 22, 8


@pytest.fixture
def office(sqlite_app: App) -> App:
    """A board with two requests that have whatever a card can show, and a member who is away."""
    app = convene(sqlite_app)
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


@contextmanager
def statements(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that are sent while the block runs, besides the one that begins a transaction."""
    sent: list[str] = []
    run = bulk._run

    def note(_session: object, _cursor: object, statement: str, *_: object) -> None:
        if statement != "BEGIN IMMEDIATE":
            sent.append(statement)

    def noted(session: Any, text: str, values: Any, *, each: bool = False) -> Any:  # noqa: ANN401 - the driver's own
        note(None, None, text)
        return run(session, text, values, each=each)

    with monkeypatch.context() as patched:
        # What goes past SQLAlchemy's cursor has no event.
        patched.setattr(bulk, "_run", noted)
        for engine in (app.database.writer, app.database.reader):
            sa.event.listen(engine, "before_cursor_execute", note)
        yield sent
        for engine in (app.database.writer, app.database.reader):
            sa.event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("who", ["U0IRIS", "U0LENA"])
def test_a_full_board_takes_what_a_short_one_does(office: App, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """`/tokens board` with twenty waiting requests takes no more statements than with two, and at most fifteen."""

    def shown() -> tuple[int, int]:
        with statements(office, monkeypatch) as sent:
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
            with statements(office, monkeypatch) as sent:
                seen = home.of(moment, reader)
        return len(sent), len(seen.board.queue.lines if seen.board else seen.requests.cards)

    gathered()
    few, some = gathered()
    fill(office)
    many, more = gathered()
    assert many <= few
    assert some < more


@pytest.fixture
def decided(office: App, monkeypatch: pytest.MonkeyPatch) -> tuple[Request, int]:
    """A request that a click approved, and the statements of that click."""
    request = ask(office, BEN, "5000", project="atlas")
    with office.reading() as moment:
        iris = person(moment.session, IRIS)
    press = Press(iris, f"{request.id}:1", office.clock(), "C0BOARD", "1.1")
    with statements(office, monkeypatch) as sent:
        voting.press_approve(office, press)
    return request, len(sent)


def test_a_click_on_approve_reads_nothing_twice(office: App, decided: tuple[Request, int]) -> None:
    """Vote, decision, credit, leases, warnings, messages and audit take 22 statements; beneficiaries add one."""
    assert decided[1] <= APPROVE
    assert books.audited(office, "request.vote")[-1]["after"]["state"] == "approved"


def test_a_message_about_a_request_takes_few(
    office: App, decided: tuple[Request, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is told of a request is written from what holds then, in a handful of statements each."""
    query = sa.select(outbox.c.template, outbox.c.view).where(outbox.c.about == decided[0].id)
    owed = books.rows(office, query)
    assert len(owed) > 4
    for template, view in owed:
        with statements(office, monkeypatch) as sent:
            messages.compose(template, view, app=office)
        assert len(sent) <= MESSAGE, template
