"""pulses: how the parts of the bot are doing, and parked messages found without going through those that were sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

PARKED = sa.text("state = 'parked'")


def upgrade() -> None:
    op.create_table(
        "pulses",
        sa.Column("part", sa.Text(), nullable=False, comment="bot, courier, tick"),
        sa.Column("well_at", columns.Instant(), nullable=True, comment="When some process last found it well, and"),
        sa.Column("ailing_at", columns.Instant(), nullable=True, comment="when some process last did not."),
        sa.Column("problem", sa.Text(), nullable=True, comment="What that process met."),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_pulses")),
        comment="How the parts of the bot are doing, whichever processes run them.",
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_parked", ["problem"], unique=False, sqlite_where=PARKED, postgresql_where=PARKED
        )


def downgrade() -> None:
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_parked", sqlite_where=PARKED, postgresql_where=PARKED)
    op.drop_table("pulses")
