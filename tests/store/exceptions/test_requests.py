"""What belongs to many requests is read in one statement each, and every request gets its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.units import MicroTokens
from programme.exceptions import questions
from store.exceptions import held
from store.exceptions import questions as questions_store
from store.exceptions import requests as store
from store.exceptions import votes as votes_store
from store.outbox import messages
from store.people import directory as people_store
from store.people import projects as projects_store
from store.tables.people import people, projects
from tests.support import requests as board
from tests.support.books import ADA, BEN, MARA
from tests.support.requests import IRIS, OMAR, TESS
from tests.support.sent import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from programme.app import App
    from store.engine import Session
    from store.exceptions.requests import Request


@pytest.fixture
def asked(app: App) -> Iterator[tuple[Session, list[Request]]]:
    """Four requests: Ben's is approved by two, Ada's first is asked about and rejected, her other two have nothing."""
    office = board.convene(app)
    made = [
        board.ask(office, BEN, "95000", beneficiaries=(MARA, ADA)),
        board.ask(office, ADA, "30", beneficiaries=(BEN,)),
        board.ask(office, ADA, "20"),
        board.ask(office, ADA, "10"),
    ]
    board.vote(office, IRIS, made[0], tokens="25")
    board.let_time_pass(office, minutes=1)
    board.vote(office, OMAR, made[0])
    with office.transaction() as moment:
        iris = board.person(moment.session, IRIS)
        questions.ask(moment, iris, made[1].id, "What for?", key="q1")
        questions.ask(moment, iris, made[1].id, "Until when?", key="q2")
    board.vote(office, TESS, made[1], approves=False)
    with office.database.reading() as session:
        yield session, [request for one in made if (request := store.get(session, one.id)) is not None]


READERS: dict[str, Callable[[Session, list[Request]], object]] = {
    "polls": votes_store.polls,
    "all about them": lambda session, some: votes_store.about(session, some, ["nobody"], some[0].last_day),
    "questions": lambda session, some: questions_store.of_requests(session, [one.id for one in some]),
    "remaining": store.remaining_of,
    "requests of people": lambda session, some: store.of_people(session, {one.person_id for one in some}, limit=2),
    "sponsors": lambda session, _: projects_store.sponsors_of(session, ["no", "such", "projects"]),
    "managers": lambda session, some: people_store.managers_of(session, [one.person_id for one in some]),
}


@pytest.mark.parametrize("reader", READERS)
def test_of_many_takes_one_statement(
    app: App, asked: tuple[Session, list[Request]], reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue of four costs what a queue of one does."""
    session, made = asked
    with statements(app.database, monkeypatch) as sent:
        READERS[reader](session, made)
    assert len(sent) == 1


def test_each_request_gets_its_own(asked: tuple[Session, list[Request]]) -> None:
    """Votes, questions and people of one request are never another's, and what has none has none."""
    session, made = asked
    ids = [one.id for one in made]
    id_of = {email: id_ for email, id_ in session.execute(sa.select(people.c.email, people.c.id))}
    polls = votes_store.polls(session, made)
    cast = [[(vote.cast_by, vote.approves, vote.amount) for vote in polls[id_].votes] for id_ in ids]
    agreed = [(id_of[IRIS], True, MicroTokens.parse("25")), (id_of[OMAR], True, None)]
    assert cast == [agreed, [(id_of[TESS], False, None)], [], []]
    questions = questions_store.of_requests(session, ids)
    assert [[one.question for one in questions[id_]] for id_ in ids] == [[], ["What for?", "Until when?"], [], []]
    parties = votes_store.about(session, made, [], made[0].last_day).parties
    assert [parties[id_].beneficiaries for id_ in ids] == [{id_of[MARA], id_of[ADA]}, {id_of[BEN]}, set(), set()]


@pytest.mark.every_database
def test_one_that_is_held_is_read_as_many_are(app: App, asked: tuple[Session, list[Request]]) -> None:
    """A vote is counted by what the queue shows: the same request, votes, parties and people, and its messages."""
    session, made = asked
    day, voter = made[0].last_day, made[1].person_id
    kept = votes_store.about(session, made, [voter], day)
    with app.database.transaction() as writing:
        for one in made:
            found = held.hold(writing, one.id, voter, day)
            assert found is not None
            assert found.request == one
            assert found.about.polls[one.id] == kept.polls[one.id]
            assert found.about.parties[one.id] == kept.parties[one.id]
            assert found.about.attendees.items() <= kept.attendees.items()
            assert found.copies == messages.copies(writing, one.id, sorted({copy.template for copy in found.copies}))
            assert not found.has_failures
        assert held.hold(writing, "xr_unknown", voter, day) is None


def test_panels_are_those_of_their_requests(asked: tuple[Session, list[Request]]) -> None:
    """Anyone who is recused in one request may vote in the next, and members come before alternates."""
    session, made = asked
    polls = votes_store.polls(session, made)
    assert polls == {one.id: votes_store.polls(session, [one])[one.id] for one in made}
    for one in made:
        panel = polls[one.id].panel
        assert one.person_id not in {seat.person_id for seat in panel.seats if not seat.recused}
        kinds = [seat.kind for seat in panel.seats]
        assert kinds == sorted(kinds, key=["member", "alternate", "reserve"].index)


def test_what_is_left_of_each(asked: tuple[Session, list[Request]]) -> None:
    """What was approved has a lot, of which nothing is used; what was not has none."""
    session, made = asked
    left = store.remaining_of(session, made)
    assert [left[one.id] for one in made] == [25_000_000, 0, 0, 0]


def test_the_latest_of_each_person(asked: tuple[Session, list[Request]]) -> None:
    """Each person's own latest requests, the latest first, and no more of any than was asked for."""
    session, made = asked
    ben, ada = made[0].person_id, made[1].person_id
    found = store.of_people(session, [ada, ben, "per_nobody"], limit=2)
    assert found[ben] == [made[0]]
    assert found[ada] == store.of_person(session, ada, limit=2)
    assert len(found[ada]) == 2
    assert found["per_nobody"] == []


def test_sponsors_and_managers(shared_app: App) -> None:
    """Of some projects and people at once; an unknown project has no sponsor, the top of the company no manager."""
    with shared_app.database.transaction() as session:
        id_of = {email: id_ for email, id_ in session.execute(sa.select(people.c.email, people.c.id))}
        row = {"key": "atlas", "name": "Atlas", "complexity": "usual", "sponsor_id": id_of[MARA]}
        session.execute(sa.insert(projects).values(row))
        assert projects_store.sponsors_of(session, ["atlas", "none"]) == {"atlas": id_of[MARA], "none": None}
        managers = people_store.managers_of(session, id_of.values())
        assert managers == {id_: boss for id_, boss in session.execute(sa.select(people.c.id, people.c.manager_id))}
        assert managers[id_of[ADA]] == id_of[MARA]
        session.rollback()
