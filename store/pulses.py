"""How the parts of the bot are doing, as the processes that run them say twice a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.outbox import pulses

if TYPE_CHECKING:
    from datetime import datetime

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
