"""Vendors' bills: what stands of each, and what was posted for what no tag names."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text

from store.columns import AmountColumn, Identifier, Instant
from store.tables.base import metadata, partial_index
from store.tables.ledger import accounts, entries

bill_files = Table(
    "bill_files",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("digest", Text, nullable=False, unique=True, comment="SHA-256 of the file's content."),
    Column("name", Text, nullable=False),
    Column("issued_at", Instant, nullable=False, comment="As it was said, else when it was first imported."),
    Column("taken_at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    comment="Files of bills. Of several for one bill the one that was issued last stands.",
)

bills = Table(
    "bills",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("account", Text, nullable=False, comment="BillingAccountId"),
    Column("period", Date, nullable=False, comment="The first day of the billing period."),
    Column("file_id", Identifier, ForeignKey(bill_files.c.id), nullable=False, comment="What stands is from it."),
    Column("rows", AmountColumn, nullable=False),
    Column("nano_usd", AmountColumn, nullable=False, comment="Its total, to the nearest nano-USD."),
    Column("posted_at", Instant, comment="Empty while an import is under way, or was interrupted."),
    sa.UniqueConstraint("account", "period", name="uq_bills_account"),
)

bill_lines = Table(
    "bill_lines",
    metadata,
    Column("bill_id", Identifier, ForeignKey(bills.c.id), primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True, comment="A digest of the columns up to the model."),
    Column("bears", Text, nullable=False, comment="person, project, kept, outside, or a key of the handbook"),
    Column("service", Text, nullable=False, comment="Its key; of what is outside the bill's own name of it."),
    Column("day", Date, nullable=False, comment="The first of the month where no tag names anybody."),
    Column("person", Text, nullable=False, comment="As the tag says; empty where none does."),
    Column("project", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("rows", AmountColumn, nullable=False, comment="0 of what the last file has no more."),
    Column("nano_usd", AmountColumn, nullable=False, comment="What it costs, rounded down."),
    Column("rest", AmountColumn, nullable=False, comment="The rest of that, in billionths of a nano-USD."),
    Column("owed_nano_usd", AmountColumn, nullable=False, comment="What is to be debited as usage."),
    Column("posted_nano_usd", AmountColumn, nullable=False, comment="What was reported as usage."),
    CheckConstraint("rest BETWEEN 0 AND 999999999", name="rest"),
    partial_index("ix_bill_lines_due", "bill_id", "day", "key", where="owed_nano_usd <> posted_nano_usd"),
    comment="What the rows of a bill come to.",
)

bill_shares = Table(
    "bill_shares",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("bill_id", Identifier, ForeignKey(bills.c.id), nullable=False),
    Column("month", Text, nullable=False),
    Column("service_key", Text, nullable=False),
    Column("bears", Text, nullable=False, comment="A key of the handbook; person or project of credits; rounding"),
    Column("project", Text, nullable=False),
    Column("account_id", Identifier, ForeignKey(accounts.c.id), nullable=False),
    Column("nano_usd", AmountColumn, nullable=False),
    Column("micro_tokens", AmountColumn, nullable=False, comment="Below 0 what came back."),
    Column("revision", Integer, nullable=False, comment="Counts how often it was posted."),
    Index("uq_bill_shares_place", "bill_id", "month", "service_key", "bears", "project", "account_id", unique=True),
    comment="What an account bears of a bill beside its usage.",
)

bill_postings = Table(
    "bill_postings",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("share_id", Identifier, ForeignKey(bill_shares.c.id), nullable=False, index=True),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), comment="Empty for less than a micro-token."),
    Column("effective_at", Instant, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("nano_usd", AmountColumn, nullable=False),
    Column("micro_tokens", AmountColumn, nullable=False),
    Column("value_version", Text, nullable=False),
    comment="Every posting of a share; together they are what it bears.",
)
