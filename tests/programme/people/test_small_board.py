"""A board that is too small for a review or a gate: who is told instead, and when it is asked after all."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.gates import GO_ON
from programme.gates import calendar as gates
from programme.people import board
from programme.reviews import calendar as reviews
from scheduler import messages
from store.people import directory as people_store
from tests.support import books, cast, gated, rollout, voted
from tests.support.cast import person_id
from tests.support.gated import ASKED, JANUARY
from tests.support.requests import IRIS, LENA, OMAR, TESS
from tests.support.reviewed import MORNING, Q4

if TYPE_CHECKING:
    from datetime import datetime

    from programme.app import App
    from tests.support.clock import Clock

GATE = {"gate": "2:2027-01"}
REVIEW = ("reviews/unasked", {"quarter": str(Q4)})


def shrink(app: App) -> App:
    """Tess alone is left on the board, and Lena administers."""
    with app.reading() as moment:
        sitting = {seat.person_id for seat in board.seats(moment)}
        emails = [one for one, row in people_store.all_by_email(moment.session).items() if row["id"] in sitting]
    lines = "".join(f"{one},{'board' if one == TESS else '-'}\n" for one in emails)
    cast.hire(app, f"email,roles\n{lines}{LENA},admin\n")
    return app


def enlarge(app: App) -> None:
    cast.hire(app, "email,roles\niris@example.com,board;finance\nomar@example.com,board\n")


def readers(app: App, template: str) -> set[str]:
    return {key.rpartition(":")[2] for key in rollout.owed(app, template)}


def jobs(app: App, now: datetime) -> list[str]:
    """What a tick does, in which nothing may fail."""
    return [run.job for run in rollout.run_calendar(app, now).done]


def said(app: App, template: str, view: dict[str, str]) -> str:
    """What the note says now; nothing where it is left out."""
    message = messages.LIVE[template](app, view)
    return "" if message is None else str(message.blocks)


def test_a_review_waits_for_a_board_and_is_told_of_once(app: App, clock: Clock) -> None:
    """Its channel and administrators know; each later tick has nothing to do about it, and nothing fails."""
    office = shrink(voted.settle(app, clock))
    assert "review.convene" in jobs(office, MORNING)
    assert jobs(office, MORNING + timedelta(minutes=1)) == []
    assert readers(office, "reviews/unasked") == {str(Q4), person_id(office, LENA)}
    assert "It takes two who can vote, members or alternates, one of them from finance" in said(office, *REVIEW)
    assert rollout.owed(office, "reviews/pack") == {}


def test_a_review_is_asked_about_once_the_board_is_large_enough(app: App, clock: Clock) -> None:
    """The pack is owed by the next tick; a note that did not go out yet is left out."""
    office = shrink(voted.settle(app, clock))
    jobs(office, MORNING)
    enlarge(office)
    assert said(office, *REVIEW) == ""
    assert jobs(office, MORNING + timedelta(minutes=1)) == ["review.convene"]
    with office.reading() as moment:
        assert reviews.unasked(moment) == []
    assert f"pack:{Q4}:new:board" in rollout.owed(office, "reviews/pack")
    assert books.findings(office) == {}


def test_a_gate_waits_for_a_board_and_is_told_of_once(sqlite_app: App, clock: Clock) -> None:
    """The roll-out stands still meanwhile, as without a word of the board; nothing fails."""
    company = shrink(gated.settle(sqlite_app, clock))
    clock.now = ASKED
    assert "gate.ask" in jobs(company, ASKED)
    assert "gate.ask" not in jobs(company, ASKED + timedelta(minutes=1))
    assert readers(company, "gates/unasked") == {"2027-01", person_id(company, LENA)}
    assert "Until someone decides, it does not begin" in said(company, "gates/unasked", GATE)
    gated.at(company, clock, JANUARY)
    assert not gated.takes_part(company, "2027-01")
    assert said(company, "gates/unasked", GATE) == ""
    with company.reading() as moment:
        assert gates.unasked(moment) == []


def test_a_gate_is_asked_about_once_the_board_is_large_enough(sqlite_app: App, clock: Clock) -> None:
    """The card is owed by the next tick, and what the board decides holds."""
    company = shrink(gated.settle(sqlite_app, clock))
    gated.at(company, clock, ASKED)
    assert gated.latest(company) is None
    enlarge(company)
    assert said(company, "gates/unasked", GATE) == ""
    gated.at(company, clock, ASKED + timedelta(days=1))
    for who in (IRIS, OMAR):
        gated.vote(company, who, GO_ON)
    gated.at(company, clock, JANUARY)
    assert gated.takes_part(company, "2027-01")


def test_by_the_calendar_a_board_too_small_holds_up_nothing(sqlite_app: App, clock: Clock) -> None:
    """The note says that the phase begins all the same, and it does."""
    changes = {'gates = "board"': 'gates = "calendar"'}
    company = shrink(gated.settle(sqlite_app, clock, changes=changes))
    gated.at(company, clock, ASKED)
    assert "It begins then all the same" in said(company, "gates/unasked", GATE)
    gated.at(company, clock, JANUARY)
    assert gated.takes_part(company, "2027-01")


def test_without_a_channel_each_on_the_board_is_told(app: App, clock: Clock) -> None:
    """Tess, who can't decide alone, and Lena, who administers."""
    office = dataclasses.replace(shrink(voted.settle(app, clock)), governance_channel=None)
    jobs(office, MORNING)
    assert readers(office, "reviews/unasked") == {person_id(office, one) for one in (TESS, LENA)}
