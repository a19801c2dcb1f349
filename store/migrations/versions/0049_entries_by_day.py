"""entries are found by the day on which they took effect."""

from __future__ import annotations

from alembic import op

revision = "0049"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_entries_effective_at", "entries", ["effective_at"])


def downgrade() -> None:
    op.drop_index("ix_entries_effective_at", table_name="entries")
