"""The courier against a workspace that answers badly: each message arrives once, or waits where it can be seen."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from bot import doctor
from scheduler import courier, remedies, slack_delivery
from scheduler.messages import Composed, UnknownTemplateError, compose
from store.outbox import messages as store
from store.tables.audit import audit_log
from tests.support import books, cast, slack
from tests.support.books import ADA, BEN, MARA
from tests.support.couriers import deliver, dm, owe, row, say

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from sandbox import Sandbox
    from store.engine import Database
    from tests.support.clock import Clock


def test_each_message_arrives_once_and_is_on_record(app: App, sandbox: Sandbox, client: WebClient) -> None:
    """People and channel get theirs, with the key in the metadata; channel and ts are kept; nothing is left to do."""
    owe(app, ADA, MARA, channel=slack.GENERAL)
    done = deliver(app, client)
    assert (done.sent, done.postponed, done.parked) == (3, 0, 0)
    [message] = dm(sandbox, slack.ADA)
    assert message.text == f"Hello {ADA}"
    assert message.metadata == {"event_type": "tokens_message", "event_payload": {"key": f"note:{ADA}"}}
    kept = row(app, f"note:{ADA}")
    assert (kept["state"], kept["slack_channel"], kept["slack_ts"]) == ("sent", sandbox.dm(slack.ADA), message.ts)
    assert [m.text for m in sandbox.messages(slack.GENERAL, slack.ADA)] == ["Hello all"]
    assert deliver(app, client).leased == 0


def test_people_are_not_woken(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """At noon in Berlin it is night for Tess in Tokyo, and early for Ben in New York: they read it in their morning."""
    owe(app, ADA, BEN, "tess@example.com")
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    deliver(app, client)
    assert [len(dm(sandbox, user)) for user in (slack.ADA, slack.BEN, slack.TESS)] == [1, 0, 0]
    clock.now = datetime(2026, 11, 20, 14, tzinfo=UTC)
    deliver(app, client)
    assert [len(dm(sandbox, user)) for user in (slack.ADA, slack.BEN, slack.TESS)] == [1, 1, 0]
    clock.now = datetime(2026, 11, 23, 0, tzinfo=UTC)
    deliver(app, client)
    assert len(dm(sandbox, slack.TESS)) == 1


def test_a_night_that_came_meanwhile_is_kept_as_well(
    app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """A message that was due by day and was held up until midnight goes out the next working morning."""
    owe(app, ADA)
    clock.now = datetime(2026, 11, 20, 23, tzinfo=UTC)
    assert deliver(app, client).postponed == 1
    assert row(app, f"note:{ADA}")["due_at"] == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert row(app, f"note:{ADA}")["attempts"] == 0
    assert dm(sandbox, slack.ADA) == ()


def test_slack_says_when_to_come_back(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """After 429 nothing more is sent in the pass, and the message waits as long as Slack says."""
    owe(app, ADA, MARA)
    sandbox.faults.add("chat.postMessage", status=429, retry_after=30)
    done = deliver(app, client)
    assert (done.sent, done.stopped) == (0, "ratelimited")
    clock.move(seconds=29)
    assert deliver(app, client).sent == 1
    clock.move(seconds=1)
    assert deliver(app, client).sent == 1
    assert [len(dm(sandbox, user)) for user in (slack.ADA, slack.MARA)] == [1, 1]


@pytest.mark.parametrize("performed", [True, False])
def test_a_failure_of_slack_doubles_nothing(
    app: App, sandbox: Sandbox, client: WebClient, clock: Clock, *, performed: bool
) -> None:
    """After a 500 no one knows: the key is looked for, and the message sent again only if it is not there."""
    owe(app, ADA, channel=slack.GENERAL)
    sandbox.faults.add("chat.postMessage", status=500, performed=performed)
    # The second one is given back untried.
    assert deliver(app, client).postponed == 2
    assert row(app, f"note:{ADA}")["uncertain"]
    clock.move(seconds=5)
    done = deliver(app, client)
    assert (done.settled, done.sent) == ((1, 1) if performed else (0, 2))
    assert len(dm(sandbox, slack.ADA)) == len(sandbox.messages(slack.GENERAL, slack.ADA)) == 1
    assert row(app, f"note:{ADA}")["slack_ts"] == dm(sandbox, slack.ADA)[0].ts


def test_silence_is_uncertain_too(app: App, sandbox: Sandbox, clock: Clock) -> None:
    """An answer that comes too late for the courier leaves the message in doubt, not lost and not doubled."""
    owe(app, ADA)
    hasty = slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
    hasty.timeout = 1
    sandbox.faults.add("chat.postMessage", delay=1.3)
    assert deliver(app, hasty).postponed == 1
    assert (row(app, f"note:{ADA}")["problem"], row(app, f"note:{ADA}")["uncertain"]) == ("no_answer", True)
    sandbox.wait_for(lambda: dm(sandbox, slack.ADA))
    clock.move(seconds=5)
    assert deliver(app, hasty).settled == 1
    assert len(dm(sandbox, slack.ADA)) == 1


def test_what_keeps_failing_is_parked_after_ten_attempts(
    app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """Each wait is twice as long as the last, up to a quarter of an hour; then an administrator has to look."""
    owe(app, ADA)
    sandbox.faults.add("chat.postMessage", times=10, status=503)
    waits = []
    for _ in range(9):
        before = clock.now
        assert deliver(app, client).postponed == 1
        clock.now = row(app, f"note:{ADA}")["due_at"]
        waits.append((clock.now - before).total_seconds())
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    assert deliver(app, client).parked == 1
    assert row(app, f"note:{ADA}")["state"] == "parked"
    with app.database.transaction() as session:
        assert store.retry(session, key=f"note:{ADA}", now=clock.now) == 1
    assert deliver(app, client).sent == 1


def test_a_revoked_token_stops_everything_and_loses_nothing(
    app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """While the app may not post, messages wait with the reason; once that is mended they go out by themselves."""
    owe(app, ADA, MARA)
    sandbox.workspace.change_app(revoked=True)
    done = deliver(app, client)
    assert (done.sent, done.parked, done.stopped) == (0, 0, "account_inactive")
    sandbox.workspace.change_app(revoked=False)
    clock.move(minutes=5)
    assert deliver(app, client).sent == 2


@pytest.mark.parametrize(
    ("spoil", "key", "problem"),
    [
        ("archive", f"note:{slack.GENERAL}", "is_archived"),
        ("deactivate", f"note:{ADA}", "channel_not_found"),
        ("forget", f"note:{ADA}", "no_slack_user"),
        ("unknown", f"note:{ADA}", "unknown_template"),
        ("spoil", f"note:{ADA}", "not_written"),
    ],
)
def test_what_cannot_be_delivered_is_parked_with_advice(
    app: App, sandbox: Sandbox, client: WebClient, *, spoil: str, key: str, problem: str
) -> None:
    """An archived channel, a deactivated or unknown person, a message no one can write: parked, and doctor tells."""
    if spoil == "forget":
        cast.hire(app, f"email,slack_user_id\n{ADA},-\n")
        sandbox.workspace.change_member(slack.ADA, email="other@example.com")
    template = spoil if spoil == "unknown" else "note"
    owe(app, ADA, channel=slack.GENERAL, template=template, **({"text": None} if spoil == "spoil" else {}))
    if spoil == "archive":
        sandbox.workspace.change_channel(slack.GENERAL, is_archived=True)
    if spoil == "deactivate":
        sandbox.workspace.change_member(slack.ADA, deleted=True)
    deliver(app, client)
    assert (row(app, key)["state"], row(app, key)["problem"]) == ("parked", problem)
    found = [finding for finding in doctor._outbox(app) if problem in finding.what]
    assert [finding.remedy for finding in found] == [remedies.remedy(problem)]


def test_who_is_not_linked_is_found_by_e_mail(app: App, sandbox: Sandbox, client: WebClient) -> None:
    """Zoe never wrote to the bot: her Slack account is looked up, linked with a record, and she gets her message."""
    cast.hire(app, slack.ZOE)
    owe(app, "zoe@example.com")
    assert deliver(app, client).sent == 1
    assert len(dm(sandbox, slack.NEWCOMER)) == 1
    assert books.rows(app, sa.select(sa.func.count()).where(audit_log.c.action == "people.link")) == [(1,)]


def test_a_picture_goes_with_its_message_once_it_can_be_shown(app: App, clock: Clock) -> None:
    """Slack needs a while to process an upload: the message waits for it, and the picture is uploaded once."""
    with slack.workspace(clock=clock, file_delay=timedelta(seconds=12)) as sandbox:
        client = slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
        owe(app, channel=slack.GENERAL, picture=True)
        for seconds in (0, 5, 10):
            clock.move(seconds=seconds)
            done = deliver(app, client)
        assert done.sent == 1
        [message] = sandbox.messages(slack.GENERAL, slack.ADA)
        assert [block["type"] for block in message.blocks] == ["section", "image"]
        assert message.blocks[1]["alt_text"] == "A chart"
        assert sum(call.method == "files.completeUploadExternal" for call in sandbox.calls) == 1


@pytest.mark.every_database
def test_couriers_at_once_share_the_work(app: App, database_url: str, sandbox: Sandbox, client: WebClient) -> None:
    """Four couriers that start in the same instant send each of sixty messages once."""
    with app.database.transaction() as session:
        now, me = app.clock(), cast.person_id(app, ADA)
        rows = [store.NewMessage(f"note:{n}", "note", f'{{"text": "{n}"}}', me, None, now) for n in range(60)]
        store.owe(session, rows, now=now)
    numbers = iter(range(4))
    lock = threading.Lock()

    def work(database: Database) -> None:
        with lock:
            me = f"courier-{next(numbers)}"
        own = dataclasses.replace(app, database=database)
        while deliver(own, client, me=me, most=5).leased:
            pass

    assert books.at_once(database_url, [work] * 4) == []
    assert sorted(int(message.text) for message in dm(sandbox, slack.ADA)) == list(range(60))


def test_a_lease_that_ran_out_is_settled_by_somebody_else(
    app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """A courier that died after sending leaves its lease: the next one finds the message and notes it."""
    owe(app, ADA)
    with app.database.transaction() as session:
        [taken] = store.lease(session, courier="dead", now=clock.now, until=clock.now + courier.LEASE, limit=5)
    slack_delivery.post(client, taken.key, say("note", taken.view), to=slack.ADA, file_id=None)
    assert deliver(app, client).leased == 0
    clock.move(minutes=5)
    assert deliver(app, client).settled == 1
    assert len(dm(sandbox, slack.ADA)) == 1
    with app.database.transaction() as session:
        assert not store.sent(session, taken.id, store.Place("C", "1"), courier="dead", now=clock.now)


def test_an_unknown_message_is_named(sqlite_app: App) -> None:
    """What no composer knows is an error of its own, which the courier parks."""
    with pytest.raises(UnknownTemplateError, match="no/such"):
        compose("no/such", {}, app=sqlite_app)


def test_a_slack_user_of_somebody_else_gets_nothing(sqlite_app: App, sandbox: Sandbox, client: WebClient) -> None:
    """If Slack has a person's e-mail at a user who is on record as another person, that other must not read it."""
    cast.hire(sqlite_app, slack.ZOE)
    sandbox.workspace.change_member(slack.NEWCOMER, email="other@example.com")
    sandbox.workspace.change_member(slack.ADA, email="zoe@example.com")
    owe(sqlite_app, "zoe@example.com")
    assert deliver(sqlite_app, client).parked == 1
    assert row(sqlite_app, "note:zoe@example.com")["problem"] == "slack_user_taken"
    assert dm(sandbox, slack.ADA) == ()


def test_a_guest_is_not_written_to(sqlite_app: App, sandbox: Sandbox, client: WebClient) -> None:
    """An e-mail that belongs to a guest of the workspace is no one's."""
    cast.hire(sqlite_app, slack.ZOE)
    sandbox.workspace.change_member(slack.NEWCOMER, is_restricted=True)
    owe(sqlite_app, "zoe@example.com")
    assert deliver(sqlite_app, client).parked == 1
    assert row(sqlite_app, "note:zoe@example.com")["problem"] == "slack_user_barred"


def test_a_courier_that_slept_sends_nothing(app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """While a machine sleeps its leases run out and another courier sends: the one that wakes lets go."""
    owe(app, ADA)
    others: list[int] = []

    def sleepy(template: str, view: Any) -> Composed:  # noqa: ANN401 - any JSON
        if not others:
            clock.move(minutes=5)
            others.append(deliver(app, client, me="other").sent)
        return say(template, view)

    done = courier.deliver(app, client, courier="sleepy", compose=sleepy)
    assert (others, done.sent, done.stopped) == ([1], 0, "lease_over")
    assert len(dm(sandbox, slack.ADA)) == 1
    assert row(app, f"note:{ADA}")["state"] == "sent"


def test_a_courier_keeps_quiet_as_long_as_slack_says(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """A limit holds for the passes that follow, not only for the message that met it; nothing is tried meanwhile."""
    owe(sqlite_app, ADA, MARA)
    sandbox.faults.add("chat.postMessage", status=429, retry_after=30)
    passes = courier.Courier(sqlite_app, client, compose=say, monotonic=lambda: clock().timestamp())
    assert passes().stopped == "ratelimited"
    clock.move(seconds=29)
    assert passes().leased == 0
    assert len([call for call in sandbox.calls if call.method == "chat.postMessage"]) == 1
    clock.move(seconds=1)
    assert passes().leased == 2


def test_a_long_outage_parks_no_mailing(sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock) -> None:
    """In an hour without Slack each of a hundred messages keeps attempts that it has not used."""
    me = cast.person_id(sqlite_app, MARA)
    said = json.dumps({"text": "Hello"})
    rows = [store.NewMessage(f"note:{n}", "note", said, me, None, clock.now) for n in range(100)]
    with sqlite_app.database.transaction() as session:
        store.owe(session, rows, now=clock.now)
    sandbox.faults.add("chat.postMessage", times=10_000, status=503)
    passes = courier.Courier(sqlite_app, client, compose=say, monotonic=lambda: clock().timestamp())
    for _ in range(1_800):
        passes()
        clock.move(seconds=2)
    with sqlite_app.database.reading() as session:
        assert store.parked_by_problem(session) == {}


def test_without_the_history_scopes_the_uncertain_wait_and_the_others_go(
    sqlite_app: App, sandbox: Sandbox, client: WebClient, clock: Clock
) -> None:
    """A question that the token may not ask holds up the message that needs it, and no other."""
    scopes = sandbox.workspace.app.scopes
    sandbox.workspace.change_app(scopes=scopes - {"im:history"})
    owe(sqlite_app, ADA)
    sandbox.faults.add("chat.postMessage", status=500, performed=True)
    deliver(sqlite_app, client)
    clock.move(seconds=5)
    owe(sqlite_app, MARA)
    done = deliver(sqlite_app, client)
    assert (done.sent, done.postponed, done.stopped) == (1, 1, "")
    assert row(sqlite_app, f"note:{ADA}")["problem"] == "missing_scope"
    sandbox.workspace.change_app(scopes=scopes)
    clock.move(minutes=5)
    assert deliver(sqlite_app, client).settled == 1
    assert len(dm(sandbox, slack.ADA)) == 1
