"""A quarter's review before its board, with the real bot in a workspace: held, amended, adopted."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from policy.reviews.proposal import AMENDED, HELD
from programme.reviews import calendar
from store.reviews import drafts
from store.tables.outbox import outbox
from tests.support import books, cast, reviewed, slack
from tests.support.clock import Clock, RunningClock
from tests.support.requests import ALTERNATES, BOARD_CHANNEL
from tests.support.reviewed import Q4
from tests.support.seen import WAIT_SECONDS, modal, private

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox
    from sandbox.model import Home, Message


@pytest.fixture
def office(sqlite_app: App, clock: Clock) -> App:
    """A company whose board is asked about its review; what was owed to its people before is theirs to have read."""
    cast.hire(sqlite_app, ALTERNATES)
    reviewed.settle(sqlite_app, clock)
    clock = RunningClock(clock.now)
    app = dataclasses.replace(sqlite_app, clock=clock, governance_channel=BOARD_CHANNEL)
    with app.transaction(clock()) as moment:
        reviewed.draft(moment, now=clock())
        moment.session.execute(sa.update(outbox).values(state="sent"))
        assert calendar.advance(moment, Q4) == "convene"
    return app


def pack(sandbox: Sandbox, saying: str) -> Message:
    """The pack in the board's channel, once it says something."""

    def found() -> Message | None:
        said = [one for one in sandbox.messages(slack.BOARD, slack.IRIS) if not one.ephemeral_to]
        return next((one for one in said if saying in json.dumps(one.blocks, ensure_ascii=False)), None)

    return sandbox.wait_for(found, seconds=WAIT_SECONDS)


def below(sandbox: Sandbox, user: str, *saying: str) -> None:
    """What the list of cases says by now, once what lies on it is closed."""
    sandbox.dismiss(user)
    assert all(words in modal(sandbox, user) for words in saying)


def background(sandbox: Sandbox) -> str:
    """What the pack's button shows of other thresholds."""
    sandbox.press(slack.OMAR, pack(sandbox, "review_show_background"), "review_show_background")
    shown = modal(sandbox, slack.OMAR)
    sandbox.dismiss(slack.OMAR)
    return shown


def press_in_modal(sandbox: Sandbox, user: str, action_id: str) -> None:
    view = sandbox.modal(user)
    assert view is not None
    assert sandbox.press(user, view, action_id).error == ""


@pytest.mark.usefixtures("_bot")
def test_held_amended_and_adopted(sandbox: Sandbox, office: App) -> None:
    """One case is held, another amended after a mistake; an old press is told so; finance's vote decides it."""
    first = pack(sandbox, "0 of 2 adopt it")
    sandbox.press(slack.TESS, first, "review_cases")
    assert "page 1 of" in modal(sandbox, slack.TESS)
    press_in_modal(sandbox, slack.TESS, "review_why")
    assert "What would change it" in modal(sandbox, slack.TESS)
    sandbox.dismiss(slack.TESS)

    press_in_modal(sandbox, slack.TESS, "review_hold")
    sandbox.submit(slack.TESS)
    form = sandbox.modal(slack.TESS)
    assert form is not None
    assert "reason" in form.errors
    sandbox.fill(slack.TESS, {"reason": "On leave"})
    sandbox.submit(slack.TESS)
    assert "*Held.*" in modal(sandbox, slack.TESS)
    pack(sandbox, "1 held, 0 amended")
    below(sandbox, slack.TESS, "(held;")

    sandbox.press(slack.IRIS, first, "review_adopt")
    private(sandbox, slack.IRIS, "your click was about an earlier package")
    sandbox.press(slack.IRIS, pack(sandbox, "1 held, 0 amended"), "review_cases")
    press_in_modal(sandbox, slack.IRIS, "review_page_next")
    assert "page 2 of" in modal(sandbox, slack.IRIS)
    press_in_modal(sandbox, slack.IRIS, "review_amend")
    sandbox.fill(slack.IRIS, {"change": "25", "reason": "A little more"})
    sandbox.submit(slack.IRIS)
    form = sandbox.modal(slack.IRIS)
    assert form is not None
    assert "% is beyond the limits for a quarter and a year. Write per cent from" in form.errors["change"]
    sandbox.fill(slack.IRIS, {"change": "+2.5"})
    sandbox.submit(slack.IRIS)
    assert "*Amended.*" in modal(sandbox, slack.IRIS)
    below(sandbox, slack.IRIS, "page 2 of", "(amended;")

    now = pack(sandbox, "1 held, 1 amended")
    sandbox.press(slack.IRIS, now, "review_adopt")
    sandbox.press(slack.TESS, now, "review_adopt")
    private(sandbox, slack.TESS, "finance has to as well")
    sandbox.press(slack.OMAR, now, "review_adopt")
    private(sandbox, slack.OMAR, "Your vote decided it")
    pack(sandbox, ": adopted*")
    pack(sandbox, f"*The review of {Q4} is adopted*")
    sandbox.press(slack.TESS, now, "review_against")
    private(sandbox, slack.TESS, "your click changed nothing")

    with office.database.reading() as session:
        kept = drafts.get(session, Q4)
        cases = drafts.cases(session, Q4)
    assert kept is not None
    assert (kept.state, kept.holds_from) == ("adopted", Month(2027, 2))
    assert sorted(one.decision for one in cases if one.decision in {HELD, AMENDED}) == [AMENDED, HELD]
    assert books.findings(office) == {}


def home(sandbox: Sandbox, user: str, saying: str) -> Home:
    """Someone's Home, once it says something."""
    sandbox.open_home(user)

    def found() -> Home | None:
        seen = sandbox.home(user)
        return seen if seen and saying in json.dumps(seen.blocks, ensure_ascii=False) else None

    return sandbox.wait_for(found, seconds=WAIT_SECONDS)


@pytest.mark.usefixtures("_bot")
def test_found_on_home_and_by_command(sandbox: Sandbox, office: App) -> None:
    """Finance adopts from Home and is answered above it; who looks next finds it with `/tokens board` and decides."""
    seen = home(sandbox, slack.OMAR, f"Review of {Q4}, waiting for your vote")
    sandbox.press(slack.OMAR, seen, "review_cases")
    assert "page 1 of" in modal(sandbox, slack.OMAR)
    sandbox.dismiss(slack.OMAR)
    sandbox.press(slack.OMAR, seen, "review_adopt")
    assert "1 of 2 adopt it" in modal(sandbox, slack.OMAR)
    sandbox.dismiss(slack.OMAR)
    home(sandbox, slack.OMAR, "*Your vote* adopts it · you can change it")

    queue = sandbox.command(slack.TESS, slack.GENERAL, "/tokens board").message
    assert queue is not None
    text = json.dumps(queue.blocks, ensure_ascii=False)
    assert f"Review of {Q4}, waiting for your vote" in text
    assert "No request is waiting for the board" in text
    sandbox.press(slack.TESS, queue, "review_against")
    sandbox.fill(slack.TESS, {"reason": "Too early"})
    sandbox.submit(slack.TESS)
    assert "1 against" in modal(sandbox, slack.TESS)
    sandbox.dismiss(slack.TESS)
    sandbox.press(slack.TESS, queue, "review_adopt")
    pack(sandbox, f"*The review of {Q4} is adopted*")
    assert "Review of" not in json.dumps(home(sandbox, slack.IRIS, "Nothing is waiting for the board").blocks)
    assert books.findings(office) == {}


@pytest.mark.deep
@pytest.mark.usefixtures("_bot")
def test_thresholds_are_proposed_and_confirmed(sandbox: Sandbox, office: App) -> None:
    """A mistake at its field, a card with its back-test, the pack tells of it; another person confirms."""
    first = pack(sandbox, "0 of 2 adopt it")
    sandbox.press(slack.TESS, first, "review_thresholds")
    form = sandbox.modal(slack.TESS)
    assert form is not None
    sandbox.fill(slack.TESS, {"adjustment.use.low_enter": "60"})
    sandbox.submit(slack.TESS)
    form = sandbox.modal(slack.TESS)
    assert form is not None
    assert form.errors == {"adjustment.use.low_enter": '60 %: has to be at most "No longer LOW above"'}
    sandbox.fill(slack.TESS, {"adjustment.use.low_enter": "40", "adjustment.change.low": "0"})
    sandbox.submit(slack.TESS)
    assert "is waiting for a second person" in modal(sandbox, slack.TESS)
    sandbox.dismiss(slack.TESS)

    card = pack(sandbox, "Tried on the review of 2026-Q4")
    assert "handbook 2027.1, proposed by Tess Novak" in background(sandbox)
    sandbox.press(slack.TESS, card, "policy_confirm")
    private(sandbox, slack.TESS, "takes two people")
    sandbox.press(slack.IRIS, card, "policy_confirm")
    pack(sandbox, "*Confirmed* by Iris Tan")
    assert "handbook 2027.1 would have made this quarter" in background(sandbox)
    with office.reading() as moment:
        assert str(moment.handbooks.versions[-1].adjustment.change.low) == "0"
    assert books.findings(office) == {}
