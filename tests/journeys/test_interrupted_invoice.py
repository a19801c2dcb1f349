"""An import of a bill that is killed in the middle goes on where it stopped: no line is lost, none is posted twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.units import MicroTokens
from programme.invoices import posting
from store.tables.invoices import bills
from store.tables.usage import usage_events
from tests.conftest import ZONE
from tests.support import bills as trial
from tests.support import books
from tests.support.bills import GPU, Row, user
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from pathlib import Path

    from programme.app import App

DAYS, METERS = 11, 200
LINES = DAYS * METERS * 2
"""Two steps of usage and a part of one, and a share."""
ROWS = LINES + 1
PATIENCE_SECONDS = 60


def start_import(path: Path, url: str) -> subprocess.Popen[str]:
    """`tokens-bot invoices import`, in a process of its own."""
    program = "import sys; from bot.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "invoices", "import", str(path), "--json"]
    environment = os.environ | {"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ZONE.key}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=path.parent
    )


def kill_in_the_middle(process: subprocess.Popen[str], app: App) -> None:
    """`kill -9` as soon as a step has been committed."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not books.count(app, usage_events):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.005)
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_an_import_that_was_killed_goes_on_where_it_stopped(app: App, database_url: str, tmp_path: Path) -> None:
    """After `kill -9` the same command finishes the bill; until then it is said to be under way, and the books hold."""
    trial.rule(app)
    path = tmp_path / "october.csv"
    lines = [
        Row("0.01", day=day, tags=user(who), meter=f"m{meter}")
        for day in range(1, DAYS + 1)
        for meter in range(METERS)
        for who in (ADA, BEN)
    ]
    path.write_bytes(trial.written([*lines, Row("7.00", GPU)]))
    kill_in_the_middle(start_import(path, database_url), app)
    survived = books.count(app, usage_events)
    assert posting.AT_A_TIME <= survived < LINES
    assert survived % posting.AT_A_TIME == 0
    assert books.rows(app, sa.select(bills.c.rows, bills.c.posted_at)) == [(ROWS, None)]
    assert books.findings(app) == {}

    second = start_import(path, database_url)
    out, err = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 0, err
    [bill] = json.loads(out)["bills"]
    assert (bill["becomes"], bill["usage"]) == ("continued", {"accepted": LINES - survived})
    assert books.count(app, usage_events) == LINES
    for who in (ADA, BEN):
        assert books.wallet(app, who) == MicroTokens(-1_000_000 * LINES // 2)
    assert books.account(app, "company") == MicroTokens(-700_000_000)
    assert books.findings(app) == {}
