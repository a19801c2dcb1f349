"""Cost centres, and who belongs to which."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Table, Text

from store.tables.base import metadata
from store.tables.people import people

cost_centres = Table(
    "cost_centres",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner_id", Text, ForeignKey(people.c.id), comment="Who is told each month what it bears."),
    comment="Those that have a name; a person or a project may name others.",
)

person_cost_centres = Table(
    "person_cost_centres",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("holds_from", Date, primary_key=True),
    Column("cost_centre", Text, comment="Empty for none."),
    comment="Which cost centre bore a person's use since when.",
)
