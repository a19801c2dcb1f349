"""Outcomes of a process that dies: an import that was killed left nothing or everything, and doubles nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from handlers.outcomes import files
from store.tables.outcomes import outcomes as table
from tests.conftest import ZONE
from tests.support import books
from tests.support import outcomes as work
from tests.support.books import ADA, BEN
from tests.support.outcomes import MERGED

if TYPE_CHECKING:
    from pathlib import Path

    from programme.app import App

ROWS = 500
PATIENCE_SECONDS = 60

DIE = """
import os, signal, sys
from bot.cli import common, main
from store.outcomes import records

def then_die(work):
    def wrapped(*given, **named):
        work(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    return wrapped

"""
MOMENTS = {
    "before the commit": DIE + "records.insert = then_die(records.insert)\nsys.exit(main())",
    "after the commit": DIE + "common.print_json = then_die(lambda _: None)\nsys.exit(main())",
}
LIVE = "import sys; from bot.cli import main; sys.exit(main())"


@pytest.fixture(scope="module")
def outcomes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tasks of Ada and Ben in turn, a minute each."""
    path = tmp_path_factory.mktemp("outcomes") / "outcomes.csv"
    lines = (
        f"jira,SHOP-{number},task,{(MERGED - timedelta(minutes=number)).isoformat()},{(ADA, BEN)[number % 2]}"
        for number in range(ROWS)
    )
    path.write_text("\n".join((",".join((*files.REQUIRED, "user")), *lines)) + "\n")
    return path


def import_file(program: str, path: Path, url: str) -> tuple[int, str]:
    """`tokens-bot outcomes import`, in a process of its own: how it ended, and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", program, "outcomes", "import", str(path), "--json"],
        env=os.environ | {"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ZONE.key},
        capture_output=True,
        text=True,
        cwd=path.parent,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(("moment", "left"), [("before the commit", 0), ("after the commit", ROWS)])
def test_an_import_that_was_killed_doubles_nothing(
    app: App, database_url: str, outcomes_file: Path, moment: str, left: int
) -> None:
    """`kill -9` within the transaction leaves nothing, after it all; the same command then completes the file."""
    assert import_file(MOMENTS[moment], outcomes_file, database_url) == (-signal.SIGKILL, "")
    assert books.count(app, table) == left
    code, out = import_file(LIVE, outcomes_file, database_url)
    assert code == 0
    assert json.loads(out) == {
        "read": ROWS,
        "accepted": ROWS - left,
        "corrected": 0,
        "duplicate": left,
        "waiting": 0,
    }
    assert books.count(app, table) == ROWS
    assert work.outputs(app) == {"task": ROWS * 1_000}
