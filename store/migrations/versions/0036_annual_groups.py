"""Groups of the annual review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "annual_groups",
        sa.Column(
            "holds_from",
            sa.Text(),
            nullable=False,
            comment="The month from which it counts, until a later import does.",
        ),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False, comment="The one that was reviewed."),
        sa.Column("group_name", sa.Text(), nullable=False, comment="The handbook says what it multiplies grants by."),
        sa.Column("imported_at", columns.Instant(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["imported_by"], ["people.id"], name=op.f("fk_annual_groups_imported_by")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_annual_groups_person_id")),
        sa.PrimaryKeyConstraint("holds_from", "person_id", name=op.f("pk_annual_groups")),
        comment="Groups of the annual review; an import replaces what was imported for its month.",
    )


def downgrade() -> None:
    op.drop_table("annual_groups")
