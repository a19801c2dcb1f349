"""What usage is judged by: handbook versions, services, prices that were used, values of quarters."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.metering import Price, UnitPrice
from policy.period import Quarter
from policy.valuation import TokenValue
from store import bulk
from store.tables import handbooks, prices, programme, services, token_values

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from policy.handbook import Service
    from store.engine import Session

ADVISORY_LOCK = 7_263_003
"""Held on PostgreSQL by who notes a quarter's value; any fixed number does."""


def handbook_bodies(session: Session) -> list[str]:
    """Every version's text in the order in which they take effect; the later application wins a tie."""
    query = sa.select(handbooks.c.body).order_by(handbooks.c.effective_from, handbooks.c.applied_at)
    return list(session.execute(query).scalars())


def handbook_body(session: Session, version: str) -> str | None:
    return session.execute(sa.select(handbooks.c.body).where(handbooks.c.version == version)).scalar_one_or_none()


def add_handbook(
    session: Session, *, version: str, effective_from: date, body: str, applied_by: str, now: datetime
) -> None:
    session.execute(
        sa.insert(handbooks).values(
            version=version, effective_from=effective_from, body=body, applied_at=now, applied_by=applied_by
        )
    )


def upsert_services(session: Session, approved: Iterable[Service]) -> None:
    """Keep a row for every service that is or was approved, under its present name."""
    known = set(session.execute(sa.select(services.c.key)).scalars())
    for service in approved:
        if service.key in known:
            statement = sa.update(services).where(services.c.key == service.key)
            session.execute(statement.values(name=service.name, kind=service.kind))
        else:
            session.execute(sa.insert(services).values(key=service.key, name=service.name, kind=service.kind))


def service_names(session: Session) -> dict[str, str]:
    return {key: name for key, name in session.execute(sa.select(services.c.key, services.c.name))}


def price_id(price: Price) -> str:
    """A digest of a price's content."""
    content = [price.provider, price.model, price.tier, price.source, _meters_to_json(price)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _meters_to_json(price: Price) -> dict[str, list[object]]:
    return {meter: [unit.nano_usd, unit.per, [list(t) for t in unit.tiers]] for meter, unit in price.meters.items()}


def keep_prices(session: Session, used: dict[str, Price]) -> None:
    """Store the prices that a batch used, unless they are kept already."""
    rows = [
        (id_, p.provider, p.model, p.tier, p.source, json.dumps(_meters_to_json(p))) for id_, p in sorted(used.items())
    ]
    bulk.insert_missing(session, prices, ("id", "provider", "model", "tier", "source", "meters"), rows)


def load_prices(session: Session, ids: Iterable[str] | None = None) -> dict[str, Price]:
    """Kept prices by id; all of them when no ids are given."""
    query = sa.select(prices)
    if ids is not None:
        query = query.where(prices.c.id.in_(sorted(set(ids))))
    return {
        row.id: Price(
            row.provider,
            row.model,
            row.source,
            {m: UnitPrice(usd, per, tuple((s, p) for s, p in tiers)) for m, (usd, per, tiers) in row.meters.items()},
            row.tier,
        )
        for row in session.execute(query)
    }


def value_of(session: Session, quarter: Quarter) -> TokenValue | None:
    """The value that was adopted for a quarter, the latest version of it."""
    query = sa.select(token_values).where(token_values.c.quarter == str(quarter))
    row = session.execute(query.order_by(token_values.c.adopted_at.desc()).limit(1)).one_or_none()
    return TokenValue(quarter, row.version, row.nano_usd_per_token) if row else None


def values_by_version(session: Session) -> dict[str, TokenValue]:
    return {
        row.version: TokenValue(Quarter.parse(row.quarter), row.version, row.nano_usd_per_token)
        for row in session.execute(sa.select(token_values))
    }


def adopt_value(session: Session, value: TokenValue, *, handbook_version: str, now: datetime) -> None:
    """Note a quarter's value; another session may have noted the same one first."""
    if bulk.is_postgresql(session):
        # One session at a time: two that note several quarters would else wait for each other in a circle.
        session.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
    row = (
        value.version,
        str(value.quarter),
        value.nano_usd_per_token,
        handbook_version,
        bulk.instant_codec(session)(now),
    )
    columns = ("version", "quarter", "nano_usd_per_token", "handbook_version", "adopted_at")
    bulk.insert_missing(session, token_values, columns, [row])


def fact(session: Session, key: str) -> str | None:
    """A fact of the whole ledger, such as `time_zone`."""
    return session.execute(sa.select(programme.c.value).where(programme.c.key == key)).scalar_one_or_none()


def record_fact(session: Session, key: str, value: str) -> None:
    """Note a fact once; it does not change afterwards."""
    bulk.insert_missing(session, programme, ("key", "value"), [(key, value)])
