"""Where the board's channel is refused: what is to be decided goes to each who decides, once, and nothing is undone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from scheduler import courier
from store.outbox import messages as store
from store.tables.outbox import outbox
from tests.support import books, proposed, slack
from tests.support import requests as asking
from tests.support.books import BEN
from tests.support.couriers import dm, row
from tests.support.seen import read

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from sandbox import Sandbox
    from store.exceptions.requests import Request

MEMBERS = (slack.IRIS, slack.OMAR, slack.TESS)


@pytest.fixture
def office(app: App) -> App:
    """A board that is complete, with nothing owed but what a test owes; its channel is archived."""
    convened = asking.convene(app)
    with convened.database.transaction() as session:
        session.execute(sa.delete(outbox))
    return convened


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    sandbox.workspace.change_channel(slack.BOARD, is_archived=True)
    return sandbox


def deliver(app: App, client: WebClient) -> None:
    """Until nothing is due any more."""
    for _ in range(50):
        if not courier.deliver(app, client, courier="c", most=100).leased:
            return
        app.clock.move(seconds=1)  # type: ignore[attr-defined]  # the tests' clock
    raise AssertionError("there is no end to it")


def keys(app: App, template: str = "exceptions/card") -> list[str]:
    query = sa.select(outbox.c.key).where(outbox.c.template == template, outbox.c.replaces.is_(None))
    return [key for (key,) in books.rows(app, query.order_by(outbox.c.id))]


def mine(app: App, sandbox: Sandbox, request: Request) -> str:
    """What the requester reads of a request now."""
    ts = row(app, f"mine:{request.id}")["slack_ts"]
    return next(read(message) for message in dm(sandbox, slack.BEN) if message.ts == ts)


@pytest.mark.every_database
def test_a_parked_card_goes_to_each_who_decides(office: App, sandbox: Sandbox, client: WebClient) -> None:
    """With its parking comes a card of their own for each member, at once, and a new face for the requester."""
    request = asking.ask(office, BEN, "20000", incident="INC-7")
    deliver(office, client)
    assert row(office, f"card:{request.id}:board")["state"] == "parked"
    assert [len(dm(sandbox, member)) for member in MEMBERS] == [1, 1, 1]
    assert "Slack did not take the card in the board's channel" in mine(office, sandbox, request)


def test_trying_the_channel_again_asks_nobody_twice(office: App, sandbox: Sandbox, client: WebClient) -> None:
    """As often as it is refused; and when it goes through at last, the requester reads no more of it."""
    request = asking.ask(office, BEN, "20000", incident="INC-7")
    for is_archived in (True, True, False):
        sandbox.workspace.change_channel(slack.BOARD, is_archived=is_archived)
        with office.database.transaction() as session:
            store.retry(session, now=office.clock(), problem="is_archived")
        deliver(office, client)
    assert [len(dm(sandbox, member)) for member in MEMBERS] == [1, 1, 1]
    assert len(sandbox.messages(slack.BOARD, slack.IRIS)) == 1
    assert "Slack did not take" not in mine(office, sandbox, request)
    asking.vote(office, asking.TESS, request)
    deliver(office, client)
    assert all("*Ratified*" in read(dm(sandbox, member)[0]) for member in MEMBERS)


def test_a_request_that_is_no_incident_wakes_nobody(office: App, sandbox: Sandbox, client: WebClient) -> None:
    """Its card goes to each in their own working hours: Tess in Tokyo reads it in her morning."""
    asking.ask(office, BEN, "5000")
    deliver(office, client)
    assert [len(dm(sandbox, member)) for member in MEMBERS] == [1, 1, 0]


def test_who_decided_meanwhile_is_not_asked(office: App, sandbox: Sandbox, client: WebClient) -> None:
    """A card that is refused after the decision goes to no one else."""
    request = asking.ask(office, BEN, "20000", incident="INC-7")
    asking.vote(office, asking.TESS, request)
    deliver(office, client)
    assert keys(office) == [f"card:{request.id}:board"]
    assert [len(dm(sandbox, member)) for member in MEMBERS] == [0, 0, 0]


def test_a_proposed_handbook_reaches_who_may_confirm_it(office: App, sandbox: Sandbox, client: WebClient) -> None:
    """The same holds for the other things that the board decides."""
    proposed.propose(office, proposed.text())
    deliver(office, client)
    cards = [one for member in MEMBERS for one in dm(sandbox, member) if "policy_confirm" in read(one)]
    assert len(cards) == len(MEMBERS)


def test_new_faces_of_a_parked_card_are_not_parked_as_well(office: App, client: WebClient) -> None:
    """The card is written from what holds when it goes out: what came in between needs nobody's hands."""
    request = asking.ask(office, BEN, "20000", incident="INC-7")
    deliver(office, client)
    asking.vote(office, asking.TESS, request)
    deliver(office, client)
    with office.database.reading() as session:
        assert store.parked_by_problem(session) == {"is_archived": 1}


def test_a_mistake_in_what_follows_undoes_no_record(
    office: App, client: WebClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was sent stays on record as sent, and what was parked as parked; the log says what did not follow."""

    def fail(*_: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("scheduler.fallbacks.after_parked", fail)
    monkeypatch.setattr("scheduler.fallbacks.after_sent", fail)
    request = asking.ask(office, BEN, "20000", incident="INC-7")
    with caplog.at_level(logging.ERROR):
        deliver(office, client)
    states = {key: row(office, key)["state"] for key in (f"card:{request.id}:board", f"mine:{request.id}")}
    assert list(states.values()) == ["parked", "sent"]
    assert "what follows from it" in caplog.text
