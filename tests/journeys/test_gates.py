"""A gate between phases before its board, with the real bot in a workspace: a vote to wait, a mistake, the decision."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from store.tables.outbox import outbox
from tests.support import books, gated, rollout, slack
from tests.support.clock import Clock, RunningClock
from tests.support.seen import WAIT_SECONDS, modal, private

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox
    from sandbox.model import Message


@pytest.fixture
def office(sqlite_app: App, clock: Clock) -> App:
    """A company whose board is asked, on the seventeenth of December, whether phase 2 may begin in January."""
    company = gated.settle(sqlite_app, clock)
    with company.transaction() as moment:
        moment.session.execute(sa.update(outbox).values(state="sent"))
    clock = RunningClock(gated.ASKED)
    app = dataclasses.replace(company, clock=clock)
    rollout.run_calendar(app, clock())
    return app


def card(sandbox: Sandbox, saying: str) -> Message:
    """What is in the board's channel, once it says something."""

    def found() -> Message | None:
        said = [one for one in sandbox.messages(slack.BOARD, slack.IRIS) if not one.ephemeral_to]
        return next((one for one in said if saying in json.dumps(one.blocks, ensure_ascii=False)), None)

    return sandbox.wait_for(found, seconds=WAIT_SECONDS)


@pytest.mark.usefixtures("_bot")
def test_waiting_needs_a_reason_and_going_on_a_quorum(sandbox: Sandbox, office: App) -> None:
    """One would wait and says why; another presses for her; both then let it go on; a late click is told so."""
    asked = card(sandbox, "May phase 2 of the roll-out begin on 1 Jan 2027?")
    sandbox.press(slack.TESS, asked, "gate_extend")
    sandbox.submit(slack.TESS)
    form = sandbox.modal(slack.TESS)
    assert form is not None
    assert "reason" in form.errors
    sandbox.fill(slack.TESS, {"reason": "The baseline is too short"})
    sandbox.submit(slack.TESS)
    assert "Your vote is counted" in modal(sandbox, slack.TESS)
    sandbox.dismiss(slack.TESS)
    now = card(sandbox, "The baseline is too short")

    sandbox.press(slack.IRIS, now, "gate_go_on")
    private(sandbox, slack.IRIS, "Your vote is counted")
    sandbox.press(slack.OMAR, card(sandbox, "1 to go on, 1 to extend"), "gate_go_on")
    private(sandbox, slack.OMAR, "Your vote was the deciding one")
    card(sandbox, "*The roll-out goes on: phase 2 starts with January 2027.*")
    sandbox.press(slack.TESS, now, "gate_stop")
    private(sandbox, slack.TESS, "was passed with the deciding vote of Omar")

    rollout.run_calendar(office, gated.JANUARY)
    assert gated.takes_part(office, "2027-01")
    assert books.findings(office) == {}
