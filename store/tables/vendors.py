"""What vendors say they counted and charged, in the versions in which they said it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata, partial_index

vendor_syncs = Table(
    "vendor_syncs",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("vendor", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("synced_at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("lines", AmountColumn, nullable=False),
    Column("added", AmountColumn, nullable=False),
    Column("changed", AmountColumn, nullable=False),
    Column("gone", AmountColumn, nullable=False),
    comment="When which days of a vendor were asked for, and what was new.",
)

vendor_lines = Table(
    "vendor_lines",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("vendor", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="usage, cost"),
    Column("day", Date, nullable=False, comment="The vendor's, in UTC."),
    Column("key", Text, nullable=False, comment="The vendor's id of an API key; empty where it says none."),
    Column("project", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tier", Text, nullable=False, comment="Empty for the standard one."),
    Column("item", Text, nullable=False, comment="Of a cost, in the vendor's words."),
    Column("meters", Json, nullable=False),
    Column("calls", AmountColumn),
    Column("amount_nano_usd", AmountColumn),
    Column("sync_id", Identifier, ForeignKey(vendor_syncs.c.id), nullable=False, comment="That first said so."),
    Column("ended_by", Identifier, ForeignKey(vendor_syncs.c.id), comment="The sync that said otherwise."),
    CheckConstraint("kind IN ('usage', 'cost')", name="kind"),
    partial_index(
        "ix_vendor_lines_standing",
        "vendor",
        "day",
        "kind",
        "key",
        "project",
        "model",
        "tier",
        "item",
        where="ended_by IS NULL",
        unique=True,
    ),
    comment="A vendor's own lines; those stand that no later sync ended.",
)
