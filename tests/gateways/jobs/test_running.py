"""A command runs within what is held for it, whatever the bot says or does not say meanwhile."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.jobs.bot import Bot
from gateways.jobs.job import GPU_SECONDS, Job
from gateways.jobs.running import NOT_STARTED, Manner, run
from gateways.jobs.spool import Spool
from tests.gateways.jobs.stand_in import DENIAL, StandIn, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

JOB = Job("job", "ada@example.com", "gpu-cluster", "", "apollo", gpus=8, seconds=3600)
START = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


class Machine:
    """A machine whose command takes as long as it is told, or ends when it is asked to; its time passes by waiting."""

    def __init__(self, takes: float, code: int = 0, at: dict[int, Callable[[], None]] | None = None) -> None:
        self.takes, self.code, self.at = takes, code, at or {}
        self.passed, self.looks, self.asked_to_end = 0.0, 0, False
        self.started: list[Sequence[str]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def elapsed(self) -> float:
        return self.passed

    def start(self, command: Sequence[str]) -> Machine:
        if command[0] == "no-such-command":
            raise FileNotFoundError(2, "No such file or directory")
        self.started.append(command)
        return self

    def wait(self, seconds: float) -> int | None:
        if self.asked_to_end:
            return -15
        if self.passed + seconds >= self.takes:
            self.passed = self.takes
            return self.code
        self.passed += seconds
        self.looks += 1
        self.at.get(self.looks, lambda: None)()
        return None

    def terminate(self) -> None:
        self.asked_to_end = True


@pytest.fixture
def bot() -> Iterator[tuple[StandIn, Bot]]:
    with serving() as (stand_in, url):
        yield stand_in, Bot(url, "key")


def do(
    machine: Machine, bot: Bot, folder: Path, *, job: Job = JOB, manner: Manner | None = None, command: str = "train"
) -> tuple[int, list[str]]:
    """Run it: (exit code, what was said)."""
    said: list[str] = []
    code = run(job, [command], bot, Spool(folder), manner=manner or Manner(), machine=machine, say=said.append)
    return code, said


def test_a_job_is_held_reported_in_parts_and_the_rest_given_back(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """1,000 seconds of 8 GPUs: 1.2 hours were held, three parts and the last one told, nothing stays held."""
    stand_in, to = bot
    assert do(Machine(1_000.2, code=3), to, tmp_path) == (3, [])
    assert [e["data"][GPU_SECONDS] for e in stand_in.events.values()] == [2_400, 2_400, 2_400, 808]
    assert stand_in.finals == 1
    assert not stand_in.held
    assert stand_in.asked[0][1]["estimate"] == {GPU_SECONDS: 28_800}
    assert {e["source"] for e in stand_in.events.values()} == {"cluster"}
    assert not list(tmp_path.iterdir())


@settings(max_examples=15)
@given(
    st.floats(0, 5_000, allow_nan=False),
    st.integers(1, 64),
    st.sampled_from([1.0, 60.0, 299.5]),
    st.sets(st.integers(1, 20)),
)
def test_parts_add_up_whenever_the_bot_is_away(takes: float, gpus: int, period: float, away: set[int]) -> None:
    """However long it takes and whichever reports fail, each GPU second is told once."""
    with serving() as (stand_in, url), tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def turn() -> None:
            stand_in.is_away = machine.looks in away

        machine = Machine(min(takes, 50 * period), at=dict.fromkeys(range(1, 60), turn))
        do(machine, Bot(url, "key"), folder, job=dataclasses.replace(JOB, gpus=gpus), manner=Manner(period=period))
        stand_in.is_away = False
        Spool(folder).send(Bot(url, "key"))
        assert stand_in.used == gpus * math.ceil(machine.takes)


def test_a_job_that_does_not_fit_is_not_started(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """The denial is handed on word for word."""
    stand_in, to = bot
    stand_in.room *= 0
    machine = Machine(10)
    assert do(machine, to, tmp_path) == (NOT_STARTED, [DENIAL])
    assert not machine.started


def test_a_job_that_is_over_does_not_run_on_its_old_hold(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """The same id once more asks for another one."""
    stand_in, to = bot
    stand_in.is_over = True
    code, said = do(Machine(10), to, tmp_path)
    assert (code, "another --id" in said[0]) == (NOT_STARTED, True)


def test_a_command_that_is_not_there_gives_everything_back(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """Nothing is held for what could not start."""
    stand_in, to = bot
    code, said = do(Machine(10), to, tmp_path, command="no-such-command")
    assert code == NOT_STARTED
    assert not stand_in.held
    assert not stand_in.events
    assert said == ["no-such-command: No such file or directory"]


def test_a_bot_that_is_away_stops_no_job_unless_it_shall(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """By default it runs and is told later, as plain usage; with `stop` it is not started."""
    stand_in, to = bot
    stand_in.is_away = True
    assert do(Machine(10), to, tmp_path, manner=Manner(on_outage="stop"))[0] == NOT_STARTED
    assert do(Machine(10), to, tmp_path)[0] == 0
    assert len(list(tmp_path.glob("*.json"))) == 1
    stand_in.is_away = False
    Spool(tmp_path).send(to)
    assert (stand_in.used, stand_in.asked[-1][0]) == (80, "/v1/usage")
    assert not list(tmp_path.iterdir())


def test_an_outage_in_between_loses_nothing(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """Reports of the time without an answer are told with the next one."""
    stand_in, to = bot

    def away() -> None:
        stand_in.is_away = True

    def back() -> None:
        stand_in.is_away = False

    code, said = do(Machine(1_500, at={1: away, 4: back}), to, tmp_path)
    assert (code, stand_in.used, stand_in.finals) == (0, 12_000, 1)
    assert "does not answer" in said[0]


def test_a_job_that_takes_longer_asks_for_more_in_time(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """An hour was estimated and three are taken: more is held before what there was is used up."""
    stand_in, to = bot
    code, said = do(Machine(10_800), to, tmp_path)
    assert (code, said, stand_in.used) == (0, [], 86_400)


def test_a_job_ends_when_what_it_holds_is_used_up(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """More is denied: it is said at once, and the job is asked to end when the last token is used, not before."""
    stand_in, to = bot
    stand_in.room = stand_in.room * 0 + 36_000
    machine = Machine(10_800)
    code, said = do(machine, to, tmp_path)
    assert code == 128 + 15
    assert said == [f"{DENIAL} It is asked to end when what it holds is used up.", "The job is asked to end."]
    assert stand_in.used == 34_560
    assert machine.passed == 4_320


def test_a_job_may_be_let_run(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """Then it goes on beyond what is held, and all of it is told."""
    stand_in, to = bot
    stand_in.room = stand_in.room * 0 + 36_000
    code, said = do(Machine(10_800), to, tmp_path, manner=Manner(let_run=True))
    assert (code, stand_in.used) == (0, 86_400)
    assert said == [f"{DENIAL} It goes on."]


def test_a_job_that_somebody_cancelled_ends(bot: tuple[StandIn, Bot], tmp_path: Path) -> None:
    """It is asked to end at its next report, and what it used until then is told."""
    stand_in, to = bot
    stand_in.is_cancelled = True
    code, said = do(Machine(3_000), to, tmp_path)
    assert (code, stand_in.used) == (128 + 15, 2_400)
    assert "Somebody ended it." in said[0]
