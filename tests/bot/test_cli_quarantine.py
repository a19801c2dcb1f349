"""`tokens-bot quarantine`: what waits is read, corrected and discarded, and every answer says what to do next."""

from __future__ import annotations

import json
import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from bot import wiring
from bot.cli import main
from policy.units import MicroTokens
from programme.usage import quarantine
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_url: str, sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`tokens-bot …` at the tests' noon, where a deployment's own name, a runner and a typing error wait."""
    monkeypatch.setattr("bot.wiring.open_app", partial(wiring.open_app, clock=sqlite_app.clock))
    books.take_in(
        sqlite_app,
        *(cast.event(f"chat-{n}", at=NOON, model=("anthropic", "our chat")) for n in range(3)),
        cast.event("ci", at=NOON, who="ci-runner"),
        cast.event("typo", at=NOON, who=BEN, model=("antrhopic", "claude-sonnet-4-5")),
    )

    def invoke(*arguments: str, code: int = 0) -> Result:
        env = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, ["quarantine", *arguments], env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return invoke


def read(result: Result) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(result.stdout)


def test_the_list_says_how_many_calls_wait_for_what_and_what_to_do(run: Run) -> None:
    """Groups come with their count, their gateways and a command that can be copied; names are quoted for a shell."""
    fix = "quarantine fix --all 'anthropic/our chat' --source gateway --model NAME"
    assert run("list").stdout.splitlines()[:3] == [
        "3 calls of anthropic/our chat (gateway; used 2026-11-20)",
        "  unknown_model: no price is known for anthropic/our chat",
        f"  → name its model with `tokens-bot {fix} --why …`, or give it a price in the handbook",
    ]
    assert run("list").stdout.splitlines()[-1] == "5 waiting: 1 unapproved_service, 3 unknown_model, 1 unknown_person."
    listed = read(run("list", "--json"))
    assert [(group["name"], group["events"]) for group in listed["groups"]] == [
        ("anthropic/our chat", 3),
        ("antrhopic", 1),
        ("user:ci-runner", 1),
    ]
    assert len(listed["events"]) == 5
    assert len(run("list", "--events", "--limit", "2").stdout.splitlines()) == 4


def test_a_remedy_does_what_it_says(run: Run, sqlite_app: App) -> None:
    """The commands of the list, with what is right filled in, leave nothing waiting."""
    right = {"anthropic/our chat": "claude-sonnet-4-5", "antrhopic": "anthropic", "user:ci-runner": BEN}
    for group in read(run("list", "--json"))["groups"]:
        words = shlex.split(group["remedy"].split("`")[1])[2:]
        words = [right[group["name"]] if word in {"NAME", "EMAIL"} else word for word in words]
        assert " fixed, " in run(*words).stdout
    assert run("list").stdout == "0 waiting.\n"
    assert (books.wallet(sqlite_app, ADA), books.wallet(sqlite_app, BEN)) == (
        MicroTokens(-1_620_000),
        MicroTokens(-1_080_000),
    )


def test_a_count_that_no_handbook_can_price_is_taken_out(run: Run, sqlite_app: App, sqlite_url: str) -> None:
    """A name that only the sender knows has its own remedy, which does what it says; a slip takes out nothing."""
    books.take_in(sqlite_app, cast.event("odd", at=NOON, meters={"output": 100, "gen_ai.usage.smell": 7}))  # type: ignore[dict-item]
    [said] = [group["remedy"] for group in read(run("list", "--json"))["groups"] if group["reason"] == "unpriced_meter"]
    assert said.startswith("let it be reported under a name that docs/operators/gateways.md has")
    words = shlex.split(said.split("`")[1].replace("…", "'no count at all'"))[1:]
    env = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
    wrong = [word.replace("smell", "smel") for word in words]
    assert "The event counts no 'gen_ai.usage.smel'." in CliRunner().invoke(main, wrong, env=env).stderr
    assert CliRunner().invoke(main, words, env=env).exit_code == 0
    assert "unpriced_meter" not in run("list").stdout
    assert books.wallet(sqlite_app, ADA) == MicroTokens(-150_000)


def test_a_dry_run_changes_nothing_and_tells_what_would(run: Run, sqlite_app: App) -> None:
    """The same figures as the run itself, and everything waits on."""
    words = ("fix", "--all", "anthropic/our chat", "--model", "claude-sonnet-4-5", "--why", "Our deployment")
    assert run(*words, "--dry-run").stdout == "Nothing was changed. It would be: 3 fixed, 3 posted.\n"
    dry = read(run(*words, "--dry-run", "--json"))
    assert books.wallet(sqlite_app, ADA) == 0
    assert books.audited(sqlite_app, "quarantine.fix") == []
    done = read(run(*words, "--json"))
    assert done == dry | {"dry_run": False}
    assert done == {"fixed": 3, "posted": 3, "waiting": 0, "reasons": {}, "mapped": [], "dry_run": False}


def test_a_name_that_is_mapped_is_said_to_be_someones(run: Run) -> None:
    """Whoever maps a name is told that later usage is theirs as well."""
    words = ("fix", "--all", "user:ci-runner", "--person", BEN, "--why", "Runs CI")
    assert run(*words).stdout == (
        "user:ci-runner of gateway is ben@example.com, for later usage as well.\n1 fixed, 1 posted.\n"
    )


def test_an_event_is_shown_whole_with_what_was_done_to_it(run: Run) -> None:
    """What it says, why it waits and what helps; afterwards by whom it was corrected, why, and what it said before."""
    shown = run("show", "typo").stdout
    assert "no approved service has the provider 'antrhopic'" in shown
    assert "meters       200 input_uncached, 1,000 cache_read, 300 output" in shown
    assert shown.splitlines()[-1].startswith("→ name its provider with `tokens-bot quarantine fix --all antrhopic ")
    run("fix", "gateway/typo", "--provider", "anthropic", "--why", "Misspelt")
    lines = run("show", "typo").stdout.splitlines()
    assert lines[-1] == "    provider: antrhopic → anthropic"
    assert lines[-2].startswith("2026-11-20 12:00Z fixed by cli:")
    assert lines[-2].endswith(": Misspelt")
    told = read(run("show", "typo", "--json"))
    assert (told["state"], told["provider"], told["steps"][0]["before"]["provider"]) == (
        "posted",
        "anthropic",
        "antrhopic",
    )


def test_what_is_discarded_says_so(run: Run) -> None:
    """How many, and afterwards who discarded it and why; a second time is refused with the day of the first."""
    assert run("discard", "ci", "--why", "A load test", "--dry-run").stdout == (
        "Nothing was changed. It would be: 1 discarded.\n"
    )
    assert read(run("discard", "--all", "anthropic/our chat", "--why", "Old", "--json")) == {
        "discarded": 3,
        "dry_run": False,
    }
    assert run("discard", "ci", "--why", "A load test").stdout == "1 discarded.\n"
    assert "does not wait: it was discarded on 2026-11-20" in run("discard", "ci", "--why", "x", code=1).stderr
    assert run("show", "ci").stdout.splitlines()[-1].endswith(": A load test")


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("fix", "nope", "--model", "x", "--why", "x"), 1, "No event 'nope' is or was in quarantine."),
        (("fix", "--all", "nope", "--model", "x", "--why", "x"), 1, "waits under the name 'nope'."),
        (("fix", "typo", "--why", "x"), 1, "Give --provider, --model or --person."),
        (("fix", "typo", "--model", "x", "--why", " "), 1, "Say why with --why"),
        (("fix", "typo", "--person", "no@example.com", "--why", "x"), 1, "No one has the e-mail"),
        (("discard", "typo", "--why", ""), 1, "Say why with --why"),
        (("show", "nope"), 1, "See `tokens-bot quarantine list --events`."),
        (("fix", "--model", "x", "--why", "x"), 2, "Name one EVENT, or all of a name with --all."),
        (("fix", "typo", "--all", "x", "--model", "x", "--why", "x"), 2, "Name one EVENT, or all of a name"),
        (("discard", "typo", "--source", "eu", "--why", "x"), 2, "--source goes with --all"),
        (("discard", "typo"), 2, "Missing option '--why'"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, words: tuple[str, ...], code: int, reason: str) -> None:
    """Each with its reason and the next step, and nothing has changed."""
    assert reason in run(*words, code=code).stderr
    assert "5 waiting" in run("list").stdout


def test_more_than_a_batch_is_settled_in_one_go(run: Run, sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait, one command settles them, in a dry run as well."""
    monkeypatch.setattr(quarantine, "BATCH", 2)
    words = ("fix", "--all", "anthropic/our chat", "--model", "claude-sonnet-4-5", "--why", "Our deployment", "--json")
    assert read(run(*words, "--dry-run"))["posted"] == 3
    assert read(run(*words))["posted"] == 3
    assert [row["after"]["events"] for row in books.audited(sqlite_app, "quarantine.fix")] == [2, 1]
    assert books.findings(sqlite_app) == {}
