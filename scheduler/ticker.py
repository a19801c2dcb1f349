"""The clockwork: APScheduler runs frequent interval jobs in memory, and the jobs themselves know what is owed.

Several replicas may run it: every job is safe to run twice.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from apscheduler.schedulers.background import BackgroundScheduler

from scheduler import quarantine

if TYPE_CHECKING:
    from programme.desk import Desk

RETRY_MINUTES = 10


def build(desk: Desk) -> BackgroundScheduler:
    """A scheduler that is not running yet."""
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(partial(quarantine.retry_all, desk), "interval", minutes=RETRY_MINUTES, id="quarantine")
    return scheduler
