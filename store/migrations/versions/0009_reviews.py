"""quarterly reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("quarter", sa.Text(), nullable=False, comment="The one that is looked back at."),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default="1",
            nullable=False,
            comment="Of everything that is shown of it.",
        ),
        sa.Column("drafted_at", columns.Instant(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("handbook_version", sa.Text(), nullable=False, comment="Whose thresholds hold."),
        sa.Column("value_version", sa.Text(), nullable=False, comment="It sizes the grants."),
        sa.Column(
            "value_proposal",
            sa.Text(),
            nullable=True,
            comment="The digest of the value that is proposed for the month.",
        ),
        sa.Column(
            "month",
            sa.Text(),
            nullable=False,
            comment="Whose grants are compared: the first that a change could reach.",
        ),
        sa.Column(
            "inputs",
            columns.Json,
            nullable=False,
            comment="What is the same for everybody that the proposal follows from.",
        ),
        sa.Column(
            "inputs_digest", sa.Text(), nullable=False, comment="SHA-256 of all inputs, those of each person with them."
        ),
        sa.Column(
            "summary", columns.Json, nullable=False, comment="The quarter's figures as they were known at the draft."
        ),
        sa.Column("vote_until", columns.Instant(), nullable=True),
        sa.Column("decided_at", columns.Instant(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("holds_from", sa.Text(), nullable=True, comment="The month from which adopted changes hold."),
        sa.CheckConstraint("(state = 'adopted') = (holds_from IS NOT NULL)", name=op.f("ck_reviews_holds")),
        sa.CheckConstraint("(state = 'draft') = (decided_at IS NULL)", name=op.f("ck_reviews_decided")),
        sa.CheckConstraint("state IN ('draft', 'adopted', 'lapsed')", name=op.f("ck_reviews_state")),
        sa.ForeignKeyConstraint(["handbook_version"], ["handbooks.version"], name=op.f("fk_reviews_handbook_version")),
        sa.ForeignKeyConstraint(["value_version"], ["token_values.version"], name=op.f("fk_reviews_value_version")),
        sa.PrimaryKeyConstraint("quarter", name=op.f("pk_reviews")),
    )
    op.create_table(
        "review_cases",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False, comment="Whose efficiency it is: team or person."),
        sa.Column("team", sa.Text(), nullable=False, comment="Its manager; empty for nobody's."),
        sa.Column(
            "peers",
            sa.Text(),
            nullable=True,
            comment="A key such as engineering/senior; empty where there is no score.",
        ),
        sa.Column("peers_size", sa.BigInteger(), nullable=True),
        sa.Column("utilisation_permille", sa.BigInteger(), nullable=True, comment="Empty where there were no grants."),
        sa.Column("state_before", sa.Text(), nullable=False),
        sa.Column("state_after", sa.Text(), nullable=False),
        sa.Column("theta", sa.Text(), nullable=True),
        sa.Column("lcb", sa.Text(), nullable=True),
        sa.Column("missing", sa.Text(), nullable=False, comment="Why there is no score."),
        sa.Column("delta_thousandths", sa.SmallInteger(), nullable=False),
        sa.Column("factor_before", sa.Text(), nullable=False),
        sa.Column("factor_after", sa.Text(), nullable=False, comment="What the proposal makes of it."),
        sa.Column(
            "grant_before",
            sa.BigInteger(),
            nullable=True,
            comment="Of the month, without the change; empty where there is none.",
        ),
        sa.Column(
            "grant_after",
            sa.BigInteger(),
            nullable=True,
            comment="With all changes as proposed, within the same budget.",
        ),
        sa.Column("bound", sa.Text(), nullable=False, comment="What holds the proposed grant: floor, cap, or nothing."),
        sa.Column("reasons", columns.Json, nullable=False, comment="[{code, text, figures}, ...]"),
        sa.Column("would_change", columns.Json, nullable=False),
        sa.Column("decision", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("amended_thousandths", sa.SmallInteger(), nullable=True),
        sa.Column("amended_factor", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="Who held or amended it."),
        sa.Column("decided_at", columns.Instant(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(decision = 'amended') = (amended_thousandths IS NOT NULL AND amended_factor IS NOT NULL)",
            name=op.f("ck_review_cases_amended"),
        ),
        sa.CheckConstraint("(decision = 'proposed') = (decided_by IS NULL)", name=op.f("ck_review_cases_decided")),
        sa.CheckConstraint("decision IN ('proposed', 'held', 'amended')", name=op.f("ck_review_cases_decision")),
        sa.CheckConstraint("state_after IN ('low', 'usual', 'high')", name=op.f("ck_review_cases_after")),
        sa.CheckConstraint("state_before IN ('low', 'usual', 'high')", name=op.f("ck_review_cases_before")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_review_cases_person_id")),
        sa.ForeignKeyConstraint(["quarter"], ["reviews.quarter"], name=op.f("fk_review_cases_quarter")),
        sa.PrimaryKeyConstraint("quarter", "person_id", name=op.f("pk_review_cases")),
        comment="What is proposed for each person with its reasons, and what became of it.",
    )
    with op.batch_alter_table("review_cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_cases_person_id"), ["person_id"], unique=False)

    op.create_table(
        "review_inputs",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column(
            "part", sa.SmallInteger(), nullable=False, comment="0 is decided about; others are weeks in earlier teams."
        ),
        sa.Column(
            "is_case",
            sa.Boolean(),
            nullable=False,
            comment="Whether anything is proposed; else it is there for others.",
        ),
        sa.Column("role_family", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("fte_permille", sa.SmallInteger(), nullable=False),
        sa.Column("wave", sa.SmallInteger(), nullable=True),
        sa.Column("team", sa.Text(), nullable=False, comment="Its manager; empty for nobody's."),
        sa.Column(
            "output", columns.Json, nullable=False, comment="Thousandths by week; empty where only teams are measured."
        ),
        sa.Column(
            "debits", columns.Json, nullable=False, comment="Micro-tokens by week; null where the person was not there."
        ),
        sa.Column(
            "utilisation",
            columns.Json,
            nullable=False,
            comment="By quarter, the latest last, as decimals; null: no grants.",
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="That of the quarter before."),
        sa.Column(
            "deltas", columns.Json, nullable=False, comment="Thousandths by quarter, the latest last: what was adopted."
        ),
        sa.Column("factor", sa.Text(), nullable=False, comment="What all adjustments so far make together."),
        sa.Column(
            "claim",
            columns.Json,
            nullable=True,
            comment="What the grant of the month follows from; empty where there is none.",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_review_inputs_person_id")),
        sa.ForeignKeyConstraint(["quarter"], ["reviews.quarter"], name=op.f("fk_review_inputs_quarter")),
        sa.PrimaryKeyConstraint("quarter", "person_id", "part", name=op.f("pk_review_inputs")),
        comment="What a review's draft was worked out from, kept as it was: later data change nothing of it.",
    )
