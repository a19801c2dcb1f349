"""monthly grants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("amount_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("set_at", columns.Instant(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_nano_usd > 0", name=op.f("ck_budgets_positive")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_budgets")),
    )
    op.create_table(
        "pay_bands",
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column("midpoint_nano_usd", sa.BigInteger(), nullable=False, comment="A year's; never anybody's salary."),
        sa.CheckConstraint("midpoint_nano_usd > 0", name=op.f("ck_pay_bands_positive")),
        sa.PrimaryKeyConstraint("band", "holds_from", name=op.f("pk_pay_bands")),
    )
    op.create_table(
        "run_failures",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_at", columns.Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job", "period", name=op.f("pk_run_failures")),
    )
    op.create_table(
        "runs",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("claimed_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("job", "period", name=op.f("pk_runs")),
        comment="Work of the calendar that was done: the row is inserted in the transaction of its effects.",
    )
    op.create_table(
        "value_proposals",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="Of the calculation: what is adopted is what was looked at."
        ),
        sa.Column("calculation", columns.Json, nullable=False),
        sa.Column("proposed_at", columns.Instant(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("first_adopter", sa.Text(), nullable=True, comment="Waits for a second person."),
        sa.PrimaryKeyConstraint("quarter", name=op.f("pk_value_proposals")),
        comment="The value that was last worked out for a quarter; adopting it makes it one of token_values.",
    )
    op.create_table(
        "absences",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True, comment="Empty while nobody knows."),
        sa.CheckConstraint("last_day IS NULL OR last_day >= first_day", name=op.f("ck_absences_days")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_absences_person_id")),
        sa.PrimaryKeyConstraint("person_id", "first_day", name=op.f("pk_absences")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="In the message's metadata as well."),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("view", columns.Json, nullable=False, comment="What the message says, as it was when it was owed."),
        sa.Column("person_id", sa.Text(), nullable=True, comment="Whose conversation with the bot it goes to, or"),
        sa.Column("channel", sa.Text(), nullable=True, comment="the channel it goes to."),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("due_at", columns.Instant(), nullable=False, comment="Not before; moved on by back-off."),
        sa.Column("state", sa.Text(), nullable=False, comment="waiting, leased, sent, parked"),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("leased_until", columns.Instant(), nullable=True),
        sa.Column(
            "uncertain", sa.Boolean(), server_default=sa.false(), nullable=False, comment="It may have been sent."
        ),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True, comment="What Slack said last."),
        sa.Column("file_id", sa.Text(), nullable=True, comment="Its picture, once that is uploaded."),
        sa.Column("slack_channel", sa.Text(), nullable=True),
        sa.Column("slack_ts", sa.Text(), nullable=True),
        sa.Column("sent_at", columns.Instant(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'leased', 'sent', 'parked')", name=op.f("ck_outbox_state")),
        sa.CheckConstraint("(person_id IS NULL) <> (channel IS NULL)", name=op.f("ck_outbox_destination")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_outbox_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_owed",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'leased')"),
            postgresql_where=sa.text("state IN ('waiting', 'leased')"),
        )

    op.create_table(
        "person_terms",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("role_family", sa.Text(), nullable=False),
        sa.Column("pay_band", sa.Text(), nullable=True),
        sa.Column("fte_permille", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_terms_person_id")),
        sa.PrimaryKeyConstraint("person_id", "holds_from", name=op.f("pk_person_terms")),
        comment="What a grant follows from, dated: a change in mid-month counts from the next month.",
    )
    op.create_table(
        "projects",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("complexity", sa.Text(), nullable=False, comment="As its director scores it."),
        sa.Column("director_id", sa.Text(), nullable=True),
        sa.Column("sponsor_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["director_id"], ["people.id"], name=op.f("fk_projects_director_id")),
        sa.ForeignKeyConstraint(["sponsor_id"], ["people.id"], name=op.f("fk_projects_sponsor_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_projects")),
    )
    op.create_table(
        "assignments",
        sa.Column("project_key", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("share_permille", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("share_permille BETWEEN 1 AND 1000", name=op.f("ck_assignments_share")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_assignments_person_id")),
        sa.ForeignKeyConstraint(["project_key"], ["projects.key"], name=op.f("fk_assignments_project_key")),
        sa.PrimaryKeyConstraint("project_key", "person_id", "first_day", name=op.f("pk_assignments")),
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignments_person_id"), ["person_id"], unique=False)

    op.create_table(
        "usd_entries",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("posted_at", columns.Instant(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("value_version", sa.Text(), nullable=False),
        sa.Column("debit_account", sa.Text(), nullable=False),
        sa.Column("credit_account", sa.Text(), nullable=False),
        sa.Column("amount_nano_usd", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_nano_usd > 0", name=op.f("ck_usd_entries_amount")),
        sa.CheckConstraint("debit_account <> credit_account", name=op.f("ck_usd_entries_accounts")),
        sa.ForeignKeyConstraint(["value_version"], ["token_values.version"], name=op.f("fk_usd_entries_value_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usd_entries")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_usd_entries_idempotency_key")),
        comment="The buffer's book in USD, balanced by its form: each line debits one account and credits another.",
    )
    op.create_table(
        "grants",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("entry_id", columns.Identifier, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("entitled_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("issued_nano_usd", sa.BigInteger(), nullable=False, comment="What it took of the month's budget."),
        sa.Column("factors", columns.Json, nullable=False, comment="Everything that the amount follows from."),
        sa.Column("handbook_version", sa.Text(), nullable=False),
        sa.Column("value_version", sa.Text(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_grants_amount")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_grants_entry_id")),
        sa.ForeignKeyConstraint(["handbook_version"], ["handbooks.version"], name=op.f("fk_grants_handbook_version")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_grants_person_id")),
        sa.ForeignKeyConstraint(["value_version"], ["token_values.version"], name=op.f("fk_grants_value_version")),
        sa.PrimaryKeyConstraint("month", "person_id", name=op.f("pk_grants")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_grants_entry_id")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grants_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("token_values", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "price_index",
                sa.Text(),
                server_default="1",
                nullable=False,
                comment="A decimal; 1 in the base quarter.",
            )
        )
        batch_op.add_column(
            sa.Column(
                "buffer_permille", sa.SmallInteger(), server_default="0", nullable=False, comment="Held back at issue."
            )
        )
        batch_op.add_column(
            sa.Column(
                "calculation",
                columns.Json,
                nullable=True,
                comment="How it was found; empty when it was fixed, or carried over from before.",
            )
        )
        batch_op.add_column(sa.Column("adopted_by", sa.Text(), server_default="system", nullable=False))
        batch_op.add_column(
            sa.Column(
                "confirmed_by", sa.Text(), nullable=True, comment="The second person, where the change needed one."
            )
        )

    # What people are now, they have been since they were hired, as far as anybody has told us.
    op.execute(
        "INSERT INTO person_terms (person_id, holds_from, level, role_family, pay_band, fte_permille) "
        "SELECT id, hired_on, level, role_family, pay_band, fte_permille FROM people"
    )
