"""band currencies: a pay band's midpoint may be in another currency than USD."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("pay_bands", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("currency", sa.Text(), server_default="USD", nullable=False, comment="Of the midpoint.")
        )


def downgrade() -> None:
    """Midpoints in other currencies are gone: an earlier release would take them for USD."""
    op.execute("DELETE FROM pay_bands WHERE currency <> 'USD'")
    with op.batch_alter_table("pay_bands", schema=None) as batch_op:
        batch_op.drop_column("currency")
