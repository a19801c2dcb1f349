"""Monthly grants, and the budgets that they are made of."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata
from store.tables.handbook import handbooks
from store.tables.ledger import entries
from store.tables.people import people
from store.tables.value import token_values

budgets = Table(
    "budgets",
    metadata,
    Column("month", Text, primary_key=True),
    Column("amount_nano_usd", AmountColumn, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
    CheckConstraint("amount_nano_usd > 0", name="positive"),
)

grants = Table(
    "grants",
    metadata,
    Column("month", Text, primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True, index=True),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), nullable=False, unique=True),
    Column("amount", AmountColumn, nullable=False),
    Column("entitled_nano_usd", AmountColumn, nullable=False),
    Column("issued_nano_usd", AmountColumn, nullable=False, comment="What it took of the month's budget."),
    Column("factors", Json, nullable=False, comment="Everything that the amount follows from."),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("value_version", Text, ForeignKey(token_values.c.version), nullable=False),
    CheckConstraint("amount > 0", name="amount"),
)

lapse_announcements = Table(
    "lapse_announcements",
    metadata,
    Column("month", Text, primary_key=True, comment="On its first it lapses."),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("announced_on", Date, primary_key=True, comment="From when the balance showed it; the latest holds."),
    Column("amount", AmountColumn, nullable=False),
    Column("carried_at_most", AmountColumn, nullable=False, comment="The carry limit that it follows from."),
    CheckConstraint("amount >= 0", name="amount"),
)
