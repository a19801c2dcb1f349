"""homes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "homes",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("opened_at", columns.Instant(), nullable=False, comment="When they looked at it last."),
        sa.Column(
            "hash",
            sa.Text(),
            nullable=True,
            comment="Of the view that was published last: who publishes over another one is told.",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_homes_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_homes")),
    )
