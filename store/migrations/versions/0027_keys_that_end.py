"""keys that end: when a key expires, when it was last used, and the secret that it had before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import store.columns

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("api_keys") as batch_op:
        batch_op.add_column(sa.Column("expires_at", store.columns.Instant(), nullable=True))
        batch_op.add_column(sa.Column("last_used_at", store.columns.Instant(), nullable=True, comment="To the hour."))
        batch_op.add_column(
            sa.Column(
                "former_hash",
                sa.LargeBinary(),
                nullable=True,
                comment="Of the secret before the last rotation, which opens too until it ends.",
            )
        )
        batch_op.add_column(sa.Column("former_ends_at", store.columns.Instant(), nullable=True))
        batch_op.create_unique_constraint(op.f("uq_api_keys_former_hash"), ["former_hash"])


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as batch_op:
        batch_op.drop_constraint(op.f("uq_api_keys_former_hash"), type_="unique")
        for name in ("former_ends_at", "former_hash", "last_used_at", "expires_at"):
            batch_op.drop_column(name)
