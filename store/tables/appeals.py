"""Appeals against cuts, and those who are left out of what the compensation review gets."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, Text

from store.columns import AmountColumn, Identifier, Instant
from store.tables.base import metadata, partial_index
from store.tables.ledger import entries
from store.tables.people import people

appeals = Table(
    "appeals",
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("revision", AmountColumn, nullable=False, server_default="1", comment="Of everything that is shown of it."),
    Column("state", Text, nullable=False, server_default="open", comment="Open or upheld, the cut does not hold."),
    Column("reason", Text, nullable=False, comment="The person's."),
    Column("filed_at", Instant, nullable=False),
    Column("decide_by", Instant, nullable=False, comment="Then the chair and finance are called in, or it ends."),
    Column("escalated_at", Instant, comment="When they were; if no one decides then, it ends in the person's favour."),
    Column("remind_at", Instant, comment="Then those who can decide are reminded; empty once they were."),
    Column("decided_at", Instant),
    Column("decided_by", Text, comment="A member of the board, or policy."),
    Column("decision_reason", Text),
    Column("cut_from", Text, comment="The month from which the cut holds after all."),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), unique=True, comment="What credited the difference."),
    sa.ForeignKeyConstraint(["quarter", "person_id"], ["review_cases.quarter", "review_cases.person_id"]),
    CheckConstraint("state IN ('open', 'upheld', 'rejected', 'lapsed')", name="state"),
    CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    CheckConstraint("(state IN ('rejected', 'lapsed')) = (cut_from IS NOT NULL)", name="cut"),
    CheckConstraint("state NOT IN ('upheld', 'rejected') OR decision_reason IS NOT NULL", name="reason"),
    CheckConstraint("entry_id IS NULL OR state = 'upheld'", name="credited"),
    partial_index("ix_appeals_open", "decide_by", where="state = 'open'"),
    comment="Appeals against cuts of adopted reviews, one a case.",
)

review_opt_outs = Table(
    "review_opt_outs",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("since", Instant, nullable=False),
    comment="Who is left out of what the compensation review gets.",
)
