"""finance: days of the months that run, added up each night."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0063"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    said = "Of a month that runs, as JSON: who bore whose use then; empty once it is for good."
    op.add_column("charge_days", sa.Column("bearers", sa.Text(), nullable=True, comment=said))
    op.create_table(
        "charge_changes",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("changed_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_charge_changes")),
        comment="Days of which usage was corrected last without a posting: what was added up before then is not used.",
    )


def downgrade() -> None:
    op.drop_table("charge_changes")
    running = "(SELECT 1 FROM charge_days d WHERE d.month = l.month AND d.day = l.day AND d.bearers IS NOT NULL)"
    op.execute(sa.text(f"DELETE FROM charge_lines AS l WHERE EXISTS {running}"))  # noqa: S608 - our own words
    op.execute(sa.text("DELETE FROM charge_days WHERE bearers IS NOT NULL"))
    op.drop_column("charge_days", "bearers")
