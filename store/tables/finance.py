"""Cost centres, who belongs to which, and what each bears of the days that were added up."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, ForeignKeyConstraint, Integer, Table, Text

from store.columns import AmountColumn, Instant
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

charge_days = Table(
    "charge_days",
    metadata,
    Column("month", Text, primary_key=True, comment="Whose file it is in, such as 2026-11."),
    Column("day", Date, primary_key=True, comment="Of that month; an earlier one where it was corrected in it."),
    Column("effective_from", Instant, nullable=False),
    Column("effective_until", Instant, nullable=False),
    Column("posted_from", Instant, nullable=False),
    Column("posted_until", Instant, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("cost_nano_usd", AmountColumn, nullable=False),
    Column("debit_micro_tokens", AmountColumn, nullable=False),
    Column("added_up_at", Instant, nullable=False),
    Column(
        "bearers", Text, comment="Of a month that runs, as JSON: who bore whose use then; empty once it is for good."
    ),
    comment="Days whose charges were added up once their month was settled, of the entries of some time.",
)

charge_changes = Table(
    "charge_changes",
    metadata,
    Column("day", Date, primary_key=True),
    Column("changed_at", Instant, nullable=False),
    comment="Days of which usage was corrected last without a posting: what was added up before then is not used.",
)

charge_lines = Table(
    "charge_lines",
    metadata,
    Column("month", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("cost_centre", Text, nullable=False, comment="Empty for none."),
    Column("person_id", Text, nullable=False, comment="Empty where rows are of cost centres."),
    Column("project", Text, nullable=False),
    Column("service_key", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("price_id", Text, nullable=False),
    Column("context", Integer, nullable=False, comment="The input tokens above which it holds; 0 for none."),
    Column("value_version", Text, nullable=False),
    Column("calls", AmountColumn, nullable=False),
    Column("cost_nano_usd", AmountColumn, nullable=False),
    Column("debit_micro_tokens", AmountColumn, nullable=False),
    Column("counted", AmountColumn, nullable=False, comment="Calls that counted their requests."),
    Column("counts", Text, nullable=False, comment="Of each meter, as JSON: it is read as a whole."),
    ForeignKeyConstraint(["month", "day"], ["charge_days.month", "charge_days.day"]),
    sqlite_with_rowid=False,
    comment="What each cost centre bears of a day, product and price.",
)

large_corrections = Table(
    "large_corrections",
    metadata,
    Column("digest", Text, primary_key=True, comment="Of what would be done."),
    Column("what", Text, nullable=False),
    Column("amount_nano_usd", AmountColumn, nullable=False),
    Column("asked_by", Text, ForeignKey(people.c.id), nullable=False),
    Column("asked_at", Instant, nullable=False),
    comment="What one person from finance asked for, until a second one says the same.",
)
