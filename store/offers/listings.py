"""Texts of job listings that were handed out, and what they stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.tables.grants import grants
from store.tables.ledger import accounts
from store.tables.offers import listings
from store.tables.usage import usage_days

if TYPE_CHECKING:
    from datetime import date, datetime

    from store.engine import Session

_l = listings.c


class HandedOut(NamedTuple):
    """A listing's text as it was handed out last, by its digest."""

    level: str
    band: str
    language: str
    digest: str
    handbook_version: str
    made_at: datetime
    made_by: str
    outdated_digest: str | None = None


def keep(session: Session, one: HandedOut) -> None:
    """Remember what was handed out; an earlier text of the same post is no longer looked at."""
    same = (_l.level == one.level, _l.band == one.band, _l.language == one.language)
    session.execute(sa.delete(listings).where(*same))
    session.execute(sa.insert(listings).values(**one._asdict()))


def all_of(session: Session) -> list[HandedOut]:
    query = sa.select(*(_l[name] for name in HandedOut._fields)).order_by(_l.level, _l.band, _l.language)
    return [HandedOut(*row) for row in session.execute(query)]


def note_outdated(session: Session, one: HandedOut, digest: str) -> None:
    same = (_l.level == one.level, _l.band == one.band, _l.language == one.language)
    session.execute(sa.update(listings).where(*same).values(outdated_digest=digest))


def used_a_day(session: Session, first: date, end: date) -> list[int]:
    """What each person used on a day on which they used anything, in micro-tokens: of wallets, before a day."""
    d = usage_days.c
    query = (
        sa.select(sa.func.sum(d.debit_micro_tokens), sa.func.count(sa.distinct(d.day)))
        .join_from(usage_days, accounts, accounts.c.id == d.account_id)
        .where(accounts.c.person_id.is_not(None), d.day >= first, d.day < end, d.debit_micro_tokens > 0)
        .group_by(d.account_id)
    )
    return [int(total) // days for total, days in session.execute(query)]


def granted(session: Session, months: list[str]) -> list[int]:
    """Every monthly grant of some months, in micro-tokens."""
    query = sa.select(grants.c.amount).where(grants.c.month.in_(months))
    return [int(amount) for amount in session.execute(query).scalars()]
