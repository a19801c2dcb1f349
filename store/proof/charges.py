"""Whether the days that finance's files have for good are what the ledger posted about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind
from store.ledger.ledger import service_code
from store.tables.finance import charge_days, charge_lines
from store.tables.ledger import accounts, entries, postings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

_d, _l, _e = charge_days.c, charge_lines.c, entries.c


def charges_as_posted(session: Session) -> Iterator[str]:
    """A day's lines add up to what is noted of it, and that is what its entries paid services."""
    added = (sa.func.count(), sa.func.sum(_l.cost_nano_usd), sa.func.sum(_l.debit_micro_tokens))
    rows = session.execute(sa.select(_l.month, _l.day, *added).group_by(_l.month, _l.day))
    lines = {(month, day): (int(count), int(cost), int(debit)) for month, day, count, cost, debit in rows}
    noted = session.execute(sa.select(_d.month, _d.day, _d.lines, _d.cost_nano_usd, _d.debit_micro_tokens))
    paid = _paid(session)
    for month, day, *told in noted:
        if (found := lines.get((month, day), (0, 0, 0))) != tuple(told):
            yield f"charges of {day} in {month}: {tuple(told)} are noted, the lines say {found}"
        if (posted := paid.get((month, day), 0)) != told[-1]:
            yield f"charges of {day} in {month}: {told[-1]} micro-tokens are noted, entries paid {posted}"


def _paid(session: Session) -> dict[tuple[str, object], int]:
    """Micro-tokens that services got by the entries of each day."""
    query = (
        sa.select(_d.month, _d.day, sa.func.sum(postings.c.amount))
        .join_from(
            charge_days,
            entries,
            sa.and_(
                _e.effective_at >= _d.effective_from,
                _e.effective_at < _d.effective_until,
                _e.posted_at >= _d.posted_from,
                _e.posted_at < _d.posted_until,
                _e.kind.in_((EntryKind.USAGE, EntryKind.REVERSAL)),
            ),
        )
        .join(postings, postings.c.entry_id == _e.id)
        .join(accounts, sa.and_(accounts.c.id == postings.c.account_id, accounts.c.code.startswith(service_code(""))))
        .group_by(_d.month, _d.day)
    )
    return {(month, day): int(amount) for month, day, amount in session.execute(query)}


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (charges_as_posted,)
