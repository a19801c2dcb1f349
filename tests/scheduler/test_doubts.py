"""Leases that a clock ends too early: what one courier has asked of Slack, no other asks as well."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from programme import notify
from scheduler import courier, doubts, slack_delivery
from store.outbox import messages as store
from store.outbox.messages import NewMessage
from tests.support import cast, slack
from tests.support.books import ADA, MARA
from tests.support.couriers import deliver, dm, owe, row, say
from tests.support.line import State, line
from tests.support.slack_http import AWAY

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from sandbox import Sandbox
    from scheduler.messages import Composed
    from tests.support.clock import Clock


class Other:
    """A courier that runs, and the time that it goes by."""

    def __init__(self, app: App, client: WebClient) -> None:
        self.here = 0.0
        self.work = courier.Courier(app, client, compose=say, monotonic=lambda: self.here)


def test_what_is_under_way_is_not_posted_again(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """The clock is set while Slack takes its time: who takes the message over waits until it must be there."""
    owe(app, ADA)
    sandbox.faults.add("chat.postMessage", delay=0.5)
    posting = threading.Thread(target=deliver, args=(app, client))
    posting.start()
    sandbox.wait_for(lambda: row(app, f"note:{ADA}")["state"] == "leased")
    clock.move(minutes=10)
    other = Other(app, client)
    assert other.work().leased == 0
    other.here = doubts.KEPT_SECONDS - 0.1
    assert other.work().leased == 0
    posting.join()
    other.here = doubts.KEPT_SECONDS
    assert other.work().settled == 1
    assert len(dm(sandbox, slack.ADA)) == 1
    assert row(app, f"note:{ADA}")["slack_ts"] == dm(sandbox, slack.ADA)[0].ts


def test_who_lost_a_lease_sends_nothing_although_the_clock_is_back(
    app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """Set forth, and back before the first courier looks at it: the record says whose the message is."""
    owe(app, ADA)
    other = Other(app, client)

    def interrupted(template: str, view: Any) -> Composed:  # noqa: ANN401 - any JSON
        clock.move(minutes=10)
        assert other.work().leased == 0
        clock.move(minutes=-10)
        return say(template, view)

    done = courier.deliver(app, client, courier="first", compose=interrupted)
    assert (done.sent, done.stopped) == (0, "lease_over")
    assert dm(sandbox, slack.ADA) == ()
    other.here = doubts.KEPT_SECONDS
    assert other.work().sent == 1
    assert len(dm(sandbox, slack.ADA)) == 1


def test_what_was_lost_meanwhile_begins_anew(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """A third courier took it over and gave it back in doubt: the time of before does not count."""
    owe(app, ADA)
    slack_away = slack_delivery.client(client.token, AWAY)
    assert deliver(app, slack_away).postponed == 1
    clock.move(minutes=1)
    other = Other(app, client)
    assert other.work().leased == 0
    clock.move(minutes=10)
    assert deliver(app, slack_away, me="third").postponed == 1
    clock.move(minutes=10)
    other.here = doubts.KEPT_SECONDS - 1
    assert other.work().leased == 0
    other.here = doubts.KEPT_SECONDS + 1
    assert other.work().leased == 0
    other.here = 2 * doubts.KEPT_SECONDS
    assert other.work().sent == 1
    assert len(dm(sandbox, slack.ADA)) == 1


def test_doubts_hold_up_nobody_else(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """What is in no doubt goes out at once, and each message in doubt of a channel has its turn."""
    owe(app, ADA, channel=slack.GENERAL)
    with app.transaction() as moment:
        book, said = moment.handbooks.versions[-1], json.dumps({"text": "And again"})
        notify.to_channel(moment, key="again", template="note", view=said, channel=slack.GENERAL, book=book)
        store.lease(moment.session, courier="dead", now=clock.now, until=clock.now + courier.LEASE, limit=10)
    clock.move(minutes=5)
    owe(app, MARA)
    other = Other(app, client)
    assert other.work().sent == len(dm(sandbox, slack.MARA)) == 1
    other.here = doubts.KEPT_SECONDS
    assert other.work().sent == 2
    # A second later, because a channel takes one message a second.
    other.here += 1
    clock.move(seconds=1)
    assert other.work().sent == 1
    assert len(sandbox.messages(slack.GENERAL, slack.ADA)) == 2


def test_a_later_face_waits_for_one_in_doubt(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """A new face that got no answer may still be shown: the one after it comes when that is over, and stays."""
    owe(app, ADA)
    assert deliver(app, client).sent == 1
    _face(app, clock, 1)
    sandbox.faults.add("chat.update", status=503, body="")
    assert deliver(app, client).postponed == 1
    _face(app, clock, 2)
    assert deliver(app, client).postponed == 1
    # The first one need not be shown any more, so its back-off is over: both wait for a moment only.
    clock.move(seconds=1)
    other = Other(app, client)
    assert other.work().sent == 0
    other.here = doubts.KEPT_SECONDS
    clock.move(seconds=1)
    done = other.work()
    assert (done.settled, done.sent) == (1, 1)
    assert dm(sandbox, slack.ADA)[0].text == "Face 2"


@pytest.mark.parametrize("state", [State.REFUSED, State.RESET, State.UNANSWERED])
def test_a_line_that_is_cut_doubles_nothing(sqlite_app: App, clock: Clock, state: State) -> None:
    """Slack is away, breaks off, or takes the message before it breaks off: in the end it is there once."""
    owe(sqlite_app, ADA)
    with (
        line() as between,
        slack.workspace(clock=clock, port=between.target, reached_at=between.url) as sandbox,
    ):
        client = slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
        between.become(state)
        assert deliver(sqlite_app, client).postponed == 1
        assert row(sqlite_app, f"note:{ADA}")["uncertain"]
        assert len(dm(sandbox, slack.ADA)) == (state is State.UNANSWERED)
        between.become(State.WHOLE)
        clock.move(seconds=5)
        done = deliver(sqlite_app, client)
        assert (done.settled, done.sent) == ((1, 0) if state is State.UNANSWERED else (0, 1))
        assert len(dm(sandbox, slack.ADA)) == 1
        link = client.apps_connections_open(app_token=sandbox.workspace.app.app_token)["url"]
        assert link.startswith(f"ws://127.0.0.1:{between.port}/")


def _face(app: App, clock: Clock, number: int) -> None:
    view, key = json.dumps({"text": f"Face {number}"}), f"note:{ADA}"
    person = cast.person_id(app, ADA)
    face = NewMessage(f"{key}@{number}", "note", view, person, None, clock.now, at_once=True, replaces=key)
    with app.database.transaction() as session:
        store.owe(session, [face], now=clock.now)
