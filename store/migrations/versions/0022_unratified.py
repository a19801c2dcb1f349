"""What was spent of a break-glass that was not ratified."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BEFORE = "Of a break-glass that was not ratified, taken off a grant,"
AFTER = "Of that, taken off a grant,"


def upgrade() -> None:
    spent = "Of a break-glass, by the time when it was not ratified and its lot ended."
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("spent", columns.AmountColumn(), nullable=True, comment=spent))
        batch_op.alter_column("netted", existing_type=columns.AmountColumn(), comment=AFTER, existing_comment=BEFORE)


def downgrade() -> None:
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.alter_column("netted", existing_type=columns.AmountColumn(), comment=BEFORE, existing_comment=AFTER)
        batch_op.drop_column("spent")
