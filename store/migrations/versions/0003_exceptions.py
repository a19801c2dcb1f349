"""exceptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "board_group",
        sa.Column("usergroup", sa.Text(), nullable=False),
        sa.Column("slack_user_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("usergroup", "slack_user_id", name=op.f("pk_board_group")),
        comment="The members of the board's Slack user group, as they were read last.",
    )
    op.create_table(
        "delegations",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("made_at", columns.Instant(), nullable=False),
        sa.Column("delegate_id", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("ended_at", columns.Instant(), nullable=True, comment="When it was taken back before that."),
        sa.ForeignKeyConstraint(["delegate_id"], ["people.id"], name=op.f("fk_delegations_delegate_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_delegations_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    op.create_index(op.f("ix_delegations_delegate_id"), "delegations", ["delegate_id"], unique=False)
    op.create_index(op.f("ix_delegations_person_id"), "delegations", ["person_id"], unique=False)

    op.create_table(
        "request_drafts",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("fields", columns.Json, nullable=False),
        sa.Column("saved_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_request_drafts_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_request_drafts")),
        comment="What somebody typed into the form and has not submitted yet.",
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, comment="Of the form that was submitted."),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("class_name", sa.Text(), nullable=False, comment="fast, standard, major, break_glass"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "revision", sa.BigInteger(), server_default="1", nullable=False, comment="Of everything that a card shows."
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="Micro-tokens that were asked for."),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("project_key", sa.Text(), nullable=True),
        sa.Column("service_key", sa.Text(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=False, comment="Until the end of which it is wanted."),
        sa.Column("incident", sa.Text(), nullable=True, comment="Of a break-glass."),
        sa.Column(
            "situation",
            columns.Json,
            nullable=False,
            comment="What the request was judged by, as it was when it was made.",
        ),
        sa.Column("handbook_version", sa.Text(), nullable=False),
        sa.Column("made_at", columns.Instant(), nullable=False),
        sa.Column("needed", sa.SmallInteger(), nullable=False),
        sa.Column("needs_finance", sa.Boolean(), nullable=False),
        sa.Column("first_stage", sa.SmallInteger(), nullable=False),
        sa.Column(
            "stage", sa.SmallInteger(), nullable=False, comment="Who is called to vote by now: policy/exceptions."
        ),
        sa.Column("remind_at", columns.Instant(), nullable=False),
        sa.Column("escalate_at", columns.Instant(), nullable=False),
        sa.Column("last_call_at", columns.Instant(), nullable=False),
        sa.Column("lapse_at", columns.Instant(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=True, comment="What the calendar does next about it, if anything,"),
        sa.Column("next_at", columns.Instant(), nullable=True, comment="and when."),
        sa.Column("decided_at", columns.Instant(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="Whose vote decided it, or policy."),
        sa.Column("granted", sa.BigInteger(), nullable=True),
        sa.Column("granted_last_day", sa.Date(), nullable=True),
        sa.Column("entry_id", columns.Identifier, nullable=True, comment="What credited it."),
        sa.Column(
            "netted",
            sa.BigInteger(),
            nullable=True,
            comment="Of a break-glass that was not ratified, taken off a grant,",
        ),
        sa.Column("netted_month", sa.Text(), nullable=True, comment="the grant of this month."),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="What came of it, as its requester says: delivered, partly, nothing.",
        ),
        sa.Column("outcome_note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('approved', 'credited', 'ratified', 'not_ratified')) = (entry_id IS NOT NULL)",
            name=op.f("ck_requests_credited"),
        ),
        sa.CheckConstraint(
            "class_name IN ('fast', 'standard', 'major', 'break_glass')", name=op.f("ck_requests_class")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'rejected', 'lapsed', 'withdrawn', 'credited', 'ratified', 'not_ratified')",
            name=op.f("ck_requests_state"),
        ),
        sa.CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name=op.f("ck_requests_next")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_requests_amount")),
        sa.CheckConstraint("granted BETWEEN 1 AND amount", name=op.f("ck_requests_granted")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_requests_entry_id")),
        sa.ForeignKeyConstraint(["handbook_version"], ["handbooks.version"], name=op.f("fk_requests_handbook_version")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_requests_person_id")),
        sa.ForeignKeyConstraint(["project_key"], ["projects.key"], name=op.f("fk_requests_project_key")),
        sa.ForeignKeyConstraint(["service_key"], ["services.key"], name=op.f("fk_requests_service_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_requests_entry_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_requests_idempotency_key")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(
            "ix_requests_next",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index("ix_requests_person_id", ["person_id", "made_at"], unique=False)
        batch_op.create_index(
            "ix_requests_undecided",
            ["lapse_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('open', 'credited')"),
            postgresql_where=sa.text("state IN ('open', 'credited')"),
        )

    op.create_table(
        "request_beneficiaries",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_request_beneficiaries_person_id")),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_request_beneficiaries_request_id")),
        sa.PrimaryKeyConstraint("request_id", "person_id", name=op.f("pk_request_beneficiaries")),
    )
    op.create_table(
        "request_questions",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, comment="Of the form in which it was asked."),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", columns.Instant(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_request_questions_asked_by")),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_request_questions_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_questions")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_request_questions_idempotency_key")),
    )
    op.create_index(op.f("ix_request_questions_request_id"), "request_questions", ["request_id"], unique=False)

    op.create_table(
        "request_seats",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="member, alternate, reserve"),
        sa.Column("is_chair", sa.Boolean(), nullable=False),
        sa.Column("is_finance", sa.Boolean(), nullable=False),
        sa.Column("recused", sa.Text(), nullable=False, comment="Why this person cannot vote; empty when they can."),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_request_seats_person_id")),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_request_seats_request_id")),
        sa.PrimaryKeyConstraint("request_id", "person_id", name=op.f("pk_request_seats")),
        comment="The electorate of a request, as it was when the request was made.",
    )
    op.create_table(
        "request_votes",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column(
            "seat", sa.Text(), nullable=False, comment="Whose vote it is; one a seat, changeable until it is decided."
        ),
        sa.Column("cast_by", sa.Text(), nullable=False, comment="The same person, or their delegate."),
        sa.Column("approves", sa.Boolean(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True, comment="A smaller one than was asked for."),
        sa.Column("last_day", sa.Date(), nullable=True, comment="An earlier one than was asked for."),
        sa.Column("reason", sa.Text(), nullable=True, comment="Of a rejection."),
        sa.Column("cast_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("approves OR reason IS NOT NULL", name=op.f("ck_request_votes_reason")),
        sa.ForeignKeyConstraint(["cast_by"], ["people.id"], name=op.f("fk_request_votes_cast_by")),
        sa.ForeignKeyConstraint(
            ["request_id", "seat"],
            ["request_seats.request_id", "request_seats.person_id"],
            name=op.f("fk_request_votes_request_id_seat"),
        ),
        sa.PrimaryKeyConstraint("request_id", "seat", name=op.f("pk_request_votes")),
        sa.UniqueConstraint("request_id", "cast_by", name=op.f("uq_request_votes_request_id_cast_by")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("about", sa.Text(), nullable=True, comment="The request that it is about, if any.")
        )
        batch_op.add_column(
            sa.Column("replaces", sa.Text(), nullable=True, comment="The message that this one is the new face of, or")
        )
        batch_op.add_column(
            sa.Column("thread", sa.Text(), nullable=True, comment="the message whose thread it goes into.")
        )
        batch_op.add_column(
            sa.Column(
                "at_once",
                sa.Boolean(),
                server_default=sa.false(),
                nullable=False,
                comment="At any hour of the reader's.",
            )
        )
        batch_op.drop_index("ix_outbox_owed")
        batch_op.create_index(
            "ix_outbox_owed",
            ["at_once", "due_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'leased')"),
            postgresql_where=sa.text("state IN ('waiting', 'leased')"),
        )
        batch_op.create_index(
            "ix_outbox_about",
            ["about"],
            unique=False,
            sqlite_where=sa.text("about IS NOT NULL"),
            postgresql_where=sa.text("about IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_outbox_replaces",
            ["replaces", "id"],
            unique=False,
            sqlite_where=sa.text("replaces IS NOT NULL"),
            postgresql_where=sa.text("replaces IS NOT NULL"),
        )
        batch_op.create_check_constraint(batch_op.f("ck_outbox_place"), "replaces IS NULL OR thread IS NULL")
        batch_op.create_foreign_key(batch_op.f("fk_outbox_replaces"), "outbox", ["replaces"], ["key"])
        batch_op.create_foreign_key(batch_op.f("fk_outbox_thread"), "outbox", ["thread"], ["key"])
