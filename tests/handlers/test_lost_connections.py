"""PostgreSQL ends connections in mid-work: what may be done again is, and counts once; else people hear the truth."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from slack_sdk import WebClient

from handlers import http, slack_app
from handlers.slack import interactions
from policy.units import MicroTokens
from programme.app import App
from programme.usage import keys
from store import engine, locks
from store.engine import open_database
from store.tables.handbook import programme
from store.tables.holds import holds
from store.tables.usage import usage_events
from templates.render import Message
from tests.conftest import ZONE
from tests.handlers.holds.test_holds_http import a_hold
from tests.handlers.test_http import cloudevent, post, statuses
from tests.support import books, postgres, slack
from tests.support.books import ADA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from handlers.slack.interactions import Form
    from tests.support.clock import Clock

pytestmark = [pytest.mark.postgresql, pytest.mark.every_database]

CUT = "before", "after"
"""When a transaction's connection ends: before it is committed, or once it is, and before that is said."""


@pytest.fixture
def app(cloned_postgres_url: str, clock: Clock) -> Iterator[App]:
    """With connections of its own, which end."""
    database = open_database(cloned_postgres_url)
    clock.move(days=4)
    yield App(database, ZONE, clock)
    database.close()


@contextmanager
def commits_cut(app: App, when: str, *, times: int = 1) -> Iterator[None]:
    """The next transactions lose their connection as they are committed."""
    dialect, left = app.database.writer.dialect, [times]
    do_commit = dialect.do_commit

    def cut_commit(connection: Any) -> None:  # noqa: ANN401 - the driver's own
        if left[0] <= 0:
            do_commit(connection)
            return
        left[0] -= 1
        if when == "after":
            do_commit(connection)
        postgres.cut(app.database.writer.url.render_as_string(hide_password=False))
        # What is said now gets no answer, as the word of the commit would not.
        connection.execute("SELECT 1")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dialect, "do_commit", cut_commit)
        yield
    assert left == [0]
    # What the test itself reads now is not to find what was cut.
    app.database.close()


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with app.transaction() as moment:
        scopes = ["usage:write", "holds:write"]
        secret = keys.create(moment, name="gateway", source="gateway", scopes=scopes, actor="test").secret
    with TestClient(http.build(app)) as opened:
        opened.headers["authorization"] = f"Bearer {secret}"
        assert statuses(post(opened, [cloudevent("e0")])) == ["accepted"]
        yield opened


@pytest.mark.parametrize(("when", "status"), [("before", "accepted"), ("after", "duplicate")])
def test_usage_whose_connection_is_cut_is_taken_in_once(app: App, client: TestClient, when: str, status: str) -> None:
    """The gateway notices nothing: its batch is taken in again, and what had been committed is known."""
    with commits_cut(app, when):
        assert statuses(post(client, [cloudevent("e1"), cloudevent("e2")])) == [status] * 2
    assert books.count(app, usage_events) == 3
    assert books.wallet(app, ADA) == MicroTokens(-3 * 540_000)
    assert books.findings(app) == {}


@pytest.mark.parametrize("when", CUT)
def test_a_hold_whose_connection_is_cut_is_made_once(app: App, client: TestClient, when: str) -> None:
    """The same hold is answered, and held once."""
    with commits_cut(app, when):
        answer = post(client, a_hold(), "/v1/holds")
    assert (answer.status_code, answer.json()["status"]) == (200, "held"), answer.text
    assert books.count(app, holds) == 1


def test_who_asks_meanwhile_is_told_to_come_back(app: App, client: TestClient) -> None:
    """A connection that is cut twice is a 503 with the time to wait; sent again, everything counts once."""
    with commits_cut(app, "after", times=2):
        answer = post(client, [cloudevent("e1")])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Send it again" in answer.json()["detail"]
    assert statuses(post(client, [cloudevent("e1")])) == ["duplicate"]
    assert books.count(app, usage_events) == 2


def test_who_waits_for_others_of_the_source_for_too_long_is_told_so(
    app: App, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue of a source has no one whose caller left long ago; what comes after it waits as before."""
    monkeypatch.setattr(locks, "SOURCE_PATIENCE", "50ms")
    with app.transaction() as moment:
        moment.session.exec_driver_sql("SET LOCAL lock_timeout = '7s'")
        locks.hold_sources(moment.session, "usage", ["gateway"])
        assert moment.session.exec_driver_sql("SHOW lock_timeout").scalar_one() == "7s"
        answer = post(client, [cloudevent("e1")])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert statuses(post(client, [cloudevent("e1")])) == ["accepted"]


def test_a_server_that_only_reads_any_more_is_left(app: App, client: TestClient) -> None:
    """After a failover the old primary reads on: its connections are given up, and the next ones find the new one."""
    url = app.database.writer.url.render_as_string(hide_password=False)
    name = app.database.writer.url.database
    postgres.administer(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    postgres.cut(url)
    answer = post(client, [cloudevent("e1")])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    postgres.administer(url, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    # No connection is cut now: those to the server that only reads are not used again.
    assert statuses(post(client, [cloudevent("e1")])) == ["accepted"]
    assert books.count(app, usage_events) == 2


def test_readers_come_back_by_themselves(app: App) -> None:
    """However many connections lay ready when the server went away, one question is lost at most, and no command."""
    url = app.database.writer.url.render_as_string(hide_password=False)
    sessions = [app.database.reader.connect() for _ in range(4)]
    for session in sessions:
        session.exec_driver_sql("SELECT 1")
        session.close()
    nobody = WebClient("xoxb-none", base_url="http://127.0.0.1:1/api/")
    for line in ("balance", "why", "history", "balance"):
        postgres.cut(url)
        for number in range(3):
            once = f"{line}{number}"
            answer = slack_app.COMMANDS.answer(app, text=line, slack_user_id=slack.ADA, client=nobody, once=once)
            assert isinstance(answer, Message)
            assert "I can't reach my database" not in str(answer.blocks)


def pressed(app: App, trigger: str, answer: Callable[[App, Any], Any]) -> dict[str, Any]:
    """What a form shows that was handed in; Slack sends its id with it."""
    view = {"id": "V1", "private_metadata": "", "blocks": [], "state": {"values": {}}}
    body = {"user": {"id": slack.ADA}, "trigger_id": trigger, "view": view}
    shown: list[dict[str, Any]] = []
    nobody = WebClient("xoxb-none", base_url="http://127.0.0.1:1/api/")

    def ack(**said: Any) -> None:  # noqa: ANN401 - as Bolt's own
        shown.append(said)

    interactions._submitted(ack, body, nobody, app=app, callback_id="note", answer=answer)  # type: ignore[arg-type]
    return shown[0]


def note(app: App, _form: Form) -> None:
    with app.transaction() as moment:
        moment.session.execute(sa.insert(programme).values(key=f"note:{uuid4()}", value="x"))


def noted(app: App) -> int:
    return len(books.rows(app, sa.select(programme.c.key).where(programme.c.key.startswith("note:"))))


@pytest.mark.parametrize(("when", "said"), [("before", None), ("after", "Done already")])
def test_a_form_whose_connection_is_cut_is_done_once(app: App, when: str, said: str | None) -> None:
    """It is done again under Slack's id: if the first time was committed, the person hears that it is done already."""
    with commits_cut(app, when):
        shown = pressed(app, "trigger-1", note)
    assert (shown["view"]["title"]["text"] if shown else None) == said
    assert noted(app) == 1


def test_a_form_of_which_nobody_can_say_is_told_so(app: App) -> None:
    """Cut twice, the second time after the commit: the person is asked to look, and not told that nothing changed."""
    # The one that was begun last is the first to cut.
    with commits_cut(app, "after"), commits_cut(app, "before"):
        shown = str(pressed(app, "trigger-1", note))
    assert "look whether this is done before you send it again" in shown
    assert "nothing was changed" not in shown
    assert noted(app) == 1


def test_connections_that_lay_idle_are_tried_first(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has not been used for a while and is gone by now is replaced before anything is asked of it."""
    monkeypatch.setattr(engine, "IDLE_SECONDS", 0.0)
    sessions = [app.database.reader.connect() for _ in range(3)]
    for session in sessions:
        session.close()
    postgres.cut(app.database.writer.url.render_as_string(hide_password=False))
    for _ in range(4):
        assert noted(app) == 0


def test_a_mistake_is_not_made_twice(app: App) -> None:
    """What fails for its own sake is not done again, and is answered as before."""
    tries: list[int] = []

    def mistaken(app: App, _form: Form) -> None:
        tries.append(1)
        with app.transaction() as moment:
            moment.session.exec_driver_sql("SELECT nothing FROM nowhere")

    assert "nothing was changed" in str(pressed(app, "trigger-1", mistaken))
    assert len(tries) == 1
