"""cash caps: whom caps stopped, what the board is asked about the month's cash, and how it votes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cap_stops",
        sa.Column("key", sa.Text(), nullable=False, comment="Of the notice: once a person, cap and window."),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("cap", sa.Text(), nullable=False),
        sa.Column("limit_nano_usd", sa.BigInteger(), nullable=False, comment="As it was then."),
        sa.Column("stopped_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_cap_stops_person_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cap_stops")),
        comment="When a cap stopped someone who had not been told of it.",
    )
    with op.batch_alter_table("cap_stops", schema=None) as batch_op:
        batch_op.create_index("ix_cap_stops_cap", ["cap", "stopped_at"], unique=False)
        batch_op.create_index("ix_cap_stops_person_id", ["person_id", "stopped_at"], unique=False)

    op.create_table(
        "cash_questions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "revision", sa.BigInteger(), server_default="1", nullable=False, comment="Of everything that a card shows."
        ),
        sa.Column("cap", sa.Text(), nullable=False, comment="Its name in the handbook."),
        sa.Column("first_day", sa.Date(), nullable=False, comment="Of the month."),
        sa.Column(
            "base_nano_usd", sa.BigInteger(), nullable=False, comment="What the handbook allowed when it was asked."
        ),
        sa.Column(
            "limit_nano_usd", sa.BigInteger(), nullable=False, comment="What was in force then: the base, or a raise."
        ),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("handbook_version", sa.Text(), nullable=False),
        sa.Column("asked_at", columns.Instant(), nullable=False),
        sa.Column("needed", sa.SmallInteger(), nullable=False),
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
        sa.Column("raised_to", sa.BigInteger(), nullable=True, comment="The month's new limit, in nano-USD."),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_cash_questions_decided")),
        sa.CheckConstraint("(state = 'raised') = (raised_to IS NOT NULL)", name=op.f("ck_cash_questions_raised")),
        sa.CheckConstraint(
            "state IN ('open', 'raised', 'stopped', 'running', 'lapsed')", name=op.f("ck_cash_questions_state")
        ),
        sa.CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name=op.f("ck_cash_questions_next")),
        sa.CheckConstraint("raised_to > limit_nano_usd", name=op.f("ck_cash_questions_more")),
        sa.ForeignKeyConstraint(
            ["handbook_version"], ["handbooks.version"], name=op.f("fk_cash_questions_handbook_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cash_questions")),
        sa.UniqueConstraint(
            "cap",
            "first_day",
            "base_nano_usd",
            "limit_nano_usd",
            name=op.f("uq_cash_questions_cap_first_day_base_nano_usd_limit_nano_usd"),
        ),
        comment="What the board is asked once a cash cap is reached, and what it decided for the month.",
    )
    with op.batch_alter_table("cash_questions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cash_questions_next",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )

    op.create_table(
        "cash_seats",
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="member, alternate, reserve"),
        sa.Column("is_chair", sa.Boolean(), nullable=False),
        sa.Column("is_finance", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_cash_seats_person_id")),
        sa.ForeignKeyConstraint(["question_id"], ["cash_questions.id"], name=op.f("fk_cash_seats_question_id")),
        sa.PrimaryKeyConstraint("question_id", "person_id", name=op.f("pk_cash_seats")),
        comment="The electorate of a question, as it was when the board was asked.",
    )
    op.create_table(
        "cash_votes",
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column(
            "seat", sa.Text(), nullable=False, comment="Whose vote it is; one a seat, changeable until it is decided."
        ),
        sa.Column("cast_by", sa.Text(), nullable=False, comment="The same person, or their delegate."),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("limit_nano_usd", sa.BigInteger(), nullable=True, comment="Of a raise: the month's new limit."),
        sa.Column("cast_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("(choice = 'raise') = (limit_nano_usd IS NOT NULL)", name=op.f("ck_cash_votes_limit")),
        sa.CheckConstraint("choice IN ('raise', 'stop', 'let_run')", name=op.f("ck_cash_votes_choice")),
        sa.ForeignKeyConstraint(["cast_by"], ["people.id"], name=op.f("fk_cash_votes_cast_by")),
        sa.ForeignKeyConstraint(
            ["question_id", "seat"],
            ["cash_seats.question_id", "cash_seats.person_id"],
            name=op.f("fk_cash_votes_question_id_seat"),
        ),
        sa.PrimaryKeyConstraint("question_id", "seat", name=op.f("pk_cash_votes")),
        sa.UniqueConstraint("question_id", "cast_by", name=op.f("uq_cash_votes_question_id_cast_by")),
    )


def downgrade() -> None:
    op.drop_table("cash_votes")
    op.drop_table("cash_seats")
    with op.batch_alter_table("cash_questions", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_cash_questions_next",
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )

    op.drop_table("cash_questions")
    with op.batch_alter_table("cap_stops", schema=None) as batch_op:
        batch_op.drop_index("ix_cap_stops_person_id")
        batch_op.drop_index("ix_cap_stops_cap")

    op.drop_table("cap_stops")
