"""What the compensation review said of people at the end of a year, as finance imported it, and appeals against it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, SmallInteger, Table, Text

from store.columns import AmountColumn, Identifier, Instant
from store.tables.base import metadata, partial_index
from store.tables.ledger import entries
from store.tables.people import people

annual_groups = Table(
    "annual_groups",
    metadata,
    Column("holds_from", Text, primary_key=True, comment="The month from which it counts, until a later import does."),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("year", SmallInteger, nullable=False, comment="The one that was reviewed."),
    Column("group_name", Text, nullable=False, comment="The handbook says what it multiplies grants by."),
    Column("imported_at", Instant, nullable=False),
    Column("imported_by", Text, ForeignKey(people.c.id), nullable=False),
    comment="Groups of the annual review; an import replaces what was imported for its month.",
)

annual_appeals = Table(
    "annual_appeals",
    metadata,
    Column("year", SmallInteger, primary_key=True, comment="The one that was reviewed."),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("revision", AmountColumn, nullable=False, server_default="1", comment="Of everything that is shown of it."),
    Column("state", Text, nullable=False, server_default="open", comment="Open or upheld, the factor does not count."),
    Column("reason", Text, nullable=False, comment="The person's."),
    Column("filed_at", Instant, nullable=False),
    Column("decide_by", Instant, nullable=False, comment="Then it ends in the person's favour."),
    Column("remind_at", Instant, comment="Then those who can decide are reminded; empty once they were."),
    Column("decided_at", Instant),
    Column("decided_by", Text, comment="A member of the board, or policy."),
    Column("decision_reason", Text),
    Column("counts_from", Text, comment="The month from which the factor counts after all."),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), unique=True, comment="What credited the difference."),
    CheckConstraint("state IN ('open', 'upheld', 'rejected')", name="state"),
    CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    CheckConstraint("(state = 'open') = (decision_reason IS NULL)", name="reason"),
    CheckConstraint("(state = 'rejected') = (counts_from IS NOT NULL)", name="counts"),
    CheckConstraint("entry_id IS NULL OR state = 'upheld'", name="credited"),
    partial_index("ix_annual_appeals_open", "decide_by", where="state = 'open'"),
    comment="Appeals against what a year's annual review takes of grants, one a person and year.",
)
