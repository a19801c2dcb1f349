"""Every table, a module for each topic. Entries, postings, lot movements and the audit log are only inserted into.

Whichever topic is imported, the metadata knows the tables of all.
"""

from store.tables import (
    annual,
    appeals,
    audit,
    exceptions,
    finance,
    gates,
    grants,
    handbook,
    holds,
    intake,
    ledger,
    offers,
    outbox,
    outcomes,
    people,
    reviews,
    roi,
    scim,
    usage,
    value,
    warnings,
)
from store.tables.base import metadata

__all__ = [
    "annual",
    "appeals",
    "audit",
    "exceptions",
    "finance",
    "gates",
    "grants",
    "handbook",
    "holds",
    "intake",
    "ledger",
    "metadata",
    "offers",
    "outbox",
    "outcomes",
    "people",
    "reviews",
    "roi",
    "scim",
    "usage",
    "value",
    "warnings",
]
