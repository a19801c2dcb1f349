"""cost centres: who owns each, and is told what it bears."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("cost_centres", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("owner_id", sa.Text(), nullable=True, comment="Who is told each month what it bears.")
        )
        batch_op.create_foreign_key(batch_op.f("fk_cost_centres_owner_id"), "people", ["owner_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("cost_centres", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_cost_centres_owner_id"), type_="foreignkey")
        batch_op.drop_column("owner_id")
