"""Every table, a module for each topic. Entries, postings, lot movements and the audit log are only inserted into.

Whichever topic is imported, the metadata knows the tables of all.
"""

from store.tables import (
    appeals,
    audit,
    exceptions,
    finance,
    grants,
    handbook,
    holds,
    intake,
    ledger,
    outbox,
    outcomes,
    people,
    reviews,
    usage,
    value,
    warnings,
)
from store.tables.base import metadata

__all__ = [
    "appeals",
    "audit",
    "exceptions",
    "finance",
    "grants",
    "handbook",
    "holds",
    "intake",
    "ledger",
    "metadata",
    "outbox",
    "outcomes",
    "people",
    "reviews",
    "usage",
    "value",
    "warnings",
]
