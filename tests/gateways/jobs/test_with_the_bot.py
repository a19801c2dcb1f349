"""Training jobs against the bot itself: one wallet for calls and jobs, proved to the micro-token."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import uvicorn
from click.testing import CliRunner

from bot import wiring
from bot.cli import main
from gateways.jobs.bot import Bot
from gateways.jobs.job import Job
from gateways.jobs.running import NOT_STARTED, Manner, run
from gateways.jobs.spool import Spool
from handlers import http
from policy.units import MicroTokens
from programme.holds import ending
from programme.usage import keys
from store.tables.ledger import accounts
from store.tables.people import people
from tests.gateways.jobs.test_running import Machine
from tests.support import books, cast, held
from tests.support.books import ADA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

    from programme.app import App
    from tests.support.clock import Clock

HOUR = Job("train-1", ADA, "gpu-cluster", "", "apollo", gpus=8, seconds=3600)
"""USD 18.80 at 2.35 a GPU hour: 1,880 tokens, of which 2,256 are held."""


class OnTheClock(Machine):
    """A machine whose time is the bot's."""

    def __init__(self, takes: float, clock: Clock, at: dict[int, Callable[[], None]] | None = None) -> None:
        super().__init__(takes, at=at)
        self._clock, self._begun = clock, clock.now

    def wait(self, seconds: float) -> int | None:
        self._clock.now = self._begun + timedelta(seconds=min(self.passed + seconds, self.takes))
        return super().wait(seconds)

    def now(self) -> datetime:
        return self._clock.now


@contextmanager
def served(app: App) -> Iterator[str]:
    """The bot's HTTP on loopback."""
    server = uvicorn.Server(uvicorn.Config(http.build(app), port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def cluster(app: App) -> Iterator[Bot]:
    """A cluster with a key of its own, in a company where an empty wallet stops calls."""
    held.stop(app)
    with app.transaction() as moment:
        key = keys.create(moment, name="cluster", source="cluster", scopes=("holds:write",), actor="test")
    with served(app) as url:
        yield Bot(url, key.secret)


def do(cluster: Bot, machine: Machine, folder: Path, job: Job = HOUR) -> tuple[int, list[str]]:
    """Run it: (exit code, what was said)."""
    said: list[str] = []
    code = run(job, ["train"], cluster, Spool(folder), manner=Manner(), machine=machine, say=said.append)
    return code, said


def left(app: App) -> MicroTokens:
    """Ada's balance."""
    query = sa.select(accounts.c.balance).join(people, people.c.id == accounts.c.person_id).where(people.c.email == ADA)
    [(balance,)] = books.rows(app, query)
    return MicroTokens(balance)


@pytest.mark.every_database
def test_a_job_takes_what_it_used_from_the_wallet(app: App, clock: Clock, cluster: Bot, tmp_path: Path) -> None:
    """Of 2,256 tokens held half an hour of eight GPUs takes 940, in parts rounded each; the rest is free again."""
    cast.give(app, ADA, "3000")
    seen: list[MicroTokens] = []
    machine = OnTheClock(1_800, clock, at={1: lambda: seen.append(held.on_wallet(app))})
    assert do(cluster, machine, tmp_path) == (0, [])
    assert seen == [held.tokens("2256")]
    assert not held.on_wallet(app)
    assert left(app) == held.tokens("2059.999998")
    assert books.findings(app) == {}


def test_a_job_that_does_not_fit_is_refused_before_it_starts(
    app: App, clock: Clock, cluster: Bot, tmp_path: Path
) -> None:
    """With 2,000 tokens left a job that holds 2,256 is denied in a sentence with its next step."""
    cast.give(app, ADA, "2000")
    machine = OnTheClock(1_800, clock)
    code, [said] = do(cluster, machine, tmp_path)
    assert code == NOT_STARTED
    assert "/tokens request" in said
    assert not machine.started
    assert books.findings(app) == {}


def test_a_job_with_many_kinds_of_gpu_has_to_name_one(app: App, clock: Clock, cluster: Bot, tmp_path: Path) -> None:
    """Where a service has no price for any GPU, the field is named."""
    cast.give(app, ADA, "3000")
    other = Job("train-2", ADA, "gpu-cluster", "B200", "apollo", gpus=8, seconds=3600)
    code, [said] = do(cluster, OnTheClock(1_800, clock), tmp_path, other)
    assert (code, "B200" in said) == (NOT_STARTED, True)


@pytest.fixture
def command(sqlite_url: str, sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`tokens-bot job …` at the tests' noon, while a job of Ada's runs."""
    monkeypatch.setattr("bot.wiring.open_app", partial(wiring.open_app, clock=sqlite_app.clock))
    held.stop(sqlite_app)
    cast.give(sqlite_app, ADA, "3000")
    held.reserve(sqlite_app, "train-1", "22.56", kind="job", source="cluster")

    def call(*arguments: str, code: int = 0) -> Result:
        env = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, ["job", *arguments], env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return call


def test_jobs_are_listed_and_shown(command: Callable[..., Result]) -> None:
    """Whose job runs, and what it holds and has used, for people and for programs."""
    assert command("list").stdout.splitlines()[-1] == "1 job running."
    [told] = json.loads(command("list", "--json").stdout)
    assert (told["id"], told["person"], told["status"], told["held_usd"]) == ("train-1", ADA, "held", "27.072000000")
    assert json.loads(command("show", "train-1", "--json").stdout) == told
    assert "There is no job 'train-2'." in command("show", "train-2", code=1).stderr


def test_a_job_is_cancelled_on_record(sqlite_app: App, command: Callable[..., Result]) -> None:
    """A dry run changes nothing; then all is free at once, once, and the audit log has who and why."""
    said = command("cancel", "train-1", "--why", "Runs on the wrong data", "--dry-run").stdout
    assert said == "Nothing was changed. It would be: job train-1 is cancelled, and USD 27.072 are free again.\n"
    assert len(json.loads(command("list", "--json").stdout)) == 1
    command("cancel", "train-1", "--why", "Runs on the wrong data")
    assert json.loads(command("list", "--json").stdout) == []
    assert "no job that runs" in command("cancel", "train-1", "--why", "Again", code=1).stderr
    assert books.audited(sqlite_app, "job.cancel")[-1]["after"]["why"] == "Runs on the wrong data"
    assert books.findings(sqlite_app) == {}


def test_a_cancelled_job_is_asked_to_end(app: App, clock: Clock, cluster: Bot, tmp_path: Path) -> None:
    """It hears of it at its next report; what it used until its end is posted all the same."""
    cast.give(app, ADA, "3000")

    def cancel() -> None:
        with app.transaction() as moment:
            ending.cancel(moment, ("cluster", "train-1"), actor="test", why="Wrong data")

    code, said = do(cluster, OnTheClock(3_000, clock, at={2: cancel}), tmp_path)
    assert code == 128 + 15
    assert said[-1] == "The job is asked to end."
    assert "An administrator ended job" in said[0]
    assert left(app) == held.tokens("2686.666666")
    assert not held.on_wallet(app)
    assert books.findings(app) == {}
