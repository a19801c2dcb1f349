"""`tokens-bot job` as a process: what it says, what it exits with, and which signals it hands on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateways.jobs.bot import Away, Bot
from gateways.jobs.spool import Report, Spool
from tests.gateways.jobs.stand_in import DENIAL, StandIn, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REPOSITORY = Path(__file__).parents[3]
RUN = ("run", "--service", "gpu-cluster", "--gpus", "2", "--hours", "1", "--user", "ada@example.com", "--id", "job")
PATIENCE = 30


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[StandIn, dict[str, str]]]:
    """The stand-in, and the environment of a job that talks to it."""
    with serving() as (stand_in, url):
        there = {"TOKENS_BOT_URL": url, "TOKENS_BOT_KEY": "key", "TOKENS_JOBS_FOLDER": str(tmp_path / "jobs")}
        yield stand_in, {**os.environ, **there}


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gateways.jobs", *arguments]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    with process:
        said, complained = process.communicate(timeout=PATIENCE)
    return process.returncode, said, complained


def python(code: str) -> Sequence[str]:
    return "--", sys.executable, "-c", code


def test_the_exit_code_and_the_output_are_the_commands(served: tuple[StandIn, dict[str, str]]) -> None:
    """Whoever calls the wrapper sees what the command did."""
    stand_in, environment = served
    done = finish(start(environment, *RUN, *python("print('trained'); raise SystemExit(7)")))
    assert done == (7, "trained\n", "")
    assert (stand_in.finals, len(stand_in.events)) == (1, 1)


def test_a_denial_goes_to_the_terminal(served: tuple[StandIn, dict[str, str]]) -> None:
    """Nothing was started, and why is said."""
    stand_in, environment = served
    stand_in.room *= 0
    assert finish(start(environment, *RUN, *python("print('trained')"))) == (1, "", f"tokens-bot: {DENIAL}\n")


def test_the_end_of_a_slot_is_handed_on_and_reported(served: tuple[StandIn, dict[str, str]]) -> None:
    """SIGTERM reaches the command, which saves its state; what it used is told, and its exit code handed through."""
    stand_in, environment = served
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(9)))\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    process = start(environment, *RUN, *python(code))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert finish(process) == (9, "saved\n", "")
    assert stand_in.finals == 1


def test_an_interrupt_ends_the_command_alone(served: tuple[StandIn, dict[str, str]]) -> None:
    """A terminal interrupts both: the command ends by it, and the wrapper still reports."""
    stand_in, environment = served
    process = start(environment, *RUN, *python("import os, signal; os.kill(os.getppid(), 2); os.kill(os.getpid(), 2)"))
    code, _, complained = finish(process)
    assert (code, stand_in.finals) == (128 + signal.SIGINT, 1), complained


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--gpus", "-1"), "'-1': write how many GPUs, as 8"),
        (("--gpus", "2.5"), "'2.5': write how many GPUs, as 8"),
        (("--hours", "nan"), "'nan': write how many hours, as 6 or 1.5"),
        (("--hours", "six"), "'six': write how many hours, as 6 or 1.5"),
        (("--report-every", "0"), "'0': write how many seconds, from 1 to 3600"),
        (("--on-outage", "wait"), "invalid choice: 'wait'"),
    ],
)
def test_what_cannot_be_meant_is_named(
    served: tuple[StandIn, dict[str, str]], arguments: tuple[str, ...], complaint: str
) -> None:
    """A wrong argument is named with its value, before anything is held."""
    stand_in, environment = served
    code, _, complained = finish(start(environment, *RUN, *arguments, "--", "true"))
    assert (code, stand_in.asked) == (2, [])
    assert complaint in complained


def test_a_command_has_to_be_given(served: tuple[StandIn, dict[str, str]]) -> None:
    """Without one it says how it is written."""
    assert finish(start(served[1], *RUN))[0] == 2


def test_address_and_key_have_to_be_set(served: tuple[StandIn, dict[str, str]]) -> None:
    """What is missing is named."""
    environment = {**served[1], "TOKENS_BOT_URL": "", "TOKENS_BOT_KEY": ""}
    code, _, complained = finish(start(environment, *RUN, "--", "true"))
    assert code == 2
    assert "TOKENS_BOT_URL and TOKENS_BOT_KEY must be set" in complained


def test_what_waits_is_sent_later(served: tuple[StandIn, dict[str, str]], tmp_path: Path) -> None:
    """A report of a node that lost its network is delivered by `send`; one that is refused holds up no other."""
    stand_in, environment = served
    spool = Spool(tmp_path / "jobs")
    for number, second in enumerate((2, 1)):
        spool.keep(Report("", True, event(f"job/{number}", second)))  # noqa: FBT003 - what the file says
    stand_in.is_away = True
    assert finish(start(environment, "send"))[0] == 1
    stand_in.is_away = False
    assert finish(start(environment, "send")) == (0, "", "tokens-bot: 2 reports were delivered.\n")
    assert list(stand_in.events) == ["job/1", "job/0"]


def test_a_key_goes_nowhere_else() -> None:
    """A server that points elsewhere is not followed, and counts as away."""
    with serving() as (stand_in, url):
        stand_in.points_to = f"{url}/v1/usage/elsewhere"
        with pytest.raises(Away):
            Bot(url, "key").report(event("e", 1))
        assert not stand_in.asked


def event(id_: str, second: int) -> dict[str, object]:
    data = {"tokens_bot.usage.gpu_seconds": 8}
    return {"specversion": "1.0", "id": id_, "time": f"2026-11-28T09:00:{second:02}+00:00", "data": data}
