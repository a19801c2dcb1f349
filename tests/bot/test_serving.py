"""Starting and stopping: what is missing is refused, a port that is taken is told, and nothing under way is lost."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bot import serving, socket_mode
from bot.settings import PARTS
from handlers.usage import cloudevents
from policy.reasons import Refusal
from policy.units import MicroTokens
from programme import vitals
from programme.usage import keys
from scheduler import ticker
from store import pulses
from tests.support import books, cast, slack
from tests.support.books import WAIT_SECONDS
from tests.support.line import line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings import Part
    from programme.app import App
    from sandbox import Answer, Sandbox
    from scheduler.clockwork import Clockwork


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with slack.workspace() as running:
        yield running


def threads() -> set[str]:
    """Every thread but the sandbox's own and those of the test."""
    return {thread.name for thread in threading.enumerate()}


def get(url: str) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=5) as client:
        return client.get(url)


def test_a_port_that_is_taken_is_told(sandbox: Sandbox, sqlite_app: App) -> None:
    """The bot refuses to start with the port's number, and leaves no connection and no thread behind."""
    before = threads()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environ = slack.environment(sandbox, "sqlite:///unused.db", TOKENS_HTTP_PORT=str(port))
        with pytest.raises(Refusal, match=f"Cannot listen on 127.0.0.1:{port}.") as refused:  # noqa: SIM117 - what raises
            with serving.serving(slack.load(environ), sqlite_app):
                pytest.fail("it started")
    assert refused.value.next_step == "Choose another TOKENS_HTTP_PORT."
    sandbox.wait_for(lambda: not sandbox.connections)
    assert threads() == before


@pytest.mark.parametrize(
    ("environ", "code"),
    [({"SLACK_BOT_TOKEN": ""}, "no_bot_token"), ({"SLACK_APP_TOKEN": ""}, "no_slack_mode")],
)
def test_a_bot_without_tokens_does_not_start(
    sandbox: Sandbox, sqlite_app: App, environ: dict[str, str], code: str
) -> None:
    """What is missing is a refusal, before anything was begun."""
    before = threads()
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db", **environ))
    with pytest.raises(Refusal) as refused, serving.serving(loaded, sqlite_app):
        pytest.fail("it started")
    assert refused.value.code == code
    assert threads() == before


def test_a_token_that_slack_refuses_is_told(sandbox: Sandbox, sqlite_app: App) -> None:
    """A wrong token is a reason with a next step, at once, and no thread stays behind."""
    before = threads()
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db", SLACK_APP_TOKEN="xapp-wrong"))
    with pytest.raises(Refusal, match=r"^Slack refuses Socket Mode: invalid_auth") as refused:  # noqa: SIM117 - what raises
        with serving.serving(loaded, sqlite_app):
            pytest.fail("it started")
    assert (refused.value.code, refused.value.next_step) == ("slack_refused", "See `tokens-bot doctor`.")
    assert threads() == before


def test_a_bot_starts_while_slack_is_away(sandbox: Sandbox, sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers at Slack's address: usage is taken in, health says who is deaf, and the bot stops cleanly."""
    monkeypatch.setattr(vitals, "PATIENCE", dict.fromkeys(vitals.PATIENCE, -1.0))
    before = threads()
    with sqlite_app.transaction() as moment:
        secret = keys.create(moment, name="gw", source="gw", scopes=["usage:write"], actor="test").secret
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db", SLACK_API_URL="http://127.0.0.1:1/api/"))
    with serving.serving(loaded, sqlite_app) as address:
        with httpx.Client(trust_env=False, timeout=5, headers={"Authorization": f"Bearer {secret}"}) as client:
            answer = client.post(f"{address}/v1/usage", json=PAST)
        assert answer.json()["summary"]["accepted"] == 1
        ready = get(f"{address}/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        bot = ready.json()["parts"]["bot"]
        assert (bot["well"], bot["problem"], bot["connected"], bot["last_envelope_seconds"]) == (
            False,
            "no_answer",
            False,
            None,
        )
    assert threads() <= before


NO_ANSWERS: list[dict[str, Any]] = [
    {"status": 503, "body": "[]"},
    {"body": "[]"},
    {"status": 429, "body": "[]"},
    {"status": 503},
    {"error": "internal_error"},
    {"status": 404, "error": "not_found"},
]


@pytest.mark.parametrize("fault", NO_ANSWERS)
def test_a_bot_connects_once_slack_is_back(
    sandbox: Sandbox, sqlite_app: App, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is none is no refusal: the bot tries again until Slack lets it in, and then answers people."""
    monkeypatch.setattr(socket_mode, "FIRST_WAIT_SECONDS", 0.05)
    cast.hire(sqlite_app, slack.ZOE)
    sandbox.faults.add("apps.connections.open", times=2, **fault)
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db"))
    with serving.serving(loaded, sqlite_app) as address:
        sandbox.wait_for(lambda: sandbox.connections)
        assert "You have no tokens yet." in str(
            sandbox.command(slack.NEWCOMER, slack.GENERAL, "/tokens balance").blocks
        )
        bot = get(f"{address}/readyz").json()["parts"]["bot"]
    assert (bot["well"], bot["problem"], bot["connected"], bot["reconnects"]) == (True, "", True, 0)
    assert bot["last_envelope_seconds"] >= 0


def test_a_connection_that_ends_without_a_word_is_noticed(sqlite_app: App) -> None:
    """What ends by no word of Slack's is an end: it is seen within a moment, not after the fifth ping that fails."""
    with line() as between, slack.workspace(port=between.target, reached_at=between.url) as sandbox:
        environment = slack.environment(sandbox, slack.NO_DATABASE)
        with slack.bot(sandbox, sqlite_app, slack.load(environment)):
            assert connected(sqlite_app)
            between.end()
            sandbox.wait_for(lambda: not connected(sqlite_app), seconds=WAIT_SECONDS / 4)


def connected(app: App) -> bool:
    link = app.vitals.link()
    return link is not None and link.connected


def test_reconnects_are_counted(sandbox: Sandbox, sqlite_app: App) -> None:
    """Slack sends the bot away, as it does every few hours: the bot is back, and health counts it."""
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db"))
    with slack.bot(sandbox, sqlite_app, loaded):
        sandbox.wait_for(lambda: sqlite_app.vitals._hellos)
        sandbox.disconnect_sockets()
        sandbox.wait_for(lambda: sqlite_app.vitals._hellos > 1)
        link = sqlite_app.vitals.link()
    assert link is not None
    assert (link.connected, link.reconnects) == (True, 1)


@pytest.mark.parametrize("signed", [False, True])
def test_a_bot_stops_cleanly(sandbox: Sandbox, sqlite_app: App, *, signed: bool) -> None:
    """After the block its port is free, its connection closed and its threads gone, in either mode."""
    before = threads()
    environ = (slack.signed_environment if signed else slack.environment)(sandbox, "sqlite:///unused.db")
    with slack.bot(sandbox, sqlite_app, slack.load(environ)) as address:
        ready = get(f"{address}/readyz").json()
        assert (ready["status"], ready["runs"]) == ("ready", ["http", "bot", "courier", "tick"])
        assert set(ready["parts"]) == ({"courier", "tick"} if signed else {"bot", "courier", "tick"})
        assert sandbox.connections == (0 if signed else 1)
    with pytest.raises(httpx.ConnectError):
        get(f"{address}/healthz")
    sandbox.wait_for(lambda: not sandbox.connections)
    assert threads() <= before


def asked_in_the_background(sandbox: Sandbox, user: str) -> tuple[threading.Thread, list[Answer]]:
    """A command that someone waits for while the test does something else."""
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(sandbox.command(user, slack.GENERAL, "/tokens balance")))
    thread.start()
    return thread, answers


@pytest.mark.parametrize("signed", [False, True])
def test_a_command_under_way_is_answered(sandbox: Sandbox, sqlite_app: App, *, signed: bool) -> None:
    """The bot stops while Slack takes its time over Zoe's first contact: she gets her answer all the same."""
    cast.hire(sqlite_app, slack.ZOE)
    environ = (slack.signed_environment if signed else slack.environment)(sandbox, "sqlite:///unused.db")
    with slack.bot(sandbox, sqlite_app, slack.load(environ)):
        sandbox.faults.add("users.info", delay=0.5)
        thread, answers = asked_in_the_background(sandbox, slack.NEWCOMER)
        sandbox.wait_for(lambda: "users.info" not in waiting(sandbox))
    thread.join(5)
    assert answers[0].error == ""
    assert "You have no tokens yet." in str(answers[0].blocks)


def waiting(sandbox: Sandbox) -> set[str]:
    """Methods for which a fault is still ordered: the call that takes it has begun when it is gone."""
    return {method for method, queue in sandbox.faults._queues.items() if queue}


# --- The process ---------------------------------------------------------------------------------------------------


@contextmanager
def running_process(
    environ: dict[str, str], *options: str, says: str = "Listening to Slack "
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`tokens-bot run` and its first line, once it runs; killed if the test leaves it behind."""
    command = [sys.executable, "-c", "from bot.cli import main; main()", "run", *options]
    process = subprocess.Popen(
        command, env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 3 * WAIT_SECONDS)
        assert ready, "it said nothing"
        said = process.stdout.readline()
        assert said.startswith(says)
        yield process, said
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=5)


def test_a_signal_ends_the_process_after_its_answer(sandbox: Sandbox, sqlite_app: App, sqlite_url: str) -> None:
    """SIGTERM in the middle of a command: the person gets the answer, and the process leaves with 0."""
    cast.hire(sqlite_app, slack.ZOE)
    cast.give(sqlite_app, "zoe@example.com", "77", days=10_000)
    with running_process(slack.environment(sandbox, sqlite_url)) as (process, _):
        sandbox.wait_for(lambda: sandbox.connections)
        sandbox.faults.add("users.info", delay=0.5)
        thread, answers = asked_in_the_background(sandbox, slack.NEWCOMER)
        sandbox.wait_for(lambda: "users.info" not in waiting(sandbox))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == "Stopping.\n"
        logged = process.stderr.read()
    thread.join(5)
    assert "*77 tokens left*" in str(answers[0].blocks)
    assert "Traceback" not in logged
    for word in (
        "Zoe",
        "zoe@example.com",
        "77 tokens",
        sandbox.workspace.app.bot_token,
        sandbox.workspace.app.app_token,
    ):
        assert word not in logged


NO_SLACK = {
    "SLACK_BOT_TOKEN": "",
    "SLACK_APP_TOKEN": "",
    "SLACK_SIGNING_SECRET": "",
    "TOKENS_HTTP_PORT": "0",
    "TOKENS_TIME_ZONE": "Europe/Berlin",
}


PAST = cloudevents.EXAMPLE | {"source": "gw", "time": "2026-01-15T09:30:00Z"}
"""For a process that goes by the machine's own clock."""


def test_intake_alone_is_a_process_without_slack(sqlite_app: App, sqlite_url: str) -> None:
    """Before there is any Slack token a gateway can be connected and tried: its usage is posted, and TERM ends it."""
    with sqlite_app.transaction() as moment:
        secret = keys.create(moment, name="gw", source="gw", scopes=["usage:write"], actor="test").secret
    environ = {**NO_SLACK, "TOKENS_DATABASE_URL": sqlite_url}
    with running_process(environ, "--only", "http", says="Usage intake at http://127.0.0.1:") as (process, said):
        address = said.removeprefix("Usage intake at ").partition("/v1/usage; only http, health at ")[0]
        assert get(f"{address}/readyz").json() == {"status": "ready", "runs": ["http"], "parts": {}}
        with httpx.Client(trust_env=False, timeout=5, headers={"Authorization": f"Bearer {secret}"}) as client:
            answer = client.post(f"{address}/v1/usage", json=PAST)
        assert answer.json()["summary"]["accepted"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert books.wallet(sqlite_app, books.ADA) == MicroTokens(-540_000)


@pytest.mark.parametrize(
    "case",
    [
        (["http"], 0, {"pulse"}),
        (["tick"], 0, {"tick", "link", "pulse"}),
        (["courier"], 0, {"courier", "pulse"}),
        (["bot", "http"], 1, {"pulse"}),
        (["tick", "courier"], 0, {"tick", "link", "courier", "pulse"}),
        (PARTS, 1, {"tick", "link", "courier", "pulse"}),
    ],
)
def test_a_process_runs_the_parts_that_it_was_asked_for(
    sandbox: Sandbox, sqlite_app: App, monkeypatch: pytest.MonkeyPatch, case: tuple[list[Part], int, set[str]]
) -> None:
    """Nothing else is connected, scheduled or served, and health names the parts in their order."""
    parts, connections, jobs = case
    built: list[Clockwork] = []
    build = ticker.build

    def noted(*arguments: Any, **options: Any) -> Clockwork:  # noqa: ANN401 - those of `build`
        built.append(build(*arguments, **options))
        return built[-1]

    monkeypatch.setattr(ticker, "build", noted)
    before = threads()
    with serving.serving(slack.load(slack.environment(sandbox, "sqlite:///unused.db")), sqlite_app, parts) as address:
        sandbox.wait_for(lambda: sandbox.connections == connections)
        assert get(f"{address}/healthz").json()["runs"] == [part for part in PARTS if part in parts]
        assert {job for clockwork in built for job in clockwork.paces} == jobs
        assert get(f"{address}/v1/usage").status_code == (405 if "http" in parts else 404)
        assert get(f"{address}/metrics").status_code == 200
        sandbox.wait_for(lambda: runs_on(sqlite_app) == set(parts))
    assert runs_on(sqlite_app) == set()
    sandbox.wait_for(lambda: not sandbox.connections)
    sandbox.wait_for(lambda: threads() <= before)


def runs_on(app: App) -> set[str]:
    """The parts of which some process told."""
    with app.database.reading() as session:
        return {process.part for process in pulses.running(session, app.clock())}


@pytest.mark.parametrize(
    ("parts", "usergroup", "needs"),
    [
        (["http"], "S0BOARD", False),
        (["tick"], None, False),
        (["http", "tick"], None, False),
        (["tick"], "S0BOARD", True),
        (["courier"], None, True),
        (["http", "bot"], None, True),
    ],
)
def test_only_what_speaks_with_slack_needs_its_token(
    sqlite_app: App, parts: list[Part], usergroup: str | None, *, needs: bool
) -> None:
    """Intake and the calendar run without one, unless the calendar is to read the board's user group."""
    app = replace(sqlite_app, board_usergroup=usergroup)
    loaded = slack.load({"TOKENS_HTTP_PORT": "0"})
    if needs:
        with pytest.raises(Refusal, match=r"SLACK_BOT_TOKEN is not set.*--only http") as refused:
            serving.require_tokens(loaded, app, parts)
        assert refused.value.code == "no_bot_token"
    else:
        serving.require_tokens(loaded, app, parts)


class Forgetful:
    """The state of a connection whose thread takes back twice that it is to end, as one that only begins does."""

    def __init__(self) -> None:
        self.told = 0

    @property
    def terminated(self) -> bool:
        return self.told > 2

    @terminated.setter
    def terminated(self, value: bool) -> None:
        self.told += value


def test_it_ends_although_the_connection_only_begins(
    sandbox: Sandbox, sqlite_app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone who stops the bot in the moment in which it connects does not wait for ever."""
    monkeypatch.setattr("slack_sdk.socket_mode.builtin.client.ConnectionState", Forgetful)
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db"))

    def serve() -> None:
        with serving.serving(loaded, sqlite_app):
            sandbox.wait_for(lambda: sandbox.connections)

    served = threading.Thread(target=serve, daemon=True)
    served.start()
    served.join(WAIT_SECONDS)
    assert not served.is_alive()
