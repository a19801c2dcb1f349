"""Documents: each is in its conversation once, whatever goes wrong, and holds up no other message."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import PAGE
from tests.support import slack
from tests.support.books import ADA
from tests.support.couriers import deliver, dm, owe, row

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from sandbox import Sandbox
    from tests.support.clock import Clock

KEY = f"note:{slack.GENERAL}"


def files(sandbox: Sandbox) -> list[tuple[str, ...]]:
    return [message.files for message in sandbox.messages(slack.GENERAL, slack.ADA)]


def until_settled(app: App, client: WebClient, clock: Clock) -> None:
    for _ in range(30):
        if row(app, KEY)["state"] not in {"waiting", "leased"}:
            return
        clock.now = max(clock.now + timedelta(minutes=6), row(app, KEY)["due_at"])
        deliver(app, client)


def test_a_document_is_shared_with_its_words(sqlite_app: App, sandbox: Sandbox, client: WebClient) -> None:
    """The file and its words are one message, in a channel as in somebody's conversation."""
    owe(sqlite_app, ADA, channel=slack.GENERAL, document=True)
    assert deliver(sqlite_app, client).sent == 2
    [posted] = sandbox.messages(slack.GENERAL, slack.ADA)
    assert posted.files == (row(sqlite_app, KEY)["file_id"],)
    assert posted.blocks[0]["text"]["text"] == "Hello all"
    [private] = dm(sandbox, slack.ADA)
    assert len(private.files) == 1
    assert deliver(sqlite_app, client).leased == 0


@pytest.mark.parametrize("fault", [{"status": 503, "body": PAGE}, {"error": "internal_error"}])
def test_a_document_of_which_nobody_knows_is_looked_for_first(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock, fault: dict[str, Any]
) -> None:
    """An unclear answer leads to a look into the conversation; in the end the file is there once."""
    owe(sqlite_app, channel=slack.GENERAL, document=True)
    sandbox.faults.add("files.completeUploadExternal", **fault)
    deliver(sqlite_app, client)
    assert row(sqlite_app, KEY)["uncertain"]
    until_settled(sqlite_app, client, clock)
    assert row(sqlite_app, KEY)["state"] == "sent"
    assert len(files(sandbox)) == 1


def test_a_courier_that_died_after_sharing_shares_nothing_twice(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """The answer got lost although Slack did it: the file is found by its id, and nothing is sent again."""
    owe(sqlite_app, channel=slack.GENERAL, document=True)
    sandbox.faults.add("files.completeUploadExternal", performed=True, status=503, body=PAGE)
    deliver(sqlite_app, client)
    assert len(files(sandbox)) == 1
    until_settled(sqlite_app, client, clock)
    assert row(sqlite_app, KEY)["state"] == "sent"
    assert row(sqlite_app, KEY)["slack_ts"]
    assert len(files(sandbox)) == 1


def test_a_document_that_slack_lost_is_handed_in_anew(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """What was handed in may be gone before it is shared."""
    owe(sqlite_app, channel=slack.GENERAL, document=True)
    sandbox.faults.add("files.completeUploadExternal", error="file_not_found")
    deliver(sqlite_app, client)
    assert row(sqlite_app, KEY)["file_id"] is None
    until_settled(sqlite_app, client, clock)
    assert len(files(sandbox)) == 1


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("files.getUploadURLExternal", {"error": "file_uploads_disabled"}),
        ("files.completeUploadExternal", {"error": "storage_limit_reached"}),
        ("upload", {"status": 403, "body": PAGE}),
    ],
    ids=["disabled", "full", "blocked"],
)
def test_a_document_that_is_not_taken_holds_up_nobody(  # noqa: PLR0917 - fixtures
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock, method: str, fault: dict[str, Any]
) -> None:
    """Where files are forbidden or blocked, the document is set aside in the end; the other messages go out at once."""
    owe(sqlite_app, channel=slack.GENERAL, document=True)
    owe(sqlite_app, ADA)
    sandbox.faults.add(method, times=20, **fault)
    assert deliver(sqlite_app, client).sent == 1
    assert len(dm(sandbox, slack.ADA)) == 1
    until_settled(sqlite_app, client, clock)
    assert row(sqlite_app, KEY)["state"] == "parked"
    assert files(sandbox) == []


def test_a_scope_that_is_missing_is_waited_for(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """Once the app may bring files, the document arrives; meanwhile the courier goes on with the rest."""
    owe(sqlite_app, channel=slack.GENERAL, document=True)
    sandbox.faults.add("files.completeUploadExternal", error="missing_scope")
    assert deliver(sqlite_app, client).stopped == ""
    until_settled(sqlite_app, client, clock)
    assert len(files(sandbox)) == 1
