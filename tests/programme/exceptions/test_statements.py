"""How many statements a board, a Home, a click and a message take: never more for more requests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from handlers.exceptions import voting
from handlers.tokens import Request as Command
from programme import home
from store import bulk
from tests.support.books import ADA, BEN
from tests.support.requests import IRIS, LENA, ask, convene, person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App

BOARD, APPROVE, MESSAGE = 12, 20, 7


@pytest.fixture
def office(sqlite_app: App) -> App:
    return convene(sqlite_app)


@contextmanager
def statements(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that are sent while the block runs, besides the one that begins a transaction."""
    sent: list[str] = []
    fetch = bulk.fetch

    def note(_session: object, _cursor: object, statement: str, *_: object) -> None:
        if statement != "BEGIN IMMEDIATE":
            sent.append(statement)

    def noted(session: Any, text: str, values: Any) -> list[bulk.Row]:  # noqa: ANN401 - as `fetch` takes them
        sent.append(text)
        return fetch(session, text, values)

    with monkeypatch.context() as patched:
        # What goes past SQLAlchemy's cursor has no event.
        patched.setattr(bulk, "fetch", noted)
        for engine in (app.database.writer, app.database.reader):
            sa.event.listen(engine, "before_cursor_execute", note)
        yield sent
        for engine in (app.database.writer, app.database.reader):
            sa.event.remove(engine, "before_cursor_execute", note)


def ask_often(office: App, times: int) -> None:
    """Of several people, for others, in incidents, and with questions: whatever a card can show."""
    for number in range(times):
        who, other = (BEN, ADA) if number % 2 else (ADA, BEN)
        ask(office, who, "5", beneficiaries=(other, LENA), incident="INC-1" if number < 2 else None)


@pytest.mark.parametrize("who", ["U0IRIS", "U0ZOE"])
def test_a_full_board_takes_what_a_short_one_does(office: App, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """`/tokens board` with twenty waiting requests takes the statements of two, and at most a dozen."""
    counts = []
    for more in (2, 18):
        ask_often(office, more)
        with statements(office, monkeypatch) as sent:
            shown = voting.show_queue(office, Command(who, "", office.clock()))
        assert shown is not None
        counts.append(len(sent))
    assert counts[0] == counts[1] <= BOARD


@pytest.mark.parametrize("who", [IRIS, BEN])
def test_a_home_takes_the_same_for_many_requests(office: App, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """The Home of a member, and of someone who asks again and again, is flat in the number of requests."""
    counts = []
    for more in (2, 18):
        ask_often(office, more)
        with statements(office, monkeypatch) as sent, office.reading() as moment:
            seen = home.of(moment, person(moment.session, who))
        assert (seen.board is not None) == (who == IRIS)
        counts.append(len(sent))
    assert counts[0] == counts[1]
