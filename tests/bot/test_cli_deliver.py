"""`tokens-bot deliver`: a group of parked messages is listed and tried again by what Slack said about it."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from bot import doctor, wiring
from bot.cli import main
from sandbox.faults import PAGE
from tests.support import slack
from tests.support.books import ADA, MARA
from tests.support.couriers import owe, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from programme.app import App
    from sandbox import Sandbox
    from tests.support.clock import Clock

    Run = Callable[..., Result]


@pytest.fixture
def sandbox(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    slack.without_proxies(monkeypatch)
    monkeypatch.setattr("bot.cli.deliver.PAUSE_SECONDS", 0)
    with slack.workspace(clock=clock, post_burst=100) as running:
        yield running


@pytest.fixture
def run(sqlite_url: str, sqlite_app: App, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`tokens-bot deliver …` in the workspace, at the tests' noon; messages say what their view says."""
    monkeypatch.setattr("bot.wiring.open_app", partial(wiring.open_app, clock=sqlite_app.clock))
    monkeypatch.setattr("scheduler.messages.COMPOSERS", {"note": say_note})

    def invoke(*arguments: str, code: int = 0) -> Result:
        env: dict[str, str | None] = dict(slack.environment(sandbox, sqlite_url))
        result = CliRunner().invoke(main, ("deliver", *arguments), env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return invoke


def say_note(view: Any) -> tuple[Any, None]:  # noqa: ANN401 - any JSON
    return say("note", view).message, None


def test_a_group_is_tried_again_by_its_problem(run: Run, sqlite_app: App, sandbox: Sandbox, clock: Clock) -> None:
    """One command for all that have one cause; the list and doctor name it; what has another cause stays."""
    owe(sqlite_app, ADA, MARA, channel=slack.GENERAL)
    for user in (slack.ADA, slack.MARA):
        sandbox.workspace.change_member(user, deleted=True)
    sandbox.workspace.change_channel(slack.GENERAL, is_archived=True)
    run()
    listed = json.loads(run("--list", "--problem", "channel_not_found", "--json").stdout)
    assert sorted(line["key"] for line in listed) == [f"note:{ADA}", f"note:{MARA}"]
    remedy_of = {finding.what: finding.remedy for finding in doctor._outbox(sqlite_app)}
    assert "--retry --problem channel_not_found`" in remedy_of["2 messages are parked: channel_not_found."]
    for user in (slack.ADA, slack.MARA):
        sandbox.workspace.change_member(user, deleted=False)
    assert "2 messages will be tried again." in run("--retry", "--problem", "channel_not_found").stdout
    clock.move(seconds=1)
    assert json.loads(run("--json").stdout)["sent"] == 2
    [left] = json.loads(run("--list", "--json").stdout)
    assert (left["problem"], left["state"]) == ("is_archived", "parked")
    assert f"deliver --retry note:{slack.GENERAL}`" in left["what_to_do"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--retry",), 2, "--retry needs the KEY of a message, `all`, or --problem CODE."),
        (("--problem", "is_archived"), 2, "--problem goes with --list or --retry."),
        (("--retry", "--problem", "is_archived"), 1, "No parked message has the problem 'is_archived'."),
        (("--retry", "x", "--problem", "y"), 1, "No parked message has the key 'x' and the problem 'y'."),
        (("--list", "--problem", "y"), 0, "Nothing waits because of y."),
        (("--retry", "all"), 0, "0 messages will be tried again."),
    ],
)
def test_what_fits_nothing_is_said(run: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    """Nothing is tried again by a slip: `--retry` alone is a question, and a code that no message has is named."""
    result = run(*arguments, code=code)
    assert said in result.stdout + result.stderr


def test_retry_all_after_a_page_posts_nothing_twice(run: Run, sqlite_app: App, sandbox: Sandbox, clock: Clock) -> None:
    """What Slack took before a proxy took its answer is found, not posted again; what it did not take is posted."""
    owe(sqlite_app, ADA, MARA)
    sandbox.faults.add("chat.postMessage", status=403, body=PAGE, performed=True)
    sandbox.faults.add("chat.postMessage", status=403, body=PAGE)
    for _ in range(2):
        assert "Slack does not answer." in run(code=1).stderr
        clock.move(seconds=5)
    run("--retry", "all")
    clock.move(seconds=5)
    run()
    for user in (slack.ADA, slack.MARA):
        assert len(sandbox.messages(sandbox.dm(user), user)) == 1
