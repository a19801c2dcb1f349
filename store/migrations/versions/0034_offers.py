"""Offers that were worked out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "offers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False, comment="What recruiters call it; never a candidate's name."),
        sa.Column("made_at", columns.Instant(), nullable=False, comment="It is deleted some months later."),
        sa.Column("made_by", sa.Text(), nullable=False, comment="A person, or a login of the command line."),
        sa.Column("handbook_version", sa.Text(), nullable=False),
        sa.Column("value_version", sa.Text(), nullable=False),
        sa.Column(
            "content", columns.Json, nullable=False, comment="What was asked, what it follows from, what came of it."
        ),
        sa.ForeignKeyConstraint(["handbook_version"], ["handbooks.version"], name=op.f("fk_offers_handbook_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_offers_idempotency_key")),
        comment="Offers that were worked out, deleted after the handbook's keep_days.",
    )
    op.create_index(op.f("ix_offers_made_at"), "offers", ["made_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_offers_made_at"), table_name="offers")
    op.drop_table("offers")
