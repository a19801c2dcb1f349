"""What a Home shows to whom: one's own figures to everyone, others' to those who may see them, in few statements."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from policy.warnings import Choice
from programme import home, waiting
from programme.appeals import appeals
from programme.balance import warnings
from programme.people import board
from store.people import directory as people_store
from tests.support import annual_appealed, appealed, books, cast, held, proposed, reviewed
from tests.support import requests as asking
from tests.support.appealed import FEBRUARY_THIRD
from tests.support.books import ADA, BEN, MARA
from tests.support.requests import IRIS, LENA, TESS, ZOE, convene

if TYPE_CHECKING:
    from programme.app import App
    from programme.home import Home
    from tests.support.clock import Clock


def of(app: App, email: str) -> Home:
    with app.reading() as moment:
        return home.of(moment, asking.person(moment.session, email), app.recent_standing)


def statements(app: App, email: str) -> int:
    """How many statements it takes to gather someone's Home."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401 - SQLAlchemy's
        seen.append(statement)

    of(app, email)
    sa.event.listen(app.database.reader, "before_cursor_execute", note)
    of(app, email)
    sa.event.remove(app.database.reader, "before_cursor_execute", note)
    return len(seen)


def test_everybody_sees_their_own(app: App) -> None:
    """Balance, burn-down, requests and warnings are one's own; an engineer sees nothing of the board's or of others."""
    app = convene(app)
    mine, other = asking.ask(app, BEN, "1000"), asking.ask(app, ADA, "2000")
    with app.transaction() as moment:
        warnings.choose(moment, cast.person_id(app, BEN), Choice(frozenset({85}), 20, 8))
    found = of(app, BEN)
    assert found.card.name == "Ben Okafor"
    assert found.burn_down is not None
    assert found.burn_down.left[-1][1] == found.card.available
    assert [card.request.id for card in found.requests.cards] == [mine.id]
    assert found.requests.more == 0
    assert (found.warnings.percent, found.warnings.quiet_from, found.warnings.quiet_until) == ((85, 100), 20, 8)
    assert (found.board, found.team, found.left_on) == (None, None, None)
    assert other.id not in repr(found)


def test_the_board_sees_what_it_decides(app: App) -> None:
    """Members see the queue with its first five and the programme's standing; what concerns them is hidden."""
    app = convene(app)
    for number in range(7):
        asking.ask(app, BEN, "1000", key=f"k{number}")
    asking.ask(app, TESS, "1000")
    seen = of(app, TESS).board
    assert seen is not None
    assert (len(seen.queue.lines), seen.queue.more, seen.queue.hidden) == (5, 2, 1)
    assert all(line.awaits_reader for line in seen.queue.lines)
    assert seen.standing is not None
    assert of(app, MARA).board is None


def test_who_stands_in_sees_requests_and_no_totals(app: App) -> None:
    """A delegate decides for a member, and sees nothing of the programme's figures."""
    app = convene(app)
    asking.ask(app, BEN, "1000")
    delegate(app, TESS, LENA)
    seen = of(app, LENA).board
    assert seen is not None
    assert (seen.queue.count, seen.standing) == (1, None)
    handed = of(app, TESS).board
    assert handed is not None
    assert handed.stands_in_until is not None


def delegate(app: App, member: str, to: str) -> None:
    with app.transaction() as moment:
        people = [asking.person(moment.session, who) for who in (member, to)]
        last_day = app.clock().date()
        board.delegate(moment, people[0], people[1], last_day)


def test_a_leaver_sees_a_farewell(app: App) -> None:
    """From the day after the last one nothing of the programme is read for someone, whatever role they had."""
    app = convene(app)
    today = app.clock().date()
    for last_day, has_left in ((today, False), (today.replace(day=19), True)):
        with app.database.transaction() as session:
            people_store.update(session, cast.person_id(app, TESS), {"left_on": last_day})
        found = of(app, TESS)
        assert (found.left_on is not None) is has_left
        assert (found.board is None) is has_left


def test_old_requests_are_only_counted(app: App, clock: Clock) -> None:
    """What was decided more than thirty days ago, and what is beyond three, is behind a command."""
    app = convene(app)
    old = asking.ask(app, BEN, "1000")
    asking.withdraw(app, BEN, old)
    assert [card.request.id for card in of(app, BEN).requests.cards] == [old.id]
    clock.move(days=31)
    found = of(app, BEN).requests
    assert (found.cards, found.more) == ((), 1)
    for number in range(5):
        asking.ask(app, BEN, "100", key=f"k{number}")
    found = of(app, BEN).requests
    assert (len(found.cards), found.more) == (3, 3)


@pytest.mark.parametrize(("who", "most"), [(ADA, 12), (ZOE, 16), (IRIS, 20)])
def test_it_takes_few_statements(sqlite_app: App, who: str, most: int) -> None:
    """A Home without requests is a handful of statements, however much was used."""
    app = convene(dataclasses.replace(sqlite_app))
    few = statements(app, who)
    assert few <= most
    events = (cast.event(f"e{n}", at=app.clock(), who=who, meters={"output": 1_000}) for n in range(40))
    books.take_in(app, *events)
    assert statements(app, who) == few


def test_only_who_may_decide_finds_the_appeal(sqlite_app: App, clock: Clock) -> None:
    """With its buttons on Home: not for the person, their manager or who voted, and for no one once it is decided."""
    appealed.settle(sqlite_app, clock)
    clock.now = FEBRUARY_THIRD
    with sqlite_app.transaction() as moment:
        appealed.adopt(moment)
        filed = appealed.file(moment)
        appealed.vote_on_package(moment.session, sqlite_app, TESS)
        able = appeals.deciders(moment, filed)
    seats = {IRIS, TESS, LENA, reviewed.IDLE}
    for who in seats:
        board_ = of(sqlite_app, who).board
        shown = () if board_ is None else board_.waiting.appeals
        assert [one.id for one in shown] == ([filed.id] if cast.person_id(sqlite_app, who) in able else []), who
    with sqlite_app.transaction() as moment:
        appealed.decide(moment, IRIS, filed, upheld=False)
    decided = of(sqlite_app, IRIS).board
    assert decided is not None
    assert decided.waiting == waiting.NOTHING


def test_however_many_appeal_against_cuts_it_takes_as_many_statements(sqlite_app: App, clock: Clock) -> None:
    """All are gathered at once; of the five that are not her own she sees three, and the others counted."""
    appealed.settle(sqlite_app, clock)
    clock.now = FEBRUARY_THIRD
    with sqlite_app.transaction() as moment:
        appealed.adopt(moment)
        cut = appealed.cut(moment.session)
        appealed.file(moment, cut[0])
    few = statements(sqlite_app, IRIS)
    with sqlite_app.transaction() as moment:
        for who in cut[1:]:
            appealed.file(moment, who)
    assert statements(sqlite_app, IRIS) == few
    seen = of(sqlite_app, IRIS).board
    assert seen is not None
    assert (len(seen.waiting.appeals), seen.waiting.more, seen.waiting.count) == (3, 2, 5)


def test_however_many_appeal_against_the_annual_review_it_takes_as_many_statements(
    sqlite_app: App, clock: Clock
) -> None:
    """All are gathered at once; three are shown, and the others counted."""
    everybody = (BEN, MARA, TESS, "omar@example.com")
    annual_appealed.settle(sqlite_app, *everybody)
    clock.now = annual_appealed.TENTH
    annual_appealed.appeal(sqlite_app, BEN)
    few = statements(sqlite_app, IRIS)
    for who in everybody[1:]:
        annual_appealed.appeal(sqlite_app, who)
    assert statements(sqlite_app, IRIS) == few
    seen = of(sqlite_app, IRIS).board
    assert seen is not None
    assert (len(seen.waiting.annual_appeals), seen.waiting.more, seen.waiting.count) == (3, 1, 4)


def test_an_annual_appeal_waits_for_who_had_no_part_in_it(sqlite_app: App) -> None:
    """Iris finds it on Home; Omar, who imported the groups, does not, and nobody once its time is over."""
    annual_appealed.settle(sqlite_app)
    filed = annual_appealed.appeal(sqlite_app)
    for who, days, found in ((IRIS, 0, [filed.id]), ("omar@example.com", 0, []), (IRIS, 60, [])):
        with sqlite_app.reading(filed.filed_at + timedelta(days=days)) as moment:
            seen = home.of(moment, asking.person(moment.session, who)).board
        assert seen is not None
        assert [one.id for one in seen.waiting.annual_appeals] == found, who


def test_a_proposal_waits_for_everyone_but_its_proposer(app: App, clock: Clock) -> None:
    """Members find it with *Confirm*, the proposer doesn't; once it has lapsed by time, nobody does."""
    app = convene(app)
    kept = proposed.propose(app, proposed.text(), by=TESS)
    for who, found in ((IRIS, [kept.id]), (TESS, [])):
        seen = of(app, who).board
        assert seen is not None
        assert [one.proposal.id for one in seen.waiting.proposals] == found
    clock.move(days=31)
    seen = of(app, IRIS).board
    assert seen is not None
    assert seen.waiting.count == 0


def test_a_cap_is_shown_once_most_of_it_is_used(app: App) -> None:
    """At four fifths of USD 3 Home says so, and before it does not."""
    held.stop(app, 'name = "Day"\nscope = "person"\nwindow = "day"\nusd = 3\naction = "stop"')
    cast.give(app, BEN, "1000")
    held.reserve(app, "1", "2.3", who=BEN)
    assert of(app, BEN).near_caps == ()
    held.reserve(app, "2", "0.1", who=BEN)
    assert [cap.name for cap in of(app, BEN).near_caps] == ["Day"]
    assert (of(app, BEN).card.held, of(app, BEN).card.held_calls) == (held.tokens("240"), 2)
