"""Phases wait for the board: who is asked when, what the votes do, and what stands still meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.gates import EXTEND, GO_ON, STOP
from policy.period import Month
from programme.gates import cards, reach
from store.proof import gates as proof
from store.tables.gates import gate_votes, rollout_pauses
from tests.support import gated, returned, rollout
from tests.support.gated import ASKED, FEBRUARY, JANUARY, MARCH
from tests.support.requests import IRIS, OMAR, TESS
from views.gates import EXTENDED, OPEN, PASSED, STOPPED

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

CALENDAR = {'gates = "board"': 'gates = "calendar"'}
BOARD = (IRIS, OMAR, TESS)


@pytest.fixture
def company(sqlite_app: App, clock: Clock) -> App:
    return gated.settle(sqlite_app, clock)


def proved(app: App) -> list[str]:
    with app.database.reading() as session:
        return [said for check in proof.CHECKS for said in check(session)]


def decide(app: App, choice: str) -> None:
    for who in BOARD[:2]:
        gated.vote(app, who, choice)


def test_the_board_is_asked_so_many_days_before_a_phase(company: App, clock: Clock) -> None:
    """Once, in its channel, with who may vote; not a day earlier."""
    gated.at(company, clock, ASKED - timedelta(days=1))
    assert gated.latest(company) is None
    gated.at(company, clock, ASKED)
    gated.at(company, clock, ASKED + timedelta(days=1))
    gate = gated.latest(company)
    assert gate is not None
    assert (gate.state, gate.month, gate.panel.needed) == (OPEN, Month(2027, 1), 2)
    assert list(rollout.owed(company, "gates/card")) == [
        f"gate:2:2027-01:{who}" for who in ("board", *stand_ins(company))
    ]


def stand_ins(app: App) -> list[str]:
    """Who is called and need not be in the board's channel: finance, where it is no member."""
    return [key.rpartition(":")[2] for key in rollout.owed(app, "gates/card") if not key.endswith(":board")]


def test_without_a_word_the_next_wave_waits_and_the_others_go_on(company: App, clock: Clock) -> None:
    """Each month that comes stands still; once the board says so, the next one begins the phase, for good."""
    gated.at(company, clock, ASKED)
    gated.at(company, clock, JANUARY)
    assert gated.takes_part(company, "2027-01", gated.PILOT)
    assert not gated.takes_part(company, "2027-01")
    decide(company, GO_ON)
    assert gated.latest(company).state == PASSED  # type: ignore[union-attr]
    gated.at(company, clock, FEBRUARY)
    gated.at(company, clock, MARCH)
    assert gated.takes_part(company, "2027-02")
    assert gated.takes_part(company, "2027-03")
    with company.reading(clock.now) as moment:
        assert [str(one)[:7] for one in moment.handbook.rollout.paused] == ["2027-01"]
    assert proved(company) == []


def test_a_gate_that_was_passed_in_time_delays_nothing(company: App, clock: Clock) -> None:
    """Two members, one of finance, let the wave join on the day that the handbook says."""
    gated.at(company, clock, ASKED)
    decide(company, GO_ON)
    gated.at(company, clock, JANUARY)
    assert gated.takes_part(company, "2027-01")


def test_after_a_month_more_the_board_is_asked_again(company: App, clock: Clock) -> None:
    """An extension moves the phase by one month, and has a reason; the next gate starts without votes."""
    gated.at(company, clock, ASKED)
    decide(company, EXTEND)
    gated.at(company, clock, JANUARY)
    assert not gated.takes_part(company, "2027-01")
    gated.at(company, clock, JANUARY + timedelta(days=20))
    gate = gated.latest(company)
    assert gate is not None
    assert (gate.id, gate.state) == ("2:2027-02", OPEN)
    with company.reading(clock.now) as moment:
        assert cards.of(moment, "2:2027-01").gate.state == EXTENDED
        assert cards.of(moment, gate.id).counts == {}
    assert proved(company) == []


def test_a_stopped_roll_out_stands_still_until_the_board_lets_it_go_on(company: App, clock: Clock) -> None:
    """Also across months in which the bot was away; nobody who takes part loses anything."""
    gated.at(company, clock, ASKED)
    decide(company, STOP)
    assert gated.refused(company, TESS, STOP) == "stopped_already"
    gated.at(company, clock, FEBRUARY)
    assert gated.takes_part(company, "2027-02", gated.PILOT)
    assert not gated.takes_part(company, "2027-02")
    assert gated.latest(company).state == STOPPED  # type: ignore[union-attr]
    decide(company, GO_ON)
    gated.at(company, clock, MARCH)
    assert gated.takes_part(company, "2027-03")
    assert proved(company) == []


def test_by_the_calendar_the_phase_begins_unless_it_is_stopped(sqlite_app: App, clock: Clock) -> None:
    """The card comes all the same; a word of the board counts, silence holds up nothing."""
    company = gated.settle(sqlite_app, clock, changes=CALENDAR)
    gated.at(company, clock, ASKED)
    gated.at(company, clock, JANUARY)
    gate = gated.latest(company)
    assert gate is not None
    assert (gate.state, gate.decided_by) == (PASSED, "policy")
    assert gated.takes_part(company, "2027-01")
    assert gated.refused(company, IRIS, STOP) == "decided"
    assert proved(company) == []


def test_where_the_channel_does_not_get_the_card_each_member_does(company: App, clock: Clock) -> None:
    """Once, and only while there is something to decide."""
    gated.at(company, clock, ASKED)
    for _ in range(2):
        with company.transaction() as moment:
            reach.note_parked(moment, "2:2027-01")
    assert len(stand_ins(company)) == len(BOARD)
    decide(company, GO_ON)
    with company.transaction() as moment:
        reach.note_parked(moment, "2:2027-01")
    assert len(stand_ins(company)) == len(BOARD)


def test_finance_has_to_agree_and_votes_for_different_choices_do_not_add_up(company: App, clock: Clock) -> None:
    """A vote can be changed; one without a reason for waiting, or from someone else, does not count."""
    gated.at(company, clock, ASKED)
    gated.vote(company, IRIS, GO_ON)
    gated.vote(company, OMAR, EXTEND)
    assert gated.latest(company).state == OPEN  # type: ignore[union-attr]
    assert gated.vote(company, OMAR, EXTEND).again
    gated.vote(company, OMAR, GO_ON)
    assert gated.latest(company).state == PASSED  # type: ignore[union-attr]
    assert gated.refused(company, TESS, GO_ON) == "decided"


def test_a_pause_or_a_vote_that_nobody_told_of_is_found(company: App, clock: Clock) -> None:
    """`verify` compares both with the audit log."""
    gated.at(company, clock, ASKED)
    gated.vote(company, IRIS, GO_ON)
    with company.database.transaction() as session:
        session.execute(sa.update(gate_votes).values(choice="stop", reason="x"))
        session.execute(sa.insert(rollout_pauses).values(month="2027-05", phase=2, noted_at=clock.now))
    said = " ".join(proved(company))
    assert "the vote of" in said
    assert "2027-05 stands still" in said


def test_the_evidence_is_the_report_with_the_handbooks_criteria(sqlite_app: App, clock: Clock) -> None:
    """What was asked for stood in the handbook before; what was found comes from the frozen report."""
    returned.settle(sqlite_app, clock)
    rollout.run_calendar(sqlite_app, clock.now)
    gate = gated.latest(sqlite_app, phase=3)
    assert gate is not None
    assert gate.through == Month(2026, 10)
    assert [(one.code, one.wanted, one.met) for one in gate.criteria] == [
        ("verdict", "pays", True),
        ("using", "0.50", True),
        ("quarantined", "100", True),
    ]


def test_on_either_database_a_month_that_stands_still_is_read_with_the_handbooks(app: App, clock: Clock) -> None:
    """Every version has the months, in order, and a decided gate proves."""
    company = gated.settle(app, clock)
    gated.at(company, clock, ASKED)
    gated.at(company, clock, FEBRUARY)
    decide(company, GO_ON)
    with company.reading(clock.now) as moment:
        for book in moment.handbooks.versions:
            assert [str(one)[:7] for one in book.rollout.paused] == ["2027-01", "2027-02"]
    assert proved(company) == []
