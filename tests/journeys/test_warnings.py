"""A warning reaches its reader soon after the usage, and the reader says when they want to be warned."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from policy.warnings import Choice
from scheduler import ticker
from store.balance import warnings as store
from tests.support import books, cast, slack
from tests.support.books import ADA
from tests.support.clock import RunningClock

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("_bot")


@pytest.fixture
def office(sqlite_app: App) -> App:
    return dataclasses.replace(sqlite_app, clock=RunningClock())


def test_warned_and_asked_for_more(sandbox: Sandbox, office: App) -> None:
    """Ada crosses 85 %, reads it in her own conversation alone, and *Request more* opens the form."""
    cast.give(office, ADA, "1000")
    used = cast.event("a", at=office.clock(), who=ADA, meters={"output": 600_000})
    assert books.take_in(office, used) == ["accepted"]
    ticker.warn(office)
    place = sandbox.dm(slack.ADA)
    [warning] = sandbox.wait_for(lambda: sandbox.messages(place, slack.ADA))
    assert "*You have used 90 % of what you can spend in November 2026*" in json.dumps(warning.blocks)
    assert sandbox.messages(place, slack.BEN) == ()
    sandbox.press(slack.ADA, warning, "fast_track_request")
    form = sandbox.modal(slack.ADA)
    assert form is not None
    assert form.callback_id == "fast_track_form"


def test_saying_when_to_be_warned(sandbox: Sandbox, office: App) -> None:
    """`/tokens warnings` shows what holds, keeps what is chosen, and shows that the next time."""
    sandbox.command(slack.ADA, slack.GENERAL, "/tokens warnings")
    form = sandbox.modal(slack.ADA)
    assert form is not None
    assert form.values["percent"] == ("50", "70", "85", "95")
    sandbox.fill(slack.ADA, percent=("85",), quiet_from="20", quiet_until="8")
    sandbox.submit(slack.ADA)
    assert sandbox.modal(slack.ADA) is None
    with office.database.reading() as session:
        assert store.choice(session, cast.person_id(office, ADA)) == Choice(frozenset({85}), 20, 8)
    assert [row["actor"] for row in books.audited(office, "warnings.choose")] == [cast.person_id(office, ADA)]
    sandbox.command(slack.ADA, slack.GENERAL, "/tokens warnings")
    form = sandbox.modal(slack.ADA)
    assert form is not None
    assert (form.values["percent"], form.values["quiet_from"]) == (("85",), "20")
