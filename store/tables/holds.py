"""What is held for calls and jobs before they run, and the running sums that caps are judged by."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, LargeBinary, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata, partial_index

holds = Table(
    "holds",
    metadata,
    # No foreign keys, as with usage: `verify` checks what they would.
    Column("source", Text, primary_key=True, comment="Of the key by which it was made."),
    Column("id", Text, primary_key=True, comment="Chosen by the gateway."),
    Column("kind", Text, nullable=False, comment="call, job, lease"),
    Column("fingerprint", LargeBinary, nullable=False, comment="Of what was asked for."),
    Column("account_id", Identifier, nullable=False, comment="Who pays: a wallet, or the company."),
    Column("person_id", Text, nullable=False),
    Column("service_key", Text, nullable=False, comment="Empty for a lease of several services."),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("micro_tokens", AmountColumn, nullable=False, comment="Still held; 0 once it is over."),
    Column("nano_usd", AmountColumn, nullable=False),
    Column(
        "likely_micro_tokens",
        AmountColumn,
        nullable=False,
        server_default="0",
        comment="Of it, what such calls usually cost.",
    ),
    Column("likely_nano_usd", AmountColumn, nullable=False, server_default="0"),
    Column("first_micro_tokens", AmountColumn, nullable=False, comment="As it was made, with what extended it."),
    Column("first_nano_usd", AmountColumn, nullable=False),
    Column("used_micro_tokens", AmountColumn, nullable=False, server_default="0", comment="What was posted for it."),
    Column("used_nano_usd", AmountColumn, nullable=False, server_default="0"),
    Column("output_tokens", AmountColumn, nullable=False, server_default="0"),
    Column("answer", Json, comment="What was said of what was left, and of caps that warn, when it was made."),
    Column("flags", Text, nullable=False, comment="larger, late, quarantined, unreported, cancelled"),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("closed_at", Instant),
    CheckConstraint("kind IN ('call', 'job', 'lease')", name="kind"),
    CheckConstraint("status IN ('held', 'settled', 'released', 'lapsed')", name="status"),
    CheckConstraint("micro_tokens >= 0 AND nano_usd >= 0", name="amounts"),
    CheckConstraint(
        "likely_micro_tokens BETWEEN 0 AND micro_tokens AND likely_nano_usd BETWEEN 0 AND nano_usd", name="likely"
    ),
    CheckConstraint("status = 'held' OR (micro_tokens = 0 AND nano_usd = 0)", name="freed"),
    CheckConstraint("(status = 'held') = (closed_at IS NULL)", name="closed"),
    partial_index("ix_holds_ending", "expires_at", where="status = 'held'"),
    partial_index("ix_holds_open", "account_id", where="status = 'held'"),
    partial_index("ix_holds_jobs", "created_at", where="kind = 'job'"),
    # At what pace someone spends: the last minutes are read.
    partial_index("ix_holds_pace", "account_id", "closed_at", where="status = 'settled'"),
    comment="What calls and jobs may cost at most, while they run.",
)

cap_sums = Table(
    "cap_sums",
    metadata,
    Column("first_day", Date, primary_key=True, comment="Of the window."),
    Column("span", Text, primary_key=True, comment="day, week, month"),
    Column("scope", Text, primary_key=True, comment="person, person_service, team, project, service, programme"),
    Column("key", Text, primary_key=True, comment="Which one of the scope."),
    Column("used_nano_usd", AmountColumn, nullable=False),
    Column("held_nano_usd", AmountColumn, nullable=False),
    Column(
        "likely_nano_usd",
        AmountColumn,
        nullable=False,
        server_default="0",
        comment="The same by what such calls usually cost.",
    ),
    CheckConstraint("held_nano_usd >= 0", name="held"),
    CheckConstraint("likely_nano_usd >= 0", name="likely"),
    sqlite_with_rowid=False,
    comment="What was used and is held of one scope in one window: made when a cap first asks for it.",
)

hold_claims = Table(
    "hold_claims",
    metadata,
    Column("source", Text, primary_key=True),
    Column("hold_id", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("span", Text, primary_key=True),
    Column("first_day", Date, nullable=False),
    sa.ForeignKeyConstraint(["source", "hold_id"], [holds.c.source, holds.c.id]),
    sqlite_with_rowid=False,
    comment="The sums that a hold is part of; each holds its whole amount.",
)

lease_recalls = Table(
    "lease_recalls",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("source", Text, nullable=False),
    Column("hold_id", Text, nullable=False),
    Column("recalled_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["source", "hold_id"], [holds.c.source, holds.c.id]),
    sa.Index("ix_lease_recalls_source", "source", "id"),
    comment="Leases that gateways are to give back, because their person got or lost tokens.",
)
