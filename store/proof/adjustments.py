"""Whether what was posted for differences with vendors' bills is what was decided about them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import bills
from policy.kinds import EntryKind
from policy.units import MICRO_PER_TOKEN
from store.tables.ledger import accounts, entries, postings
from store.tables.reconciliation import findings
from store.tables.value import token_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

NEAREST = 1_000
"""Nano-USD: no token is worth so much that its millionth is more."""


def adjustments_as_decided(session: Session) -> Iterator[str]:
    """Adjustments pay services what differences were settled with, to the micro-token, and nothing else does."""
    query = (
        sa.select(entries.c.idempotency_key, postings.c.amount, token_values.c.nano_usd_per_token)
        .join_from(entries, postings, postings.c.entry_id == entries.c.id)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .join(token_values, token_values.c.version == entries.c.value_version)
        .where(entries.c.kind == EntryKind.ADJUSTMENT, accounts.c.code.startswith("service:"))
        # Those are of bills: store/proof/invoices.
        .where(~entries.c.idempotency_key.startswith(bills.ENTRIES))
    )
    posted: defaultdict[str, int] = defaultdict(int)
    for key, tokens, per_token in session.execute(query):
        # adjustment:<difference>:<revision>:<account>
        posted[key.removeprefix("adjustment:").rsplit(":", 2)[0]] += tokens * per_token
    f = findings.c
    for id_, settled, revision in session.execute(sa.select(f.id, f.settled_nano_usd, f.revision)):
        nano = posted.pop(id_, 0) // MICRO_PER_TOKEN
        if abs(nano - settled) > NEAREST * revision:
            yield f"difference {id_}: settled with {settled} nano-USD, its adjustments say {nano}"
    for id_ in posted:
        yield f"adjustment for {id_}: there is no such difference"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (adjustments_as_decided,)
