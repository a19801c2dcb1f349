"""What a replica of `tests.support.replicas` is: the real bot, whose wall clock is a file; everything else is its own.

Its clockwork goes faster, and it waits less long for Slack, as its hours are short.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.backends.backend_agg  # before the forks: it takes a second
import matplotlib.figure  # noqa: F401 - the same

from bot import logs, serving, settings, socket_mode, wiring
from scheduler import doubts, slack_delivery, ticker
from tests.support.replicas import WallClock

if TYPE_CHECKING:
    from bot.settings import Part

ticker.TICK_SECONDS, ticker.COURIER_SECONDS, ticker.PULSE_SECONDS = 2, 0.5, 5  # type: ignore[assignment]
socket_mode.LONGEST_WAIT_SECONDS = 2.0
slack_delivery.PATIENCE_SECONDS, doubts.KEPT_SECONDS = 3, 4.0


def work(begun: str, *parts: Part) -> None:
    Path(begun).touch()
    clock_file, log, *lines = sys.argv[1:]
    # Not to the tests' own output, and kept over each death.
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), sys.stderr.fileno())
    loaded = settings.load(dict(line.split("=", 1) for line in lines))
    logs.set_up(loaded.log)
    with (
        wiring.open_app(loaded, clock=WallClock(Path(clock_file))) as app,
        serving.serving(loaded, app, parts),
    ):
        serving.wait_for_signal()
