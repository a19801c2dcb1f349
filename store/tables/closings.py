"""Months that are closed."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from store.columns import AmountColumn, Instant, Json
from store.tables.base import metadata

closings = Table(
    "closings",
    metadata,
    Column("month", Text, primary_key=True),
    Column("closed_at", Instant, nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("last_entry_id", AmountColumn, nullable=False, comment="Later entries of the month are booked after it."),
    Column("last_usd_entry_id", AmountColumn, nullable=False, comment="The same of the buffer's book."),
    Column("journal", Json, nullable=False, comment="Its lines as they were exported."),
    Column("findings", Json, nullable=False, comment="The differences with vendors, as they were decided."),
    Column("digest", Text, nullable=False, comment="SHA-256 of the journal and the findings; the audit log has it."),
)
