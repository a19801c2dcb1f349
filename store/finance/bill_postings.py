"""What was posted of bills beside usage, for the files that finance reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store.tables.invoices import bill_postings, bill_shares

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session
    from store.finance.charges import Instants

_p, _s = bill_postings.c, bill_shares.c


class Borne(NamedTuple):
    """What an account bears of a service's bill in a month, by one posting: nano-USD and micro-tokens."""

    month: str
    service_key: str
    bears: str
    project: str
    account_id: int
    posted_at: datetime
    value_version: str
    nano_usd: int
    micro_tokens: int


def of(session: Session, effective: Instants, posted: Instants) -> list[Borne]:
    """What is of some time, and was posted in some time."""
    shares = (_s.month, _s.service_key, _s.bears, _s.project, _s.account_id)
    query = sa.select(*shares, _p.posted_at, _p.value_version, _p.nano_usd, _p.micro_tokens)
    query = query.join_from(bill_postings, bill_shares).where(
        _p.effective_at >= effective[0],
        _p.effective_at < effective[1],
        _p.posted_at >= posted[0],
        _p.posted_at < posted[1],
    )
    return [Borne(*row) for row in session.execute(query.order_by(_p.id))]
