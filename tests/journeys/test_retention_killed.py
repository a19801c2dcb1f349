"""Retention that is killed in the middle goes on where it was: nothing is left, nothing is told twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from programme.usage import intake
from store.tables.privacy import retention
from store.tables.usage import usage_events
from tests.conftest import ZONE
from tests.support import books, cast
from tests.support.books import ADA, MARA

if TYPE_CHECKING:
    from programme.app import App

EVENTS, IN_A_BATCH = 30_000, 1_000
PATIENCE_SECONDS = 60


def use(app: App) -> None:
    """Of a year and a half before the command's own clock."""
    at = datetime.now(UTC) - timedelta(days=550)
    for first in range(0, EVENTS, 5_000):
        with app.transaction(at) as moment:
            some = range(first, first + 5_000)
            intake.take_in(moment, [cast.event(f"e{n}", at=at, who=(ADA, MARA)[n % 2]) for n in some])


def start(url: str) -> subprocess.Popen[str]:
    """`tokens-bot people retention`, in a process of its own."""
    program = "import sys; from bot.cli import main; sys.exit(main())"
    environment = os.environ | {"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ZONE.key}
    command = [sys.executable, "-c", program, "people", "retention", "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_in_the_middle(process: subprocess.Popen[str], app: App) -> int:
    """`kill -9` once something was taken; how many rows that were."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    query = sa.select(retention.c.taken).where(retention.c.part == "usage_events")
    while not [taken for (taken,) in books.rows(app, query) if taken]:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.002)
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    return int(books.rows(app, query)[0][0])


def test_retention_that_was_killed_goes_on(app: App, database_url: str) -> None:
    """The same command takes the rest, the audit log tells of each row once, and every figure is proved."""
    use(app)
    taken = kill_in_the_middle(start(database_url), app)
    assert IN_A_BATCH <= taken < EVENTS
    assert taken % IN_A_BATCH == 0
    assert books.findings(app) == {}
    second = start(database_url)
    out, err = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 0, err
    assert json.loads(out)["taken"] == {"usage_events": EVENTS}
    [row] = books.audited(app, "retention.run")
    assert row["after"] == {"usage_events": EVENTS}
    left = sa.select(sa.func.count()).where(sa.cast(usage_events.c.identities, sa.Text).contains("@"))
    assert books.rows(app, left) == [(0,)]
    assert books.findings(app) == {}
