"""Whatever board, people and calendar do to reviews: what is adopted, cut and given back can be proved afterwards.

The machine drafts, votes, holds, appeals, moves people and grants month after month, in any order, on a real ledger.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from policy.appeals import OPEN, UPHELD
from policy.period import Month, Quarter, day_of
from policy.reasons import Refusal
from programme.appeals import appeals, deciding, filing
from programme.appeals import calendar as appeals_calendar
from programme.grants import lapses, monthly
from programme.handbooks import RecentHandbooks
from programme.people import board
from programme.reviews import calendar as reviews_calendar
from programme.reviews import drafting, effects, single_cases
from programme.reviews import voting as reviews_voting
from programme.reviews.voting import Ballot
from store import runs
from store.appeals import records as appeals_store
from store.engine import open_database
from store.people import directory as people_store
from store.reviews import drafts as reviews_store
from store.reviews import votes
from store.tables.ledger import entries
from store.tables.outbox import outbox
from tests.support import appealed, books, cast, depth, postgres, reviewed
from tests.support.clock import Clock
from tests.support.requests import IRIS, KOFI, LENA, OMAR, TESS, ZOE, person
from tests.support.reviewed import BUSY, IDLE, MORNING, STOPPED
from views.reviews import DRAFT

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session
    from views.reviews import Review

pytestmark = pytest.mark.every_database

MEMBERS = (IRIS, TESS, OMAR)
BOARD = st.sampled_from((*MEMBERS, ZOE, KOFI, LENA))
PEOPLE = st.sampled_from((IDLE, STOPPED, BUSY, "t0p1@example.com", KOFI, LENA))
"""Those who are cut, raised or neither, two of whom have a say in others' cases."""
LEADS = st.sampled_from(("m1@example.com", "m3@example.com", IRIS, "-"))
ZONES = st.sampled_from(("America/Los_Angeles", "Asia/Tokyo", "Europe/Berlin"))
Change = tuple[str, str, str]
CHANGES: st.SearchStrategy[Change] = st.tuples(BOARD, PEOPLE, st.sampled_from(("hold", "put back", "-5", "3.3", "-10")))
"""Who does what to whose case."""
DAYS = st.sampled_from((1, 7, 20, 45))
seen: Counter[str] = Counter()
"""What came about, over all examples: a machine that never adopts or gives back anything proves nothing."""


class ReviewsMachine(RuleBasedStateMachine):
    open_office: Callable[[], App]

    def __init__(self) -> None:
        super().__init__()
        self.office = type(self).open_office()
        self.ended: dict[Quarter, str] = {}

    # What the board does

    @initialize(
        data=st.data(), changes=st.lists(CHANGES, max_size=3), days=st.sampled_from((18, 3, None)), upheld=st.booleans()
    )
    def begin(self, data: st.DataObject, changes: list[Change], days: int | None, upheld: bool) -> None:  # noqa: FBT001 - drawn
        """A review that is adopted, and an appeal before or after the first month that it cuts; or one that lapses."""
        self.time_passes(11)
        if days is None:
            self.time_passes(45)
            return
        self.board_adopts(changes)
        self.time_passes(days)
        self.somebody_appeals(data, upheld=upheld, days=5)

    @rule(changes=st.lists(CHANGES, max_size=2))
    def board_adopts(self, changes: list[Change]) -> None:
        """A round of holds and amendments, and then votes of everyone on what came of it."""
        for change in changes:
            self.decide_case(change)
        for who in (*MEMBERS, LENA):
            self.vote(who, adopts=True, stale=False)

    @rule(who=BOARD, adopts=st.booleans(), stale=st.booleans())
    def vote(self, who: str, adopts: bool, stale: bool) -> None:  # noqa: FBT001 - drawn
        def voting(moment: Moment, kept: Review) -> object:
            package = reviews_voting.panel_of(moment, kept.quarter).package - stale
            ballot = Ballot(package, adopts, None if adopts else "Too many cuts")
            return reviews_voting.vote(moment, person(moment.session, who), kept.quarter, ballot)

        self._about_latest(voting)

    @rule(change=CHANGES)
    def decide_case(self, change: Change) -> None:
        who, whose, what = change

        def deciding(moment: Moment, kept: Review) -> object:
            member, person_id = person(moment.session, who), person(moment.session, whose).id
            seen_at = single_cases.mark(drafting.case_of(moment, kept.quarter, person_id))
            at: dict[str, Any] = {"seen": seen_at}
            if what == "put back":
                return single_cases.put_back(moment, member, kept.quarter, person_id, **at)
            if what == "hold":
                return single_cases.hold(moment, member, kept.quarter, person_id, reason="On leave", **at)
            return single_cases.amend(
                moment, member, kept.quarter, person_id, change=what, reason="A new project", **at
            )

        self._about_latest(deciding)

    @rule(member=BOARD, to=BOARD)
    def delegate(self, member: str, to: str) -> None:
        with suppress(Refusal), self.office.transaction() as moment:
            last_day = self._today() + timedelta(days=5)
            people = person(moment.session, member), person(moment.session, to)
            board.delegate(moment, *people, last_day)

    def _about_latest(self, doing: Callable[[Moment, Review], object]) -> None:
        with suppress(Refusal), self.office.transaction() as moment:
            doing(moment, drafting.require(moment, None))

    # What people do

    @rule(data=st.data(), upheld=st.booleans(), days=st.integers(0, 12))
    def somebody_appeals(self, data: st.DataObject, upheld: bool, days: int) -> None:  # noqa: FBT001 - drawn
        """Against a cut of the last review that was adopted; a member who may decides later, or no one in time."""
        with self.office.database.reading() as session:
            kept = reviews_store.last_adopted(session)
            cut = [] if kept is None else self._cut(session, kept.quarter)
        if kept is None or not cut:
            return
        who = data.draw(st.sampled_from(cut))
        with suppress(Refusal), self.office.transaction() as moment:
            filing.file(moment, person(moment.session, who), kept.quarter, "I was at a customer")
        self.time_passes(days)
        self.decide_appeal(data, f"{kept.quarter}/{cast.person_id(self.office, who)}", upheld=upheld)

    def decide_appeal(self, data: st.DataObject, appeal_id: str, *, upheld: bool) -> None:
        with suppress(Refusal), self.office.transaction() as moment:
            able = appeals.deciders(moment, appeals.require(moment, *appeals.parse_id(appeal_id)))
            fit = [one for one in (*MEMBERS, ZOE, KOFI) if person(moment.session, one).id in able]
            who = data.draw(st.sampled_from(fit or [LENA]))
            deciding.decide(moment, person(moment.session, who), appeal_id, upheld=upheld, reason="As it was")

    @rule(who=PEOPLE, lead=LEADS, zone=ZONES)
    def move(self, who: str, lead: str, zone: str) -> None:
        cast.hire(self.office, f"email,manager_email,time_zone\n{who},{lead},{zone}\n")

    @rule(who=PEOPLE, days=st.integers(0, 40))
    def leave(self, who: str, days: int) -> None:
        cast.hire(self.office, f"email,left_on\n{who},{self._today() + timedelta(days=days)}\n")

    @rule(who=PEOPLE, band=st.sampled_from(("P3", "-")))
    def change_band(self, who: str, band: str) -> None:
        cast.hire(self.office, f"email,pay_band\n{who},{band}\n")

    def _cut(self, session: Session, quarter: Quarter) -> list[str]:
        emails = {one["id"]: email for email, one in people_store.all_by_email(session).items()}
        cases = reviews_store.cases(session, quarter)
        return sorted(emails[one.case.person_id] for one in cases if effects.is_cut(one))

    # What the calendar does

    @rule(days=DAYS)
    def time_passes(self, days: int) -> None:
        for _ in range(days):
            self.office.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
            self._a_day(self._today())

    def _a_day(self, today: date) -> None:
        office, now = self.office, self.office.clock()
        seen[f"month {today:%m}"] += today.day == 1
        month = Month.containing(today)
        if today.day == 1:
            with office.transaction(now) as moment:
                lapses.close_ended(moment, today)
                monthly.run(moment, month)
            if month.quarter.first_month == month:
                with office.transaction(now) as moment:
                    drafting.draft(moment, month.quarter.previous())
        elif today.day % 10 == 0:
            with suppress(Refusal), office.transaction(now) as moment:
                monthly.run_joiners(moment, today)
        with office.database.reading() as session:
            steps = votes.due(session, now)
            ends = appeals_store.due(session, now, limit=99)
        for quarter, _, _ in steps:
            with office.transaction(now) as moment:
                seen[f"step {reviews_calendar.advance(moment, Quarter.parse(quarter))}"] += 1
        for appeal_id, _, _ in ends:
            with office.transaction(now) as moment:
                seen[f"appeal {appeals_calendar.advance(moment, appeal_id)}"] += 1

    def _today(self) -> date:
        return day_of(self.office.clock(), self.office.zone)

    # What holds, whatever they did

    @invariant()
    def what_ended_stays(self) -> None:
        with self.office.database.reading() as session:
            for kept in reviews_store.all_of(session):
                assert self.ended.get(kept.quarter, kept.state) == kept.state
                if kept.state != DRAFT:
                    self.ended[kept.quarter] = kept.state

    @invariant()
    def no_cut_holds_that_is_disputed_or_undone(self) -> None:
        with self.office.reading() as moment:
            last = reviews_store.last_adopted(moment.session)
            factors = reviews_store.factors_on(moment.session, Month(2030, 1))
            for appeal in [] if last is None else appeals_store.of_quarter(moment.session, last.quarter).values():
                if appeal.state in {OPEN, UPHELD}:
                    case = drafting.case_of(moment, appeal.quarter, appeal.person_id)
                    assert factors.get(appeal.person_id, Decimal(1)) >= case.case.factor_before

    def teardown(self) -> None:
        with self.office.database.reading() as session:
            seen.update(one.state for one in reviews_store.all_of(session))
            seen.update(f"appeal {one.state}" for one in appeals_store.everything(session))
            seen["given back"] += len(session.execute(sa.select(entries.c.id).where(entries.c.kind == "appeal")).all())
            o = outbox.c
            told = session.execute(sa.select(o.view, o.key).where(o.template == "reviews/milestone")).all()
        assert len(told) == len({(view["quarter"], view["step"]) for view, _ in told})
        assert books.findings(self.office) == {}
        self.office.database.close()


def test_whatever_happens_to_reviews(app: App, clock: Clock, database_url: str, tmp_path: Path) -> None:
    """No order of votes, holds, appeals, moves and months leaves anything for `verify` to find."""
    appealed.settle(app, clock)
    office = dataclasses.replace(app, governance_channel="C0BOARD")
    with office.transaction(MORNING) as moment:
        runs.claim(moment.session, "grants", "2027-01", now=MORNING)
        reviews_calendar.advance(moment, reviewed.Q4)
    app.database.close()

    class Machine(ReviewsMachine):
        @staticmethod
        def open_office() -> App:
            database = open_database(postgres.cloned(database_url, tmp_path))
            return dataclasses.replace(
                office, database=database, clock=Clock(MORNING), recent_handbooks=RecentHandbooks()
            )

    seen.clear()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=depth.either(quick=8, deep=32),
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # So that what was seen in one run is seen in every one.
            derandomize=True,
        ),
    )
    often = {"adopted", "appeal upheld", "given back"}
    everything = often | {"lapsed", "appeal rejected", "month 04"}
    assert depth.either(quick=often, deep=everything) <= (+seen).keys()
