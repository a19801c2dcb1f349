"""What accounts bear of bills beside usage: by which weights, what stands, and every posting of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.bills import ATTO_PER_NANO, NOT_POSTED, TAGGED, Place, Share, Sum
from store import bulk
from store.tables.invoices import bill_lines, bill_postings, bill_shares
from store.tables.ledger import accounts, entries
from store.tables.people import people
from store.tables.usage import OF_BILLS, usage_days, usage_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from policy.period import Month
    from store.engine import Session

_l, _s, _e, _d = bill_lines.c, bill_shares.c, usage_events.c, usage_days.c
"""The first text after all that begin so."""


class Posted(NamedTuple):
    """What of a bill is posted altogether: its cost in atto-USD, and what is usage of it in nano-USD."""

    atto_usd: int
    usage_nano_usd: int


def posted(session: Session, bill_id: int) -> Posted:
    """Everything of a bill but what is kept, or outside of the programme."""
    sums = (sa.func.sum(_l.nano_usd), sa.func.sum(_l.rest), sa.func.sum(_l.owed_nano_usd))
    query = sa.select(*sums).where(_l.bill_id == bill_id, _l.bears.not_in(NOT_POSTED))
    nano, rest, usage = session.execute(query).one()
    return Posted(int(nano or 0) * ATTO_PER_NANO + int(rest or 0), int(usage or 0))


def untagged(session: Session, bill_id: int) -> list[tuple[Place, Sum]]:
    """What no tag names, and what is less than nothing of what tags name, as lines of the bill."""
    given_back = sa.and_(_l.bears.in_(TAGGED), _l.owed_nano_usd == 0)
    columns = (_l.bears, _l.service, _l.day, _l.person, _l.project, _l.model)
    query = sa.select(*columns, _l.rows, _l.nano_usd, _l.rest).where(
        _l.bill_id == bill_id, _l.rows > 0, sa.or_(given_back, _l.bears.not_in((*TAGGED, *NOT_POSTED)))
    )
    return [
        (Place(*place), Sum(int(rows), int(nano) * ATTO_PER_NANO + int(rest)))
        for *place, rows, nano, rest in session.execute(query.order_by(_l.key))
    ]


def dearest_service(session: Session, bill_id: int) -> tuple[str, date] | None:
    """The service that most of what is posted of a bill is for, and a day on which it was; None where nothing is."""
    total = sa.func.sum(_l.nano_usd)
    query = sa.select(_l.service, sa.func.min(_l.day)).where(_l.bill_id == bill_id, _l.bears.not_in(NOT_POSTED))
    row = session.execute(
        query.where(_l.rows > 0).group_by(_l.service).order_by(total.desc(), _l.service).limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def weights(
    session: Session, service_key: str, month: Month, bounds: tuple[datetime, datetime], bill: tuple[str, str]
) -> dict[int, int]:
    """What each payer's use of a service in a month was debited, by account, other bills left out.

    `bill` is the source of the own one with the beginning of its events' ids. Without the others the order in which
    bills come decides nothing.
    """
    query = sa.select(_d.account_id, sa.func.sum(_d.debit_micro_tokens)).where(
        _d.service_key == service_key, _d.day >= month.first_day, _d.day < month.next().first_day
    )
    used = {account: int(total) for account, total in session.execute(query.group_by(_d.account_id))}
    source, begin = bill
    of_others = (
        sa.select(_e.account_id, sa.func.sum(_e.debit_micro_tokens))
        .join_from(usage_events, entries, entries.c.id == _e.entry_id)
        .where(sa.text(OF_BILLS), entries.c.memo == service_key)
        .where(_e.occurred_at >= bounds[0], _e.occurred_at < bounds[1])
        .where(~sa.and_(_e.source == source, _e.event_id.startswith(begin)))
        .group_by(_e.account_id)
    )
    for account, total in session.execute(of_others):
        used[account] = used.get(account, 0) - int(total)
    return {account: total for account, total in sorted(used.items()) if total > 0}


def leavers(session: Session, account_ids: Iterable[int], today: date) -> set[int]:
    """Those of some wallets whose owners have left."""
    found: set[int] = set()
    for some in bulk.chunks(sorted(account_ids)):
        query = sa.select(accounts.c.id).join(people, people.c.id == accounts.c.person_id)
        found.update(session.execute(query.where(accounts.c.id.in_(some), people.c.left_on < today)).scalars())
    return found


class Bearing(NamedTuple):
    """What a share is of."""

    month: str
    service_key: str
    bears: str
    project: str
    account_id: int


class Standing(NamedTuple):
    """A share as it stands, and how often it was posted."""

    id: int
    share: Share
    revision: int


def standing(session: Session, bill_id: int) -> dict[Bearing, Standing]:
    """The shares of a bill."""
    query = sa.select(*(_s[name] for name in Bearing._fields), _s.id, _s.nano_usd, _s.micro_tokens, _s.revision)
    rows = session.execute(query.where(_s.bill_id == bill_id))
    width = len(Bearing._fields)
    return {
        Bearing(*row[:width]): Standing(row.id, Share(row.nano_usd, row.micro_tokens), row.revision) for row in rows
    }


def open_(session: Session, bill_id: int, fresh: Sequence[Bearing]) -> dict[Bearing, Standing]:
    """New shares, of which nothing is posted yet."""
    ids = bulk.allocate_ids(session, bill_shares, len(fresh)) if fresh else []
    rows = [(id_, bill_id, *one, 0, 0, 0) for id_, one in zip(ids, fresh, strict=True)]
    columns = ("id", "bill_id", *Bearing._fields, "nano_usd", "micro_tokens", "revision")
    bulk.insert(session, bill_shares, columns, rows)
    return {one: Standing(id_, Share(0, 0), 0) for id_, one in zip(ids, fresh, strict=True)}


class Posting(NamedTuple):
    """A posting of a share; without an entry where it is less than a micro-token."""

    share_id: int
    entry_id: int | None
    effective_at: datetime
    posted_at: datetime
    nano_usd: int
    micro_tokens: int
    value_version: str


def note(session: Session, postings: Sequence[Posting], became: Mapping[int, Standing]) -> None:
    """What was posted, and what the shares come to by that."""
    instant = bulk.instant_codec(session)
    ids = bulk.allocate_ids(session, bill_postings, len(postings)) if postings else []
    rows = [
        (id_, *one._replace(effective_at=instant(one.effective_at), posted_at=instant(one.posted_at)))
        for id_, one in zip(ids, postings, strict=True)
    ]
    bulk.insert(session, bill_postings, ("id", *Posting._fields), rows)
    shares = [(one.id, *one.share, one.revision) for one in became.values()]
    bulk.update(session, bill_shares, ("id", "nano_usd", "micro_tokens", "revision"), shares)
