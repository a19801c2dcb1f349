"""How much of Slack's rates is used up: a row for each limit, held while a courier draws from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.outbox import slack_rates

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from store.engine import Session

_r = slack_rates.c


class Level(NamedTuple):
    """A bucket as whoever drew from it last left it; both instants are of that courier's clock."""

    taken_at: datetime
    full_at: datetime


def hold(session: Session, buckets: Collection[str], *, now: datetime) -> dict[str, Level]:
    """The levels of some buckets, which nobody else draws from until the transaction ends; new ones are full."""
    wanted = sorted(buckets)
    # In one order for everyone, so that no two couriers wait for each other.
    query = sa.select(slack_rates).where(_r.bucket.in_(wanted)).order_by(_r.bucket).with_for_update()
    held: dict[str, Level] = {}
    while len(held) < len(wanted):
        held = {row.bucket: Level(row.taken_at, row.full_at) for row in session.execute(query)}
        at = bulk.instant_codec(session)(now)
        missing = [(bucket, at, at) for bucket in wanted if bucket not in held]
        # One that was forgotten in between is looked for again.
        bulk.insert_missing(session, slack_rates, ("bucket", "taken_at", "full_at"), missing)
    return held


def keep(session: Session, levels: Mapping[str, Level]) -> None:
    """Leave buckets that are held at new levels."""
    if not levels:
        return
    instant = bulk.instant_codec(session)
    rows = [(bucket, instant(level.taken_at), instant(level.full_at)) for bucket, level in sorted(levels.items())]
    bulk.update(session, slack_rates, ("bucket", "taken_at", "full_at"), rows)


def forget_full(session: Session, *, before: datetime) -> None:
    """Buckets that were full so long ago: one that nobody knows is full as well."""
    session.execute(sa.delete(slack_rates).where(_r.full_at < before))
