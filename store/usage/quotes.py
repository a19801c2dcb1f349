"""What gateways reckoned that calls cost, where that is not what we posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.units import NanoUSD
from store import bulk
from store.tables.usage import usage_events, usage_quotes
from store.usage import ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from fractions import Fraction

    from policy.metering import UsageEvent
    from store.engine import Session


class Difference(NamedTuple):
    """An event whose cost is not what its gateway reckoned."""

    source: str
    event_id: str
    occurred_at: datetime
    provider: str
    model: str
    tier: str
    cost: NanoUSD
    quoted: NanoUSD


def note(session: Session, quoted: Sequence[tuple[UsageEvent, int]], *, now: datetime) -> None:
    """Keep the quotes of some new events, in nano-USD."""
    at = bulk.instant_codec(session)(now)
    rows = [(event.source, event.event_id, quote, at) for event, quote in quoted]
    bulk.insert(session, usage_quotes, ("source", "event_id", "quoted_nano_usd", "noted_at"), rows)


def _apart(share: Fraction) -> sa.ColumnElement[bool]:
    """That an event's cost, as it stands today, differs from its quote by more than a share of the quote."""
    cost, quoted = usage_events.c.cost_nano_usd, usage_quotes.c.quoted_nano_usd
    return sa.func.abs(cost - quoted) * share.denominator > quoted * share.numerator


_joined = ids.with_events(usage_quotes)


def differences(session: Session, share: Fraction, *, limit: int, source: str | None = None) -> list[Difference]:
    """The latest events that differ, of everyone or one gateway, the last noted first."""
    e = usage_events.c
    columns = (e.source, e.event_id, e.occurred_at, e.provider, e.model, e.tier, e.cost_nano_usd)
    query = (
        sa.select(*columns, usage_quotes.c.quoted_nano_usd)
        .select_from(_joined)
        .where(_apart(share), *_of(source))
        .order_by(usage_quotes.c.noted_at.desc(), e.source, e.event_id)
        .limit(limit)
    )
    return [Difference(*row[:6], NanoUSD(row[6]), NanoUSD(row[7])) for row in session.execute(query)]


class Apart(NamedTuple):
    """The events of one model that differ, together."""

    source: str
    provider: str
    model: str
    tier: str
    events: int
    cost: NanoUSD
    quoted: NanoUSD


def _of(source: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if source is None else [usage_events.c.source == source]


def differences_by_model(session: Session, share: Fraction, *, source: str | None = None) -> list[Apart]:
    """What differs, by gateway, model and tier, the largest sum of money first. The cost grows with the quotes kept."""
    e = usage_events.c
    key = (e.source, e.provider, e.model, e.tier)
    cost, quoted = sa.func.sum(e.cost_nano_usd), sa.func.sum(usage_quotes.c.quoted_nano_usd)
    query = (
        sa.select(*key, sa.func.count(), cost, quoted)
        .select_from(_joined)
        .where(_apart(share), *_of(source))
        .group_by(*key)
        .order_by(sa.func.abs(cost - quoted).desc(), *key)
    )
    return [
        Apart(source, provider, model, tier, count, NanoUSD(int(ours)), NanoUSD(int(theirs)))
        for source, provider, model, tier, count, ours, theirs in session.execute(query)
    ]


def count_differences(session: Session, share: Fraction) -> int:
    query = sa.select(sa.func.count()).select_from(_joined).where(_apart(share))
    return session.execute(query).scalar_one()
