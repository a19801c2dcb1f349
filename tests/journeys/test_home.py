"""A Home in a workspace: opened, pressed, and shown anew, by the real bot over Socket Mode."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from policy.units import MicroTokens
from templates import formats
from tests.support import books, cast, slack
from tests.support import requests as asking
from tests.support.books import ADA, BEN
from tests.support.seen import read

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox
    from sandbox.model import Home, View

pytestmark = pytest.mark.usefixtures("_bot")


def shows(sandbox: Sandbox, user: str, saying: str) -> Home:
    """Someone's Home, once it says something."""

    def found() -> Home | None:
        seen = sandbox.home(user)
        return seen if seen and saying in read(seen) else None

    return sandbox.wait_for(found)


def opened(sandbox: Sandbox, user: str, saying: str) -> Home:
    sandbox.open_home(user)
    return shows(sandbox, user, saying)


def answer(sandbox: Sandbox, user: str, saying: str) -> View:
    """The modal above someone's Home, once it says something."""

    def found() -> View | None:
        seen = sandbox.modal(user)
        return seen if seen and saying in read(seen) else None

    return sandbox.wait_for(found)


def test_a_vote_from_home(sandbox: Sandbox, office: App) -> None:
    """Tess approves on her Home: she is told, her queue is shorter, Ben has his tokens and sees it on his own Home."""
    before = books.wallet(office, BEN)
    for number in (1, 2):
        asking.ask(office, BEN, "5000", key=f"k{number}")
    opened(sandbox, slack.BEN, "0 of 1 approve")
    queue = opened(sandbox, slack.TESS, "2 requests are waiting for the board")
    assert sandbox.press(slack.TESS, queue, "Approve").error == ""
    answer(sandbox, slack.TESS, "*Approved.* Your vote decided it")
    shows(sandbox, slack.TESS, "1 request is waiting for the board")
    assert books.wallet(office, BEN) == before + MicroTokens.parse("5000")
    last_day = formats.slack_day(date(2026, 12, 10))
    shows(sandbox, slack.BEN, f"5,000 tokens (USD 50.00) until the end of {last_day}; 5,000 left.")
    place = sandbox.dm(slack.BEN)
    sandbox.wait_for(lambda: "Approved: you have 5,000 tokens" in repr(sandbox.messages(place, slack.BEN)))
    sandbox.dismiss(slack.TESS)
    sandbox.press(slack.TESS, shows(sandbox, slack.TESS, "1 request is waiting"), "Approve")
    shows(sandbox, slack.TESS, "Nothing is waiting for the board")
    assert books.wallet(office, BEN) == before + MicroTokens.parse("10000")
    assert books.findings(office) == {}


def test_a_request_is_shown_whole_and_decided_there(sandbox: Sandbox, office: App) -> None:
    """*Show all of it* opens the whole card above the Home, whose buttons work there: a form, then its answer."""
    asking.ask(office, BEN, "5000")
    queue = opened(sandbox, slack.TESS, "1 request is waiting for the board")
    sandbox.press(slack.TESS, queue, "Show details")
    whole = answer(sandbox, slack.TESS, "Asked: <@U0")
    sandbox.press(slack.TESS, whole, "fast_track_reject")
    sandbox.fill(slack.TESS, {"reason": "Use the small model"})
    assert sandbox.submit(slack.TESS).error == ""
    answer(sandbox, slack.TESS, "*Rejected.*")
    shows(sandbox, slack.TESS, "Nothing is waiting for the board")
    assert list(asking.states(office).values()) == ["rejected"]


def test_buttons_of_a_whole_request_answer_in_its_place(sandbox: Sandbox, office: App) -> None:
    """A vote in the modal that shows a request is answered in that modal."""
    asking.ask(office, BEN, "5000")
    queue = opened(sandbox, slack.TESS, "1 request is waiting for the board")
    sandbox.press(slack.TESS, queue, "Show details")
    whole = answer(sandbox, slack.TESS, "Asked: <@U0")
    sandbox.press(slack.TESS, whole, "fast_track_approve")
    answer(sandbox, slack.TESS, "*Approved.*")
    assert len(sandbox.modals(slack.TESS)) == 1


def test_warnings_are_chosen_from_home(sandbox: Sandbox) -> None:
    """The form opens from Home with what holds, and Home says what was chosen as soon as it is sent."""
    page = opened(sandbox, slack.ADA, "*Warnings* come when you have used 50, 70, 85, 95 and 100 %")
    sandbox.press(slack.ADA, page, "Warnings…")
    sandbox.fill(slack.ADA, percent=("85",), quiet_from="20", quiet_until="8")
    sandbox.submit(slack.ADA)
    assert sandbox.modal(slack.ADA) is None
    shows(
        sandbox,
        slack.ADA,
        "when you have used 85 and 100 % of what you can spend in a month, but not between 20:00 and 8:00.",
    )


def test_asking_and_withdrawing_from_home(sandbox: Sandbox, office: App) -> None:
    """A request made in the form appears on Home, and is taken back there."""
    page = opened(sandbox, slack.ADA, "Your tokens")
    sandbox.press(slack.ADA, page, "Ask for tokens…")
    sandbox.fill(slack.ADA, {"amount": "5000", "purpose": "Finish the load test"})
    assert sandbox.submit(slack.ADA).error == ""
    sandbox.dismiss(slack.ADA)
    page = shows(sandbox, slack.ADA, "0 of 1 approve")
    sandbox.press(slack.ADA, page, "Withdraw")
    answer(sandbox, slack.ADA, "Your request is withdrawn")
    shows(sandbox, slack.ADA, "*withdrawn*")
    assert list(asking.states(office).values()) == ["withdrawn"]


def test_why_is_answered_above_home(sandbox: Sandbox, office: App) -> None:
    """*Why?* shows the arithmetic, which `/tokens why` tells as well, and in its place every digit."""
    used = cast.event("a", at=office.clock(), who=ADA, meters={"output": 600_000})
    assert books.take_in(office, used) == ["accepted"]
    page = opened(sandbox, slack.ADA, "*Spent in November 2026:* 900 tokens")
    sandbox.press(slack.ADA, page, "Why?")
    summary = answer(sandbox, slack.ADA, "900 tokens for 1 call")
    sandbox.press(slack.ADA, summary, "balance_digits")
    answer(sandbox, slack.ADA, "600,000 output tokens × USD 15 per million")
    assert len(sandbox.modals(slack.ADA)) == 1


def test_nobody_elses_home_is_published(sandbox: Sandbox, office: App) -> None:
    """What one person does publishes their Home and that of who is written to, if they look: no one else's."""
    opened(sandbox, slack.TESS, "Nothing is waiting for the board")
    opened(sandbox, slack.OMAR, "Nothing is waiting for the board")
    asking.ask(office, BEN, "5000")
    # The card went to the board's channel; their Homes wait until they are opened again.
    sandbox.wait_for(lambda: sandbox.messages(sandbox.dm(slack.BEN), slack.BEN))
    published = [call for call in sandbox.calls if call.method == "views.publish"]
    assert len(published) == 2
    opened(sandbox, slack.TESS, "1 request is waiting for the board")
