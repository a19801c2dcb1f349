"""What the compensation review said of people at the end of a year, as finance imported it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, SmallInteger, Table, Text

from store.columns import Instant
from store.tables.base import metadata
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
