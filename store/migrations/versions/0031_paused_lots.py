"""Ends of lots that leaves moved, and up to when leaves are counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("lots", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("granted_until", columns.Instant(), nullable=True, comment="Its end, where a leave moved it.")
        )
    with op.batch_alter_table("absences", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "counted_at", columns.Instant(), nullable=True, comment="When ends of lots were last moved by it."
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("absences", schema=None) as batch_op:
        batch_op.drop_column("counted_at")
    with op.batch_alter_table("lots", schema=None) as batch_op:
        batch_op.drop_column("granted_until")
