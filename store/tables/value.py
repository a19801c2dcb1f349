"""What a token is worth in a quarter, and the buffer that is held back against price rises."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, SmallInteger, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata
from store.tables.handbook import handbooks

token_values = Table(
    "token_values",
    metadata,
    Column("version", Text, primary_key=True),
    Column("quarter", Text, nullable=False, index=True),
    Column("nano_usd_per_token", AmountColumn, nullable=False),
    Column("price_index", Text, nullable=False, server_default="1", comment="A decimal; 1 in the base quarter."),
    Column("buffer_permille", SmallInteger, nullable=False, server_default="0", comment="Held back at issue."),
    Column("calculation", Json, comment="How it was found; empty when it was fixed, or carried over from before."),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("adopted_at", Instant, nullable=False),
    Column("adopted_by", Text, nullable=False, server_default="system"),
    Column("confirmed_by", Text, comment="The second person, where the change needed one."),
    CheckConstraint("nano_usd_per_token > 0", name="positive"),
    CheckConstraint("buffer_permille BETWEEN 0 AND 1000", name="buffer"),
)

value_proposals = Table(
    "value_proposals",
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("digest", Text, nullable=False, comment="Of the calculation: what is adopted is what was looked at."),
    Column("calculation", Json, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("first_adopter", Text, comment="Waits for a second person."),
    comment="The value that was last worked out for a quarter; adopting it makes it one of token_values.",
)

usd_entries = Table(
    "usd_entries",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("posted_at", Instant, nullable=False),
    Column("memo", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("value_version", Text, ForeignKey(token_values.c.version), nullable=False),
    Column("debit_account", Text, nullable=False),
    Column("credit_account", Text, nullable=False),
    Column("amount_nano_usd", AmountColumn, nullable=False),
    CheckConstraint("amount_nano_usd > 0", name="amount"),
    CheckConstraint("debit_account <> credit_account", name="accounts"),
    comment="The buffer's book in USD, balanced by its form: each line debits one account and credits another.",
)

currency_rates = Table(
    "currency_rates",
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("nano_usd_per_unit", AmountColumn, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("adopted_by", Text, comment="The first of two people."),
    Column("confirmed_by", Text, comment="The second, who is someone else."),
    Column("frozen_at", Instant, comment="From then on it counts and never changes."),
    CheckConstraint("nano_usd_per_unit > 0", name="positive"),
    CheckConstraint(
        "frozen_at IS NULL OR (adopted_by IS NOT NULL AND confirmed_by IS NOT NULL AND adopted_by <> confirmed_by)",
        name="two_people",
    ),
    comment="What a unit of a currency is worth in USD throughout a quarter.",
)
