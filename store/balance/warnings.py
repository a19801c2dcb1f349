"""Whom to warn of what they spent: wallets to look at, what was said, and what people want to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.warnings import USUAL, Choice
from store import bulk
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.people import people
from store.tables.usage import usage_days
from store.tables.warnings import wallets_to_check, warning_choices, warnings_given

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from policy.period import Month
    from store.engine import Session


class MonthlySpend(NamedTuple):
    """What a wallet has spent in a month, and what is left of it now; in micro-tokens, less than nothing in debt."""

    account_id: int
    person_id: str
    email: str
    time_zone: str
    spent: int
    left: int


def note(session: Session, account_ids: Iterable[int]) -> None:
    """Have someone look at wallets. Their locks are held: no one looks before what was posted is there."""
    rows = [(account_id,) for account_id in sorted(set(account_ids))]
    bulk.insert_missing(session, wallets_to_check, ("account_id",), rows)


def waiting(session: Session, *, limit: int) -> list[int]:
    query = sa.select(wallets_to_check.c.account_id).order_by(wallets_to_check.c.account_id).limit(limit)
    return list(session.execute(query).scalars())


def looked_at(session: Session, account_ids: Sequence[int]) -> None:
    session.execute(sa.delete(wallets_to_check).where(wallets_to_check.c.account_id.in_(account_ids)))


def standings(session: Session, account_ids: Sequence[int], month: Month, *, now: datetime) -> list[MonthlySpend]:
    """How wallets stand in a month."""
    d = usage_days.c
    spent = (
        sa.select(d.account_id, sa.func.sum(d.debit_micro_tokens).label("total"))
        .where(d.day >= month.first_day, d.day < month.next().first_day, d.account_id.in_(account_ids))
        .group_by(d.account_id)
        .subquery()
    )
    usable = sa.case((sa.and_(lots.c.starts_at <= now, lots.c.expires_at > now), lots.c.remaining), else_=0)
    held = (
        sa.select(lots.c.account_id, sa.func.sum(lots.c.remaining).label("all"), sa.func.sum(usable).label("usable"))
        .where(lots.c.account_id.in_(account_ids), lots.c.remaining > 0)
        .group_by(lots.c.account_id)
        .subquery()
    )
    # What was spent beyond all lots is debt: it comes off what is left.
    left = sa.func.coalesce(held.c.usable, 0) + accounts.c.balance - sa.func.coalesce(held.c.all, 0)
    query = (
        sa.select(
            accounts.c.id, people.c.id, people.c.email, people.c.time_zone, sa.func.coalesce(spent.c.total, 0), left
        )
        .join(people, people.c.id == accounts.c.person_id)
        .outerjoin(spent, spent.c.account_id == accounts.c.id)
        .outerjoin(held, held.c.account_id == accounts.c.id)
        .where(accounts.c.id.in_(account_ids))
        .order_by(accounts.c.id)
    )
    return [MonthlySpend(*row[:4], int(row[4]), int(row[5])) for row in session.execute(query)]


def daily(session: Session, account_id: int, days: Sequence[date]) -> dict[date, int]:
    """What some days cost a wallet, in micro-tokens; days without usage are left out.

    The days are named one by one, because the key begins with the day: each is one short seek.
    """
    d = usage_days.c
    query = sa.select(d.day, sa.func.sum(d.debit_micro_tokens)).where(d.day.in_(days), d.account_id == account_id)
    return {day: int(total) for day, total in session.execute(query.group_by(d.day))}


def spent_before(session: Session, account_id: int, instant: datetime) -> bool:
    """Whether a wallet was spent from before an instant.

    In the order in which lines were posted: who spent for long is known by one of the first of them.
    """
    query = (
        sa.select(postings.c.version)
        .join_from(postings, entries)
        .where(postings.c.account_id == account_id, entries.c.kind == EntryKind.USAGE, entries.c.effective_at < instant)
        .order_by(postings.c.version)
        .limit(1)
    )
    return session.execute(query).scalar_one_or_none() is not None


def told(session: Session, account_ids: Sequence[int], month: Month) -> dict[int, set[int]]:
    """The percentages that were reached in a month, by wallet."""
    found: dict[int, set[int]] = {}
    for account_id, percent in _told.execute(session, account_ids, month=str(month)):
        found.setdefault(account_id, set()).add(percent)
    return found


_w = warnings_given.c
_told = bulk.Among(sa.select(_w.account_id, _w.percent).where(_w.month == sa.bindparam("month")), _w.account_id)


def reached(session: Session, rows: Sequence[tuple[int, int]], month: Month, *, now: datetime) -> None:
    """Note (wallet, percentage), each once a month."""
    at = bulk.instant_codec(session)(now)
    lines = [(account_id, str(month), percent, at) for account_id, percent in rows]
    bulk.insert(session, warnings_given, ("account_id", "month", "percent", "reached_at"), lines)


def unsay(session: Session, rows: Sequence[tuple[int, int]], month: Month) -> None:
    """Forget that (wallet, percentage) was reached in a month."""
    w = warnings_given.c
    for account_id, percent in rows:
        session.execute(
            sa.delete(warnings_given).where(w.account_id == account_id, w.month == str(month), w.percent == percent)
        )


def choices(session: Session, person_ids: Sequence[str]) -> dict[str, Choice]:
    """What some people want; who never said is not among them."""
    c = warning_choices.c
    query = sa.select(c.person_id, c.percent, c.quiet_from, c.quiet_until).where(c.person_id.in_(person_ids))
    return {id_: Choice(frozenset(percent), begin, end) for id_, percent, begin, end in session.execute(query)}


def choice(session: Session, person_id: str) -> Choice:
    return choices(session, [person_id]).get(person_id, USUAL)


def choose(session: Session, person_id: str, wanted: Choice) -> None:
    """Keep what someone wants."""
    session.execute(sa.delete(warning_choices).where(warning_choices.c.person_id == person_id))
    values: Mapping[str, object] = {
        "person_id": person_id,
        "percent": sorted(wanted.percent or ()),
        "quiet_from": wanted.quiet_from,
        "quiet_until": wanted.quiet_until,
    }
    session.execute(sa.insert(warning_choices).values(**values))
