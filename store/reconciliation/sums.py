"""What the ledger has of a vendor's services, added up by hour; and whose use it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy import bills
from policy.metering import METERS
from store import bulk
from store.tables.usage import quarantine, usage_days, usage_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from policy.metering import Meters
    from store.engine import Session

_e = usage_events.c
HOUR_LETTERS = 13
"""Of `2026-11-05 14:03:27`, up to the hour."""


class Hour(NamedTuple):
    """Events of one gateway, model and tier in an hour of UTC; `waits` is what is in quarantine."""

    source: str
    provider: str
    model: str
    tier: str
    hour: datetime
    meters: Meters
    calls: int
    cost: int
    waits: bool


def hours(session: Session, begin: datetime, end: datetime) -> list[Hour]:
    """Everything between two instants that gateways reported and that holds: one pass over the events.

    There is no index by time.
    """
    waiting = sa.select(quarantine.c.source).where(
        quarantine.c.source == _e.source,
        quarantine.c.event_id == _e.event_id,
        quarantine.c.released_at.is_(None),
        quarantine.c.discarded_at.is_(None),
    )
    posted = _sums(session, begin, end).where(_e.cost_nano_usd.is_not(None))
    held = _sums(session, begin, end).where(_e.cost_nano_usd.is_(None), waiting.exists())
    return [
        _read(row, waits=waits) for query, waits in ((posted, False), (held, True)) for row in session.execute(query)
    ]


def _sums(session: Session, begin: datetime, end: datetime) -> sa.Select[Any]:
    if bulk.is_postgresql(session):
        hour: sa.ColumnElement[Any] = sa.func.date_trunc("hour", _e.occurred_at, "UTC")
    else:
        hour = sa.func.substr(sa.type_coerce(_e.occurred_at, sa.Text), 1, HOUR_LETTERS)
    counts = [sa.func.sum(_e.meters[meter].as_integer()) for meter in METERS]
    return (
        sa.select(
            _e.source,
            _e.provider,
            _e.model,
            _e.tier,
            hour,
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(_e.cost_nano_usd), 0),
            *counts,
        )
        .where(_e.occurred_at >= begin, _e.occurred_at < end, ~_e.source.startswith(bills.SOURCE))
        .group_by(_e.source, _e.provider, _e.model, _e.tier, hour)
    )


def _read(row: Any, *, waits: bool) -> Hour:  # noqa: ANN401 - a row of `_sums`
    source, provider, model, tier, hour, calls, cost, *counts = row
    at = hour.astimezone(UTC) if isinstance(hour, datetime) else datetime.fromisoformat(hour).replace(tzinfo=UTC)
    meters: Meters = {meter: int(count) for meter, count in zip(METERS, counts, strict=True) if count}
    return Hour(source, provider, model, tier, at, meters, int(calls), int(cost), waits)


def debits(session: Session, service_key: str, days: Sequence[date], models: Iterable[str]) -> dict[int, int]:
    """What each payer's use of a service's models on some days was debited, in micro-tokens, by account."""
    d = usage_days.c
    some = sorted(set(models))
    query = sa.select(d.account_id, sa.func.sum(d.debit_micro_tokens)).where(d.service_key == service_key)
    query = query.where(d.day.in_(days)).group_by(d.account_id)
    if some:
        query = query.where(d.model.in_(some))
    return {account: int(total) for account, total in session.execute(query.order_by(d.account_id)) if total > 0}


def models_of(session: Session, service_key: str, days: Sequence[date]) -> set[str]:
    """The names by which a service's models stand in some days."""
    d = usage_days.c
    query = sa.select(d.model).where(d.service_key == service_key, d.day.in_(days)).distinct()
    return set(session.execute(query).scalars())
