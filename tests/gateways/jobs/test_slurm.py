"""Slurm's prolog and epilog: a job is held before it starts, and what it used is told at its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gateways.jobs.stand_in import GPU_SECONDS, StandIn, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[3]
PATIENCE = 30
JOB = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_USER": "ada",
    "SLURM_JOB_ACCOUNT": "apollo",
    "SLURM_JOB_NODELIST": "gpu[1-2]",
    "SLURMD_NODENAME": "gpu1",
    "SLURM_JOB_GPUS": "0,1,2,3",
    "SLURM_JOB_START_TIME": "1796000000",
    "SLURM_JOB_END_TIME": "1796007200",
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[tuple[StandIn, dict[str, str]]]:
    """A node of Slurm: what the scripts find there, with a `scontrol` that knows two nodes."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "scontrol").write_text("#!/bin/sh\nprintf 'gpu1\\ngpu2\\n'\n")
    (programs / "python3").symlink_to(sys.executable)
    (programs / "scontrol").chmod(0o755)
    with serving() as (stand_in, url):
        settings = tmp_path / "jobs.env"
        settings.write_text(f"TOKENS_BOT_URL={url}\nTOKENS_BOT_KEY=key\n")
        yield (
            stand_in,
            {
                **JOB,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "TOKENS_JOBS_ENV": str(settings),
                "TOKENS_JOBS_PATH": str(REPOSITORY),
                "TOKENS_JOBS_FOLDER": str(tmp_path / "spool"),
            },
        )


def sh(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = REPOSITORY / "gateways" / "slurm" / script
    return subprocess.run([path], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_a_job_is_held_before_and_told_after(node: tuple[StandIn, dict[str, str]]) -> None:
    """Two hours on two nodes of four GPUs are held; after it the rest is free, and nothing waits on the node."""
    stand_in, environment = node
    assert sh("prolog.sh", environment).returncode == 0
    assert stand_in.asked[0][1]["estimate"] == {GPU_SECONDS: 8 * 7200}
    assert stand_in.asked[0][1]["project"] == "apollo"
    assert sh("epilog.sh", environment).returncode == 0
    assert (stand_in.finals, stand_in.used % 8) == (1, 0)


def test_a_job_that_does_not_fit_is_not_run(node: tuple[StandIn, dict[str, str]]) -> None:
    """A prolog that fails keeps Slurm from starting it; the log has the reason."""
    stand_in, environment = node
    stand_in.room *= 0
    done = sh("prolog.sh", environment)
    assert done.returncode == 1
    assert "12 tokens left" in done.stderr
    assert sh("epilog.sh", environment).returncode == 0
    assert not stand_in.events


@pytest.mark.parametrize("change", [{"SLURMD_NODENAME": "gpu2"}, {"SLURM_JOB_GPUS": ""}])
def test_other_nodes_and_jobs_without_gpus_hold_nothing(
    node: tuple[StandIn, dict[str, str]], change: dict[str, str]
) -> None:
    """One node speaks for all, and what needs no GPU costs nothing."""
    stand_in, environment = node
    assert sh("prolog.sh", {**environment, **change}).returncode == 0
    assert not stand_in.asked


def test_a_bot_that_is_away_keeps_no_node_busy(node: tuple[StandIn, dict[str, str]]) -> None:
    """The job runs; its report waits on the node, and goes out with the next job."""
    stand_in, environment = node
    stand_in.is_away = True
    assert [sh(script, environment).returncode for script in ("prolog.sh", "epilog.sh")] == [0, 0]
    stand_in.is_away = False
    again = {**environment, "SLURM_JOB_ID": "4712"}
    assert [sh(script, again).returncode for script in ("prolog.sh", "epilog.sh")] == [0, 0]
    assert sorted(id_.split("/")[0] for id_ in stand_in.events) == ["slurm-4711.0", "slurm-4712.0"]
