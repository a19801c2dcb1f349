"""One table of everything that Slack may send: whoever is meant answers, and no one else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt import BoltRequest

from handlers import slack_app
from handlers.slack.listeners import CLOSED_FORM, COMMAND, FORM, PRESS, SEARCH, Listeners

if TYPE_CHECKING:
    from slack_bolt import Ack

    from programme.app import App

VIEW = {"id": "V1", "type": "modal", "callback_id": "one"}
SENT: dict[tuple[str, str], dict[str, Any]] = {
    (COMMAND, "/one"): {"command": "/one", "text": ""},
    (PRESS, "one"): {"type": "block_actions", "actions": [{"action_id": "one", "block_id": "b"}]},
    (FORM, "one"): {"type": "view_submission", "view": VIEW},
    (CLOSED_FORM, "one"): {"type": "view_closed", "view": VIEW},
    (SEARCH, "one"): {"type": "block_suggestion", "action_id": "one", "block_id": "b", "value": ""},
}


def _asked(body: dict[str, Any]) -> BoltRequest:
    return BoltRequest(body=json.dumps(body), mode="socket_mode")


@pytest.mark.parametrize("meant", SENT, ids=lambda one: one[0])
def test_whoever_is_meant_answers(meant: tuple[str, str]) -> None:
    """Of listeners of every kind under one name, only that of the kind which was sent is asked."""
    table, heard = Listeners(), []

    def listener(kind: str) -> Any:  # noqa: ANN401 - a listener
        def answer(ack: Ack, body: dict[str, Any], _client: object) -> None:
            heard.append((kind, body))
            ack(kind)

        return answer

    for kind, name in SENT:
        table.on(kind, name, listener(kind))
    answer = table.answer(_asked(SENT[meant]))
    assert heard == [(meant[0], SENT[meant])]
    assert answer is not None
    assert answer.body == meant[0]


def test_an_event_is_acknowledged_for_its_listener() -> None:
    """A listener of an event is given the event and its envelope, and need not acknowledge."""
    table, heard = Listeners(), []
    table.on_event("came", lambda event, body, _client: heard.append((event, body["event_id"])))
    event = {"type": "came", "user": "U1"}
    answer = table.answer(_asked({"type": "event_callback", "event_id": "Ev1", "event": event}))
    assert heard == [(event, "Ev1")]
    assert answer is not None
    assert (answer.status, answer.body) == (200, "")


@pytest.mark.parametrize(
    "body",
    [
        {"command": "/other"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": [{"block_id": "one"}]},
        {"type": "view_submission", "view": None},
        {"type": "event_callback", "event": {}},
        {"type": "shortcut", "callback_id": "one"},
        {"type": None},
        {},
    ],
    ids=str,
)
def test_what_no_one_is_meant_by_is_left(body: dict[str, Any]) -> None:
    """What is in no listener's name, or names nothing, is left to Bolt."""
    table = Listeners()
    for kind, name in SENT:
        table.on(kind, name, lambda *_: pytest.fail("no one was meant"))
    assert table.answer(_asked(body)) is None


def test_two_listeners_for_one_thing_are_refused() -> None:
    """A second listener under a name would never be asked, so the app does not start with one."""
    table = Listeners()
    table.on(PRESS, "one", lambda *_: None)
    table.on(FORM, "one", lambda *_: None)
    with pytest.raises(ValueError, match="two listeners for the press 'one'"):
        table.on(PRESS, "one", lambda *_: None)


def test_what_nobody_listens_to_is_said_to_be_unhandled(sqlite_app: App) -> None:
    """A button that no listener knows gets an answer that says so, whatever else is registered."""
    bolt = slack_app.build(sqlite_app, token="xoxb-1")
    bolt._middleware_list = [one for one in bolt._middleware_list if "uthorization" not in type(one).__name__]
    body = {"type": "block_actions", "user": {"id": "U1"}, "actions": [{"action_id": "unknown", "block_id": "b"}]}
    answer = bolt.dispatch(_asked(body))
    assert answer.status == 404
    assert json.loads(answer.body) == {"error": "unhandled request"}
