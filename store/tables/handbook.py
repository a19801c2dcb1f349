"""Versions of the handbook, those that wait for a second person, and facts of the whole programme."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Table, Text

from store.columns import Instant
from store.tables.base import metadata, partial_index
from store.tables.people import people

programme = Table(
    "programme",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="Facts that hold for the whole ledger, such as the time zone its days were cut in.",
)

handbooks = Table(
    "handbooks",
    metadata,
    Column("version", Text, primary_key=True),
    Column("effective_from", Date, nullable=False),
    Column("body", Text, nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("applied_by", Text, nullable=False),
)

handbook_proposals = Table(
    "handbook_proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the body."),
    Column("proposed_by", Text, ForeignKey(people.c.id), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, comment="The person who did, or policy."),
    Column("decided_at", Instant),
    Column("reason", Text, comment="Why it was declined."),
    CheckConstraint("state IN ('open', 'confirmed', 'declined', 'withdrawn', 'lapsed')", name="state"),
    CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by"),
    CheckConstraint("state NOT IN ('confirmed', 'declined') OR decided_by <> proposed_by", name="two_people"),
    CheckConstraint("(state = 'declined') = (reason IS NOT NULL)", name="reason"),
    partial_index("ix_handbook_proposals_open", "version", where="state = 'open'", unique=True),
    comment="Versions of the handbook that wait for a second person, and what became of them.",
)
