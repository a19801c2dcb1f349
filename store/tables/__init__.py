"""Every table, a module for each topic. Entries, postings, lot movements and the audit log are only inserted into.

Whichever topic is imported, the metadata knows the tables of all.
"""

from store.tables import (
    appeals,
    audit,
    closings,
    exceptions,
    grants,
    handbook,
    holds,
    intake,
    ledger,
    outbox,
    outcomes,
    people,
    reconciliation,
    reviews,
    usage,
    value,
    vendors,
    warnings,
)
from store.tables.base import metadata

__all__ = [
    "appeals",
    "audit",
    "closings",
    "exceptions",
    "grants",
    "handbook",
    "holds",
    "intake",
    "ledger",
    "metadata",
    "outbox",
    "outcomes",
    "people",
    "reconciliation",
    "reviews",
    "usage",
    "value",
    "vendors",
    "warnings",
]
