"""To whom the courier writes: it judges accounts as everybody does, and reaches accounts that are nobody's any more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from programme.people import linking
from programme.people.slack_accounts import SlackAccount
from scheduler import courier, messages
from store.tables.outbox import outbox
from tests.support import books, cast, slack
from tests.support.books import ADA
from tests.support.seen import read

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from sandbox import Sandbox
    from scheduler.delivered import Delivered
    from tests.support.clock import Clock

ZOE = "zoe@example.com"


def deliver(app: App, client: WebClient) -> Delivered:
    return courier.deliver(app, client, courier="me", compose=partial(messages.compose, app=app), most=100)


def relink(app: App, account: str) -> None:
    with app.transaction() as moment:
        linking.relink(moment, ADA, SlackAccount(account, ADA), actor="cli:test")


def owe_to_zoe(app: App) -> None:
    """Something that Zoe, who never wrote to the bot, is to read: that somebody has Ada's e-mail."""
    cast.hire(app, slack.ZOE)
    cast.hire(app, f"email,roles\n{ZOE},admin\n")
    with app.transaction() as moment:
        linking.link(moment, SlackAccount("U0OTHER", ADA), earlier_is_active=False)


def problems(app: App) -> list[Any]:
    return [problem for (problem,) in books.rows(app, sa.select(outbox.c.problem).where(outbox.c.state == "parked"))]


BARRED: dict[str, dict[str, Any]] = {
    "a stranger": {"is_stranger": True},
    "of another workspace": {"team_id": "T0ABROAD"},
    "a guest": {"is_restricted": True},
    "a guest of one channel": {"is_ultra_restricted": True},
    "unconfirmed": {"is_email_confirmed": False},
}


@pytest.mark.parametrize("case", BARRED)
def test_what_is_somebodys_is_sent_to_no_account_that_cannot_be_theirs(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, case: str
) -> None:
    """An account with the right e-mail that may be nobody's is not written to: the message is parked for a decision."""
    owe_to_zoe(sqlite_app)
    sandbox.workspace.change_member(slack.NEWCOMER, **BARRED[case])
    assert deliver(sqlite_app, client).parked == 1
    assert problems(sqlite_app) == ["slack_user_barred"]
    assert sandbox.messages(sandbox.dm(slack.NEWCOMER), slack.NEWCOMER) == ()


def test_a_reader_is_linked_and_told_so(sqlite_app: App, sandbox: Sandbox, client: WebClient) -> None:
    """Who is found by e-mail gets the message, and then that they are known by this account."""
    owe_to_zoe(sqlite_app)
    assert deliver(sqlite_app, client).sent == 1
    assert deliver(sqlite_app, client).sent == 1
    first, second = sandbox.messages(sandbox.dm(slack.NEWCOMER), slack.NEWCOMER)
    assert "tokens-bot people relink ada@example.com U0OTHER" in read(first)
    assert "I know you by this Slack account now" in read(second)


def test_nothing_is_sent_while_slack_does_not_say_which_workspace_is_ours(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """The message waits, and goes out once Slack says it."""
    owe_to_zoe(sqlite_app)
    sandbox.faults.add("auth.test", status=503)
    assert deliver(sqlite_app, client).sent == 0
    assert problems(sqlite_app) == []
    clock.move(minutes=1)
    assert deliver(sqlite_app, client).sent == 1


def test_what_was_settled_meanwhile_is_not_said(sqlite_app: App, sandbox: Sandbox, client: WebClient) -> None:
    """A warning of an account that was made theirs before it went out is dropped."""
    cast.hire(sqlite_app, "email,roles\nmara@example.com,admin\n")
    with sqlite_app.transaction() as moment:
        linking.link(moment, SlackAccount(slack.NEWCOMER, ADA))
    relink(sqlite_app, slack.NEWCOMER)
    deliver(sqlite_app, client)
    assert sandbox.messages(sandbox.dm(slack.MARA), slack.MARA) == ()
    assert len(sandbox.messages(sandbox.dm(slack.NEWCOMER), slack.NEWCOMER)) == 1


def test_the_account_of_before_is_told_once(sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """Also after an answer that got lost: the message is looked for in its conversation, not sent again."""
    relink(sqlite_app, slack.NEWCOMER)
    sandbox.faults.add("chat.postMessage", times=2, status=500, performed=True)
    for _ in range(4):
        deliver(sqlite_app, client)
        clock.move(minutes=20)
    for user, said in ((slack.ADA, "by another Slack account now"), (slack.NEWCOMER, "by this Slack account now")):
        [message] = sandbox.messages(sandbox.dm(user), user)
        assert said in read(message)
    assert books.rows(sqlite_app, sa.select(outbox.c.state).distinct()) == [("sent",)]
