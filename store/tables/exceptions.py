"""Requests for exceptions, who may vote on them, and how they voted."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, SmallInteger, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata, partial_index
from store.tables.handbook import handbooks
from store.tables.ledger import entries
from store.tables.people import people, projects
from store.tables.usage import services

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True, comment="Of the form that was submitted."),
    Column("person_id", Text, ForeignKey(people.c.id), nullable=False),
    Column("class_name", Text, nullable=False, comment="fast, standard, major, break_glass"),
    Column("state", Text, nullable=False),
    Column("revision", AmountColumn, nullable=False, server_default="1", comment="Of everything that a card shows."),
    Column("amount", AmountColumn, nullable=False, comment="Micro-tokens that were asked for."),
    Column("purpose", Text, nullable=False),
    Column("project_key", Text, ForeignKey(projects.c.key)),
    Column("service_key", Text, ForeignKey(services.c.key)),
    Column("last_day", Date, nullable=False, comment="Until the end of which it is wanted."),
    Column("incident", Text, comment="Of a break-glass."),
    Column("situation", Json, nullable=False, comment="What the request was judged by, as it was when it was made."),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("needed", SmallInteger, nullable=False),
    Column("needs_finance", sa.Boolean, nullable=False),
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
    Column("granted", AmountColumn),
    Column("granted_last_day", Date),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), unique=True, comment="What credited it."),
    Column("spent", AmountColumn, comment="Of a break-glass, by the time when it was not ratified and its lot ended."),
    Column("netted", AmountColumn, comment="Of that, taken off a grant,"),
    Column("netted_month", Text, comment="the grant of this month."),
    Column("outcome", Text, comment="What came of it, as its requester says: delivered, partly, nothing."),
    Column("outcome_note", Text),
    CheckConstraint(
        "state IN ('open', 'approved', 'rejected', 'lapsed', 'withdrawn', 'credited', 'ratified', 'not_ratified')",
        name="state",
    ),
    CheckConstraint("class_name IN ('fast', 'standard', 'major', 'break_glass')", name="class"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("granted BETWEEN 1 AND amount", name="granted"),
    CheckConstraint(
        "(state IN ('approved', 'credited', 'ratified', 'not_ratified')) = (entry_id IS NOT NULL)", name="credited"
    ),
    CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name="next"),
    Index("ix_requests_person_id", "person_id", "made_at"),
    partial_index("ix_requests_next", "next_at", where="next_at IS NOT NULL"),
    partial_index("ix_requests_undecided", "lapse_at", where="state IN ('open', 'credited')"),
)

request_beneficiaries = Table(
    "request_beneficiaries",
    metadata,
    Column("request_id", Text, ForeignKey(requests.c.id), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
)

request_seats = Table(
    "request_seats",
    metadata,
    Column("request_id", Text, ForeignKey(requests.c.id), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("kind", Text, nullable=False, comment="member, alternate, reserve"),
    Column("is_chair", sa.Boolean, nullable=False),
    Column("is_finance", sa.Boolean, nullable=False),
    Column("recused", Text, nullable=False, comment="Why this person cannot vote; empty when they can."),
    comment="The electorate of a request, as it was when the request was made.",
)

request_votes = Table(
    "request_votes",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("seat", Text, primary_key=True, comment="Whose vote it is; one a seat, changeable until it is decided."),
    Column("cast_by", Text, ForeignKey(people.c.id), nullable=False, comment="The same person, or their delegate."),
    Column("approves", sa.Boolean, nullable=False),
    Column("amount", AmountColumn, comment="A smaller one than was asked for."),
    Column("last_day", Date, comment="An earlier one than was asked for."),
    Column("reason", Text, comment="Of a rejection."),
    Column("cast_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["request_id", "seat"], ["request_seats.request_id", "request_seats.person_id"]),
    sa.UniqueConstraint("request_id", "cast_by"),
    CheckConstraint("approves OR reason IS NOT NULL", name="reason"),
)

request_questions = Table(
    "request_questions",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True, comment="Of the form in which it was asked."),
    Column("request_id", Text, ForeignKey(requests.c.id), nullable=False, index=True),
    Column("asked_by", Text, ForeignKey(people.c.id), nullable=False),
    Column("question", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("answer", Text),
    Column("answered_at", Instant),
)

request_drafts = Table(
    "request_drafts",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("fields", Json, nullable=False),
    Column("saved_at", Instant, nullable=False),
    comment="What somebody typed into the form and has not submitted yet.",
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), nullable=False, index=True),
    Column("made_at", Instant, nullable=False),
    Column("delegate_id", Text, ForeignKey(people.c.id), nullable=False, index=True),
    Column("last_day", Date, nullable=False),
    Column("ended_at", Instant, comment="When it was taken back before that."),
)

board_group = Table(
    "board_group",
    metadata,
    Column("usergroup", Text, primary_key=True),
    Column("slack_user_id", Text, primary_key=True),
    comment="The members of the board's Slack user group, as they were read last.",
)
