"""Threads: replies are kept out of the channel, counted at their parent, and read in their place."""

from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from sandbox import Sandbox, Workspace, WorkspaceError
from tests.sandbox.company import ADA, BEN, BOT, PLAN, TEAM, button
from tests.sandbox.conftest import TokensApp
from tests.sandbox.forms import refused


@pytest.fixture
def parent(sandbox: Sandbox, client: WebClient) -> str:
    """The `ts` of a message of the app, which may read what is said in the channel."""
    sandbox.workspace.change_app(scopes=sandbox.workspace.app.scopes | {"channels:history"})
    return str(client.chat_postMessage(channel=TEAM, text="A request")["ts"])


def texts(sandbox: Sandbox, reader: str = ADA) -> list[str]:
    return [message.text for message in sandbox.messages(TEAM, reader)]


def test_replies_stay_in_the_thread(sandbox: Sandbox, client: WebClient, parent: str) -> None:
    """A reply is in its thread only, unless it is broadcast; both are found after their parent."""
    client.chat_postMessage(channel=TEAM, text="A reminder", thread_ts=parent)
    sandbox.say(BEN, TEAM, "I look at it", thread_ts=parent)
    client.chat_postMessage(channel=TEAM, text="Decided", thread_ts=parent, reply_broadcast=True)
    assert texts(sandbox) == ["A request", "Decided"]
    thread = sandbox.thread(TEAM, parent, ADA)
    assert [message.text for message in thread] == ["A request", "A reminder", "I look at it", "Decided"]
    assert [message.broadcast for message in sandbox.messages(TEAM, ADA)] == [False, True]


def test_the_api_shows_threads(sandbox: Sandbox, client: WebClient, parent: str) -> None:
    """The history has no replies but counts them; `conversations.replies` has them all, parent first, in pages."""
    first = sandbox.say(BEN, TEAM, "one", thread_ts=parent)
    last = client.chat_postMessage(channel=TEAM, text="two", thread_ts=parent, reply_broadcast=True)
    newest, oldest = client.conversations_history(channel=TEAM)["messages"]
    assert [newest["subtype"], newest["thread_ts"], newest["parent_user_id"]] == ["thread_broadcast", parent, BOT]
    counted = {key: oldest[key] for key in ("thread_ts", "reply_count", "reply_users", "latest_reply")}
    assert counted == {"thread_ts": parent, "reply_count": 2, "reply_users": [BEN, BOT], "latest_reply": last["ts"]}
    pages = [page["messages"] for page in client.conversations_replies(channel=TEAM, ts=parent, limit=2)]
    assert [[message["text"] for message in page] for page in pages] == [["A request", "one"], ["two"]]
    alone = client.conversations_replies(channel=TEAM, ts=first.ts)["messages"]
    assert [message["text"] for message in alone] == ["one"]
    assert refused(client.conversations_replies, channel=TEAM, ts="1.0")["error"] == "thread_not_found"


def test_a_message_without_replies(client: WebClient, parent: str) -> None:
    """A message to which no one replied says nothing of a thread."""
    (alone,) = client.conversations_history(channel=TEAM)["messages"]
    assert not {"thread_ts", "reply_count", "latest_reply"} & set(alone)
    assert len(client.conversations_replies(channel=TEAM, ts=parent)["messages"]) == 1


def test_there_are_no_threads_of_other_things(sandbox: Sandbox, client: WebClient, parent: str) -> None:
    """Unknown messages, replies and ephemeral messages cannot be replied to, and commands not be typed there."""
    reply = client.chat_postMessage(channel=TEAM, text="x", thread_ts=parent)["ts"]
    fleeting = client.chat_postEphemeral(channel=TEAM, user=ADA, text="x")["message_ts"]
    for wrong in ("1.0", reply, fleeting):
        answer = refused(client.chat_postMessage, channel=TEAM, text="x", thread_ts=wrong)
        assert answer["error"] == "thread_not_found"
        with pytest.raises(WorkspaceError, match="no such thread"):
            sandbox.say(ADA, TEAM, "x", thread_ts=wrong)
    with pytest.raises(WorkspaceError, match="do not work in threads"):
        sandbox.say(ADA, TEAM, "/tokens balance", thread_ts=parent)


def test_ephemeral_replies(sandbox: Sandbox, client: WebClient, parent: str) -> None:
    """An ephemeral reply is seen by its reader, in the thread; it is not counted."""
    client.chat_postEphemeral(channel=TEAM, user=ADA, text="For you", thread_ts=parent)
    assert texts(sandbox) == ["A request"]
    assert [message.text for message in sandbox.thread(TEAM, parent, ADA)] == ["A request", "For you"]
    assert [message.text for message in sandbox.thread(TEAM, parent, BEN)] == ["A request"]
    assert "reply_count" not in client.conversations_history(channel=TEAM)["messages"][0]


def test_clicks_in_threads(sandbox: Sandbox, app: TokensApp, client: WebClient, parent: str) -> None:
    """A click in a reply names the thread, and the answer goes there when it names it too."""
    heard: list[dict[str, Any]] = []

    def go(ack: Any, body: dict[str, Any], respond: Any) -> None:  # noqa: ANN401 - Bolt's own
        ack()
        heard.append(body)
        respond(text="In the thread", replace_original=False, thread_ts=body["message"]["thread_ts"])
        respond(text="Beside it", replace_original=False)

    app.bolt.action("go")(go)
    acts = {"type": "actions", "elements": [button(action_id="go")]}
    client.chat_postMessage(channel=TEAM, text="Decide", blocks=[acts], thread_ts=parent)
    reply = sandbox.thread(TEAM, parent, ADA)[-1]
    assert sandbox.press(ADA, reply, "go").error == ""
    sandbox.wait_for(lambda: len(texts(sandbox)) > 1)
    assert heard[0]["container"]["thread_ts"] == parent
    assert (heard[0]["message"]["ts"], heard[0]["message"]["thread_ts"]) == (reply.ts, parent)
    assert sandbox.thread(TEAM, parent, ADA)[-1].text == "In the thread"
    assert texts(sandbox) == ["A request", "Beside it"]


def test_a_failed_click_is_told_in_the_thread(sandbox: Sandbox, client: WebClient, parent: str) -> None:
    """Whoever clicks in a thread reads there that the app could not be reached."""
    acts = {"type": "actions", "elements": [button(action_id="go")]}
    client.chat_postMessage(channel=TEAM, text="Decide", blocks=[acts], thread_ts=parent)
    assert sandbox.press(ADA, sandbox.thread(TEAM, parent, ADA)[-1], "go").error == "dispatch_failed"
    assert "could not be reached" in sandbox.thread(TEAM, parent, ADA)[-1].text
    assert texts(sandbox) == ["A request"]


def test_a_deleted_parent_leaves_a_tombstone(sandbox: Sandbox, client: WebClient, parent: str) -> None:
    """Replies keep their place when what they reply to is deleted; without replies nothing is left."""
    client.chat_postMessage(channel=TEAM, text="A reply", thread_ts=parent)
    client.chat_delete(channel=TEAM, ts=parent)
    (left,) = client.conversations_history(channel=TEAM)["messages"]
    assert (left["subtype"], left["reply_count"]) == ("tombstone", 1)
    assert texts(sandbox) == ["This message was deleted."]
    alone = client.chat_postMessage(channel=TEAM, text="x")["ts"]
    client.chat_delete(channel=TEAM, ts=alone)
    assert len(texts(sandbox)) == 1


def test_threads_are_remembered(tmp_path: Path) -> None:
    """A second start on the same file shows the replies in their threads."""
    file = tmp_path / "talk.jsonl"
    with Sandbox(Workspace.from_dict(PLAN, history=file)) as first:
        said = first.say(ADA, TEAM, "Who decides?")
        first.say(BEN, TEAM, "Mara does", thread_ts=said.ts)
    with Sandbox(Workspace.from_dict(PLAN, history=file)) as second:
        assert texts(second) == ["Who decides?"]
        assert [message.text for message in second.thread(TEAM, said.ts, ADA)] == ["Who decides?", "Mara does"]
