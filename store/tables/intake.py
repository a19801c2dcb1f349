"""What intake answered that is not in the ledger, and what was done about usage that waits."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, Index, LargeBinary, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata, partial_index

quarantine_steps = Table(
    "quarantine_steps",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("before", Json, comment="What the event said until then, where that changed."),
    Column("fingerprint", LargeBinary, comment="Of a content that arrived and was replaced: it is no news any more."),
    CheckConstraint("step IN ('fixed', 'replaced', 'discarded')", name="step"),
    Index("ix_quarantine_steps_event", "source", "event_id"),
    comment="What became of usage that waits, step by step.",
)

usage_refusals = Table(
    "usage_refusals",
    metadata,
    Column("day", Date, primary_key=True, comment="On which it arrived, in the programme's zone."),
    Column("source", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("reason", Text, primary_key=True, comment="The field that was wrong, or the fields that differ."),
    Column("events", AmountColumn, nullable=False),
    Column("told_on", Date, comment="On which administrators were told."),
    CheckConstraint("status IN ('conflict', 'rejected')", name="status"),
    partial_index("ix_usage_refusals_untold", "day", where="told_on IS NULL"),
    comment="How many events a day were answered with conflict or rejected.",
)

usage_rejections = Table(
    "usage_rejections",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False, comment="As far as it could be read."),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="What was expected; never the value, which may be private."),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("times", AmountColumn, nullable=False),
    sa.UniqueConstraint("source", "reason", "event_id"),
    Index("ix_usage_rejections_newest", "source", "reason", "id"),
    comment="Rejected events, the newest of each source and reason.",
)
