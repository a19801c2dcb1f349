"""Recomputing the ledger from its entries, and the entries from the usage: every figure that does not hold.

Each check yields sentences; an empty result means that the figure was proved. SQL does the sums; prices are applied
again in Python, with the rules that made them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from store import audit
from store.proof import (
    adjustments,
    annual,
    appeals,
    bands,
    books,
    cash,
    charges,
    closings,
    corrections,
    exceptions,
    gates,
    handbook,
    holds,
    invoices,
    lapses,
    leavers,
    merges,
    pauses,
    quarantine,
    rates,
    review_votes,
    reviews,
    revocations,
    roi,
    usage,
    value,
)
from store.proof.usage import costs_and_days, count_events
from store.reviews import drafts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

__all__ = ["CHECKS", "costs_and_days", "count_events"]


def reviews_as_frozen(session: Session) -> Iterator[str]:
    """What every review proposes follows, to the last digit, from the inputs that were kept for it."""
    for review in drafts.all_of(session):
        yield from reviews.differences(session, review)


def reviews_as_voted(session: Session) -> Iterator[str]:
    """What became of every review, and of each case, follows from votes and decisions that the audit log tells of."""
    for review in drafts.all_of(session):
        yield from review_votes.differences(session, review)


def appeals_as_decided(session: Session) -> Iterator[str]:
    """Every appeal was decided by someone who may, as the audit log tells, and gave back exactly what the cut took."""
    yield from appeals.differences(session)


def audit_chain(session: Session) -> Iterator[str]:
    """Every row of the audit log follows from the one before it."""
    yield from audit.broken_links(session)


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    *books.CHECKS,
    *annual.CHECKS,
    *bands.CHECKS,
    *gates.CHECKS,
    *holds.CHECKS,
    *cash.CHECKS,
    *lapses.CHECKS,
    *leavers.CHECKS,
    *revocations.CHECKS,
    *merges.CHECKS,
    *pauses.CHECKS,
    *value.CHECKS,
    *rates.CHECKS,
    *usage.CHECKS,
    *quarantine.CHECKS,
    *corrections.CHECKS,
    *adjustments.CHECKS,
    *charges.CHECKS,
    *invoices.CHECKS,
    *closings.CHECKS,
    *exceptions.CHECKS,
    *handbook.CHECKS,
    *roi.CHECKS,
    reviews_as_frozen,
    reviews_as_voted,
    appeals_as_decided,
    audit_chain,
)
"""All but `costs_and_days`, which goes through every event."""
