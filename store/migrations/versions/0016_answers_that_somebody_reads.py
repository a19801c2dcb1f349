"""Answers that somebody reads, and a way out of quarantine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage_refusals",
        sa.Column("day", sa.Date(), nullable=False, comment="On which it arrived, in the programme's zone."),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="The field that was wrong, or the fields that differ."),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True, comment="On which administrators were told."),
        sa.CheckConstraint("status IN ('conflict', 'rejected')", name=op.f("ck_usage_refusals_status")),
        sa.PrimaryKeyConstraint("day", "source", "status", "reason", name=op.f("pk_usage_refusals")),
        comment="How many events a day were answered with conflict or rejected.",
    )
    with op.batch_alter_table("usage_refusals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_usage_refusals_untold",
            ["day"],
            unique=False,
            sqlite_where=sa.text("told_on IS NULL"),
            postgresql_where=sa.text("told_on IS NULL"),
        )

    op.create_table(
        "usage_rejections",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False, comment="As far as it could be read."),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "detail", sa.Text(), nullable=False, comment="What was expected; never the value, which may be private."
        ),
        sa.Column("first_seen_at", columns.Instant(), nullable=False),
        sa.Column("last_seen_at", columns.Instant(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_rejections")),
        sa.UniqueConstraint("source", "reason", "event_id", name=op.f("uq_usage_rejections_source_reason_event_id")),
        comment="Rejected events, the newest of each source and reason.",
    )
    with op.batch_alter_table("usage_rejections", schema=None) as batch_op:
        batch_op.create_index("ix_usage_rejections_newest", ["source", "reason", "id"], unique=False)

    op.create_table(
        "quarantine_steps",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("before", columns.Json, nullable=True, comment="What the event said until then, where that changed."),
        sa.Column(
            "fingerprint",
            sa.LargeBinary(),
            nullable=True,
            comment="Of a content that arrived and was replaced: it is no news any more.",
        ),
        sa.CheckConstraint("step IN ('fixed', 'replaced', 'discarded')", name=op.f("ck_quarantine_steps_step")),
        sa.ForeignKeyConstraint(
            ["source", "event_id"],
            ["usage_events.source", "usage_events.event_id"],
            name=op.f("fk_quarantine_steps_source_event_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_steps")),
        comment="What became of usage that waits, step by step.",
    )
    with op.batch_alter_table("quarantine_steps", schema=None) as batch_op:
        batch_op.create_index("ix_quarantine_steps_event", ["source", "event_id"], unique=False)

    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "discarded_at",
                columns.Instant(),
                nullable=True,
                comment="When someone decided that it is never debited.",
            )
        )

    with op.batch_alter_table("usage_conflicts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_seen_at", columns.Instant(), nullable=True))
        batch_op.add_column(sa.Column("times", sa.BigInteger(), nullable=True, comment="How often it was offered."))
    # Until now each offer was noted once, however often it came.
    op.execute("UPDATE usage_conflicts SET last_seen_at = first_seen_at, times = 1")
    with op.batch_alter_table("usage_conflicts", schema=None) as batch_op:
        batch_op.alter_column("last_seen_at", existing_type=columns.Instant(), nullable=False)
        batch_op.alter_column(
            "times", existing_type=sa.BigInteger(), existing_comment="How often it was offered.", nullable=False
        )


def downgrade() -> None:
    with op.batch_alter_table("usage_conflicts", schema=None) as batch_op:
        batch_op.drop_column("times")
        batch_op.drop_column("last_seen_at")

    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_column("discarded_at")

    with op.batch_alter_table("quarantine_steps", schema=None) as batch_op:
        batch_op.drop_index("ix_quarantine_steps_event")

    op.drop_table("quarantine_steps")
    with op.batch_alter_table("usage_rejections", schema=None) as batch_op:
        batch_op.drop_index("ix_usage_rejections_newest")

    op.drop_table("usage_rejections")
    with op.batch_alter_table("usage_refusals", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_usage_refusals_untold",
            sqlite_where=sa.text("told_on IS NULL"),
            postgresql_where=sa.text("told_on IS NULL"),
        )

    op.drop_table("usage_refusals")
