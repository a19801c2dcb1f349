"""Cost centres, who belongs to which, and the charges on vendors' bills."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata
from store.tables.people import people

cost_centres = Table(
    "cost_centres",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner_id", Text, ForeignKey(people.c.id), comment="Who gets its monthly statement."),
    comment="Those that have a name or an owner; a person or a project may name others.",
)

person_cost_centres = Table(
    "person_cost_centres",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("holds_from", Date, primary_key=True),
    Column("cost_centre", Text, comment="Empty for none."),
    comment="Which cost centre bore a person's use since when.",
)

bill_imports = Table(
    "bill_imports",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True, comment="Of the file's content."),
    Column("name", Text, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant, comment="Empty while it is not complete."),
    Column("actor", Text, nullable=False),
    Column("counts", Json, nullable=False),
)

bill_lines = Table(
    "bill_lines",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="Of everything that the row says."),
    Column("copy", Integer, primary_key=True, autoincrement=False, comment="Equal rows of one file are several."),
    Column("import_id", Identifier, ForeignKey(bill_imports.c.id), nullable=False, comment="The first that has it."),
    Column("last_import_id", Identifier, ForeignKey(bill_imports.c.id), nullable=False),
    Column("month", Date, nullable=False, comment="In whose file it stands: an earlier bill's, once that is settled."),
    Column("day", Date, nullable=False, comment="Of the charge."),
    Column("vendor", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("service_category", Text, nullable=False),
    Column("category", Text, nullable=False, comment="Usage, Purchase, Tax, Credit, Adjustment"),
    Column("is_correction", SmallInteger, nullable=False),
    Column("sku", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("billed_nano_usd", AmountColumn, nullable=False),
    Column("effective_nano_usd", AmountColumn, nullable=False),
    Column("list_nano_usd", AmountColumn, nullable=False),
    Column("contracted_nano_usd", AmountColumn, nullable=False),
    Column("micro_tokens", AmountColumn, nullable=False, comment="Where the row is priced in tokens of a programme."),
    Column("person_id", Text, comment="Whom a tag names."),
    Column("project", Text, nullable=False),
    Column("cost_centre", Text, nullable=False),
    Column("event_id", Text, comment="The usage event that it was taken in as."),
    CheckConstraint("is_correction IN (0, 1)", name="is_correction"),
    Index("ix_bill_lines_month", "month"),
    Index("ix_bill_lines_last_import_id", "last_import_id"),
    sqlite_with_rowid=False,
    comment="Each charge of the vendors' bills, once.",
)
