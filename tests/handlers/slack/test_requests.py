"""`/slack/events` from outside: what Slack sends, what looks like it, garbage, and the same request again."""

from __future__ import annotations

import copy
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler import ticker
from store.tables import metadata
from store.tables.outbox import runs
from tests.support import depth, slack_http
from tests.support import requests as asked
from tests.support.slack_http import FORM, JSON, SignedHttp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from programme.app import App
    from tests.support.clock import Clock

ADA, IRIS = "U0ADA", "U0IRIS"
SHORT = settings(
    max_examples=depth.examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def slack(sqlite_app: App) -> Iterator[SignedHttp]:
    with slack_http.listening(sqlite_app) as listening:
        yield listening


# --- What Slack and Bolt agreed on ---------------------------------------------------------------------------------


def test_the_handshake_is_answered(slack: SignedHttp) -> None:
    """Slack believes an address that returns its challenge."""
    answer = slack.event({"type": "url_verification", "challenge": "abc", "token": "t"})
    assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})


def test_a_look_at_the_certificate_needs_no_signature(slack: SignedHttp) -> None:
    """`ssl_check` is answered with nothing, as POST and as GET; it names no one and does nothing."""
    asked = slack.http.post("/slack/events", content="ssl_check=1&token=t", headers={"content-type": FORM})
    assert (asked.status_code, asked.text) == (200, "")
    assert slack.http.get("/slack/events?ssl_check=1").status_code == 200


def test_only_post_is_taken(slack: SignedHttp) -> None:
    """A browser that looks in is told which method there is."""
    looked = slack.http.get("/slack/events")
    assert (looked.status_code, looked.headers["allow"]) == (405, "POST")
    assert slack.http.put("/slack/events").status_code == 405


MALFORMED: dict[str, tuple[str, str]] = {
    "nothing": ("", FORM),
    "no JSON": ("{", JSON),
    "an array": ("[]", JSON),
    "null": ("null", JSON),
    "a text": ('"hello"', JSON),
    "no kind": ("{}", JSON),
    "a kind that is no text": ('{"type": 7}', JSON),
    "an event without content": ('{"type": "event_callback"}', JSON),
    "a form without a command": ("a=b", FORM),
    "a payload that is no JSON": ("payload=%7B", FORM),
    "a payload that is a list": ("payload=[]", FORM),
    "a click on nothing": (urlencode({"payload": json.dumps(slack_http.press("a", ADA) | {"actions": []})}), FORM),
    "a click by no one": (urlencode({"payload": json.dumps(slack_http.press("a", ADA) | {"user": None})}), FORM),
    "deeper than a stack": ('{"type":' + "[" * 100_000, JSON),
    "a number of ten thousand digits": ('{"type":' + "9" * 10_000 + "}", JSON),
    "a command by no one": ("command=%2Ftokens&text=balance", FORM),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_bodies_are_bad_requests(slack: SignedHttp, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """What is signed and still nothing of Slack's is a 400; unsigned it is a 401 whatever it is; neither is logged."""
    body, content_type = MALFORMED[name]
    assert slack.send(body, content_type).status_code == 400
    assert slack.send(body, content_type, **{"x-slack-signature": f"v0={'a' * 64}"}).status_code == 401
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("signature", ["v0=é" + "0" * 63, "é", "v0=" + "٣" * 64, "v1=" + "0" * 64, "v0=" + "A" * 64])
def test_a_signature_that_cannot_be_one_is_refused(
    slack: SignedHttp, caplog: pytest.LogCaptureFixture, signature: str
) -> None:
    """Letters beyond ASCII, in a header or a digest, are a wrong signature like any other."""
    body = urlencode(slack_http.command("balance", ADA)).encode()
    headers = [(name.encode(), value.encode()) for name, value in slack.signed(body, FORM).items()]
    sent = [(name, signature.encode() if name == b"x-slack-signature" else value) for name, value in headers]
    answer = slack.http.post("/slack/events", content=body, headers=sent)
    assert answer.status_code == 401
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_what_nothing_handles_is_told_by_its_kind_alone(slack: SignedHttp, caplog: pytest.LogCaptureFixture) -> None:
    """A request of another kind, however deep, is a 404; what is in it is in no log."""
    deep = '{"type": "workflow_step", "secret": ' + "[" * 400 + '"words"' + "]" * 400 + "}"
    assert slack.send(deep, JSON).status_code == 404
    assert "workflow_step" in caplog.text
    assert "words" not in caplog.text


# --- Garbage -------------------------------------------------------------------------------------------------------

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "U0ADA", "\0", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
KINDS = {
    "press": slack_http.press("fast_track_approve", ADA, "xr_1:1"),
    "menu": slack_http.press("fast_track_request", ADA)
    | {"view": {"id": "V1", "type": "home", "hash": "1", "blocks": []}},
    "form": slack_http.submission("fast_track_reject", ADA, {"reason": {"type": "plain_text_input", "value": "x"}}),
    "closed": slack_http.submission("fast_track_form", ADA, {}) | {"type": "view_closed"},
    "options": slack_http.suggestion("project", ADA, "x"),
    "home": slack_http.event({"type": "app_home_opened", "tab": "home", "user": ADA}),
    "group": slack_http.event({"type": "subteam_updated", "subteam": {"id": "S1"}}),
    "message": slack_http.event({"type": "message", "channel_type": "im", "channel": "D1", "user": ADA, "text": "hi"}),
}


def _places(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401
    inside: Any = (
        content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    )
    for key, value in inside:
        yield (*path, key)
        yield from _places(value, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """A request of Slack's in which something stands that does not belong there, or is missing."""
    content: Any = copy.deepcopy(KINDS[draw(st.sampled_from(sorted(KINDS)))])
    *path, last = draw(st.sampled_from(sorted(_places(content), key=str)))
    inside = content
    for key in path:
        inside = inside[key]
    if draw(st.booleans()):
        del inside[last]
    else:
        inside[last] = draw(ANY_JSON)
    return dict(content)


@SHORT
@given(body=st.binary(max_size=200), content_type=st.sampled_from([FORM, JSON, "", "text/plain; charset=utf-7"]))
def test_unsigned_garbage_is_refused(slack: SignedHttp, body: bytes, content_type: str) -> None:
    """Whatever comes without Slack's signature is a 401: it is never decoded, so it cannot fail."""
    sent = slack.http.post("/slack/events", content=body, headers={"content-type": content_type})
    assert sent.status_code == 401


@SHORT
@given(body=st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | ANY_JSON.map(json.dumps))
def test_signed_garbage_is_a_bad_request(slack: SignedHttp, body: str) -> None:
    """A body of no shape is a 400, as JSON and as a form."""
    for content_type in (FORM, JSON):
        assert slack.send(body, content_type).status_code in {400, 404}


@SHORT
@given(content=spoilt())
def test_a_spoilt_request_fails_no_one(
    slack: SignedHttp, caplog: pytest.LogCaptureFixture, content: dict[str, Any]
) -> None:
    """With any part of a request missing or another, there is an answer, no failure of ours, and no traceback."""
    caplog.clear()
    sent = slack.interaction(content) if content.get("type") != "event_callback" else slack.event(content)
    assert sent.status_code in {200, 400, 404}
    # That no workspace is there is the client library's own complaint.
    failures = [one for one in caplog.records if one.levelno >= logging.ERROR and "slack_sdk" not in one.name]
    assert [one.getMessage() for one in failures] == []


# --- The same again ------------------------------------------------------------------------------------------------


class Recorded:
    """Someone on the way who recorded a signed request, and sends it again, byte for byte."""

    def __init__(self, slack: SignedHttp, body: str) -> None:
        self._http, self._body = slack.http, body.encode()
        self._headers = slack.signed(self._body, FORM)

    def send(self) -> Response:
        return self._http.post("/slack/events", content=self._body, headers=self._headers)


def clicked(content: dict[str, Any]) -> str:
    return urlencode({"payload": json.dumps(content)})


@pytest.fixture
def board(app: App) -> Iterator[tuple[App, SignedHttp]]:
    convened = asked.convene(app)
    with slack_http.listening(convened) as listening:
        yield convened, listening


def state_of(app: App) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but when someone last looked at their Home."""
    with app.database.reading() as session:
        tables = [table for table in metadata.sorted_tables if table.name != "homes"]
        return {table.name: [tuple(row) for row in session.execute(sa.select(table))] for table in tables}


def test_a_vote_that_was_changed_stays_changed(board: tuple[App, SignedHttp]) -> None:
    """A recorded click on Approve, sent after the member rejected, counts nothing and writes nothing."""
    app, slack = board
    request = asked.ask(app, "ada@example.com", "400000")
    approve = slack_http.press("fast_track_approve", IRIS, f"{request.id}:1", trigger_id="1.1.approve")
    recorded = Recorded(slack, clicked(approve))
    assert recorded.send().status_code == 200
    asked.vote(app, asked.IRIS, request, approves=False)
    before = state_of(app)
    assert recorded.send().status_code == 200
    assert state_of(app) == before


def test_a_delegation_that_was_taken_back_stays_so(board: tuple[App, SignedHttp]) -> None:
    """Commands that write are done once: a recorded one hands no vote over again, nor takes one back."""
    app, slack = board
    hand_over = Recorded(
        slack, urlencode(slack_http.command("delegate <@U0LENA> until 2026-11-30", IRIS, trigger_id="1.1.x"))
    )
    take_back = Recorded(slack, urlencode(slack_http.command("delegate off", IRIS, trigger_id="1.1.y")))
    assert "Lena Vogt votes in your place" in hand_over.send().text
    assert "Your vote is yours again" in take_back.send().text
    before = state_of(app)
    assert "done that already" in hand_over.send().text
    assert state_of(app) == before
    again = slack.command("delegate <@U0LENA> until 2026-11-30", IRIS, trigger_id="1.1.z")
    assert "Lena Vogt votes in your place" in again.text
    before = state_of(app)
    assert "done that already" in take_back.send().text
    assert state_of(app) == before


def test_a_form_that_was_sent_changes_nothing_again(board: tuple[App, SignedHttp]) -> None:
    """A recorded form does not set back what a later one chose, and its sender is told that it is done."""
    app, slack = board

    def chosen(percent: str, trigger_id: str) -> str:
        values: dict[str, dict[str, Any]] = {
            "percent": {"type": "checkboxes", "selected_options": [{"value": percent}]},
            "quiet_from": {"type": "static_select", "selected_option": {"value": "20"}},
            "quiet_until": {"type": "static_select", "selected_option": {"value": "8"}},
        }
        return clicked(slack_http.submission("warnings_choose", ADA, values, trigger_id=trigger_id))

    first = Recorded(slack, chosen("50", "1.1.first"))
    assert first.send().text == ""
    assert Recorded(slack, chosen("85", "1.1.second")).send().text == ""
    before = state_of(app)
    told = first.send()
    assert told.json()["view"]["title"]["text"] == "Done already"
    assert state_of(app) == before


def test_a_draft_is_not_set_back(board: tuple[App, SignedHttp]) -> None:
    """What was typed earlier, recorded on its way, does not replace what was typed later; nor does an old closing."""
    app, slack = board

    def view(purpose: str) -> dict[str, Any]:
        values = {"purpose": {"type": "plain_text_input", "value": purpose}}
        return slack_http.submission("fast_track_form", ADA, values)

    def typing(purpose: str, trigger_id: str) -> str:
        action = {"type": "plain_text_input", "action_id": "purpose", "block_id": "purpose", "value": purpose}
        content = {"type": "block_actions", "trigger_id": trigger_id, "actions": [action]}
        return clicked(view(purpose) | content)

    first = Recorded(slack, typing("One", "1.1.one"))
    closed = Recorded(slack, clicked(view("One and") | {"type": "view_closed"}))
    for recorded in (first, closed, Recorded(slack, typing("Two", "1.1.two"))):
        recorded.send()
    before = state_of(app)
    assert before["request_drafts"][0][1]["purpose"] == "Two"
    for recorded in (first, closed):
        assert recorded.send().status_code == 200
    assert state_of(app) == before


def test_ids_are_forgotten_when_their_signatures_have_ended(sqlite_app: App, clock: Clock) -> None:
    """The clockwork drops the ids of clicks that no one could send again, and nothing else."""
    with sqlite_app.once("1.1.old").transaction():
        pass
    clock.move(seconds=ticker.BELIEVED.total_seconds() + 1)
    with sqlite_app.once("1.1.new").transaction():
        pass
    ticker.tick_once(sqlite_app)
    with sqlite_app.database.reading() as session:
        kept = session.execute(sa.select(runs.c.period).where(runs.c.job == "slack")).scalars().all()
    assert kept == ["1.1.new"]


# --- What no database takes ----------------------------------------------------------------------------------------


def test_what_no_database_takes_never_reaches_one(board: tuple[App, SignedHttp]) -> None:
    """NUL is left out and half of an emoji is marked, whatever they were typed into; the rest is kept as it is."""
    app, slack = board
    request = asked.ask(app, "ada@example.com", "400000")
    private = json.dumps({"request_id": request.id, "channel": "C1", "ts": "1.1"})
    values = {"reason": {"type": "plain_text_input", "value": "No\0t n\ud83dow"}}
    sent = slack.interaction(slack_http.submission("fast_track_reject", IRIS, values, private_metadata=private))
    assert sent.status_code == 200
    [vote] = state_of(app)["request_votes"]
    assert "Not n\ufffdow" in vote
    assert slack.command("history \ud800\0".encode(errors="replace").decode(), ADA).status_code == 200
