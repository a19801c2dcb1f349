"""corrections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NOT_NULL = sa.text("corrects_entry_id IS NOT NULL")


def upgrade() -> None:
    op.add_column(
        "usage_events",
        sa.Column(
            "revision",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="The version that holds; 0 as reported.",
        ),
    )
    _comment("usage_events.fingerprint", "As reported; empty while only a correction has come.")
    op.create_table(
        "usage_versions",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column(
            "revision", sa.Integer(), autoincrement=False, nullable=False, comment="0 is the event as it was reported."
        ),
        sa.Column("action", sa.Text(), nullable=False, comment="report, correct, withdraw"),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("content", columns.Json, nullable=True, comment="The event; empty for a withdrawal."),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kept_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source", "event_id"],
            ["usage_events.source", "usage_events.event_id"],
            name=op.f("fk_usage_versions_source_event_id"),
        ),
        sa.PrimaryKeyConstraint("source", "event_id", "revision", name=op.f("pk_usage_versions")),
        comment="Every version of the events that were ever corrected or withdrawn; the latest holds.",
    )
    op.create_table(
        "usage_reversals",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("reversal_entry_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="The version that had been posted."),
        sa.Column("meters", columns.Json, nullable=False),
        sa.Column("account_id", columns.Identifier, nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("debit_micro_tokens", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", columns.Identifier, nullable=False, comment="The entry that is corrected."),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_usage_reversals_entry_id")),
        sa.ForeignKeyConstraint(
            ["reversal_entry_id"], ["entries.id"], name=op.f("fk_usage_reversals_reversal_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["source", "event_id"],
            ["usage_events.source", "usage_events.event_id"],
            name=op.f("fk_usage_reversals_source_event_id"),
        ),
        sa.PrimaryKeyConstraint("source", "event_id", "reversal_entry_id", name=op.f("pk_usage_reversals")),
        comment="What events had been debited, and the entries that undid it.",
    )
    op.create_index(
        "ix_entries_corrects_entry_id",
        "entries",
        ["corrects_entry_id"],
        sqlite_where=NOT_NULL,
        postgresql_where=NOT_NULL,
    )
    _check_movements("amount", "not_zero", "amount <> 0", before="amount > 0")
    _comment("lot_movements.amount", "Micro-tokens taken; below 0 what a reversal gave back.")


def downgrade() -> None:
    _check_movements("not_zero", "amount", "amount > 0", before="amount <> 0")
    op.drop_index("ix_entries_corrects_entry_id", table_name="entries")
    op.drop_table("usage_reversals")
    op.drop_table("usage_versions")
    with op.batch_alter_table("usage_events", schema=None) as batch_op:
        batch_op.drop_column("revision")
    _comment("usage_events.fingerprint", None)
    _comment("lot_movements.amount", "Micro-tokens taken from the lot.")


def _comment(column: str, text: str | None) -> None:
    if op.get_bind().dialect.name == "postgresql":
        said = "NULL" if text is None else f"'{text}'"
        op.execute(f"COMMENT ON COLUMN {column} IS {said}")


def _check_movements(old: str, new: str, condition: str, *, before: str) -> None:
    """SQLite has to make the table anew for it, and forgets the kind of the table unless it is told."""
    name = "ck_lot_movements_{}".format
    table = sa.Table(
        "lot_movements",
        sa.MetaData(),
        sa.Column("entry_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("lot_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(before, name=name(old)),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_lot_movements_entry_id"),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name="fk_lot_movements_lot_id"),
        sa.PrimaryKeyConstraint("entry_id", "lot_id", name="pk_lot_movements"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("lot_movements", copy_from=table, table_kwargs={"sqlite_with_rowid": False}) as batch_op:
        batch_op.drop_constraint(op.f(name(old)), type_="check")
        batch_op.create_check_constraint(op.f(name(new)), condition)
