"""Comparisons of months, the differences that they found, and what was decided about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.units import NanoUSD
from store.tables.reconciliation import findings, reconciliations
from views.reconciliation import Found

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from store.engine import Session

_f, _r = findings.c, reconciliations.c


def keep(session: Session, vendor: str, month: str, content: Mapping[str, Any], *, now: datetime) -> None:
    """Keep how a month adds up; the last comparison holds."""
    key = (_r.vendor == vendor, _r.month == month)
    changed = session.execute(sa.update(reconciliations).where(*key).values(made_at=now, content=content))
    if not changed.rowcount:
        session.execute(sa.insert(reconciliations).values(vendor=vendor, month=month, made_at=now, content=content))


def kept(session: Session, month: str) -> dict[str, tuple[datetime, dict[str, Any]]]:
    """How a month adds up beside each vendor, and when that was worked out."""
    query = sa.select(_r.vendor, _r.made_at, _r.content).where(_r.month == month).order_by(_r.vendor)
    return {vendor: (at, content) for vendor, at, content in session.execute(query)}


def months(session: Session, vendor: str) -> list[str]:
    query = sa.select(_r.month).where(_r.vendor == vendor).order_by(_r.month)
    return list(session.execute(query).scalars())


def of_month(session: Session, month: str, vendor: str | None = None) -> list[Found]:
    """The differences of a month, those that weigh most first."""
    query = sa.select(findings).where(_f.month == month).order_by(_f.moved_nano_usd.desc(), _f.id)
    if vendor is not None:
        query = query.where(_f.vendor == vendor)
    return [_read(row) for row in session.execute(query)]


def get(session: Session, finding_id: str, *, lock: bool = False) -> Found | None:
    query = sa.select(findings).where(_f.id == finding_id)
    row = session.execute(query.with_for_update() if lock else query).one_or_none()
    return _read(row) if row else None


def in_state(session: Session, state: str) -> list[Found]:
    query = sa.select(findings).where(_f.state == state).order_by(_f.id)
    return [_read(row) for row in session.execute(query)]


def _read(row: Any) -> Found:  # noqa: ANN401 - a row
    return Found(
        id=row.id,
        vendor=row.vendor,
        month=row.month,
        cause=row.kind,
        source=row.source,
        revision=row.revision,
        state=row.state,
        amount=NanoUSD(row.amount_nano_usd),
        moved=NanoUSD(row.moved_nano_usd),
        settled=NanoUSD(row.settled_nano_usd),
        content=row.content,
        found_at=row.found_at,
        decision=row.decision,
        chosen_by=row.chosen_by,
        confirmed_by=row.confirmed_by,
        decided_at=row.decided_at,
    )


def add(session: Session, found: Found) -> None:
    session.execute(sa.insert(findings).values(_row(found)))


def put(session: Session, found: Found) -> None:
    """Make a difference what it is now; the caller holds it."""
    session.execute(sa.update(findings).where(_f.id == found.id).values(_row(found)))


def _row(found: Found) -> dict[str, Any]:
    row = {name: getattr(found, name) for name in found.__dataclass_fields__}
    amounts = {f"{name}_nano_usd": int(row.pop(name)) for name in ("amount", "moved", "settled")}
    return {"kind": row.pop("cause"), **row, **amounts}
