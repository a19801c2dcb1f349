"""Entries to be posted, and the lots that they open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from policy.kinds import EntryKind, LotKind


@dataclass(frozen=True, slots=True)
class NewLot:
    """A dated grant to be opened in the wallet that its entry credits."""

    kind: LotKind
    priority: int
    starts_at: datetime
    expires_at: datetime
    reason: str
    granted_by: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to post: `amounts` are (account id, signed micro-tokens) and must sum to zero.

    Without an idempotency key of its own, because what it records has the keys, it is known by its kind and number:
    `usage:4711`. Such keys come in order, and an index takes those without touching pages all over.
    """

    kind: EntryKind
    idempotency_key: str | None
    fingerprint: bytes
    effective_at: datetime
    memo: str
    actor: str
    amounts: tuple[tuple[int, int], ...]
    value_version: str | None = None
    corrects_entry_id: int | None = None
    lot: NewLot | None = None
    """The lot that an entry opens; of a reversal only where there is no lot to give back to."""
    takes: tuple[tuple[int, int], ...] = ()
    """(lot id, micro-tokens) where a debit is about certain lots, as when they end; else lots burn in their order."""


class UnbalancedError(ValueError):
    """A draft whose postings do not sum to zero, or hold a zero."""
