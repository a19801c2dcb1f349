"""A month's cash: the board is told of shares, is asked once when it is used up, and what it decides holds at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from policy import forecast
from policy.cash import HALT, LET_RUN, RAISE
from policy.period import Month
from policy.reasons import FieldsRefused, Refusal
from policy.units import NanoUSD
from programme import delegating
from programme.cash import questions, spending
from programme.handbook import applying
from programme.holds import leasing, limits, pricing
from programme.holds.reserving import Held
from programme.holds.usual import UsualCalls
from scheduler import tick
from store.handbook import reference
from store.tables.holds import cash_questions, lease_recalls
from tests.support import books, cash, held
from tests.support import requests as asking
from tests.support.books import ADA, BEN
from tests.support.cast import SONNET, person_id
from tests.support.clock import NOON
from tests.support.requests import IRIS, LENA, OMAR, TESS, ZOE
from views.holds import Denial

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from store.engine import Database


@pytest.fixture
def office(app: App) -> App:
    """Everyone together may spend USD 15 in November, and then every call stops."""
    return cash.company(app)


def runs(app: App, id_: str, usd: str = "1", **more: object) -> bool:
    """Whether a call is let in; what it held is given back at once."""
    answer = held.reserve(app, id_, usd, **more)  # type: ignore[arg-type]  # as `ask` has them
    if isinstance(answer, Held):
        held.release(app, id_)
    return isinstance(answer, Held)


def used_up(app: App) -> None:
    """All of the month's cash is used, and the board is asked."""
    cash.spend(app, "15", "all")
    assert cash.look(app) == ["ask"]


def test_the_board_is_told_of_each_share_once_and_of_the_highest_alone(office: App) -> None:
    """At 10.50 of USD 15 it is told; at 14.40 of 95 %, and no more of 85 %; of the end the card alone tells."""
    cash.spend(office, "10.2", "a")
    assert cash.look(office) == []
    cash.spend(office, "0.3", "b")
    assert (cash.look(office), cash.look(office)) == (["share"], [])
    cash.spend(office, "3.9", "c")
    assert (cash.look(office), cash.look(office)) == (["share"], [])
    assert cash.owed(office, "cash/share") == [None, None]
    cash.spend(office, "0.6", "d")
    assert (cash.look(office), cash.look(office)) == (["ask"], [])
    assert cash.owed(office, "cash/card") == [None]


def test_the_board_is_asked_once_a_call_is_stopped_before_all_is_used(office: App) -> None:
    """At 14.40 of USD 15 a call for one is stopped: the sum may never reach the limit, so it is asked then."""
    cash.spend(office, "14.4", "a")
    cash.look(office)
    assert not runs(office, "1")
    assert cash.look(office) == ["ask"]
    assert cash.card(office).spend.used < cash.card(office).spend.limit


def test_the_day_on_which_it_runs_out_follows_from_the_last_weeks(office: App) -> None:
    """Three weeks of USD 0.30 a working day: of USD 15 the rest lasts the month, of USD 6.00 until Thursday."""
    with office.transaction() as moment:
        month = Month.containing(moment.today)
        [cap] = spending.caps(moment)
        assert not spending.of(moment, cap.now, month).lasts
    for day in range(1, 23):
        at = NOON - timedelta(days=day)
        if at.weekday() not in forecast.WEEKEND:
            books.take_in(office, held.settled(f"d{day}", f"none-{day}", "0.3", at=at))
    with office.reading() as moment:
        spend = spending.of(moment, cap.now, month)
        tight = spending.of(moment, replace(cap.now, usd=spend.used + NanoUSD.parse("1.2")), month)
    assert (spend.lasts, spend.runs_out) == (True, None)
    assert (tight.lasts, tight.runs_out) == (False, date(2026, 11, 26))


def test_a_raise_needs_two_and_the_next_call_runs(office: App) -> None:
    """One vote changes nothing; with the second the smaller of both limits holds, and the log tells of both."""
    used_up(office)
    denied = held.reserve(office, "1")
    assert isinstance(denied, Denial)
    assert denied.cap.name == "Cash"
    assert cash.vote(office, IRIS, RAISE, "45").count == 1
    assert not runs(office, "2")
    voted = cash.vote(office, TESS, RAISE, "30")
    assert (voted.question.state, voted.question.raised_to) == ("raised", NanoUSD.parse("30"))
    assert runs(office, "1", "14")
    assert not runs(office, "3", "16")
    assert cash.refused(office, OMAR, HALT) == "decided"
    votes = books.audited(office, "cash.vote")
    assert [(row["after"]["choice"], row["after"].get("limit"), row["after"]["state"]) for row in votes] == [
        ("raise", "45", "open"),
        ("raise", "30", "raised"),
    ]
    assert books.findings(office) == {}


def test_what_was_raised_is_told_and_asked_anew(office: App) -> None:
    """Of the new limit shares are told again, and at its end the board is asked again; next month begins anew."""
    used_up(office)
    for who in (IRIS, TESS):
        cash.vote(office, who, RAISE, "30")
    cash.spend(office, "6.6", "b")
    assert cash.look(office) == ["share"]
    cash.spend(office, "8.4", "c")
    assert cash.look(office) == ["ask"]
    assert books.count(office, cash_questions) == 2
    office.clock.move(days=11)  # type: ignore[attr-defined]  # the tests' clock
    assert runs(office, "next month", "14")
    assert not runs(office, "too much", "16")


@pytest.mark.parametrize(("choice", "state", "goes_on"), [(HALT, "stopped", False), (LET_RUN, "running", True)])
def test_stop_and_let_it_run(app: App, choice: str, state: str, goes_on: bool) -> None:  # noqa: FBT001 - a table of cases
    """Until the board decides only the services stop that the cap names; then every call, or none."""
    office = cash.company(app, cash.ONLY_GPUS)
    used_up(office)
    assert runs(office, "model")
    assert not runs(office, "gpus", model=cash.GPUS)
    with office.reading() as moment:
        shown = limits.of(moment, pricing.known(moment, person_id(office, BEN))).caps
    assert [(one.action, one.services) for one in shown if one.name == "Cash"] == [("stop", ("gpu-cluster",))]
    for who in (IRIS, TESS):
        cash.vote(office, who, choice)
    assert cash.card(office).question.state == state
    assert runs(office, "model again") is goes_on
    assert runs(office, "gpus again", model=cash.GPUS) is goes_on
    assert cash.look(office) == []
    assert books.findings(office) == {}


def test_break_glass_passes(office: App) -> None:
    """Who took tokens in an incident goes on, whatever of the month's cash is left; whoever did not is stopped."""
    used_up(office)
    asking.ask(office, ADA, "500", incident="INC-1", days=2)
    assert runs(office, "ada")
    assert not runs(office, "ben", who=BEN)


def test_leases_are_recalled_by_the_decision(office: App) -> None:
    """A gateway that leased a part of Ada's wallet gives it back once the board decides."""
    cash.spend(office, "9", "a")
    with office.transaction() as moment:
        wanted = leasing.Wanted("gateway", "lease", (("email", ADA),), (SONNET,), b"")
        assert leasing.lease(moment, wanted, UsualCalls()).held is not None
    cash.spend(office, "6", "b")
    cash.look(office)
    assert books.count(office, lease_recalls) == 0
    for who in (IRIS, TESS):
        cash.vote(office, who, HALT)
    assert books.count(office, lease_recalls) == 1


def test_silence_reminds_calls_in_and_lapses(office: App) -> None:
    """First the silent are reminded, then alternates are called in; without a quorum nothing changes."""
    used_up(office)
    cash.vote(office, IRIS, LET_RUN)
    assert cash.refused(office, ZOE, LET_RUN) == "not_called_yet"
    assert cash.until(office, "remind_at") == ["remind"]
    silent = {person_id(office, one) for one in (OMAR, TESS)}
    assert set(cash.owed(office, "cash/card")) == {None, *silent}
    assert cash.until(office, "escalate_at") == ["escalate"]
    assert person_id(office, ZOE) in cash.owed(office, "cash/card")
    assert cash.until(office, "last_call_at") == ["last_call"]
    assert cash.until(office, "lapse_at") == ["lapse"]
    assert cash.card(office).question.state == "lapsed"
    assert not runs(office, "1")
    assert (cash.refused(office, TESS, LET_RUN), cash.look(office)) == ("decided", [])
    assert books.findings(office) == {}


def test_an_alternate_decides_with_a_member_once_called_in(office: App) -> None:
    """Their vote counts from the escalation on."""
    used_up(office)
    cash.vote(office, IRIS, LET_RUN)
    cash.until(office, "escalate_at")
    assert cash.vote(office, ZOE, LET_RUN).question.state == "running"
    assert books.findings(office) == {}


def test_a_question_ends_with_its_month(office: App) -> None:
    """Asked two days before the month ends, it lapses with it: next month has cash of its own."""
    office.clock.move(days=9)  # type: ignore[attr-defined]  # the tests' clock
    used_up(office)
    assert cash.card(office).question.lapse_at < office.clock() + timedelta(days=2)
    cash.until(office, "lapse_at")
    assert cash.card(office).question.state == "lapsed"
    assert runs(office, "1")


def test_a_vote_that_lifts_nothing_or_of_who_may_not_is_refused(office: App) -> None:
    """A limit within what is used, a stranger, and the same vote again each get their own answer."""
    used_up(office)
    for wrong in ("15", "9"):
        with pytest.raises(FieldsRefused, match=r"Write more than USD 15\.00"):
            cash.vote(office, IRIS, RAISE, wrong)
    assert cash.refused(office, BEN, HALT) == "not_on_board"
    assert not cash.vote(office, IRIS, HALT).again
    assert cash.vote(office, IRIS, HALT).again
    assert cash.vote(office, IRIS, RAISE, "20").count == 1
    assert cash.card(office).counts == {"raise": 1, "stop": 0, "let_run": 0}


def test_another_amount_in_the_handbook_ends_the_question(office: App) -> None:
    """Where a new handbook changes the cap there is nothing left to decide, and its own amount holds."""
    used_up(office)
    with office.transaction() as moment:
        body = reference.handbook_bodies(moment.session)[-1].replace("usd = 15", "usd = 30")
        body = body.replace("2026.launch", "2026.more")
        body = body.replace("effective_from = 2026-01-01", "effective_from = 2026-11-20")
        applying.apply(moment, body, actor="test")
    assert runs(office, "1", "14")
    assert cash.refused(office, IRIS, HALT) == "overtaken"
    assert cash.look(office) == ["overtaken"]
    assert cash.card(office).question.state == "lapsed"


@pytest.mark.every_database
def test_many_replicas_ask_once_and_decide_once(database_url: str, office: App) -> None:
    """Six that look at once ask one question with one card; three votes at once decide it once, by two of them."""
    cash.spend(office, "15", "all")

    def look(database: Database) -> None:
        tick.tick(replace(office, database=database), now=office.clock())

    assert books.at_once(database_url, [look] * 6) == []
    assert (books.count(office, cash_questions), cash.owed(office, "cash/card")) == (1, [None])
    question = cash.card(office).question.id
    refused: list[str] = []

    def vote(who: str) -> Callable[[Database], None]:
        def work(database: Database) -> None:
            try:
                cash.vote(replace(office, database=database), who, LET_RUN, on=question)
            except Refusal as refusal:
                refused.append(refusal.code)

        return work

    assert books.at_once(database_url, [vote(who) for who in (IRIS, OMAR, TESS)]) == []
    assert refused == ["decided"]
    assert (cash.card(office).question.state, len(cash.card(office).votes)) == ("running", 2)
    assert books.findings(office) == {}


def test_where_the_channel_refuses_the_card_each_who_decides_gets_it(office: App) -> None:
    """Those who voted already are left out."""
    used_up(office)
    cash.vote(office, IRIS, LET_RUN)
    with office.transaction() as moment:
        questions.note_parked(moment, cash.card(office).question.id)
    [channel, *people] = cash.owed(office, "cash/card")
    assert (channel, set(people)) == (None, {person_id(office, one) for one in (OMAR, TESS)})


def test_a_delegate_gets_the_open_card_and_votes_for_the_member(office: App) -> None:
    """What waits for Iris is passed on to Lena, who votes in her place; with Tess's vote it is decided."""
    used_up(office)
    with office.transaction() as moment:
        iris, lena = (asking.person(moment.session, who) for who in (IRIS, LENA))
        delegating.hand_over(moment, iris, lena, moment.today + timedelta(days=5))
    assert lena.id in cash.owed(office, "cash/card")
    assert cash.refused(office, IRIS, LET_RUN) == "delegated"
    cash.vote(office, LENA, LET_RUN)
    assert cash.vote(office, TESS, LET_RUN).question.state == "running"
    assert {one.who.name: one.stands_for and one.stands_for.name for one in cash.card(office).votes} == {
        "Lena Vogt": "Iris Tan",
        "Tess Novak": None,
    }
    assert books.findings(office) == {}
