"""Vendors' bills: their files, what stands of them, and what was posted for what no tag names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0048"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bill_files",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the file's content."),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "issued_at", columns.Instant(), nullable=False, comment="As it was said, else when it was first imported."
        ),
        sa.Column("taken_at", columns.Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_files")),
        sa.UniqueConstraint("digest", name=op.f("uq_bill_files_digest")),
        comment="Files of bills. Of several for one bill the one that was issued last stands.",
    )
    op.create_table(
        "bills",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("account", sa.Text(), nullable=False, comment="BillingAccountId"),
        sa.Column("period", sa.Date(), nullable=False, comment="The first day of the billing period."),
        sa.Column("file_id", columns.Identifier, nullable=False, comment="What stands is from it."),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("nano_usd", sa.BigInteger(), nullable=False, comment="Its total, to the nearest nano-USD."),
        sa.Column(
            "posted_at",
            columns.Instant(),
            nullable=True,
            comment="Empty while an import is under way, or was interrupted.",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["bill_files.id"], name=op.f("fk_bills_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bills")),
        sa.UniqueConstraint("account", "period", name="uq_bills_account"),
    )
    op.create_table(
        "bill_lines",
        sa.Column("bill_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="A digest of the columns up to the model."),
        sa.Column(
            "bears", sa.Text(), nullable=False, comment="person, project, kept, outside, or a key of the handbook"
        ),
        sa.Column(
            "service", sa.Text(), nullable=False, comment="Its key; of what is outside the bill's own name of it."
        ),
        sa.Column("day", sa.Date(), nullable=False, comment="The first of the month where no tag names anybody."),
        sa.Column("person", sa.Text(), nullable=False, comment="As the tag says; empty where none does."),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="0 of what the last file has no more."),
        sa.Column("nano_usd", sa.BigInteger(), nullable=False, comment="What it costs, rounded down."),
        sa.Column("rest", sa.BigInteger(), nullable=False, comment="The rest of that, in billionths of a nano-USD."),
        sa.Column("owed_nano_usd", sa.BigInteger(), nullable=False, comment="What is to be debited as usage."),
        sa.Column("posted_nano_usd", sa.BigInteger(), nullable=False, comment="What was reported as usage."),
        sa.CheckConstraint("rest BETWEEN 0 AND 999999999", name=op.f("ck_bill_lines_rest")),
        sa.ForeignKeyConstraint(["bill_id"], ["bills.id"], name=op.f("fk_bill_lines_bill_id")),
        sa.PrimaryKeyConstraint("bill_id", "key", name=op.f("pk_bill_lines")),
        comment="What the rows of a bill come to.",
    )
    with op.batch_alter_table("bill_lines", schema=None) as batch_op:
        batch_op.create_index(
            "ix_bill_lines_due",
            ["bill_id", "day", "key"],
            unique=False,
            sqlite_where=sa.text("owed_nano_usd <> posted_nano_usd"),
            postgresql_where=sa.text("owed_nano_usd <> posted_nano_usd"),
        )

    op.create_table(
        "bill_shares",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("bill_id", columns.Identifier, nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("service_key", sa.Text(), nullable=False),
        sa.Column(
            "bears", sa.Text(), nullable=False, comment="A key of the handbook; person or project of credits; rounding"
        ),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("account_id", columns.Identifier, nullable=False),
        sa.Column("nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("micro_tokens", sa.BigInteger(), nullable=False, comment="Below 0 what came back."),
        sa.Column("revision", sa.Integer(), nullable=False, comment="Counts how often it was posted."),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_bill_shares_account_id")),
        sa.ForeignKeyConstraint(["bill_id"], ["bills.id"], name=op.f("fk_bill_shares_bill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_shares")),
        comment="What an account bears of a bill beside its usage.",
    )
    with op.batch_alter_table("bill_shares", schema=None) as batch_op:
        batch_op.create_index(
            "uq_bill_shares_place", ["bill_id", "month", "service_key", "bears", "project", "account_id"], unique=True
        )

    op.create_table(
        "bill_postings",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("share_id", columns.Identifier, nullable=False),
        sa.Column("entry_id", columns.Identifier, nullable=True, comment="Empty for less than a micro-token."),
        sa.Column("effective_at", columns.Instant(), nullable=False),
        sa.Column("posted_at", columns.Instant(), nullable=False),
        sa.Column("nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("micro_tokens", sa.BigInteger(), nullable=False),
        sa.Column("value_version", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_bill_postings_entry_id")),
        sa.ForeignKeyConstraint(["share_id"], ["bill_shares.id"], name=op.f("fk_bill_postings_share_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_postings")),
        comment="Every posting of a share; together they are what it bears.",
    )
    with op.batch_alter_table("bill_postings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bill_postings_share_id"), ["share_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("bill_postings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bill_postings_share_id"))

    op.drop_table("bill_postings")
    with op.batch_alter_table("bill_shares", schema=None) as batch_op:
        batch_op.drop_index("uq_bill_shares_place")

    op.drop_table("bill_shares")
    with op.batch_alter_table("bill_lines", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_bill_lines_due",
            sqlite_where=sa.text("owed_nano_usd <> posted_nano_usd"),
            postgresql_where=sa.text("owed_nano_usd <> posted_nano_usd"),
        )

    op.drop_table("bill_lines")
    op.drop_table("bills")
    op.drop_table("bill_files")
