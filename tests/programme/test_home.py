"""What a Home shows to whom: one's own figures to everybody, others' to those who may see them, in few statements."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from policy.warnings import Choice
from programme import home
from programme.balance import warnings
from programme.people import board
from store.people import directory as people_store
from tests.support import books, cast
from tests.support import requests as asking
from tests.support.books import ADA, BEN, MARA
from tests.support.requests import IRIS, LENA, TESS, ZOE, convene

if TYPE_CHECKING:
    from programme.app import Desk
    from programme.home import Home
    from tests.support.clock import Clock


def of(desk: Desk, email: str) -> Home:
    with desk.reading() as session:
        return home.of(session, asking.person(session, email), desk=desk, now=desk.clock())


def statements(desk: Desk, email: str) -> int:
    """How many statements it takes to gather somebody's Home."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401 - SQLAlchemy's
        seen.append(statement)

    of(desk, email)
    sa.event.listen(desk.database.reader, "before_cursor_execute", note)
    of(desk, email)
    sa.event.remove(desk.database.reader, "before_cursor_execute", note)
    return len(seen)


def test_everybody_sees_their_own(desk: Desk) -> None:
    """Balance, burn-down, requests and warnings are one's own; an engineer sees nothing of the board's or of others."""
    desk = convene(desk)
    mine, other = asking.ask(desk, BEN, "1000"), asking.ask(desk, ADA, "2000")
    with desk.transaction() as session:
        warnings.choose(session, cast.person_id(desk, BEN), Choice(frozenset({85}), 20, 8), now=desk.clock())
    found = of(desk, BEN)
    assert found.card.name == "Ben Okafor"
    assert found.burn_down is not None
    assert found.burn_down.left[-1][1] == found.card.available
    assert [card.request.id for card in found.requests.cards] == [mine.id]
    assert found.requests.more == 0
    assert (found.warnings.percent, found.warnings.quiet_from, found.warnings.quiet_until) == ((85, 100), 20, 8)
    assert (found.board, found.team, found.left_on) == (None, None, None)
    assert other.id not in repr(found)


def test_the_board_sees_what_it_decides(desk: Desk) -> None:
    """Members see the queue with its first five and the programme's standing; what concerns them is hidden."""
    desk = convene(desk)
    for number in range(7):
        asking.ask(desk, BEN, "1000", key=f"k{number}")
    asking.ask(desk, TESS, "1000")
    seen = of(desk, TESS).board
    assert seen is not None
    assert (len(seen.queue.lines), seen.queue.more, seen.queue.hidden) == (5, 2, 1)
    assert all(line.awaits_reader for line in seen.queue.lines)
    assert seen.standing is not None
    assert of(desk, MARA).board is None


def test_who_stands_in_sees_requests_and_no_totals(desk: Desk) -> None:
    """A delegate decides for a member, and sees nothing of the programme's figures."""
    desk = convene(desk)
    asking.ask(desk, BEN, "1000")
    delegate(desk, TESS, LENA)
    seen = of(desk, LENA).board
    assert seen is not None
    assert (seen.queue.count, seen.standing) == (1, None)
    handed = of(desk, TESS).board
    assert handed is not None
    assert handed.stands_in_until is not None


def delegate(desk: Desk, member: str, to: str) -> None:
    with desk.transaction() as session:
        people = [asking.person(session, who) for who in (member, to)]
        last_day = desk.clock().date()
        board.delegate(session, people[0], people[1], last_day, desk=desk, now=desk.clock())


def test_a_leaver_sees_a_farewell(desk: Desk) -> None:
    """From the day after the last one nothing of the programme is read for somebody, whatever role they had."""
    desk = convene(desk)
    today = desk.clock().date()
    for last_day, has_left in ((today, False), (today.replace(day=19), True)):
        with desk.transaction() as session:
            people_store.update(session, cast.person_id(desk, TESS), {"left_on": last_day})
        found = of(desk, TESS)
        assert (found.left_on is not None) is has_left
        assert (found.board is None) is has_left


def test_old_requests_are_only_counted(desk: Desk, clock: Clock) -> None:
    """What was decided more than thirty days ago, and what is beyond three, is behind a command."""
    desk = convene(desk)
    old = asking.ask(desk, BEN, "1000")
    asking.withdraw(desk, BEN, old)
    assert [card.request.id for card in of(desk, BEN).requests.cards] == [old.id]
    clock.move(days=31)
    found = of(desk, BEN).requests
    assert (found.cards, found.more) == ((), 1)
    for number in range(5):
        asking.ask(desk, BEN, "100", key=f"k{number}")
    found = of(desk, BEN).requests
    assert (len(found.cards), found.more) == (3, 3)


@pytest.mark.parametrize(("who", "most"), [(ADA, 12), (ZOE, 16), (IRIS, 20)])
def test_it_takes_few_statements(sqlite_desk: Desk, who: str, most: int) -> None:
    """A Home without requests is a handful of statements, however much was used."""
    desk = convene(dataclasses.replace(sqlite_desk))
    few = statements(desk, who)
    assert few <= most
    events = (cast.event(f"e{n}", at=desk.clock(), who=who, meters={"output": 1_000}) for n in range(40))
    books.take_in(desk, *events)
    assert statements(desk, who) == few
