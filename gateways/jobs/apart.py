"""A job whose start and end are told by two commands, as a scheduler's prolog and epilog do."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateways.jobs.bot import Away
from gateways.jobs.job import Job
from gateways.jobs.spool import WITHOUT_A_HOLD, Report, file_name

if TYPE_CHECKING:
    from pathlib import Path

    from gateways.jobs.bot import Bot
    from gateways.jobs.spool import Spool

LONGEST_HOLD = timedelta(days=1)
"""What a hold may be kept for without a word."""


def begin(job: Job, bot: Bot, spool: Spool, now: datetime, *, source: str, on_outage: str) -> None:
    """Have a job's estimate held and remember it until its end; Denied, Refused, or Away where that shall stop it."""
    hold_id, told = job.id, dict[str, Any]()
    try:
        told = bot.reserve(job.hold(int(LONGEST_HOLD.total_seconds())))
    except Away:
        if on_outage == "stop":
            raise
        hold_id = WITHOUT_A_HOLD
    known = {
        "job": dataclasses.asdict(job),
        "began": now.isoformat(),
        "hold_id": hold_id,
        "source": told.get("source") or source,
        "provider": told.get("provider") or job.service,
        "model": told.get("model") or job.model,
    }
    path = _path(spool, job.id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.part")
    beside.write_text(json.dumps(known), encoding="utf-8")
    beside.replace(path)


def end(job_id: str, bot: Bot, spool: Spool, now: datetime) -> bool:
    """Report what a job used since its beginning; False where none is known under the id. Away keeps the report."""
    path = _path(spool, job_id)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    job, began = Job(**known["job"]), datetime.fromisoformat(known["began"])
    used = job.gpu_seconds((now - began).total_seconds())
    what = {name: known[name] for name in ("source", "provider", "model")}
    spool.keep(Report(known["hold_id"], True, job.event(f"{began:%Y%m%dT%H%M%S}.1", used, now, **what)))  # noqa: FBT003
    path.unlink()
    spool.send(bot)
    return True


def _path(spool: Spool, job_id: str) -> Path:
    return spool.folder / "running" / f"{file_name(job_id)}.json"
