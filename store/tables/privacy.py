"""How far it came to take away what is held about people for a time only."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Table, Text

from store.columns import AmountColumn, Identifier, Instant
from store.tables.base import metadata

retention = Table(
    "retention",
    metadata,
    Column("part", Text, primary_key=True, comment="Such as usage_events."),
    Column("through", Instant, comment="What is from before it is gone."),
    Column("before", Instant, comment="What is under way is about what is from before it."),
    Column("place", Identifier, nullable=False, server_default="0", comment="The last row that was gone through."),
    Column("taken", AmountColumn, nullable=False, server_default="0", comment="Rows that no record tells of yet."),
    CheckConstraint("before IS NULL OR through IS NULL OR through < before", name="instants"),
    comment="Of each part of what is held about people, how far its retention came: counts, never contents.",
)
