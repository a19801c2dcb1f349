"""What is held for calls and jobs before they run, and the running sums that caps are judged by."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, LargeBinary, SmallInteger, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata, partial_index
from store.tables.handbook import handbooks
from store.tables.people import people

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

cap_stops = Table(
    "cap_stops",
    metadata,
    Column("key", Text, primary_key=True, comment="Of the notice: once a person, cap and window."),
    Column("person_id", Text, ForeignKey(people.c.id), nullable=False),
    Column("cap", Text, nullable=False),
    Column("limit_nano_usd", AmountColumn, nullable=False, comment="As it was then."),
    Column("stopped_at", Instant, nullable=False),
    sa.Index("ix_cap_stops_person_id", "person_id", "stopped_at"),
    sa.Index("ix_cap_stops_cap", "cap", "stopped_at"),
    comment="When a cap stopped someone who had not been told of it.",
)

cash_questions = Table(
    "cash_questions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("revision", AmountColumn, nullable=False, server_default="1", comment="Of everything that a card shows."),
    Column("cap", Text, nullable=False, comment="Its name in the handbook."),
    Column("first_day", Date, nullable=False, comment="Of the month."),
    Column("base_nano_usd", AmountColumn, nullable=False, comment="What the handbook allowed when it was asked."),
    Column("limit_nano_usd", AmountColumn, nullable=False, comment="What was in force then: the base, or a raise."),
    Column("state", Text, nullable=False, server_default="open"),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("needed", SmallInteger, nullable=False),
    Column("first_stage", SmallInteger, nullable=False),
    Column("stage", SmallInteger, nullable=False, comment="Who is called to vote by now: policy/exceptions."),
    Column("remind_at", Instant, nullable=False),
    Column("escalate_at", Instant, nullable=False),
    Column("last_call_at", Instant, nullable=False),
    Column("lapse_at", Instant, nullable=False),
    Column("next_step", Text, comment="What the calendar does next about it, if anything,"),
    Column("next_at", Instant, comment="and when."),
    Column("decided_at", Instant),
    Column("decided_by", Text, comment="Whose vote decided it, or policy."),
    Column("raised_to", AmountColumn, comment="The month's new limit, in nano-USD."),
    sa.UniqueConstraint("cap", "first_day", "base_nano_usd", "limit_nano_usd"),
    CheckConstraint("state IN ('open', 'raised', 'stopped', 'running', 'lapsed')", name="state"),
    CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    CheckConstraint("(state = 'raised') = (raised_to IS NOT NULL)", name="raised"),
    CheckConstraint("raised_to > limit_nano_usd", name="more"),
    CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name="next"),
    partial_index("ix_cash_questions_next", "next_at", where="next_at IS NOT NULL"),
    comment="What the board is asked once a cash cap is reached, and what it decided for the month.",
)

cash_seats = Table(
    "cash_seats",
    metadata,
    Column("question_id", Text, ForeignKey(cash_questions.c.id), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("kind", Text, nullable=False, comment="member, alternate, reserve"),
    Column("is_chair", sa.Boolean, nullable=False),
    Column("is_finance", sa.Boolean, nullable=False),
    comment="The electorate of a question, as it was when the board was asked.",
)

cash_votes = Table(
    "cash_votes",
    metadata,
    Column("question_id", Text, primary_key=True),
    Column("seat", Text, primary_key=True, comment="Whose vote it is; one a seat, changeable until it is decided."),
    Column("cast_by", Text, ForeignKey(people.c.id), nullable=False, comment="The same person, or their delegate."),
    Column("choice", Text, nullable=False),
    Column("limit_nano_usd", AmountColumn, comment="Of a raise: the month's new limit."),
    Column("cast_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["question_id", "seat"], [cash_seats.c.question_id, cash_seats.c.person_id]),
    sa.UniqueConstraint("question_id", "cast_by"),
    CheckConstraint("choice IN ('raise', 'stop', 'let_run')", name="choice"),
    CheckConstraint("(choice = 'raise') = (limit_nano_usd IS NOT NULL)", name="limit"),
)
