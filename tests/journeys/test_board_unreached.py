"""A board whose channel Slack does not write to: incidents are decided all the same, and what is told is so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.units import MicroTokens
from scheduler import doubts
from store.outbox import messages as store
from store.tables.outbox import outbox
from tests.support import books, slack
from tests.support.books import BEN
from tests.support.seen import card, keys_in, read, told

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox
    from sandbox.model import Message

REFUSED = "Slack did not take the card in the board's channel"
NOBODY = "No one on the board has this yet"


def take(sandbox: Sandbox) -> str:
    """Ben takes tokens for an incident; what the receipt says."""
    sandbox.command(slack.BEN, slack.GENERAL, "/tokens request")
    sandbox.fill(slack.BEN, {"purpose": "Restore the index", "amount": "20000", "incident": "INC-7"})
    assert sandbox.submit(slack.BEN).error == ""
    receipt = sandbox.modal(slack.BEN)
    assert receipt is not None
    sandbox.dismiss(slack.BEN)
    return json.dumps(receipt.blocks, ensure_ascii=False)


def own(sandbox: Sandbox, saying: str = "", but: str = "nothing of the kind") -> Message:
    """Ben's own message about it, once it says something and no longer something else."""

    def found() -> Message | None:
        taken = [m for m in sandbox.messages(sandbox.dm(slack.BEN), slack.BEN) if "You took 20,000" in read(m)]
        return next((m for m in taken if saying in read(m) and but not in read(m)), None)

    return sandbox.wait_for(found, seconds=30)


def is_settled(app: App) -> bool:
    """Whether the card arrived for all that is known, some seconds later."""
    app.clock.move(seconds=2)  # type: ignore[attr-defined]  # the tests' clock
    query = sa.select(outbox.c.state).where(outbox.c.template == "exceptions/card", outbox.c.replaces.is_(None))
    return books.rows(app, query) == [("sent",)]


@pytest.mark.usefixtures("_bot")
def test_an_incident_with_an_archived_channel(sandbox: Sandbox, office: App) -> None:
    """The members get the card in private at once, the requester reads so, and one of them ratifies there."""
    sandbox.workspace.change_channel(slack.BOARD, is_archived=True)
    before = books.wallet(office, BEN)
    assert "has been told" not in take(sandbox)
    assert books.wallet(office, BEN) == before + MicroTokens.parse("20000")
    own(sandbox, REFUSED)
    for member in (slack.IRIS, slack.OMAR, slack.TESS):
        told(sandbox, member, "<@U0BEN> took 20,000 tokens")
    shown = told(sandbox, slack.TESS, "<@U0BEN> took 20,000 tokens")
    sandbox.press(slack.TESS, shown, "fast_track_approve")
    told(sandbox, slack.BEN, "The board ratified what you took for INC-7")
    told(sandbox, slack.IRIS, "*Ratified* by Tess Novak")
    assert sandbox.messages(slack.BOARD, slack.IRIS) == ()
    assert books.findings(office) == {}


@pytest.mark.deep
@pytest.mark.usefixtures("_bot")
def test_an_incident_of_which_nobody_can_be_told(sandbox: Sandbox, office: App) -> None:
    """The requester reads whom to tell; once the channel is back, the card is there and nothing else is said."""
    sandbox.workspace.change_channel(slack.BOARD, is_archived=True)
    for member in (slack.IRIS, slack.OMAR, slack.TESS):
        sandbox.workspace.change_member(member, deleted=True)
    take(sandbox)
    untold = own(sandbox, NOBODY)
    assert "<@U0IRIS>" in read(untold)
    sandbox.workspace.change_channel(slack.BOARD, is_archived=False)
    with office.database.transaction() as session:
        assert store.retry(session, now=office.clock(), problem="is_archived") == 1
    card(sandbox, saying="<@U0BEN> took 20,000 tokens")
    assert own(sandbox, "You took", but=NOBODY).ts == untold.ts


@pytest.mark.deep
@pytest.mark.usefixtures("_bot")
def test_a_page_in_place_of_the_board_s_card(sandbox: Sandbox, office: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy took the answer, Slack took the card: it is there once, and no one is written to in private as well."""
    # The office's clock goes so fast here that a lease is soon over.
    monkeypatch.setattr(doubts, "KEPT_SECONDS", 1.0)
    for _ in range(2):
        # Ben's own message comes first.
        sandbox.faults.add("chat.postMessage", body="<html>", performed=True)
    take(sandbox)
    sandbox.wait_for(lambda: is_settled(office), seconds=30)
    for channel, reader in ((slack.BOARD, slack.IRIS), (sandbox.dm(slack.BEN), slack.BEN)):
        assert set(keys_in(sandbox, channel, reader).values()) == {1}
    assert "took 20,000 tokens" not in str([read(m) for m in sandbox.messages(sandbox.dm(slack.TESS), slack.TESS)])
