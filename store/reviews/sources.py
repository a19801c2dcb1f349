"""What a quarter's draft is worked out from, and its summary made of, as it stands in the books now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.units import NanoUSD
from store.tables.grants import grants
from store.tables.ledger import accounts, entries
from store.tables.outcomes import outcomes
from store.tables.usage import quarantine, usage_days, usage_events
from store.tables.value import usd_entries
from store.usage import ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from policy.period import Month
    from store.engine import Session


def debits(session: Session, first: date, end: date) -> dict[str, int]:
    """What each person spent on some days, in micro-tokens, exceptions included; `end` is no longer one of them."""
    d = usage_days.c
    query = (
        sa.select(accounts.c.person_id, sa.func.sum(d.debit_micro_tokens))
        .join(accounts, accounts.c.id == d.account_id)
        .where(d.day >= first, d.day < end, accounts.c.person_id.is_not(None))
        .group_by(accounts.c.person_id)
    )
    return {person_id: int(total) for person_id, total in session.execute(query)}


def first_outcomes(session: Session, unit: str) -> dict[str, date]:
    """The first day of which any outcome of a team or person was told."""
    o = outcomes.c
    query = sa.select(o.unit_id, sa.func.min(o.day)).where(o.unit == unit, o.unit_id.is_not(None))
    return {unit_id: day for unit_id, day in session.execute(query.group_by(o.unit_id))}


def read_up_to(session: Session) -> dict[str, int]:
    """The last entry of the ledger and the last outcome that are there to be read."""
    tables = {"entries": entries, "outcomes": outcomes}
    return {
        name: int(session.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))).scalar_one())
        for name, table in tables.items()
    }


def bounds_of_grants(session: Session, months: Sequence[Month]) -> dict[str, int]:
    """How many of some months' grants a cap or a floor held."""
    bound = grants.c.factors["bound"].as_string()
    query = sa.select(bound, sa.func.count()).where(grants.c.month.in_([str(month) for month in months]))
    return {name: count for name, count in session.execute(query.group_by(bound)) if name}


def buffer_held(session: Session) -> NanoUSD:
    """What stands in the buffer's book."""
    u = usd_entries.c
    signed = sa.case(
        (u.credit_account == "buffer", u.amount_nano_usd), (u.debit_account == "buffer", -u.amount_nano_usd), else_=0
    )
    return NanoUSD(int(session.execute(sa.select(sa.func.coalesce(sa.func.sum(signed), 0))).scalar_one()))


def count_quarantined(session: Session, begin: datetime, end: datetime) -> int:
    """How many events between two instants still wait in quarantine."""
    q, e = quarantine.c, usage_events.c
    query = (
        sa.select(sa.func.count())
        .select_from(ids.with_events(quarantine))
        .where(q.released_at.is_(None), e.occurred_at >= begin, e.occurred_at < end)
    )
    return session.execute(query).scalar_one()
