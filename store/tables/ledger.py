"""Accounts, balanced entries, and the lots that they open and burn."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, SmallInteger, Table, Text

from store.columns import AmountColumn, Identifier, Instant
from store.tables.base import metadata, partial_index
from store.tables.people import people
from store.tables.value import token_values

accounts = Table(
    "accounts",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("code", Text, nullable=False, unique=True, comment="treasury, wallet:per_..., service:..., expired, pool"),
    Column("person_id", Text, ForeignKey(people.c.id), unique=True),
    Column("version", AmountColumn, nullable=False, server_default="0"),
    Column("balance", AmountColumn, nullable=False, server_default="0", comment="Micro-tokens; the sum of postings."),
    Column("held", AmountColumn, nullable=False, server_default="0", comment="Of it, for calls that still run."),
    Column("likely", AmountColumn, nullable=False, server_default="0", comment="By what such calls usually cost."),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("effective_at", Instant, nullable=False, comment="When what it records happened."),
    Column("posted_at", Instant, nullable=False),
    Column("memo", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("value_version", Text, ForeignKey(token_values.c.version)),
    Column("corrects_entry_id", Identifier, ForeignKey("entries.id")),
    partial_index("ix_entries_corrects_entry_id", "corrects_entry_id", where="corrects_entry_id IS NOT NULL"),
    # A month's files read the days one by one.
    Index("ix_entries_effective_at", "effective_at"),
)

postings = Table(
    "postings",
    metadata,
    Column("account_id", Identifier, ForeignKey(accounts.c.id), primary_key=True, autoincrement=False),
    Column("version", AmountColumn, primary_key=True, autoincrement=False),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), nullable=False, index=True),
    Column("amount", AmountColumn, nullable=False),
    Column("balance", AmountColumn, nullable=False, comment="The account's balance after this line."),
    CheckConstraint("amount <> 0", name="not_zero"),
    sqlite_with_rowid=False,
)

lots = Table(
    "lots",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("account_id", Identifier, ForeignKey(accounts.c.id), nullable=False),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("amount", AmountColumn, nullable=False),
    Column("remaining", AmountColumn, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_until", Instant, comment="Its end, where a leave moved it."),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("remaining BETWEEN 0 AND amount", name="remaining"),
    CheckConstraint("starts_at < expires_at", name="dates"),
    # Wallets read their open lots at every command and every debit.
    partial_index("ix_lots_open", "account_id", where="remaining > 0"),
)

lot_movements = Table(
    "lot_movements",
    metadata,
    Column("entry_id", Identifier, ForeignKey(entries.c.id), primary_key=True, autoincrement=False),
    Column("lot_id", Identifier, ForeignKey(lots.c.id), primary_key=True, autoincrement=False),
    Column("amount", AmountColumn, nullable=False, comment="Micro-tokens taken; below 0 what a reversal gave back."),
    CheckConstraint("amount <> 0", name="not_zero"),
    sqlite_with_rowid=False,
)
