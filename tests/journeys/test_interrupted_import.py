"""An import that is killed in the middle goes on where it stopped: no event is lost, none is taken twice."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.usage import csv_files, files
from policy.units import MicroTokens
from store.tables.usage import file_imports, usage_days, usage_events
from tests.conftest import ZONE
from tests.support import books
from tests.support.books import ADA, BEN
from tests.support.cast import SONNET
from tests.support.clock import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from programme.app import App

ROWS = 30_000
STRANGERS_EVERY = 1_000
"""Every so many rows someone whom no one knows: they wait in quarantine, and are counted as that."""
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def usage_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six batches of usage, of Ada and Ben in turn, over two weeks."""
    path = tmp_path_factory.mktemp("usage") / "usage.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(csv_files.COLUMNS)
        for number in range(ROWS):
            at = NOON - timedelta(minutes=number // 2)
            who = (ADA, BEN)[number % 2] if number % STRANGERS_EVERY else "stranger"
            table.writerow(("gateway", f"e{number}", at.isoformat(), who, *SONNET, 100, "", "", 100, ""))
    return path


def start_import(path: Path, url: str) -> subprocess.Popen[str]:
    """`tokens-bot usage import`, in a process of its own."""
    program = "import sys; from bot.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "usage", "import", str(path), "--format", "csv", "--json"]
    environment = os.environ | {"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ZONE.key}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=path.parent
    )


def kill_in_the_middle(process: subprocess.Popen[str], app: App) -> None:
    """`kill -9` as soon as a fifth of the file has been committed."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while books.count(app, usage_events) < ROWS // 5:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_an_import_that_was_killed_goes_on_where_it_stopped(app: App, database_url: str, usage_file: Path) -> None:
    """After `kill -9` the same command finishes the file: each event once, each figure proved, one summary of all."""
    kill_in_the_middle(start_import(usage_file, database_url), app)
    survived = books.count(app, usage_events)
    assert ROWS // 5 <= survived < ROWS
    assert survived % files.BATCH == 0
    [(lines, counts)] = books.rows(app, sa.select(file_imports.c.lines_done, file_imports.c.counts))
    assert (lines, counts["read"]) == (survived + 1, survived)
    assert books.findings(app) == {}

    second = start_import(usage_file, database_url)
    out, err = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 0, err
    strangers = ROWS // STRANGERS_EVERY
    assert json.loads(out) == {
        "read": ROWS,
        "accepted": ROWS - strangers,
        "duplicate": 0,
        "conflict": 0,
        "quarantined": strangers,
        "rejected": 0,
    }
    assert f"Continued after line {survived + 1}" in err

    assert books.count(app, usage_events) == ROWS
    assert books.count(app, file_imports) == 0
    # 100 × USD 3 and 100 × USD 15 a million: USD 0.0018, 0.18 tokens.
    assert books.wallet(app, ADA) == MicroTokens(-180_000 * (ROWS // 2 - strangers))
    assert books.wallet(app, BEN) == MicroTokens(-180_000 * (ROWS // 2))
    assert books.rows(app, sa.select(sa.func.sum(usage_days.c.calls))) == [(ROWS - strangers,)]
    assert books.findings(app) == {}
