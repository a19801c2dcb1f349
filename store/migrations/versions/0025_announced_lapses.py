"""What lapses on a first is announced, and how that changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lapse_announcements",
        sa.Column("month", sa.Text(), nullable=False, comment="On its first it lapses."),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column(
            "announced_on", sa.Date(), nullable=False, comment="From when the balance showed it; the latest holds."
        ),
        sa.Column("amount", columns.AmountColumn(), nullable=False),
        sa.Column(
            "carried_at_most",
            columns.AmountColumn(),
            nullable=False,
            comment="The carry limit that it follows from.",
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_lapse_announcements_amount")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_lapse_announcements_person_id_people")),
        sa.PrimaryKeyConstraint("month", "person_id", "announced_on", name=op.f("pk_lapse_announcements")),
    )


def downgrade() -> None:
    op.drop_table("lapse_announcements")
