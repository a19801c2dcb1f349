"""finance: cost centres, and who belongs to which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cost_centres",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cost_centres")),
        comment="Those that have a name; a person or a project may name others.",
    )
    op.create_table(
        "person_cost_centres",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column("cost_centre", sa.Text(), nullable=True, comment="Empty for none."),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_cost_centres_person_id")),
        sa.PrimaryKeyConstraint("person_id", "holds_from", name=op.f("pk_person_cost_centres")),
        comment="Which cost centre bore a person's use since when.",
    )
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "cost_centre",
                sa.Text(),
                nullable=True,
                comment="Which bears what is used for it, instead of the person's.",
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("cost_centre")
    for table in ("person_cost_centres", "cost_centres"):
        op.drop_table(table)
