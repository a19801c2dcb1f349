"""The courier where something else answers in Slack's place, where Slack refuses the app, and where one row is bad."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError

from bot import doctor
from sandbox.faults import PAGE
from scheduler import courier, remedies, troubles
from store.outbox import messages as store
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import cast, slack
from tests.support.books import ADA, BEN, MARA
from tests.support.couriers import deliver, dm, owe, row, say

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from sandbox import Sandbox
    from tests.support.clock import Clock

JSON = "application/json"
NO_ANSWERS: list[dict[str, Any]] = [
    *({"status": status, "body": PAGE} for status in (200, 302, 400, 403, 404, 408, 413, 429, 500, 502, 503)),
    *({"body": body, "content_type": JSON} for body in ("{}", "null", "[]", "[1]", '"ok"', "7", "", "{", "[" * 5_000)),
    {"body": '{"ok": false}', "content_type": JSON},
    {"body": '{"ok": false, "error": "Sign in to the network first"}', "content_type": JSON},
    {"status": 403, "body": '{"error": "forbidden"}', "content_type": JSON},
    {"body": "nonsense", "content_type": "application/gzip"},
    {"body": "Grüße", "content_type": "text/html; charset=no-such-charset"},
]


def a_name(fault: dict[str, Any]) -> str:
    return f"{fault.get('status', 200)}-{fault['body'][:12]}"


def others(app: App, count: int) -> None:
    """Owe Ada so many messages more."""
    me = cast.person_id(app, ADA)
    rows = [
        store.NewMessage(f"more:{n}", "note", json.dumps({"text": f"more {n}"}), me, None, app.clock())
        for n in range(count)
    ]
    with app.database.transaction() as session:
        store.owe(session, rows, now=app.clock())


def posts(sandbox: Sandbox) -> int:
    return sum(call.method == "chat.postMessage" for call in sandbox.calls)


# --- No answer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("performed", [True, False])
@pytest.mark.parametrize("fault", NO_ANSWERS, ids=a_name)
def test_what_is_no_answer_of_slack_doubles_and_parks_nothing(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock, fault: dict[str, Any], *, performed: bool
) -> None:
    """A page, another status, `null` or nothing: the pass stops, and the key is looked for before it is sent again."""
    owe(sqlite_app, ADA, MARA)
    sandbox.faults.add("chat.postMessage", performed=performed, **fault)
    done = deliver(sqlite_app, client)
    assert (done.sent, done.parked, done.postponed, bool(done.stopped)) == (0, 0, 2, True)
    assert posts(sandbox) == 1
    assert row(sqlite_app, f"note:{ADA}")["uncertain"]
    clock.move(seconds=5)
    done = deliver(sqlite_app, client)
    assert (done.settled, done.sent) == ((1, 1) if performed else (0, 2))
    assert [len(dm(sandbox, user)) for user in (slack.ADA, slack.MARA)] == [1, 1]


def test_a_proxy_that_answers_every_call_parks_nothing_and_is_left_alone(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """In an hour of pages a courier asks less and less often; afterwards everything arrives once, by itself."""
    others(sqlite_app, 20)
    sandbox.faults.add("chat.postMessage", times=10_000, body=PAGE)
    sandbox.faults.add("auth.test", times=10_000, body=PAGE)
    sandbox.faults.add("conversations.open", times=10_000, body=PAGE)
    passes = courier.Courier(sqlite_app, client, compose=say, monotonic=lambda: clock().timestamp())
    for _ in range(1_800):
        passes()
        clock.move(seconds=2)
    assert len(sandbox.calls) < 100
    with sqlite_app.database.reading() as session:
        assert store.parked_by_problem(session) == {}
    sandbox.faults.clear()
    for _ in range(300):
        passes()
        clock.move(seconds=6)
    assert sorted(message.text for message in dm(sandbox, slack.ADA)) == sorted(f"more {n}" for n in range(20))


def test_one_message_that_only_meets_pages_is_parked_while_slack_answers_others(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """A firewall that dislikes one message's words costs that message alone; tried again, it is looked for first."""
    owe(sqlite_app, ADA)
    sandbox.faults.add("chat.postMessage", times=9, status=413, body=PAGE)
    sandbox.faults.add("chat.postMessage", status=413, body=PAGE, performed=True)
    for _ in range(10):
        deliver(sqlite_app, client)
        clock.now = max(clock.now, row(sqlite_app, f"note:{ADA}")["due_at"])
    kept = row(sqlite_app, f"note:{ADA}")
    assert (kept["state"], kept["problem"], kept["uncertain"]) == ("parked", "no_answer", True)
    with sqlite_app.database.transaction() as session:
        assert store.retry(session, now=clock.now) == 1
    assert deliver(sqlite_app, client).settled == 1
    assert len(dm(sandbox, slack.ADA)) == 1


def test_a_page_where_the_key_is_looked_for_is_no_sign_that_it_is_not_there(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """The doubt lasts until Slack itself has shown the conversation."""
    owe(sqlite_app, ADA)
    sandbox.faults.add("chat.postMessage", body=PAGE, performed=True)
    sandbox.faults.add("conversations.history", times=2, body="{}", content_type=JSON)
    deliver(sqlite_app, client)
    for seconds in (5, 10):
        clock.move(seconds=seconds)
        assert deliver(sqlite_app, client).stopped == "no_answer"
    clock.move(seconds=20)
    assert deliver(sqlite_app, client).settled == 1
    assert posts(sandbox) == 1


@given(
    answer=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda some: st.lists(some, max_size=3) | st.dictionaries(st.sampled_from(["ok", "error", "x"]), some),
        max_leaves=6,
    ),
    status=st.sampled_from([200, 302, 400, 403, 404, 408, 413, 500, 503]),
)
def test_only_a_json_object_with_a_code_is_an_answer(answer: object, status: int) -> None:
    """Whatever else is answered may have been done; and the code never is a text that a stranger wrote."""
    trouble = troubles.of(refusal(answer, status))
    is_answer = isinstance(answer, dict) and answer.get("ok") is False and str(answer.get("error")).isidentifier()
    if not is_answer:
        assert (trouble.code, trouble.course, trouble.performed) == ("no_answer", "back_off", True)
    assert " " not in trouble.code


def refusal(data: object, status: int, headers: dict[str, str] | None = None) -> SlackApiError:
    """An error as the client library raises it."""
    response = SimpleNamespace(data=data, status_code=status, headers=headers or {})
    return SlackApiError("refused", response)  # type: ignore[no-untyped-call]  # the library's


@pytest.mark.parametrize(
    ("said", "seconds"), [("30", 30), ("0", 1), ("-5", 1), ("soon", 5), ("99999999999999999999", 3600)]
)
def test_a_limit_lasts_an_hour_at_most(said: str, seconds: int) -> None:
    """Whatever stands in `Retry-After`, the courier comes back."""
    trouble = troubles.of(refusal({}, 429, {"Retry-After": said}))
    assert (trouble.course, trouble.retry_after) == ("wait", timedelta(seconds=seconds))


# --- Refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(troubles.OF_THE_APP | {"team_added_to_org"}))
def test_a_refusal_of_the_whole_app_stops_everything_and_loses_nothing(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock, code: str
) -> None:
    """Whatever Slack refuses the app for, nothing is parked, and everything goes out once it is settled."""
    owe(sqlite_app, ADA, MARA, channel=slack.GENERAL)
    sandbox.workspace.change_app(refused_as=code)
    done = deliver(sqlite_app, client)
    assert (done.sent, done.parked, done.stopped) == (0, 0, code)
    assert posts(sandbox) == 1
    assert remedies.remedy(code) != remedies.remedy("anything_else")
    sandbox.workspace.change_app(refused_as="")
    clock.move(minutes=5)
    assert deliver(sqlite_app, client).sent == 3


def test_without_a_messages_tab_people_wait(sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """The tab can be switched off and on in the app's settings; what was owed meanwhile is not lost."""
    owe(sqlite_app, ADA)
    sandbox.workspace.change_app(messages_tab=False)
    assert deliver(sqlite_app, client).stopped == "messages_tab_disabled"
    sandbox.workspace.change_app(messages_tab=True)
    clock.move(minutes=5)
    assert deliver(sqlite_app, client).sent == 1


def test_a_refusal_that_nobody_knows_does_not_empty_the_outbox(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """It may be about the whole app, so the pass stops and backs off; of one message it is parked in the end."""
    owe(sqlite_app, ADA, MARA)
    sandbox.faults.add("chat.postMessage", error="something_new")
    done = deliver(sqlite_app, client)
    assert (done.parked, done.postponed, done.stopped) == (0, 2, "something_new")
    assert not row(sqlite_app, f"note:{ADA}")["uncertain"]
    clock.move(seconds=5)
    assert deliver(sqlite_app, client).sent == 2
    owe(sqlite_app, BEN)
    sandbox.faults.add("chat.postMessage", times=10, error="something_new")
    clock.move(hours=4)
    for _ in range(10):
        deliver(sqlite_app, client)
        clock.now = max(clock.now, row(sqlite_app, f"note:{BEN}")["due_at"])
    assert row(sqlite_app, f"note:{BEN}")["problem"] == "something_new"


def test_blocks_that_slack_refuses_have_a_remedy_of_their_own(
    sqlite_app: App, sandbox: Sandbox, client: WebClient
) -> None:
    """It is the bot's mistake, not the administrator's: they are told to report it, and how to send it afterwards."""
    owe(sqlite_app, ADA, MARA)
    sandbox.faults.add("chat.postMessage", error="invalid_blocks")
    done = deliver(sqlite_app, client)
    assert (done.sent, done.parked) == (1, 1)
    [finding] = [one for one in doctor._outbox(sqlite_app) if "invalid_blocks" in one.what]
    assert finding.what == "1 message is parked: invalid_blocks."
    assert "Report it" in finding.remedy
    assert "`tokens-bot deliver --retry --problem invalid_blocks`" in finding.remedy


# --- One bad row ---------------------------------------------------------------------------------------------------


def test_a_zone_that_is_not_found_holds_up_no_one(sqlite_app: App, client: WebClient) -> None:
    """A person whose zone no one knows any more gets messages by the programme's, and the others get theirs."""
    owe(sqlite_app, ADA, MARA)
    with sqlite_app.database.transaction() as session:
        session.execute(sa.update(people).where(people.c.email == ADA).values(time_zone="Atlantis/Capital"))
    done = deliver(sqlite_app, client)
    assert (done.sent, done.parked) == (2, 0)


@pytest.mark.parametrize("body", ['{"ok": true}', '{"ok": true, "channel": null, "ts": 5}'])
def test_an_ok_that_does_not_say_where_parks_its_row_in_doubt(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock, body: str
) -> None:
    """No made-up place is put on record; the others go out, and a second try finds the message."""
    owe(sqlite_app, ADA, MARA)
    sandbox.faults.add("chat.postMessage", body=body, content_type=JSON, performed=True)
    done = deliver(sqlite_app, client)
    assert (done.sent, done.parked) == (1, 1)
    kept = row(sqlite_app, f"note:{ADA}")
    assert (kept["problem"], kept["uncertain"], kept["slack_ts"]) == ("odd_answer", True, None)
    with sqlite_app.database.transaction() as session:
        store.retry(session, now=clock.now, key=f"note:{ADA}")
    assert deliver(sqlite_app, client).settled == 1
    assert len(dm(sandbox, slack.ADA)) == 1


@pytest.mark.parametrize("method", ["conversations.open", "conversations.history"])
def test_an_ok_without_what_was_asked_for_is_not_taken_for_nothing(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock, method: str
) -> None:
    """A list of messages that is missing is not an empty one: the message stays in doubt and is not sent."""
    owe(sqlite_app, ADA)
    sandbox.faults.add("chat.postMessage", body=PAGE, performed=True)
    sandbox.faults.add(method, body='{"ok": true}', content_type=JSON)
    deliver(sqlite_app, client)
    clock.move(seconds=5)
    assert deliver(sqlite_app, client).parked == 1
    assert row(sqlite_app, f"note:{ADA}")["uncertain"]
    with sqlite_app.database.transaction() as session:
        store.retry(session, now=clock.now)
    assert deliver(sqlite_app, client).settled == 1
    assert posts(sandbox) == 1


def test_a_mistake_about_one_row_parks_that_row(
    sqlite_app: App, client: WebClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the bot did not foresee, the others are sent; the log says where, and nothing of what a message says."""
    owe(sqlite_app, ADA, MARA)
    mistakes = iter([RuntimeError(f"for {ADA}")])

    def stumble(now: Any, *_: object) -> Any:  # noqa: ANN401 - an instant
        for mistake in mistakes:
            raise mistake
        return now

    monkeypatch.setattr("scheduler.delivery.next_opening", stumble)
    with caplog.at_level(logging.ERROR):
        done = deliver(sqlite_app, client)
    assert (done.sent, done.parked) == (1, 1)
    assert row(sqlite_app, f"note:{ADA}")["problem"] == "not_handled"
    assert "RuntimeError" in caplog.text
    assert ADA not in caplog.text


@pytest.mark.parametrize("where", ["compose", "send"])
def test_a_database_out_of_reach_is_nobodys_fault(  # noqa: PLR0917 - fixtures
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message is parked for it: the pass ends, and the next courier settles what it left."""
    owe(sqlite_app, ADA)
    away = sa.exc.OperationalError("SELECT 1", {}, OSError("gone"))

    def fail(*_: object) -> Any:  # noqa: ANN401 - it never returns
        raise away

    if where == "send":
        monkeypatch.setattr("scheduler.delivery.next_opening", fail)
    with pytest.raises(sa.exc.OperationalError):
        courier.deliver(sqlite_app, client, courier="c", compose=fail if where == "compose" else say)
    monkeypatch.undo()
    slack.without_proxies(monkeypatch)
    clock.move(minutes=5)
    assert deliver(sqlite_app, client).sent == 1
    assert len(dm(sandbox, slack.ADA)) == 1


# --- Quiet ---------------------------------------------------------------------------------------------------------


def test_a_clock_that_is_put_back_does_not_silence_a_courier(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """The quiet that Slack asked for is as long as it asked for, whatever the wall clock says meanwhile."""
    owe(sqlite_app, ADA)
    sandbox.faults.add("chat.postMessage", status=429, retry_after=30)
    here = 0.0
    passes = courier.Courier(sqlite_app, client, compose=say, monotonic=lambda: here)
    assert passes().stopped == "ratelimited"
    clock.move(minutes=-10)
    others(sqlite_app, 1)
    here = 29.0
    assert passes().sent == 0
    here = 30.0
    assert passes().sent == 1


# --- Trying again --------------------------------------------------------------------------------------------------


def test_a_whole_group_is_tried_again(sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """What has one cause is settled by one command; what has another stays where it is."""
    owe(sqlite_app, ADA, MARA, channel=slack.GENERAL)
    sandbox.workspace.change_member(slack.ADA, deleted=True)
    sandbox.workspace.change_member(slack.MARA, deleted=True)
    sandbox.workspace.change_channel(slack.GENERAL, is_archived=True)
    assert deliver(sqlite_app, client).parked == 3
    with sqlite_app.database.transaction() as session:
        assert store.retry(session, now=clock.now, problem="channel_not_found", key="no-such-key") == 0
        assert store.retry(session, now=clock.now, problem="channel_not_found") == 2
    left = sa.select(outbox.c.problem).where(outbox.c.state == "parked")
    with sqlite_app.database.reading() as session:
        assert list(session.execute(left).scalars()) == ["is_archived"]
