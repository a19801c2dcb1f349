"""outcomes of work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outcomes",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("outcome_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", columns.Instant(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="Of occurred_at, in the programme's zone."),
        sa.Column(
            "as_of", columns.Instant(), nullable=False, comment="When it was so: of several versions the latest counts."
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=True, comment="Changed ones, of a pull request."),
        sa.Column(
            "figure", sa.BigInteger(), nullable=True, comment="Its weight or, of quality, its score, in thousandths."
        ),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column(
            "reverts", columns.Json, nullable=True, comment="The outcomes of the same source that it takes back."
        ),
        sa.Column(
            "unit", sa.Text(), nullable=True, comment="team or person; empty while it waits, and for what is nobody's."
        ),
        sa.Column(
            "unit_id", sa.Text(), nullable=True, comment="The person, or the manager whose team it was that day."
        ),
        sa.Column("batch", sa.Text(), nullable=True, comment="Pull requests that are weighed together."),
        sa.Column(
            "waiting_for",
            sa.Text(),
            nullable=True,
            comment="A name that nobody is known by yet; forgotten once somebody is.",
        ),
        sa.Column("received_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("kind IN ('pull_request', 'bug', 'task', 'quality')", name=op.f("ck_outcomes_kind")),
        sa.CheckConstraint("state IN ('done', 'reopened', 'withdrawn')", name=op.f("ck_outcomes_state")),
        sa.CheckConstraint("unit IN ('team', 'person')", name=op.f("ck_outcomes_unit")),
        sa.CheckConstraint("figure >= 0", name=op.f("ck_outcomes_figure")),
        sa.CheckConstraint("lines >= 0", name=op.f("ck_outcomes_lines")),
        sa.CheckConstraint(
            "waiting_for IS NULL OR (unit IS NULL AND unit_id IS NULL)", name=op.f("ck_outcomes_waiting")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["people.id"], name=op.f("fk_outcomes_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcomes")),
        sa.UniqueConstraint(
            "source", "outcome_id", "fingerprint", name=op.f("uq_outcomes_source_outcome_id_fingerprint")
        ),
        comment="What sources told of work, each version of it; only whose it was is filled in later.",
    )
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.create_index("ix_outcomes_day", ["day"], unique=False)
        batch_op.create_index(
            "ix_outcomes_reverts",
            ["day"],
            unique=False,
            sqlite_where=sa.text("reverts IS NOT NULL"),
            postgresql_where=sa.text("reverts IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_outcomes_waiting",
            ["id"],
            unique=False,
            sqlite_where=sa.text("waiting_for IS NOT NULL"),
            postgresql_where=sa.text("waiting_for IS NOT NULL"),
        )
