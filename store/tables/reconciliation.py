"""How a month of the ledger stands beside a vendor's figures, and what was decided about the differences."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from store.columns import AmountColumn, Instant, Json
from store.tables.base import metadata
from store.tables.people import people

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("vendor", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("made_at", Instant, nullable=False),
    Column("content", Json, nullable=False, comment="What was compared, and how it adds up."),
    comment="The last comparison of each vendor's month.",
)

findings = Table(
    "findings",
    metadata,
    Column("id", Text, primary_key=True, comment="vendor:month:kind:source, such as openai:2026-11:lost_events:gw-eu"),
    Column("vendor", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False, comment="The gateway whose reports differ; empty for all of them."),
    Column("revision", Integer, nullable=False, comment="Counts how often it began anew: a decision is about one."),
    Column("state", Text, nullable=False),
    Column("amount_nano_usd", AmountColumn, nullable=False, comment="The vendor's less ours."),
    Column("moved_nano_usd", AmountColumn, nullable=False, comment="What is in the wrong place altogether."),
    Column("settled_nano_usd", AmountColumn, nullable=False, comment="Of it, what was posted for it."),
    Column("content", Json, nullable=False, comment="Models, days, counts and evidence."),
    Column("found_at", Instant, nullable=False),
    Column("decision", Json, comment="What somebody chose: to accept it, or how to correct it, and why."),
    Column("chosen_by", Text, ForeignKey(people.c.id)),
    Column("confirmed_by", Text, ForeignKey(people.c.id), comment="The second person, where it took one."),
    Column("decided_at", Instant),
    CheckConstraint(
        "state IN ('open', 'waiting', 'correcting', 'accepted', 'corrected', 'gone')",
        name="state",
    ),
    CheckConstraint("confirmed_by IS NULL OR confirmed_by <> chosen_by", name="two_people"),
    Index("ix_findings_month", "month", "vendor"),
    comment="Differences between the ledger and a vendor's figures, one for each cause and gateway.",
)
