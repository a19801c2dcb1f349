"""Pictures that Slack does not take: they are tried again, uploaded anew, and left out rather than the words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot import doctor
from sandbox.faults import PAGE
from scheduler.composers.drawing import drawn
from store.outbox import messages as store
from tests.support import slack
from tests.support.books import ADA
from tests.support.couriers import deliver, owe, row

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from sandbox import Sandbox
    from templates.charts import Picture
    from tests.support.clock import Clock


def uploads(sandbox: Sandbox) -> int:
    return sum(call.method == "files.completeUploadExternal" for call in sandbox.calls)


def kinds(message: Any) -> list[str]:  # noqa: ANN401 - a message of the workspace
    return [block["type"] for block in message.blocks]


def until_sent(app: App, client: WebClient, clock: Clock, key: str) -> None:
    for _ in range(12):
        if row(app, key)["state"] != "waiting":
            return
        clock.now = max(clock.now, row(app, key)["due_at"])
        deliver(app, client)


def test_a_picture_that_slack_has_lost_is_uploaded_anew(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """After some attempts in vain it is no longer waited for, but sent again, and the message shows it."""
    owe(sqlite_app, channel=slack.GENERAL, picture=True)
    sandbox.faults.add("chat.postMessage", times=4, error="invalid_blocks")
    deliver(sqlite_app, client)
    until_sent(sqlite_app, client, clock, f"note:{slack.GENERAL}")
    [message] = sandbox.messages(slack.GENERAL, slack.ADA)
    assert kinds(message) == ["section", "image"]
    assert uploads(sandbox) == 2


def test_a_message_goes_out_without_a_picture_that_is_never_shown(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """Its words arrive within some minutes, and doctor says that pictures do not."""
    begun = clock.now
    owe(sqlite_app, channel=slack.GENERAL, picture=True)
    sandbox.faults.add("chat.postMessage", times=7, error="invalid_blocks")
    deliver(sqlite_app, client)
    until_sent(sqlite_app, client, clock, f"note:{slack.GENERAL}")
    [message] = sandbox.messages(slack.GENERAL, slack.ADA)
    assert kinds(message) == ["section"]
    assert clock.now - begun < timedelta(minutes=10)
    [finding] = list(doctor._outbox(sqlite_app))[:1]
    assert finding.what == "In the last week 1 message went out without a picture."


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("files.getUploadURLExternal", {"error": "file_uploads_disabled"}),
        ("files.getUploadURLExternal", {"error": "missing_scope"}),
        ("files.completeUploadExternal", {"error": "storage_limit_reached"}),
        ("upload", {"status": 403, "body": PAGE}),
        ("upload", {"body": PAGE}),
    ],
    ids=["disabled", "scope", "full", "blocked", "page"],
)
def test_a_picture_that_cannot_be_uploaded_holds_up_no_words(  # noqa: PLR0917 - fixtures
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock, method: str, fault: dict[str, Any]
) -> None:
    """Uploads may be forbidden, or their host closed to this server: the others go on, and the report arrives bare."""
    owe(sqlite_app, ADA, channel=slack.GENERAL, picture=False)
    owe(sqlite_app, channel=slack.BOARD, picture=True)
    sandbox.faults.add(method, times=20, **fault)
    assert deliver(sqlite_app, client).sent >= 2
    until_sent(sqlite_app, client, clock, f"note:{slack.BOARD}")
    [message] = sandbox.messages(slack.BOARD, slack.IRIS)
    assert kinds(message) == ["section"]
    assert row(sqlite_app, f"note:{slack.BOARD}")["problem"] == "without_picture"


def test_a_picture_is_uploaded_anew_when_its_message_is_tried_again(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """What was uploaded before a message was parked may be long gone."""
    owe(sqlite_app, channel=slack.GENERAL, picture=True)
    sandbox.faults.add("chat.postMessage", error="is_archived")
    assert deliver(sqlite_app, client).parked == 1
    assert row(sqlite_app, f"note:{slack.GENERAL}")["file_id"] is not None
    with sqlite_app.database.transaction() as session:
        store.retry(session, now=clock.now)
    assert deliver(sqlite_app, client).sent == 1
    assert uploads(sandbox) == 2


def test_a_picture_that_cannot_be_drawn_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """The words go; the log says where drawing failed, and nothing of what was to be seen."""

    def fail() -> Picture:
        raise ZeroDivisionError(ADA)

    assert drawn(fail) is None
    assert "ZeroDivisionError" in caplog.text
    assert ADA not in caplog.text
