"""privacy: how far it came to take away what is held about people for a time only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.columns import Identifier, Instant

revision = "0046"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("part", sa.Text(), nullable=False, comment="Such as usage_events."),
        sa.Column("through", Instant(), nullable=True, comment="What is from before it is gone."),
        sa.Column("before", Instant(), nullable=True, comment="What is under way is about what is from before it."),
        sa.Column(
            "place",
            Identifier,
            server_default="0",
            nullable=False,
            comment="The last row that was gone through.",
        ),
        sa.Column(
            "taken",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Rows that no record tells of yet.",
        ),
        sa.CheckConstraint("before IS NULL OR through IS NULL OR through < before", name=op.f("ck_retention_instants")),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_retention")),
        comment="Of each part of what is held about people, how far its retention came: counts, never contents.",
    )


def downgrade() -> None:
    op.drop_table("retention")
