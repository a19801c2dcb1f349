"""holds: what calls may cost while they run, the running sums of caps, and leases that are recalled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cap_sums",
        sa.Column("first_day", sa.Date(), nullable=False, comment="Of the window."),
        sa.Column("span", sa.Text(), nullable=False, comment="day, week, month"),
        sa.Column(
            "scope", sa.Text(), nullable=False, comment="person, person_service, team, project, service, programme"
        ),
        sa.Column("key", sa.Text(), nullable=False, comment="Which one of the scope."),
        sa.Column("used_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("held_nano_usd", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held_nano_usd >= 0", name=op.f("ck_cap_sums_held")),
        sa.PrimaryKeyConstraint("first_day", "span", "scope", "key", name=op.f("pk_cap_sums")),
        comment="What was used and is held of one scope in one window: made when a cap first asks for it.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "holds",
        sa.Column("source", sa.Text(), nullable=False, comment="Of the key by which it was made."),
        sa.Column("id", sa.Text(), nullable=False, comment="Chosen by the gateway."),
        sa.Column("kind", sa.Text(), nullable=False, comment="call, job, lease"),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="Of what was asked for."),
        sa.Column("account_id", columns.Identifier, nullable=False, comment="Who pays: a wallet, or the company."),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("service_key", sa.Text(), nullable=False, comment="Empty for a lease of several services."),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("micro_tokens", sa.BigInteger(), nullable=False, comment="Still held; 0 once it is over."),
        sa.Column("nano_usd", sa.BigInteger(), nullable=False),
        sa.Column(
            "first_micro_tokens", sa.BigInteger(), nullable=False, comment="As it was made, with what extended it."
        ),
        sa.Column("first_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column(
            "used_micro_tokens", sa.BigInteger(), server_default="0", nullable=False, comment="What was posted for it."
        ),
        sa.Column("used_nano_usd", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "answer",
            columns.Json,
            nullable=True,
            comment="What was said of what was left, and of caps that warn, when it was made.",
        ),
        sa.Column("flags", sa.Text(), nullable=False, comment="larger, late, quarantined, unreported, cancelled"),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.Column("closed_at", columns.Instant(), nullable=True),
        sa.CheckConstraint("(status = 'held') = (closed_at IS NULL)", name=op.f("ck_holds_closed")),
        sa.CheckConstraint("kind IN ('call', 'job', 'lease')", name=op.f("ck_holds_kind")),
        sa.CheckConstraint("status = 'held' OR (micro_tokens = 0 AND nano_usd = 0)", name=op.f("ck_holds_freed")),
        sa.CheckConstraint("status IN ('held', 'settled', 'released', 'lapsed')", name=op.f("ck_holds_status")),
        sa.CheckConstraint("micro_tokens >= 0 AND nano_usd >= 0", name=op.f("ck_holds_amounts")),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_holds")),
        comment="What calls and jobs may cost at most, while they run.",
    )
    with op.batch_alter_table("holds") as batch_op:
        batch_op.create_index(
            "ix_holds_ending",
            ["expires_at"],
            sqlite_where=sa.text("status = 'held'"),
            postgresql_where=sa.text("status = 'held'"),
        )
        batch_op.create_index(
            "ix_holds_jobs",
            ["created_at"],
            sqlite_where=sa.text("kind = 'job'"),
            postgresql_where=sa.text("kind = 'job'"),
        )
        batch_op.create_index(
            "ix_holds_open",
            ["account_id"],
            sqlite_where=sa.text("status = 'held'"),
            postgresql_where=sa.text("status = 'held'"),
        )
        batch_op.create_index(
            "ix_holds_sizes",
            ["model", "closed_at"],
            sqlite_where=sa.text("status = 'settled'"),
            postgresql_where=sa.text("status = 'settled'"),
        )
        batch_op.create_index(
            "ix_holds_usual",
            ["model", "account_id", "closed_at"],
            sqlite_where=sa.text("status = 'settled'"),
            postgresql_where=sa.text("status = 'settled'"),
        )

    op.create_table(
        "hold_claims",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("span", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source", "hold_id"], ["holds.source", "holds.id"], name=op.f("fk_hold_claims_source_hold_id")
        ),
        sa.PrimaryKeyConstraint("source", "hold_id", "scope", "key", "span", name=op.f("pk_hold_claims")),
        comment="The sums that a hold is part of; each holds its whole amount.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lease_recalls",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("recalled_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source", "hold_id"], ["holds.source", "holds.id"], name=op.f("fk_lease_recalls_source_hold_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease_recalls")),
        comment="Leases that gateways are to give back, because their person got or lost tokens.",
    )
    with op.batch_alter_table("lease_recalls") as batch_op:
        batch_op.create_index("ix_lease_recalls_source", ["source", "id"])

    with op.batch_alter_table("accounts") as batch_op:
        batch_op.add_column(
            sa.Column(
                "held", sa.BigInteger(), server_default="0", nullable=False, comment="Of it, for calls that still run."
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("accounts") as batch_op:
        batch_op.drop_column("held")

    with op.batch_alter_table("lease_recalls") as batch_op:
        batch_op.drop_index("ix_lease_recalls_source")

    op.drop_table("lease_recalls")
    op.drop_table("hold_claims")
    with op.batch_alter_table("holds") as batch_op:
        batch_op.drop_index(
            "ix_holds_usual", sqlite_where=sa.text("status = 'settled'"), postgresql_where=sa.text("status = 'settled'")
        )
        batch_op.drop_index(
            "ix_holds_sizes", sqlite_where=sa.text("status = 'settled'"), postgresql_where=sa.text("status = 'settled'")
        )
        batch_op.drop_index(
            "ix_holds_jobs", sqlite_where=sa.text("kind = 'job'"), postgresql_where=sa.text("kind = 'job'")
        )
        batch_op.drop_index(
            "ix_holds_open", sqlite_where=sa.text("status = 'held'"), postgresql_where=sa.text("status = 'held'")
        )
        batch_op.drop_index(
            "ix_holds_ending", sqlite_where=sa.text("status = 'held'"), postgresql_where=sa.text("status = 'held'")
        )

    op.drop_table("holds")
    op.drop_table("cap_sums")
