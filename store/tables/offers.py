"""What candidates were shown of the allowance: figures alone, and nothing of a person."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from store.columns import Instant, Json
from store.tables.base import metadata
from store.tables.handbook import handbooks

offers = Table(
    "offers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("label", Text, nullable=False, comment="What recruiters call it; never a candidate's name."),
    Column("made_at", Instant, nullable=False, index=True, comment="It is deleted some months later."),
    Column("made_by", Text, nullable=False, comment="A person, or a login of the command line."),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("value_version", Text, nullable=False),
    Column("content", Json, nullable=False, comment="What was asked, what it follows from, what came of it."),
    comment="Offers that were worked out, deleted after the handbook's keep_days.",
)

listings = Table(
    "listings",
    metadata,
    Column("level", Text, primary_key=True),
    Column("band", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("digest", Text, nullable=False, comment="Of what it says of the policy, as it was handed out last."),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False, comment="A person, or a login of the command line."),
    Column("outdated_digest", Text, comment="What recruiters were told that it should say by now."),
    comment="Texts for job listings that were handed out: recruiters are told once they are out of date.",
)
