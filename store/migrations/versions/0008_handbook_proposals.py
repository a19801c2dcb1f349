"""handbook proposals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handbook_proposals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the body."),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", columns.Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="The person who did, or policy."),
        sa.Column("decided_at", columns.Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it was declined."),
        sa.CheckConstraint("(state = 'declined') = (reason IS NOT NULL)", name=op.f("ck_handbook_proposals_reason")),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_handbook_proposals_decided")),
        sa.CheckConstraint(
            "state IN ('open', 'confirmed', 'declined', 'withdrawn', 'lapsed')",
            name=op.f("ck_handbook_proposals_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('confirmed', 'declined') OR decided_by <> proposed_by",
            name=op.f("ck_handbook_proposals_two_people"),
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL)", name=op.f("ck_handbook_proposals_decided_by")
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["people.id"], name=op.f("fk_handbook_proposals_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handbook_proposals")),
        comment="Versions of the handbook that wait for a second person, and what became of them.",
    )
    with op.batch_alter_table("handbook_proposals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_handbook_proposals_open",
            ["version"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
    # Versions that were applied by now had no proposals: `verify` looks at those that come later in the audit log.
    op.execute(
        "INSERT INTO programme (key, value)"
        " SELECT 'two_hands_after', CAST(COALESCE(MAX(seq), 0) AS TEXT) FROM audit_log"
    )
