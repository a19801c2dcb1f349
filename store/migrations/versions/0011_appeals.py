"""appeals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_opt_outs",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("since", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_review_opt_outs_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_review_opt_outs")),
        comment="Who is left out of what the compensation review gets.",
    )
    op.create_table(
        "appeals",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default="1",
            nullable=False,
            comment="Of everything that is shown of it.",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default="open",
            nullable=False,
            comment="Open or upheld, the cut does not hold.",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="The person's."),
        sa.Column("filed_at", columns.Instant(), nullable=False),
        sa.Column("decide_by", columns.Instant(), nullable=False, comment="Then it lapses."),
        sa.Column("decided_at", columns.Instant(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="A member of the board, or policy."),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("cut_from", sa.Text(), nullable=True, comment="The month from which the cut holds after all."),
        sa.Column("entry_id", columns.Identifier, nullable=True, comment="What credited the difference."),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_appeals_decided")),
        sa.CheckConstraint("(state IN ('rejected', 'lapsed')) = (cut_from IS NOT NULL)", name=op.f("ck_appeals_cut")),
        sa.CheckConstraint("entry_id IS NULL OR state = 'upheld'", name=op.f("ck_appeals_credited")),
        sa.CheckConstraint("state IN ('open', 'upheld', 'rejected', 'lapsed')", name=op.f("ck_appeals_state")),
        sa.CheckConstraint(
            "state NOT IN ('upheld', 'rejected') OR decision_reason IS NOT NULL", name=op.f("ck_appeals_reason")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_appeals_entry_id")),
        sa.ForeignKeyConstraint(
            ["quarter", "person_id"],
            ["review_cases.quarter", "review_cases.person_id"],
            name=op.f("fk_appeals_quarter_person_id"),
        ),
        sa.PrimaryKeyConstraint("quarter", "person_id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_appeals_entry_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_appeals_idempotency_key")),
        comment="Appeals against cuts of adopted reviews, one a case.",
    )
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_appeals_open",
            ["decide_by"],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_appeals_open", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )

    op.drop_table("appeals")
    op.drop_table("review_opt_outs")
