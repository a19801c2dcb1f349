"""finance: large corrections that wait for a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "large_corrections",
        sa.Column("digest", sa.Text(), nullable=False, comment="Of what would be done."),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("amount_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_large_corrections_asked_by")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_large_corrections")),
        comment="What one person from finance asked for, until a second one says the same.",
    )


def downgrade() -> None:
    op.drop_table("large_corrections")
