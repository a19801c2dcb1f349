"""Every table, by topic. Entries, postings, lot movements and the audit log are only ever inserted into."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, LargeBinary, SmallInteger, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- The programme -------------------------------------------------------------------------------------------------

programme = Table(
    "programme",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="Facts that hold for the whole ledger, such as the time zone its days were cut in.",
)

handbooks = Table(
    "handbooks",
    metadata,
    Column("version", Text, primary_key=True),
    Column("effective_from", Date, nullable=False),
    Column("body", Text, nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("applied_by", Text, nullable=False),
)

services = Table(
    "services",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    comment="Every service that was ever approved; the handbook says which are approved when.",
)

prices = Table(
    "prices",
    metadata,
    Column("id", Text, primary_key=True, comment="A digest of the content, so that the same price is one row."),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tier", Text, nullable=False, comment="Empty for the standard one."),
    Column("source", Text, nullable=False),
    Column("meters", Json, nullable=False, comment="meter -> [nano-USD, per, [[tier start, nano-USD], ...]]"),
)

token_values = Table(
    "token_values",
    metadata,
    Column("version", Text, primary_key=True),
    Column("quarter", Text, nullable=False, index=True),
    Column("nano_usd_per_token", AmountColumn, nullable=False),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("adopted_at", Instant, nullable=False),
    CheckConstraint("nano_usd_per_token > 0", name="positive"),
)

# --- People --------------------------------------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True, comment="Lower case."),
    Column("name", Text, nullable=False),
    Column("slack_user_id", Text, unique=True),
    Column("manager_id", Text, ForeignKey("people.id"), index=True),
    Column("level", Text, nullable=False),
    Column("role_family", Text, nullable=False),
    Column("pay_band", Text),
    Column("fte_permille", SmallInteger, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("hired_on", Date, nullable=False),
    Column("left_on", Date),
    Column("wave", SmallInteger),
    CheckConstraint("fte_permille BETWEEN 1 AND 1000", name="fte"),
)

person_roles = Table(
    "person_roles",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("role", Text, primary_key=True),
)

identities = Table(
    "identities",
    metadata,
    Column("source", Text, primary_key=True, comment="The gateway, or * for every gateway."),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), nullable=False, index=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False, comment="The CloudEvents source this key may report for."),
    Column("scopes", Text, nullable=False, comment="Separated by spaces."),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

# --- The ledger ----------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("code", Text, nullable=False, unique=True, comment="treasury, wallet:per_..., service:..., expired, pool"),
    Column("person_id", Text, ForeignKey(people.c.id), unique=True),
    Column("version", AmountColumn, nullable=False, server_default="0"),
    Column("balance", AmountColumn, nullable=False, server_default="0", comment="Micro-tokens; the sum of postings."),
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
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("remaining BETWEEN 0 AND amount", name="remaining"),
    CheckConstraint("starts_at < expires_at", name="dates"),
    # Wallets read their open lots at every command and every debit.
    Index(
        "ix_lots_open", "account_id", sqlite_where=sa.text("remaining > 0"), postgresql_where=sa.text("remaining > 0")
    ),
)

lot_movements = Table(
    "lot_movements",
    metadata,
    Column("entry_id", Identifier, ForeignKey(entries.c.id), primary_key=True, autoincrement=False),
    Column("lot_id", Identifier, ForeignKey(lots.c.id), primary_key=True, autoincrement=False),
    Column("amount", AmountColumn, nullable=False, comment="Micro-tokens taken from the lot."),
    CheckConstraint("amount > 0", name="amount"),
    sqlite_with_rowid=False,
)

# --- Usage ---------------------------------------------------------------------------------------------------------

usage_events = Table(
    "usage_events",
    metadata,
    # Wallet and price are checked by `verify` instead of foreign keys: on PostgreSQL those would take a tenth of the
    # intake's time, and the entry, which is a foreign key, has the same wallet.
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("identities", Json, nullable=False, comment="[[kind, name], ...] as the gateway reported them"),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tier", Text, nullable=False, comment="The service tier; empty for the standard one."),
    Column("meters", Json, nullable=False),
    Column("project", Text, nullable=False),
    Column("account_id", Identifier, comment="The wallet of the person who used it."),
    Column("price_id", Text),
    Column("cost_nano_usd", AmountColumn, comment="Empty while the event is in quarantine."),
    Column("debit_micro_tokens", AmountColumn),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), comment="Empty when the use was free, or in quarantine."),
    Index("ix_usage_events_entry_id", "entry_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("released_at", Instant),
    sa.ForeignKeyConstraint(["source", "event_id"], ["usage_events.source", "usage_events.event_id"]),
    Index(
        "ix_quarantine_held",
        "since",
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    ),
)

usage_conflicts = Table(
    "usage_conflicts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("fingerprint", LargeBinary, primary_key=True, comment="Of the content that was refused."),
    Column("offered", Json, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["source", "event_id"], ["usage_events.source", "usage_events.event_id"]),
)

usage_days = Table(
    "usage_days",
    metadata,
    # The day comes first: new usage then touches few pages, whatever the number of people.
    Column("day", Date, primary_key=True),
    Column("account_id", Identifier, ForeignKey(accounts.c.id), primary_key=True, autoincrement=False),
    Column("service_key", Text, ForeignKey(services.c.key), primary_key=True),
    Column("model", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("calls", AmountColumn, nullable=False),
    Column("input_tokens", AmountColumn, nullable=False),
    Column("output_tokens", AmountColumn, nullable=False),
    Column("cost_nano_usd", AmountColumn, nullable=False),
    Column("debit_micro_tokens", AmountColumn, nullable=False),
    sqlite_with_rowid=False,
)

file_imports = Table(
    "file_imports",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the file's content and format."),
    Column("lines_done", AmountColumn, nullable=False),
    Column("bytes_done", AmountColumn, nullable=False),
    Column("counts", Json, nullable=False),
    comment="How far an interrupted import of a file came; removed when it completes.",
)

# --- Audit ---------------------------------------------------------------------------------------------------------

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", Identifier, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("handbook_version", Text),
    Column("slack_channel", Text),
    Column("slack_ts", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
