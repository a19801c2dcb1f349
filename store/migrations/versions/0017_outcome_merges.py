"""how pull requests came into their repositories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "How a pull request came into its repository; branches and title as digests."
    op.add_column("outcomes", sa.Column("merge", columns.Json, nullable=True, comment=comment))
    op.create_table(
        "outcome_links",
        sa.Column(
            "link",
            sa.Text(),
            nullable=False,
            comment="A branch into or out of which it was merged, a commit, a title.",
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("outcome_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("link", "source", "outcome_id", name=op.f("pk_outcome_links")),
        comment="What pull requests have in common, to find those that belong together; of any version of them.",
    )


def downgrade() -> None:
    op.drop_table("outcome_links")
    with op.batch_alter_table("outcomes") as batch_op:
        batch_op.drop_column("merge")
