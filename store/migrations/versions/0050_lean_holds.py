"""holds: no output tokens, which nobody reads since what is usual comes from the days' roll-up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in a batch: a table that others refer to cannot be made anew while it has rows.
    op.drop_column("holds", "output_tokens")


def downgrade() -> None:
    op.add_column("holds", sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False))
