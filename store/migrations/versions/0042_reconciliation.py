"""What vendors say, how the ledger stands beside it, and months that are closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0042"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closings",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("closed_at", columns.Instant(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column(
            "last_entry_id", sa.BigInteger(), nullable=False, comment="Later entries of the month are booked after it."
        ),
        sa.Column("last_usd_entry_id", sa.BigInteger(), nullable=False, comment="The same of the buffer's book."),
        sa.Column("journal", columns.Json, nullable=False, comment="Its lines as they were exported."),
        sa.Column(
            "findings", columns.Json, nullable=False, comment="The differences with vendors, as they were decided."
        ),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the journal and the findings; the audit log has it.",
        ),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_closings")),
    )
    op.create_table(
        "reconciliations",
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("made_at", columns.Instant(), nullable=False),
        sa.Column("content", columns.Json, nullable=False, comment="What was compared, and how it adds up."),
        sa.PrimaryKeyConstraint("vendor", "month", name=op.f("pk_reconciliations")),
        comment="The last comparison of each vendor's month.",
    )
    op.create_table(
        "vendor_syncs",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("synced_at", columns.Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_syncs")),
        comment="When which days of a vendor were asked for, and what was new.",
    )
    op.create_table(
        "findings",
        sa.Column(
            "id",
            sa.Text(),
            nullable=False,
            comment="vendor:month:kind:source, such as openai:2026-11:lost_events:gw-eu",
        ),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="The gateway whose reports differ; empty for all of them."
        ),
        sa.Column(
            "revision", sa.Integer(), nullable=False, comment="Counts how often it began anew: a decision is about one."
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_nano_usd", sa.BigInteger(), nullable=False, comment="The vendor's less ours."),
        sa.Column("moved_nano_usd", sa.BigInteger(), nullable=False, comment="What is in the wrong place altogether."),
        sa.Column("settled_nano_usd", sa.BigInteger(), nullable=False, comment="Of it, what was posted for it."),
        sa.Column("content", columns.Json, nullable=False, comment="Models, days, counts and evidence."),
        sa.Column("found_at", columns.Instant(), nullable=False),
        sa.Column(
            "decision",
            columns.Json,
            nullable=True,
            comment="What somebody chose: to accept it, or how to correct it, and why.",
        ),
        sa.Column("chosen_by", sa.Text(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True, comment="The second person, where it took one."),
        sa.Column("decided_at", columns.Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'waiting', 'correcting', 'accepted', 'corrected', 'gone')",
            name=op.f("ck_findings_state"),
        ),
        sa.CheckConstraint("confirmed_by IS NULL OR confirmed_by <> chosen_by", name=op.f("ck_findings_two_people")),
        sa.ForeignKeyConstraint(["chosen_by"], ["people.id"], name=op.f("fk_findings_chosen_by")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["people.id"], name=op.f("fk_findings_confirmed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        comment="Differences between the ledger and a vendor's figures, one for each cause and gateway.",
    )
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.create_index("ix_findings_month", ["month", "vendor"], unique=False)

    op.create_table(
        "vendor_lines",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="usage, cost"),
        sa.Column("day", sa.Date(), nullable=False, comment="The vendor's, in UTC."),
        sa.Column("key", sa.Text(), nullable=False, comment="The vendor's id of an API key; empty where it says none."),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False, comment="Empty for the standard one."),
        sa.Column("item", sa.Text(), nullable=False, comment="Of a cost, in the vendor's words."),
        sa.Column("meters", columns.Json, nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=True),
        sa.Column("amount_nano_usd", sa.BigInteger(), nullable=True),
        sa.Column("sync_id", columns.Identifier, nullable=False, comment="That first said so."),
        sa.Column("ended_by", columns.Identifier, nullable=True, comment="The sync that said otherwise."),
        sa.CheckConstraint("kind IN ('usage', 'cost')", name=op.f("ck_vendor_lines_kind")),
        sa.ForeignKeyConstraint(["ended_by"], ["vendor_syncs.id"], name=op.f("fk_vendor_lines_ended_by")),
        sa.ForeignKeyConstraint(["sync_id"], ["vendor_syncs.id"], name=op.f("fk_vendor_lines_sync_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_lines")),
        comment="A vendor's own lines; those stand that no later sync ended.",
    )
    with op.batch_alter_table("vendor_lines", schema=None) as batch_op:
        batch_op.create_index(
            "ix_vendor_lines_standing",
            ["vendor", "day", "kind", "key", "project", "model", "tier", "item"],
            unique=True,
            sqlite_where=sa.text("ended_by IS NULL"),
            postgresql_where=sa.text("ended_by IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("vendor_lines", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_vendor_lines_standing",
            sqlite_where=sa.text("ended_by IS NULL"),
            postgresql_where=sa.text("ended_by IS NULL"),
        )

    op.drop_table("vendor_lines")
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.drop_index("ix_findings_month")

    op.drop_table("findings")
    op.drop_table("vendor_syncs")
    op.drop_table("reconciliations")
    op.drop_table("closings")
