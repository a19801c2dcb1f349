"""Appeals go to the chair and finance before they end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BEFORE = "Then it lapses."
AFTER = "Then the chair and finance are called in, or it ends."


def upgrade() -> None:
    escalated = "When they were; if no one decides then, it ends in the person's favour."
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("escalated_at", columns.Instant(), nullable=True, comment=escalated))
        batch_op.alter_column("decide_by", existing_type=columns.Instant(), comment=AFTER, existing_comment=BEFORE)


def downgrade() -> None:
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        batch_op.alter_column("decide_by", existing_type=columns.Instant(), comment=BEFORE, existing_comment=AFTER)
        batch_op.drop_column("escalated_at")
