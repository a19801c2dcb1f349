"""Entries that take what is left of certain lots out of a wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.audit import POLICY
from store.ledger import ledger
from store.ledger.drafts import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from policy.kinds import EntryKind


def taking_out(
    kind: EntryKind, key: str, wallet: int, into: Mapping[int, Sequence[tuple[int, int]]], *, at: datetime, memo: str
) -> Draft:
    """An entry that takes amounts out of certain lots of a wallet, into accounts of the programme."""
    sums = [(account, sum(taken for _, taken in takes)) for account, takes in into.items()]
    takes = [take for some in into.values() for take in some]
    return Draft(
        kind=kind,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, takes),
        effective_at=at,
        memo=memo,
        actor=POLICY,
        amounts=((wallet, -sum(amount for _, amount in sums)), *sums),
        takes=tuple(takes),
    )
