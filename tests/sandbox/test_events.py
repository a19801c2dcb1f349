"""Events: an app hears of what it subscribed to, over both transports, and again if it did not take it."""

import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_sdk import WebClient

from sandbox import Sandbox, Workspace, WorkspaceError
from tests.sandbox.company import ADA, BEN, MARA, PLAN
from tests.sandbox.conftest import HandClock, TokensApp
from tests.sandbox.test_signed_http import http_app

__all__ = ["http_app"]

BOTH = frozenset({"subteam_members_changed", "subteam_updated"})
GROUP = "S0BOARD"


def listen(app: TokensApp, *names: str) -> dict[str, list[dict[str, Any]]]:
    """What the app hears, by the name of the event."""
    heard: dict[str, list[dict[str, Any]]] = {name: [] for name in names}

    def hear(body: dict[str, Any]) -> None:
        heard[body["event"]["type"]].append(body)

    for name in names:
        app.bolt.event(name)(hear)
    return heard


@pytest.fixture(params=["app", "http_app"])
def either(request: pytest.FixtureRequest, sandbox: Sandbox) -> TokensApp:
    sandbox.workspace.change_app(events=BOTH)
    made: TokensApp = request.getfixturevalue(request.param)
    return made


def test_a_group_changes(either: TokensApp, sandbox: Sandbox) -> None:
    """The app hears who joined and who left, and how the group is now; the Web API says the same."""
    heard = listen(either, *BOTH)
    changed = sandbox.set_user_group(GROUP, [BEN, ADA])
    assert changed.members == (BEN, ADA)
    sandbox.wait_for(lambda: all(heard.values()))
    (members,), (updated,) = heard["subteam_members_changed"], heard["subteam_updated"]
    event = members["event"]
    assert event.pop("event_ts")
    assert event == {
        "type": "subteam_members_changed",
        "subteam_id": GROUP,
        "team_id": "T0NORTH",
        "date_previous_update": 0,
        "date_update": changed.date_update,
        "added_users": [BEN, ADA],
        "added_users_count": 2,
        "removed_users": [MARA, "U0GONE"],
        "removed_users_count": 2,
    }
    assert changed.date_update == members["event_time"] > 0
    subteam = updated["event"]["subteam"]
    assert (subteam["id"], subteam["handle"], subteam["users"], subteam["user_count"]) == (
        GROUP,
        "board",
        [BEN, ADA],
        2,
    )
    assert members["event_id"] != updated["event_id"]
    assert members["authorizations"][0]["user_id"] == sandbox.workspace.app.bot_user
    assert (members["type"], members["api_app_id"]) == ("event_callback", sandbox.workspace.app.id)


def test_only_what_was_subscribed_to(app: TokensApp, sandbox: Sandbox) -> None:
    """Events that the app did not list, or has no scope for, are not sent; neither is a change that changes nothing."""
    before = sandbox.deliveries()
    sandbox.set_user_group(GROUP, [BEN])
    sandbox.workspace.change_app(events=BOTH)
    sandbox.set_user_group(GROUP, [BEN])
    sandbox.workspace.change_app(scopes=frozenset({"commands"}))
    sandbox.set_user_group(GROUP, [ADA])
    assert sandbox.deliveries() == before
    assert sandbox.warnings == ()
    assert app.bodies == []


def test_the_blueprint_names_events(sandbox: Sandbox) -> None:
    """A workspace's description lists the events of its app; one that lists none has none."""
    plan = PLAN | {"app": PLAN["app"] | {"events": ["subteam_updated"]}}
    assert Workspace.from_dict(plan).app.events == {"subteam_updated"}
    assert sandbox.workspace.app.events == frozenset()


def test_groups_of_strangers(sandbox: Sandbox) -> None:
    """No one can be put into a group who is not there, nor into a group that is not."""
    with pytest.raises(WorkspaceError, match="there is no member"):
        sandbox.set_user_group(GROUP, ["U0X"])
    with pytest.raises(WorkspaceError, match="there is no user group"):
        sandbox.set_user_group("S0X", [ADA])


def test_nobody_listens(sandbox: Sandbox) -> None:
    """Without a connection the group changes all the same, and a warning says that the app does not know."""
    sandbox.workspace.change_app(events=frozenset({"subteam_updated"}))
    sandbox.set_user_group(GROUP, [ADA])
    assert sandbox.workspace.user_groups[0].members == (ADA,)
    assert sandbox.warnings == ("event subteam_updated was not acknowledged (timeout)",)


@dataclass
class Endpoint:
    """A plain server that answers as a test wants, and keeps what it was sent."""

    url: str = ""
    failures: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        self.requests.append((headers, body))
        failed = len(self.requests) <= self.failures
        return (500, self.headers) if failed else (200, {})


@pytest.fixture
def endpoint(sandbox: Sandbox) -> Iterator[Endpoint]:
    made = Endpoint()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, headers = made.answer({key.lower(): value for key, value in self.headers.items()}, body)
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sandbox.workspace.change_app(
        request_url=f"http://127.0.0.1:{server.server_port}/", events=frozenset({"subteam_updated"})
    )
    yield made
    server.shutdown()
    server.server_close()


def test_events_are_sent_again(sandbox: Sandbox, endpoint: Endpoint, clock: HandClock) -> None:
    """An event that failed comes again, the same, signed, with the number of the attempt and why the last failed."""
    endpoint.failures = 2
    sandbox.set_user_group(GROUP, [ADA])
    numbers = [headers.get("x-slack-retry-num") for headers, _ in endpoint.requests]
    reasons = [headers.get("x-slack-retry-reason") for headers, _ in endpoint.requests]
    assert (numbers, reasons) == ([None, "1", "2"], [None, "http_error", "http_error"])
    assert len({body for _, body in endpoint.requests}) == 1
    headers, body = endpoint.requests[-1]
    assert headers["content-type"] == "application/json"
    stamp = str(int(clock().timestamp()))
    secret = sandbox.workspace.app.signing_secret.encode()
    mac = hmac.new(secret, f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-slack-signature"] == f"v0={mac}"
    assert json.loads(body)["event"]["type"] == "subteam_updated"


def test_events_are_given_up(sandbox: Sandbox, endpoint: Endpoint) -> None:
    """After four attempts, or after one if the app says so, the event is lost and a warning says so."""
    endpoint.failures = 9
    sandbox.set_user_group(GROUP, [ADA])
    assert len(endpoint.requests) == 4
    assert sandbox.warnings == ("event subteam_updated was not acknowledged (http_error)",)
    endpoint.headers = {"x-slack-no-retry": "1"}
    sandbox.set_user_group(GROUP, [BEN])
    assert len(endpoint.requests) == 5


def test_socket_mode_says_which_attempt(app: TokensApp, sandbox: Sandbox) -> None:
    """An envelope that no one acknowledged comes again with the number of the attempt beside it."""
    seen: list[tuple[int, str]] = []

    def forget(_: object, request: Any) -> None:  # noqa: ANN401 - the client's own
        if request.type == "events_api":
            seen.append((request.retry_attempt, request.retry_reason))

    sandbox.workspace.change_app(events=frozenset({"subteam_updated"}))
    sandbox._platform.deadline = 0.1
    listeners = app.handler.client.socket_mode_request_listeners
    listeners[:] = [forget]
    sandbox.set_user_group(GROUP, [ADA])
    assert seen == [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")]


# --- Messages ------------------------------------------------------------------------------------------------------

SAID = frozenset({"message.im", "message.channels", "message.groups"})
READING = frozenset({"im:history", "channels:history", "groups:history"})


@pytest.fixture(params=["app", "http_app"])
def reader(request: pytest.FixtureRequest, sandbox: Sandbox) -> list[dict[str, Any]]:
    """What an app hears that subscribed to messages of every kind."""
    scopes = sandbox.workspace.app.scopes | READING
    sandbox.workspace.change_app(events=SAID, scopes=scopes)
    app: TokensApp = request.getfixturevalue(request.param)
    # Bolt passes over what its own app said; here that is to be seen.
    app.bolt._middleware_list = [one for one in app.bolt._middleware_list if "IgnoringSelf" not in type(one).__name__]
    heard: list[dict[str, Any]] = []

    def hear(event: dict[str, Any]) -> None:
        heard.append(event)

    app.bolt.event("message")(hear)
    return heard


def test_a_message_to_the_app_is_heard(sandbox: Sandbox, reader: list[dict[str, Any]]) -> None:
    """Who said what where, at which time, and of which kind the conversation is; said once, heard once."""
    dm = sandbox.dm(ADA)
    said = sandbox.say(ADA, dm, "balance & <@nobody>")
    assert [(event["type"], event["channel_type"], event["channel"]) for event in reader] == [("message", "im", dm)]
    [event] = reader
    assert (event["user"], event["ts"], event["text"]) == (ADA, said.ts, "balance &amp; &lt;@nobody&gt;")
    assert event["client_msg_id"]
    assert "bot_id" not in event
    assert "subtype" not in event


def test_the_app_hears_itself_and_what_is_changed(
    sandbox: Sandbox, reader: list[dict[str, Any]], client: WebClient
) -> None:
    """Its own message comes with its `bot_id`; edits and deletions come as such, with what was there before."""
    dm = sandbox.dm(ADA)
    posted = client.chat_postMessage(channel=dm, text="Hello")
    sandbox.wait_for(lambda: len(reader) == 1)
    assert (reader[0]["user"], reader[0]["bot_id"]) == (sandbox.workspace.app.bot_user, sandbox.workspace.app.bot_id)
    client.chat_update(channel=dm, ts=str(posted["ts"]), text="Goodbye")
    sandbox.wait_for(lambda: len(reader) == 2)
    client.chat_delete(channel=dm, ts=str(posted["ts"]))
    sandbox.wait_for(lambda: len(reader) == 3)
    assert [event.get("subtype") for event in reader] == [None, "message_changed", "message_deleted"]
    assert (reader[1]["previous_message"]["text"], reader[1]["message"]["text"]) == ("Hello", "Goodbye")
    mine = sandbox.say(ADA, dm, "balnce")
    sandbox.edit(ADA, mine, "balance")
    assert [event.get("subtype") for event in reader[3:]] == [None, "message_changed"]
    assert reader[4]["message"]["edited"]["user"] == ADA


def test_what_an_app_may_not_read_it_does_not_hear(sandbox: Sandbox, reader: list[dict[str, Any]]) -> None:
    """Without the scope, without the subscription, and where it is no member, nothing is told."""
    sandbox.workspace.change_app(events=SAID - {"message.im"})
    sandbox.say(ADA, sandbox.dm(ADA), "balance")
    sandbox.workspace.change_app(events=SAID, scopes=sandbox.workspace.app.scopes - {"im:history"})
    sandbox.say(ADA, sandbox.dm(ADA), "balance")
    sandbox.workspace.change_app(scopes=sandbox.workspace.app.scopes | READING)
    with_ben = sandbox.workspace.open_dm(ADA, BEN).id
    sandbox.say(ADA, with_ben, "balance")
    assert reader == []
    sandbox.say(ADA, sandbox.dm(ADA), "balance")
    assert len(reader) == 1
