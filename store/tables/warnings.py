"""Whom to warn of what they spent, and what they want to be told."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, SmallInteger, Table, Text

from store.columns import Identifier, Instant, Json
from store.tables.base import metadata
from store.tables.ledger import accounts
from store.tables.people import people

wallets_to_check = Table(
    "wallets_to_check",
    metadata,
    Column("account_id", Identifier, ForeignKey(accounts.c.id), primary_key=True, autoincrement=False),
    comment="Wallets that usage was posted to since somebody looked whether their owners are to be warned.",
)

warnings_given = Table(
    "warnings_given",
    metadata,
    Column("account_id", Identifier, ForeignKey(accounts.c.id), primary_key=True, autoincrement=False),
    Column("month", Text, primary_key=True),
    Column("percent", SmallInteger, primary_key=True),
    Column("reached_at", Instant, nullable=False),
    comment="Percentages that were reached; of those reached at once only the highest is told.",
)

warning_choices = Table(
    "warning_choices",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("percent", Json, nullable=False, comment="At which they want to be warned, besides the last."),
    Column("quiet_from", SmallInteger, nullable=False, comment="An hour of their own time."),
    Column("quiet_until", SmallInteger, nullable=False),
    CheckConstraint("quiet_from BETWEEN 0 AND 23 AND quiet_until BETWEEN 0 AND 23", name="hours"),
)
