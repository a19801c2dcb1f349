"""The Web API, called by the platform's own client."""

import json
import urllib.parse
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox import Sandbox
from sandbox.faults import PAGE
from sandbox.web_api import ELSEWHERE
from tests.sandbox.company import ADA, BOARD, BOT, GENERAL, GONE, OLD, TEAM, section
from tests.sandbox.conftest import HandClock


def refused(call: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any method of the client
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    return caught.value.response


def test_a_message_is_posted_and_seen(sandbox: Sandbox, client: WebClient) -> None:
    """What is posted to a channel is there for its members, with the `ts` that the caller was told."""
    answer = client.chat_postMessage(channel=TEAM, text="Hello", blocks=[section("*Hello*")])
    message = sandbox.messages(TEAM, ADA)[-1]
    assert (message.ts, message.text, message.author) == (answer["ts"], "Hello", BOT)
    assert message.blocks[0]["block_id"] == "auto-0"


def test_timestamps_differ_while_the_clock_stands(sandbox: Sandbox, client: WebClient) -> None:
    """Two messages of the same instant have different, increasing timestamps."""
    first, second = (client.chat_postMessage(channel=channel, text="x")["ts"] for channel in (TEAM, BOARD))
    assert first < second
    assert sandbox.messages(TEAM, ADA)[0].ts == first


def test_posting_to_a_person_opens_the_conversation(sandbox: Sandbox, client: WebClient) -> None:
    """A user id is taken as a channel, and the answer names the conversation that updates need."""
    posted = client.chat_postMessage(channel=ADA, text="Psst")
    assert posted["channel"] == sandbox.dm(ADA)
    assert client.conversations_open(users=ADA)["channel"]["id"] == posted["channel"]
    assert refused(client.chat_update, channel=ADA, ts=posted["ts"], text="x")["error"] == "channel_not_found"
    client.chat_update(channel=posted["channel"], ts=posted["ts"], text="Aloud")
    assert [message.text for message in sandbox.messages(posted["channel"], ADA)] == ["Aloud"]
    assert sandbox.messages(posted["channel"], "U0BEN") == ()


def test_an_update_without_blocks_drops_them(sandbox: Sandbox, client: WebClient) -> None:
    """`chat.update` with only a text leaves only the text, and metadata stays unless given anew."""
    metadata = {"event_type": "key", "event_payload": {"id": "m1"}}
    posted = client.chat_postMessage(channel=TEAM, text="a", blocks=[section()], metadata=metadata)
    client.chat_update(channel=TEAM, ts=posted["ts"], text="b")
    message = sandbox.messages(TEAM, ADA)[-1]
    assert (message.text, message.blocks, message.metadata) == ("b", (), metadata)
    client.chat_delete(channel=TEAM, ts=posted["ts"])
    assert sandbox.messages(TEAM, ADA) == ()


def test_only_own_messages_are_changed(sandbox: Sandbox, client: WebClient) -> None:
    """A person's message is not the app's to change or delete, and a message must exist."""
    said = sandbox.say(ADA, TEAM, "Mine")
    assert refused(client.chat_update, channel=TEAM, ts=said.ts, text="x")["error"] == "cant_update_message"
    assert refused(client.chat_delete, channel=TEAM, ts=said.ts)["error"] == "cant_delete_message"
    assert refused(client.chat_delete, channel=TEAM, ts="1.0")["error"] == "message_not_found"


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0NOWHERE", "channel_not_found"),
        (GENERAL, "not_in_channel"),
        (OLD, "is_archived"),
        (GONE, "channel_not_found"),
        (BOT, "cannot_dm_bot"),
    ],
)
def test_wrong_destinations(client: WebClient, channel: str, error: str) -> None:
    """Where the app may not post, the platform's own code says why."""
    assert refused(client.chat_postMessage, channel=channel, text="x")["error"] == error


def test_invalid_blocks_say_where(client: WebClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused blocks come with JSON pointers; too much altogether has a code of its own."""
    monkeypatch.setenv("SKIP_SLACK_SDK_WARNING", "1")
    answer = refused(client.chat_postMessage, channel=TEAM, text="x", blocks=[section("x" * 3001)])
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ]
    long = [section("x" * 3000)] * 5
    assert refused(client.chat_postMessage, channel=TEAM, text="x", blocks=long)["error"] == "msg_blocks_too_long"
    assert refused(client.chat_postMessage, channel=TEAM, text="x", blocks="[{")["error"] == "invalid_blocks_format"
    assert refused(client.chat_postMessage, channel=TEAM, text=" ")["error"] == "no_text"
    assert refused(client.chat_postMessage, channel=TEAM, text="x" * 40_001)["error"] == "msg_too_long"


def test_blocks_without_text_are_warned_of(
    sandbox: Sandbox, client: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that screen readers cannot read is taken with a warning, which tests can ask for."""
    monkeypatch.setenv("SKIP_SLACK_SDK_WARNING", "1")
    answer = client.chat_postMessage(channel=TEAM, blocks=[section()])
    assert answer["warning"] == "missing_text_in_message"
    assert sandbox.warnings == ("missing_text_in_message",)


def test_ephemeral_messages(sandbox: Sandbox, client: WebClient) -> None:
    """An ephemeral message is its reader's alone, and the reader must be in the channel."""
    client.chat_postEphemeral(channel=TEAM, user=ADA, text="For you")
    assert [message.text for message in sandbox.messages(TEAM, ADA)] == ["For you"]
    assert sandbox.messages(TEAM, "U0BEN") == ()
    answer = refused(client.chat_postEphemeral, channel=TEAM, user="U0MARA", text="x")
    assert answer["error"] == "user_not_in_channel"


def test_one_message_a_second(clock: HandClock, sandbox: Sandbox, client: WebClient) -> None:
    """Beyond a small burst a channel takes one message a second, and says when to come back."""
    for _ in range(3):
        client.chat_postMessage(channel=TEAM, text="x")
    answer = refused(client.chat_postMessage, channel=TEAM, text="x")
    assert (answer.status_code, answer["error"], answer.headers["Retry-After"]) == (429, "ratelimited", "1")
    client.chat_postMessage(channel=BOARD, text="another channel has room")
    clock.advance(seconds=1)
    client.chat_postMessage(channel=TEAM, text="x")
    refused(client.chat_postMessage, channel=TEAM, text="x")
    assert len(sandbox.messages(TEAM, ADA)) == 4


def test_tokens(sandbox: Sandbox) -> None:
    """Each kind of token opens its own doors only, and a revoked one opens none."""
    app = sandbox.workspace.app

    def who(token: str) -> Any:  # noqa: ANN401 - the client's answer
        return refused(WebClient(token, base_url=sandbox.api_url).auth_test)["error"]

    assert who("") == "not_authed"
    assert who("xoxb-wrong") == "invalid_auth"
    assert who(app.app_token) == "not_allowed_token_type"
    client = WebClient(app.bot_token, base_url=sandbox.api_url)
    assert client.auth_test()["user_id"] == BOT
    wrong = refused(client.apps_connections_open, app_token=app.bot_token)
    assert wrong["error"] == "not_allowed_token_type"
    sandbox.workspace.change_app(revoked=True)
    assert who(app.bot_token) == "account_inactive"


def test_scopes(sandbox: Sandbox, client: WebClient) -> None:
    """A missing scope is named beside those granted, and headers list both."""
    answer = client.users_info(user=ADA)
    assert answer["user"]["profile"]["email"] == "ada@northwind.example"
    assert "users:read" in answer.headers["x-oauth-scopes"].split(",")
    sandbox.workspace.change_app(scopes=frozenset({"users:read"}))
    assert "email" not in client.users_info(user=ADA)["user"]["profile"]
    missing = refused(client.users_lookupByEmail, email="ada@northwind.example")
    assert (missing["error"], missing["needed"], missing["provided"]) == (
        "missing_scope",
        "users:read.email",
        "users:read",
    )
    assert refused(client.conversations_info, channel=TEAM)["error"] == "missing_scope"


def test_people(client: WebClient) -> None:
    """Deactivated people are known by id but not by e-mail, and lists come in pages."""
    assert client.users_info(user=GONE)["user"]["deleted"] is True
    assert client.users_info(user=ADA)["user"]["tz"] == "Europe/London"
    assert refused(client.users_lookupByEmail, email="gil@northwind.example")["error"] == "users_not_found"
    assert refused(client.users_info, user="U0NOBODY")["error"] == "user_not_found"
    assert refused(client.conversations_open, users=GONE)["error"] == "user_disabled"
    pages = [[member["id"] for member in page["members"]] for page in client.users_list(limit=2)]
    assert [len(page) for page in pages] == [2, 2, 1]


def test_user_groups(sandbox: Sandbox, client: WebClient) -> None:
    """A group lists its active members, on paid plans only."""
    assert client.usergroups_list()["usergroups"][0]["handle"] == "board"
    assert client.usergroups_users_list(usergroup="S0BOARD")["users"] == ["U0MARA"]
    assert refused(client.usergroups_users_list, usergroup="S0X")["error"] == "no_such_subteam"
    sandbox.workspace.paid_plan = False
    assert refused(client.usergroups_list)["error"] == "plan_upgrade_required"


def test_conversations(sandbox: Sandbox, client: WebClient) -> None:
    """Channels are listed as far as the app may see them; history shows metadata when asked."""
    scopes = sandbox.workspace.app.scopes | {"channels:read", "groups:read", "channels:history"}
    sandbox.workspace.change_app(scopes=scopes)
    listed = client.conversations_list(types="public_channel,private_channel", exclude_archived=True)
    assert [channel["name"] for channel in listed["channels"]] == ["general", "platform", "token-board"]
    assert client.conversations_info(channel=TEAM)["channel"]["num_members"] == 3
    assert client.conversations_members(channel=TEAM)["members"] == sorted([ADA, "U0BEN", BOT])
    metadata = {"event_type": "key", "event_payload": {"id": "m1"}}
    client.chat_postMessage(channel=TEAM, text="x", metadata=metadata)
    assert "metadata" not in client.conversations_history(channel=TEAM)["messages"][0]
    seen = client.conversations_history(channel=TEAM, include_all_metadata=True)["messages"]
    assert seen[0]["metadata"] == metadata


@pytest.mark.parametrize(("place", "scope"), [(ADA, "im"), (TEAM, "channels"), (BOARD, "groups")])
def test_metadata_comes_back(sandbox: Sandbox, client: WebClient, place: str, scope: str) -> None:
    """What a message was marked with can be read in every kind of place, with that kind's own scope only."""
    channel = client.conversations_open(users=place)["channel"]["id"] if place == ADA else place
    metadata = {"event_type": "key", "event_payload": {"id": "m1"}}
    client.chat_postMessage(channel=channel, text="x", metadata=metadata)
    others = {"im:history", "channels:history", "groups:history"} - {f"{scope}:history"}
    sandbox.workspace.change_app(scopes=sandbox.workspace.app.scopes | others)
    missing = refused(client.conversations_history, channel=channel, include_all_metadata=True)
    assert (missing["error"], missing["needed"]) == ("missing_scope", f"{scope}:history")
    sandbox.workspace.change_app(scopes=frozenset({f"{scope}:history"}))
    found = client.conversations_history(channel=channel, include_all_metadata=True)["messages"]
    assert [message["metadata"] for message in found] == [metadata]


def test_faults(sandbox: Sandbox, client: WebClient) -> None:
    """The next calls fail as a test wishes, and afterwards all is well; a fault may strike after the deed."""
    sandbox.faults.add("chat.postMessage", status=500)
    sandbox.faults.add("chat.postMessage", status=429, retry_after=7)
    sandbox.faults.add("chat.postMessage", error="fatal_error")
    sandbox.faults.add("chat.postMessage", status=503, performed=True)
    answers = [refused(client.chat_postMessage, channel=TEAM, text=str(number)) for number in range(4)]
    assert [answer.status_code for answer in answers] == [500, 429, 200, 503]
    assert (answers[1].headers["Retry-After"], answers[2]["error"]) == ("7", "fatal_error")
    client.chat_postMessage(channel=TEAM, text="well")
    assert [message.text for message in sandbox.messages(TEAM, ADA)] == ["3", "well"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((status, PAGE) for status in (200, 302, 400, 403, 404, 408, 413)),
        *((200, body) for body in ("{}", "null", "")),
    ],
)
def test_answers_that_are_none(sandbox: Sandbox, client: WebClient, status: int, body: str) -> None:
    """A proxy answers in place of the platform, with any status and text; the call may have been heard or not."""
    for performed in (False, True):
        sandbox.faults.add("chat.postMessage", status=status, body=body, performed=performed)
        answer = refused(client.chat_postMessage, channel=TEAM, text=str(performed))
        assert answer.status_code == (200 if status == ELSEWHERE else status)
    assert [message.text for message in sandbox.messages(TEAM, ADA)] == ["True"]


def test_an_answer_that_is_a_list(sandbox: Sandbox, client: WebClient) -> None:
    """What is JSON and no object reaches the client as it stands; its library has no error for that."""
    sandbox.faults.add("chat.postMessage", body="[1]")
    with pytest.raises(AttributeError):
        client.chat_postMessage(channel=TEAM, text="x")


def test_a_whole_app_is_refused(sandbox: Sandbox, client: WebClient) -> None:
    """A workspace that moves into an organisation, or forbids the app, refuses every call alike."""
    sandbox.workspace.change_app(refused_as="org_login_required")
    for call in (client.auth_test, lambda: client.chat_postMessage(channel=TEAM, text="x")):
        assert refused(call)["error"] == "org_login_required"


def test_without_its_messages_tab_an_app_writes_to_channels_only(sandbox: Sandbox, client: WebClient) -> None:
    """Where the tab is switched off, people have no conversation with the app."""
    sandbox.workspace.change_app(messages_tab=False)
    assert refused(client.chat_postMessage, channel=ADA, text="x")["error"] == "messages_tab_disabled"
    client.chat_postMessage(channel=TEAM, text="x")


def test_calls_are_recorded_without_tokens(sandbox: Sandbox, client: WebClient) -> None:
    """Every call is there to be asked about, and no token among its arguments."""
    client.chat_postMessage(channel=TEAM, text="x")
    refused(client.api_call, "chat.nonsense", params={"token": "xoxb-1"})
    posted, unknown = sandbox.calls
    assert (posted.method, posted.args["text"], posted.status, posted.error) == ("chat.postMessage", "x", 200, "")
    assert (unknown.error, "token" in unknown.args) == ("unknown_method", False)


def test_forms_and_json(sandbox: Sandbox) -> None:
    """A form with the token in its body is as good as JSON with a header; broken JSON is refused."""
    token = sandbox.workspace.app.bot_token
    blocks = json.dumps([section("form")])
    form = f"token={token}&channel={TEAM}&text=x&blocks={urllib.parse.quote(blocks)}".encode()
    kinds = {"application/x-www-form-urlencoded": form, "application/json": b"{"}
    answers = []
    for kind, body in kinds.items():
        url, headers = f"{sandbox.api_url}chat.postMessage", {"content-type": kind}
        request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - our own server
        with urllib.request.urlopen(request) as response:  # noqa: S310 - our own server
            answers.append(json.load(response))
    assert (answers[0]["ok"], answers[1]) == (True, {"ok": False, "error": "invalid_json"})
    assert sandbox.messages(TEAM, ADA)[0].blocks[0]["text"]["text"] == "form"
