"""appeal reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "remind_at",
                columns.Instant(),
                nullable=True,
                comment="Then those who can decide are reminded; empty once they were.",
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        batch_op.drop_column("remind_at")
