"""Whatever people and the clock do to requests: nothing is credited twice, late, or by those who may not decide.

A model keeps what must hold in a few dictionaries; the machine does things to it and to a real ledger in any order.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.handbooks import RecentHandbooks
from programme.people import board
from store.engine import open_database
from store.exceptions import votes as votes_store
from store.tables.ledger import entries, lots
from tests.support import books, cast, depth, postgres
from tests.support import requests as asking
from tests.support.books import BEN
from tests.support.clock import Clock
from tests.support.requests import IRIS, KOFI, LENA, OMAR, TESS, ZOE, convene

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from programme.app import App
    from store.exceptions.requests import Request

pytestmark = pytest.mark.every_database

MEMBERS = (IRIS, OMAR, TESS)
VOTERS = (*MEMBERS, ZOE, KOFI, LENA)
SIZES = st.sampled_from(["50", "150000", "400000"])
"""A fast request, a standard one and a major one."""
Ballots = list[tuple[str, bool, bool]]
BALLOTS = st.lists(st.tuples(st.sampled_from(VOTERS), st.booleans(), st.booleans()), min_size=2, max_size=6)
"""Who votes, for or against it, for all of it or less."""
STEPS = st.sampled_from(["made_at", "remind_at", "escalate_at", "last_call_at", "lapse_at"])
seen: Counter[str] = Counter()
"""What came of votes, over all examples: a machine that never decides anything proves nothing."""
ALLOWED = {
    "open": {"open", "approved", "rejected", "lapsed", "withdrawn"},
    "credited": {"credited", "ratified", "not_ratified"},
}
"""From which state to which; every other state is for good."""


@dataclass
class Model:
    """What is known of one request: its last state, and the votes that were accepted, by seat."""

    request: Request
    state: str
    votes: dict[str, bool] = field(default_factory=dict)


class RequestsMachine(RuleBasedStateMachine):
    open_office: Callable[[], App]

    def __init__(self) -> None:
        super().__init__()
        # The same ledger for every example: what happens must follow from what is drawn alone.
        self.office = type(self).open_office()
        self.requester = BEN
        self.models: list[Model] = []
        self.last_vote: tuple[int, str, bool, str | None] | None = None

    @initialize(manager=st.sampled_from([IRIS, TESS, "-"]), tokens=SIZES, ballots=BALLOTS)
    def begin(self, manager: str, tokens: str, ballots: Ballots) -> None:
        """A member of the board may be the manager of who asks, and so be recused. Every example has some votes."""
        cast.hire(self.office, f"email,manager_email\n{BEN},{manager}\n")
        self.ask(tokens, 25)
        for who, approves, less in ballots:
            self._vote(0, who, approves=approves, less="10" if less and approves else None)

    # What people do

    @rule(tokens=SIZES, days=st.sampled_from([0, 3, 25]))
    def ask(self, tokens: str, days: int) -> None:
        self._note(asking.ask(self.office, self.requester, tokens, days=days))

    @rule(tokens=st.sampled_from(["50", "40000"]))
    def break_the_glass(self, tokens: str) -> None:
        code = _refused(lambda: self._note(asking.ask(self.office, self.requester, tokens, incident="INC-1")))
        assert code in {"", "request_invalid"}

    @rule(tokens=SIZES, ballots=BALLOTS, later=BALLOTS, step=STEPS, ticking=st.booleans())
    def a_life_of_a_request(
        self,
        tokens: str,
        ballots: Ballots,
        later: Ballots,
        step: str,
        ticking: bool,  # noqa: FBT001 - drawn
    ) -> None:
        """Asked for, voted on, left until some instant of it, and voted on again: what most examples should have."""
        self.ask(tokens, 25)
        number = len(self.models) - 1
        for who, approves, less in ballots:
            self._vote(number, who, approves=approves, less="10" if less and approves else None)
        left = getattr(self.models[number].request, step) - self.office.clock()
        self.office.clock.move(seconds=max(left.total_seconds(), 0))  # type: ignore[attr-defined]  # the tests' clock
        if ticking:
            asking.let_time_pass(self.office)
        for who, approves, _ in later:
            self._vote(number, who, approves=approves, less=None)

    @rule(data=st.data(), who=st.sampled_from(VOTERS), approves=st.booleans())
    def anybody_votes_on_anything(self, data: st.DataObject, who: str, approves: bool) -> None:  # noqa: FBT001 - drawn
        self._vote(data.draw(st.integers(0, len(self.models) - 1)), who, approves=approves, less=None)

    @precondition(lambda self: self.last_vote is not None)
    @rule()
    def press_again(self) -> None:
        assert self.last_vote is not None
        number, who, approves, less = self.last_vote
        self._vote(number, who, approves=approves, less=less)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        model = self.models[data.draw(st.integers(0, len(self.models) - 1))]
        state = asking.now_of(self.office, model.request).state
        code = _refused(lambda: asking.withdraw(self.office, self.requester, model.request))
        assert code == ("" if state == "open" else "decided")

    @rule(member=st.sampled_from(VOTERS), to=st.sampled_from(VOTERS), days=st.integers(0, 3))
    def delegate(self, member: str, to: str, days: int) -> None:
        now = self.office.clock()

        def hand_over() -> None:
            with self.office.transaction(now) as moment:
                people = asking.person(moment.session, member), asking.person(moment.session, to)
                last_day = now.astimezone(self.office.zone).date() + timedelta(days=days)
                board.delegate(moment, *people, last_day)

        code = _refused(hand_over)
        assert not code or code.startswith(("delegate_", "not_on_board"))

    @rule(member=st.sampled_from(VOTERS))
    def take_back(self, member: str) -> None:
        with self.office.transaction() as moment:
            board.take_back(moment, asking.person(moment.session, member))

    @rule(hours=st.sampled_from([1, 5, 30, 100]), ticking=st.booleans())
    def time_passes(self, hours: int, ticking: bool) -> None:  # noqa: FBT001 - drawn
        if ticking:
            asking.let_time_pass(self.office, hours=hours)
        else:
            self.office.clock.move(hours=hours)  # type: ignore[attr-defined]  # the tests' clock

    def _note(self, request: Request) -> None:
        self.models.append(Model(request, request.state))

    def _vote(self, number: int, who: str, *, approves: bool, less: str | None) -> None:
        model = self.models[number]
        before = asking.now_of(self.office, model.request)
        self.last_vote = (number, who, approves, less)
        try:
            voted = asking.vote(self.office, who, model.request, approves=approves, tokens=less)
        except Refusal:
            return
        assert before.state in {"open", "credited"}
        assert self.office.clock() < before.lapse_at
        model.votes[voted.seat] = approves
        seen.update([voted.request.state])

    # What holds, whatever they did

    @invariant()
    def states_move_forward_only(self) -> None:
        states = asking.states(self.office)
        for model in self.models:
            assert states[model.request.id] in ALLOWED.get(model.state, {model.state})
            model.state = states[model.request.id]

    @invariant()
    def what_was_granted_is_there_exactly_once(self) -> None:
        now = [asking.now_of(self.office, model.request) for model in self.models]
        granted = sum((one.granted for one in now if one.granted is not None), MicroTokens(0))
        posted = books.rows(self.office, sa.select(entries.c.idempotency_key).where(entries.c.kind == "exception"))
        assert sorted(key for (key,) in posted) == sorted(f"exception:{one.id}" for one in now if one.granted)
        taken = MicroTokens(sum(int(one.netted or 0) for one in now))
        issued = _credited(self.office, self.requester)
        assert issued == granted
        assert taken <= granted
        for one in now:
            if one.state in {"approved", "ratified"} and one.decided_at is not None:
                assert one.decided_at < one.lapse_at

    @invariant()
    def votes_are_those_that_were_accepted(self) -> None:
        with self.office.database.reading() as session:
            for model in self.models:
                panel, cast = votes_store.polls(session, [model.request])[model.request.id]
                votes = {vote.seat: vote.approves for vote in cast}
                assert votes == model.votes
                assert not {seat.person_id for seat in panel.seats if seat.recused} & votes.keys()

    def teardown(self) -> None:
        assert books.findings(self.office) == {}
        self.office.database.close()


def _refused(doing: Callable[[], object]) -> str:
    """The code with which something is refused, or nothing."""
    try:
        doing()
    except Refusal as refusal:
        return refusal.code
    return ""


def _credited(office: App, email: str) -> MicroTokens:
    """What exceptions put into someone's wallet, by the ledger."""
    query = sa.select(sa.func.coalesce(sa.func.sum(lots.c.amount), 0)).where(
        lots.c.kind == "exception", lots.c.account_id == books.account_id(office, email)
    )
    [(total,)] = books.rows(office, query)
    return MicroTokens(int(total))


def test_whatever_happens_to_requests(app: App, database_url: str, tmp_path: Path) -> None:
    """No order of votes, delegations, withdrawals, repeats and time breaks what must hold; `verify` finds nothing."""
    office = convene(app)
    app.database.close()

    class Machine(RequestsMachine):
        @staticmethod
        def open_office() -> App:
            clock = Clock()
            database = open_database(postgres.cloned(database_url, tmp_path))
            return dataclasses.replace(office, database=database, clock=clock, recent_handbooks=RecentHandbooks())

    seen.clear()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=depth.either(quick=8, deep=60),
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # So that what was seen in one run is seen in every one.
            derandomize=True,
        ),
    )
    assert {"open", "approved", "rejected"} <= seen.keys()
