"""A difference with a vendor's bill in a real workspace: told to finance, asked about, corrected by two of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from scheduler.vendors import nightly
from tests.support import books, cast, months, reconciled, slack
from tests.support import vendors as trials
from tests.support.clock import RunningClock
from tests.support.requests import convene
from tests.support.seen import modal, read, told

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox

MORE = """\
email,name,slack_user_id,level,role_family,time_zone,hired_on,roles
iris@example.com,Iris Tan,U0IRIS,principal,engineering,Europe/Berlin,2019-01-01,board;chair;finance
mara@example.com,Mara Quist,U0MARA,principal,engineering,Europe/Berlin,2020-01-01,admin
"""


@pytest.fixture
def office(sqlite_app: App) -> App:
    convened = dataclasses.replace(convene(sqlite_app), clock=RunningClock())
    cast.hire(convened, MORE)
    reconciled.tell_of_cents(convened, second_person_above="0.5")
    calls = months.calls(hours=12)
    with trials.serving() as trial:
        reconciled.bill(trial, calls)
        lost = months.between(calls, months.EU, 12, 14)
        reconciled.post(convened, [one for one in calls if one not in lost])
        nightly.work(convened, [trial.access("anthropic")], sleep=lambda _seconds: None)
    return convened


@pytest.mark.usefixtures("_bot")
def test_two_of_finance_correct_a_difference(sandbox: Sandbox, office: App) -> None:
    """Omar asks, then chooses; he can't confirm it himself; Iris confirms, and the card is dead for everyone."""
    shown = told(sandbox, slack.OMAR, "calls are missing here")
    assert "Accept…" in read(shown)
    sandbox.press(slack.OMAR, shown, "finding_ask")
    sandbox.fill(slack.OMAR, {"question": "Was gw-eu down?"})
    sandbox.submit(slack.OMAR)
    sandbox.dismiss(slack.OMAR)
    told(sandbox, slack.MARA, "Was gw-eu down?")
    sandbox.press(slack.OMAR, shown, "finding_correct")
    assert "Post it to the company" in modal(sandbox, slack.OMAR)
    sandbox.fill(slack.OMAR, {"way": "company", "reason": "The gateway was down"})
    sandbox.submit(slack.OMAR)
    sandbox.dismiss(slack.OMAR)
    waiting = told(sandbox, slack.OMAR, "Waiting for a second person")
    sandbox.press(slack.OMAR, waiting, "finding_confirm")
    told(sandbox, slack.OMAR, "You chose this yourself")
    waiting = told(sandbox, slack.IRIS, "Waiting for a second person")
    sandbox.press(slack.IRIS, waiting, "finding_confirm")
    corrected = told(sandbox, slack.OMAR, "*Corrected* by Omar Haddad and Iris Tan")
    assert "finding_confirm" not in read(corrected)
    assert books.account(office, "company") < 0
    assert books.findings(office) == {}
