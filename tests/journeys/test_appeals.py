"""Appeals against a quarter's review, with the real bot in a workspace: a notice, a form, and what a decision does."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from programme.appeals import appeals
from programme.reviews import calendar, voting
from programme.reviews.voting import Ballot
from scheduler import tick
from store.tables.grants import grants
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import appealed, books, cast, slack
from tests.support import requests as asking
from tests.support.clock import Clock, RunningClock
from tests.support.requests import BOARD_CHANNEL, IRIS, OMAR
from tests.support.reviewed import Q4
from tests.support.seen import WAIT_SECONDS, modal, private, read, told

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox
    from sandbox.model import Message

FEBRUARY_FIRST = datetime(2027, 2, 1, 9, tzinfo=UTC)
ADA, MARA = "ada@example.com", "mara@example.com"


@pytest.fixture
def office(sqlite_app: App, clock: Clock) -> App:
    """A company whose review two of its board have adopted; what was owed before is theirs to have read."""
    appealed.settle(sqlite_app, clock)
    clock = RunningClock(clock.now)
    app = dataclasses.replace(sqlite_app, clock=clock, governance_channel=BOARD_CHANNEL)
    with app.transaction(clock()) as moment:
        assert calendar.advance(moment, Q4) == "convene"
        moment.session.execute(sa.update(outbox).values(state="sent"))
        for who in (IRIS, OMAR):
            voting.vote(moment, asking.person(moment.session, who), Q4, Ballot(1, adopts=True))
    return app


def card(sandbox: Sandbox, saying: str, who: str) -> Message:
    """The card of someone's appeal in the board's channel, once it says something."""

    def found() -> Message | None:
        said = [one for one in sandbox.messages(slack.BOARD, slack.IRIS) if not one.ephemeral_to]
        return next((one for one in said if saying in read(one) and f"<@{who}> appeal" in read(one)), None)

    return sandbox.wait_for(found, seconds=WAIT_SECONDS)


def answered(sandbox: Sandbox, user: str) -> str:
    """What `/tokens review` answers."""
    answer = sandbox.command(user, slack.GENERAL, "/tokens review")
    assert answer.error == "", answer
    assert answer.message is not None
    return read(answer.message)


def appeal(sandbox: Sandbox, user: str, reason: str) -> Message:
    """Press *Appeal…* in the notice, and send the form; the notice."""
    notice = told(sandbox, user, "which comes to −10 %")
    assert sandbox.press(user, notice, "appeals_file").error == ""
    sandbox.fill(user, {"reason": reason})
    sandbox.submit(user)
    assert "Your appeal is with the board" in modal(sandbox, user)
    sandbox.dismiss(user)
    return notice


def factors(app: App) -> dict[str, Decimal]:
    """The adjustment of everyone's grant of February, which the calendar grants, by e-mail."""
    assert tick.tick(app, now=FEBRUARY_FIRST).failed == ()
    query = sa.select(people.c.email, grants.c.factors).join(people, people.c.id == grants.c.person_id)
    february = books.rows(app, query.where(grants.c.month == "2027-02"))
    return {email: Decimal(factors["adjustment"]) for email, factors in february}


@pytest.mark.usefixtures("_bot")
def test_upheld_and_rejected(sandbox: Sandbox, office: App) -> None:
    """One appeal is upheld, and the next grant is not cut; another is rejected, and the cut holds from then on."""
    notice = told(sandbox, slack.ADA, "which comes to −10 %")
    assert "appeals_file" in answered(sandbox, slack.ADA)
    sandbox.press(slack.ADA, notice, "appeals_file")
    sandbox.submit(slack.ADA)
    form = sandbox.modal(slack.ADA)
    assert form is not None
    assert "reason" in form.errors
    sandbox.dismiss(slack.ADA)
    appeal(sandbox, slack.ADA, "I was at a customer")
    sandbox.press(slack.ADA, notice, "appeals_file")
    private(sandbox, slack.ADA, "You have already appealed against this", sandbox.dm(slack.ADA))
    told(sandbox, slack.ADA, "*Open*")
    now = answered(sandbox, slack.ADA)
    assert "Until then your grants stay as they were" in now
    assert "appeals_file" not in now

    waiting = card(sandbox, "*Open*", slack.ADA)
    sandbox.press(slack.IRIS, waiting, "appeals_uphold")
    private(sandbox, slack.IRIS, "You can't decide this appeal because you had a part in the case")
    sandbox.press(slack.TESS, waiting, "appeals_uphold")
    sandbox.submit(slack.TESS)
    form = sandbox.modal(slack.TESS)
    assert form is not None
    assert "reason" in form.errors
    sandbox.fill(slack.TESS, {"reason": "The tickets show it"})
    sandbox.submit(slack.TESS)
    assert "The appeal is upheld" in modal(sandbox, slack.TESS)
    sandbox.dismiss(slack.TESS)
    assert "> The tickets show it" in read(told(sandbox, slack.ADA, "is upheld.* The cut is undone"))
    card(sandbox, "*Upheld* by Tess Novak", slack.ADA)

    appeal(sandbox, slack.MARA, "I had no time")
    sandbox.press(slack.TESS, card(sandbox, "*Open*", slack.MARA), "appeals_reject")
    sandbox.fill(slack.TESS, {"reason": "So had everybody"})
    sandbox.submit(slack.TESS)
    assert "The cut applies from February 2027" in read(told(sandbox, slack.MARA, "is rejected.*"))
    assert "*Rejected* by Tess Novak" in answered(sandbox, slack.MARA)

    granted = factors(office)
    assert (granted[ADA], granted[MARA]) == (Decimal(1), Decimal("0.9000"))
    assert books.findings(office) == {}


@pytest.mark.deep
@pytest.mark.usefixtures("_bot")
def test_two_members_send_at_once(sandbox: Sandbox, office: App) -> None:
    """One upholds and another rejects at the same moment: one of them decides, the other reads that it is decided."""
    members = sandbox.workspace.channel(slack.BOARD).members
    sandbox.workspace.change_channel(slack.BOARD, members=members | {slack.KOFI})
    appeal(sandbox, slack.ADA, "I was at a customer")
    waiting = card(sandbox, "*Open*", slack.ADA)
    for user, action in ((slack.TESS, "appeals_uphold"), (slack.KOFI, "appeals_reject")):
        assert sandbox.press(user, waiting, action).error == ""
        sandbox.fill(user, {"reason": "As it is"})
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sandbox.submit, (slack.TESS, slack.KOFI)))
    answers = [modal(sandbox, user) for user in (slack.TESS, slack.KOFI)]
    assert sum("The person is told your reason" in one for one in answers) == 1
    assert sum("your click changed nothing" in one for one in answers) == 1
    told(sandbox, slack.ADA, "*Your appeal against the review of 2026-Q4 is")
    with office.reading() as moment:
        stands = appeals.require(moment, Q4, cast.person_id(office, ADA))
    assert stands.state in {"upheld", "rejected"}
    assert factors(office)[ADA] == (1 if stands.state == "upheld" else Decimal("0.9000"))
    assert [one["after"]["state"] for one in books.audited(office, "appeal.decide")] == [stands.state]
    assert books.findings(office) == {}
