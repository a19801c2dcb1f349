"""Rates of currencies by quarter: those that wait for two people, and those that are frozen."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.units import NanoUSD
from policy.value.currencies import Rate
from store.tables.value import currency_rates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from policy.period import Quarter
    from store.engine import Session

SET, ADOPTED_FIRST, ADOPTED = "rates.set", "rates.adopt_first", "rates.adopt"
"""In the audit log: a rate was set, adopted by the first of two people, and frozen by the second."""
_c = currency_rates.c


class KeptRate(NamedTuple):
    """A rate on record; it counts once it is frozen."""

    quarter: str
    currency: str
    nano_usd_per_unit: int
    set_by: str
    adopted_by: str | None
    confirmed_by: str | None
    frozen_at: datetime | None

    @property
    def rate(self) -> Rate:
        return Rate(self.currency, NanoUSD(self.nano_usd_per_unit))


def all_of(session: Session, quarter: Quarter | None = None) -> list[KeptRate]:
    """Every rate, or those of a quarter, by currency."""
    query = sa.select(*(_c[name] for name in KeptRate._fields)).order_by(_c.quarter, _c.currency)
    if quarter is not None:
        query = query.where(_c.quarter == str(quarter))
    return [KeptRate(*row) for row in session.execute(query)]


def frozen(session: Session, quarter: Quarter) -> dict[str, Rate]:
    """The rates of a quarter that count, by currency."""
    return {kept.currency: kept.rate for kept in all_of(session, quarter) if kept.frozen_at is not None}


def keep(session: Session, quarter: Quarter, rate: Rate, *, actor: str, now: datetime) -> None:
    """Set a rate that is not frozen. Whoever had adopted the quarter's others has to look at all of them again."""
    waiting = (_c.quarter == str(quarter), _c.frozen_at.is_(None))
    session.execute(sa.delete(currency_rates).where(*waiting, _c.currency == rate.currency))
    session.execute(sa.update(currency_rates).where(*waiting).values(adopted_by=None))
    row = {"quarter": str(quarter), "currency": rate.currency, "nano_usd_per_unit": int(rate.per_unit)}
    session.execute(sa.insert(currency_rates).values(**row, set_by=actor, set_at=now))


def note_first(session: Session, quarter: Quarter, actor: str) -> None:
    changed = sa.update(currency_rates).where(_c.quarter == str(quarter), _c.frozen_at.is_(None))
    session.execute(changed.values(adopted_by=actor))


def freeze(session: Session, quarter: Quarter, actor: str, now: datetime) -> None:
    changed = sa.update(currency_rates).where(_c.quarter == str(quarter), _c.frozen_at.is_(None))
    session.execute(changed.values(confirmed_by=actor, frozen_at=now))


def digest(quarter: str, rates: Mapping[str, str]) -> str:
    """Of what two people adopt: the second adopts what the first did."""
    return hashlib.sha256(json.dumps([quarter, rates], sort_keys=True).encode()).hexdigest()
