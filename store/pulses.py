"""How the parts of the bot are doing, and in which processes, as those say twice a minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.outbox import processes, pulses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.engine import Session


class Pulse(NamedTuple):
    """A part; each instant is the latest that any process told."""

    part: str
    well_at: datetime | None
    ailing_at: datetime | None
    problem: str | None


def note(session: Session, part: str, *, now: datetime, problem: str = "") -> None:
    """A process says that a part is well, or with a `problem` that it is not."""
    told = {"ailing_at": now, "problem": problem} if problem else {"well_at": now}
    known = sa.update(pulses).where(pulses.c.part == part).values(**told)
    if session.execute(known).rowcount == 0:
        bulk.insert_missing(session, pulses, ("part",), [(part,)])
        session.execute(known)


def latest(session: Session) -> dict[str, Pulse]:
    """By part; nothing of a part that never ran."""
    return {row.part: Pulse(*row) for row in session.execute(sa.select(pulses))}


LATELY, FORGOTTEN_AFTER = timedelta(minutes=3), timedelta(days=1)
"""Some pulses: who told nothing for longer does not run. The row of one that was killed is kept for so long."""
_p = processes.c


class Process(NamedTuple):
    """A part in one process: since when it runs there, when it told last, and what ails it there."""

    process: str
    part: str
    began_at: datetime
    seen_at: datetime
    problem: str | None


def tell(session: Session, process: str, parts: Mapping[str, str | None], *, began_at: datetime, now: datetime) -> None:
    """A process says that it runs some parts, and what ails each, if anything; old rows of others are forgotten."""
    session.execute(sa.delete(processes).where(_p.seen_at < now - FORGOTTEN_AFTER))
    instant = bulk.instant_codec(session)
    rows = [(process, part, instant(now), problem) for part, problem in sorted(parts.items())]
    columns = ("process", "part", "seen_at", "problem")
    if bulk.update(session, processes, columns, rows, key=2) < len(rows):
        begun = [(process, part, instant(began_at), instant(now)) for part in sorted(parts)]
        bulk.insert_missing(session, processes, ("process", "part", "began_at", "seen_at"), begun)
        bulk.update(session, processes, columns, rows, key=2)


def leave(session: Session, process: str) -> None:
    """A process ends, and runs nothing any more."""
    session.execute(sa.delete(processes).where(_p.process == process))


def running(session: Session, now: datetime) -> list[Process]:
    """What runs where, by part, as far as it told lately."""
    query = sa.select(processes).where(_p.seen_at >= now - LATELY).order_by(_p.part, _p.began_at, _p.process)
    return [Process(*row) for row in session.execute(query)]
