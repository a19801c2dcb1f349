"""usage works and quotes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage_works",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("work", sa.Text(), nullable=False, comment='Such as "batch:batch_67ab" or "response:resp_0f1e".'),
        sa.Column("event_id", sa.Text(), nullable=False, comment="The event that it was taken in as."),
        sa.PrimaryKeyConstraint("source", "work", name=op.f("pk_usage_works")),
        comment="Pieces of work that a gateway may report again, each time that somebody looks at them.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_quotes",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column(
            "quoted_nano_usd",
            columns.AmountColumn(),
            nullable=False,
            comment="The price by the gateway's own reckoning.",
        ),
        sa.Column("noted_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_usage_quotes")),
        comment="Kept where it differs from our cost, or could not be compared yet.",
    )


def downgrade() -> None:
    op.drop_table("usage_quotes")
    op.drop_table("usage_works")
