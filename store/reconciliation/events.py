"""Single calls that a difference may be about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy import bills
from store.tables.usage import usage_events
from store.usage import ids, versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from policy.metering import Meters
    from store.engine import Session
    from store.usage.versions import Key, Posted

ROWS_AT_A_TIME = 10_000
_e = usage_events.c
_COUNTS = tuple(_e.meters[meter].as_integer() for meter in ("input_uncached", "cache_read", "output"))


Place = int | list[str]
"""The number of an event. What was under way when there were none has its source and id, and goes on in their order."""


class Span(NamedTuple):
    """From one instant up to another."""

    begin: datetime
    end: datetime


def after(session: Session, reached: Place, source: str, span: Span, limit: int) -> list[Posted]:
    """Debited events of a source, or of all, in the order of their numbers; one seek to where the last ones ended."""
    order: list[sa.ColumnElement[Any]] = [_e.id] if isinstance(reached, int) else [_e.source, _e.event_id]
    last = (reached,) if isinstance(reached, int) else reached
    query = versions.POSTED.where(
        sa.tuple_(*order) > sa.tuple_(*map(sa.literal, last)),
        _e.occurred_at >= span.begin,
        _e.occurred_at < span.end,
        _e.cost_nano_usd.is_not(None),
        ~_e.source.startswith(bills.SOURCE),
    )
    if source:
        query = query.where(_e.source == source)
    rows = session.execute(query.order_by(*order).limit(limit))
    return [versions.posted(row) for row in rows]


def place(session: Session, last: Posted, reached: Place) -> Place:
    """Where one goes on after the last of some events, in the order in which one came to them."""
    return ids.numbers(session, [last.key])[last.key] if isinstance(reached, int) else list(last.key)


class Twin(NamedTuple):
    """A call that has the same payer and counts as another one."""

    source: str
    event_id: str
    occurred_at: datetime
    provider: str
    model: str
    tier: str
    meters: Meters
    revision: int
    alike: tuple[Any, ...]

    @property
    def key(self) -> Key:
        return self.source, self.event_id


def clusters(session: Session, span: Span, *, seconds: int) -> Iterator[list[Twin]]:
    """Calls that are alike and came within so many seconds of each other, each cluster by time.

    One pass over the events and one sort of those of the span.
    """
    alike = (_e.account_id, _e.provider, _e.model, _e.tier, *_COUNTS)
    times = sa.func.count().over(partition_by=alike).label("times")
    inner = (
        sa.select(_e.source, _e.event_id, _e.occurred_at, _e.provider, _e.model, _e.meters, _e.revision, times)
        .add_columns(_e.account_id, _e.tier, *(count.label(f"n{n}") for n, count in enumerate(_COUNTS)))
        .where(_e.occurred_at >= span.begin, _e.occurred_at < span.end, _e.cost_nano_usd.is_not(None))
        .where(~_e.source.startswith(bills.SOURCE))
        .subquery()
    )
    c = inner.c
    order = (c.account_id, c.provider, c.model, c.tier, c.n0, c.n1, c.n2, c.occurred_at, c.source, c.event_id)
    rows = session.execute(sa.select(inner).where(c.times > 1).order_by(*order))
    cluster: list[Twin] = []
    for row in rows:
        twin = Twin(
            row.source,
            row.event_id,
            row.occurred_at,
            row.provider,
            row.model,
            row.tier,
            row.meters,
            row.revision,
            (row.account_id, row.provider, row.model, row.tier, row.n0, row.n1, row.n2),
        )
        if cluster and not _belongs(cluster[-1], twin, seconds):
            if len(cluster) > 1:
                yield cluster
            cluster = []
        cluster.append(twin)
    if len(cluster) > 1:
        yield cluster


def _belongs(last: Twin, twin: Twin, seconds: int) -> bool:
    return last.alike == twin.alike and twin.occurred_at - last.occurred_at <= timedelta(seconds=seconds)
