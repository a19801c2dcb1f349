"""Gates between phases, the votes on them, and the months in which the roll-out stood still."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0043"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gates",
        sa.Column(
            "id", sa.Text(), nullable=False, comment="The phase behind it and the month with which that would begin."
        ),
        sa.Column("phase", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("revision", columns.AmountColumn(), server_default="1", nullable=False),
        sa.Column("asked_at", columns.Instant(), nullable=False),
        sa.Column("handbook_version", sa.Text(), nullable=False, comment="Whose criteria hold."),
        sa.Column("through", sa.Text(), nullable=True, comment="The report that is its evidence, if any."),
        sa.Column("criteria", columns.Json, nullable=False, comment="What was asked for and what was found."),
        sa.Column(
            "seats", columns.Json, nullable=False, comment="Who was asked: [person, kind, is_chair, is_finance], ..."
        ),
        sa.Column(
            "needed", columns.AmountColumn(), nullable=False, comment="So many members decide, one of them of finance."
        ),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("decided_at", columns.Instant(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'passed', 'extended', 'stopped')", name=op.f("ck_gates_state")),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_gates_decided")),
        sa.ForeignKeyConstraint(
            ["handbook_version"], ["handbooks.version"], name=op.f("fk_gates_handbook_version_handbooks")
        ),
        sa.ForeignKeyConstraint(["through"], ["roi_reports.through"], name=op.f("fk_gates_through_roi_reports")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gates")),
    )
    op.create_table(
        "gate_votes",
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False, comment="Whose vote it is; one a seat."),
        sa.Column("cast_by", sa.Text(), nullable=False, comment="The same person, or their delegate."),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cast_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("choice IN ('go_on', 'extend', 'stop')", name=op.f("ck_gate_votes_choice")),
        sa.CheckConstraint("choice = 'go_on' OR reason IS NOT NULL", name=op.f("ck_gate_votes_reason")),
        sa.ForeignKeyConstraint(["gate"], ["gates.id"], name=op.f("fk_gate_votes_gate_gates")),
        sa.ForeignKeyConstraint(["seat"], ["people.id"], name=op.f("fk_gate_votes_seat_people")),
        sa.ForeignKeyConstraint(["cast_by"], ["people.id"], name=op.f("fk_gate_votes_cast_by_people")),
        sa.PrimaryKeyConstraint("gate", "seat", name=op.f("pk_gate_votes")),
    )
    op.create_table(
        "rollout_pauses",
        sa.Column("month", sa.Text(), nullable=False, comment="In which the roll-out stands still."),
        sa.Column("phase", sa.SmallInteger(), nullable=False, comment="That waits."),
        sa.Column("noted_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_rollout_pauses")),
        comment="Months by which later phases and waves move; they are only added to.",
    )


def downgrade() -> None:
    op.drop_table("rollout_pauses")
    op.drop_table("gate_votes")
    op.drop_table("gates")
