"""Reports of the return, with what each follows from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roi_reports",
        sa.Column("through", sa.Text(), nullable=False, comment="The last month that is looked at."),
        sa.Column("made_at", columns.Instant(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("handbook_version", sa.Text(), nullable=False, comment="Whose assumptions hold."),
        sa.Column(
            "inputs",
            columns.Json,
            nullable=False,
            comment="Basis and rows, a row for each team and month, as they were known.",
        ),
        sa.Column("inputs_digest", sa.Text(), nullable=False, comment="SHA-256 of the inputs."),
        sa.ForeignKeyConstraint(
            ["handbook_version"], ["handbooks.version"], name=op.f("fk_roi_reports_handbook_version_handbooks")
        ),
        sa.PrimaryKeyConstraint("through", name=op.f("pk_roi_reports")),
        comment="What was reported of the return; later data change nothing of it.",
    )


def downgrade() -> None:
    op.drop_table("roi_reports")
