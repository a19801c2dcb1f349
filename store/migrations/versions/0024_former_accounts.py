"""former accounts: the Slack account that was a person's before; an e-mail alone never links them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "people",
        sa.Column(
            "former_slack_user_id",
            sa.Text(),
            nullable=True,
            comment="The one before: who had one is never linked by e-mail again.",
        ),
    )


def downgrade() -> None:
    with op.batch_alter_table("people") as batch_op:
        batch_op.drop_column("former_slack_user_id")
