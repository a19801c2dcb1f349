"""foundation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="The CloudEvents source this key may report for."),
        sa.Column("scopes", sa.Text(), nullable=False, comment="Separated by spaces."),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("revoked_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )
    op.create_table(
        "audit_log",
        sa.Column("seq", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", columns.Json, nullable=True),
        sa.Column("after", columns.Json, nullable=True),
        sa.Column("handbook_version", sa.Text(), nullable=True),
        sa.Column("slack_channel", sa.Text(), nullable=True),
        sa.Column("slack_ts", sa.Text(), nullable=True),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "file_imports",
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the file's content and format."),
        sa.Column("lines_done", sa.BigInteger(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("counts", columns.Json, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_file_imports")),
        comment="How far an interrupted import of a file came; removed when it completes.",
    )
    op.create_table(
        "handbooks",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("applied_at", columns.Instant(), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_handbooks")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="Lower case."),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slack_user_id", sa.Text(), nullable=True),
        sa.Column("manager_id", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("role_family", sa.Text(), nullable=False),
        sa.Column("pay_band", sa.Text(), nullable=True),
        sa.Column("fte_permille", sa.SmallInteger(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("hired_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("wave", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint("fte_permille BETWEEN 1 AND 1000", name=op.f("ck_people_fte")),
        sa.ForeignKeyConstraint(["manager_id"], ["people.id"], name=op.f("fk_people_manager_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
        sa.UniqueConstraint("slack_user_id", name=op.f("uq_people_slack_user_id")),
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_people_manager_id"), ["manager_id"], unique=False)

    op.create_table(
        "prices",
        sa.Column(
            "id", sa.Text(), nullable=False, comment="A digest of the content, so that the same price is one row."
        ),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False, comment="Empty for the standard one."),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "meters", columns.Json, nullable=False, comment="meter -> [nano-USD, per, [[tier start, nano-USD], ...]]"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prices")),
    )
    op.create_table(
        "programme",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_programme")),
        comment="Facts that hold for the whole ledger, such as the time zone its days were cut in.",
    )
    op.create_table(
        "services",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_services")),
        comment="Every service that was ever approved; the handbook says which are approved when.",
    )
    op.create_table(
        "accounts",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("code", sa.Text(), nullable=False, comment="treasury, wallet:per_..., service:..., expired, pool"),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "balance", sa.BigInteger(), server_default="0", nullable=False, comment="Micro-tokens; the sum of postings."
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_accounts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("code", name=op.f("uq_accounts_code")),
        sa.UniqueConstraint("person_id", name=op.f("uq_accounts_person_id")),
    )
    op.create_table(
        "identities",
        sa.Column("source", sa.Text(), nullable=False, comment="The gateway, or * for every gateway."),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_identities_person_id")),
        sa.PrimaryKeyConstraint("source", "kind", "value", name=op.f("pk_identities")),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identities_person_id"), ["person_id"], unique=False)

    op.create_table(
        "person_roles",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_roles_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_person_roles")),
    )
    op.create_table(
        "token_values",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("nano_usd_per_token", sa.BigInteger(), nullable=False),
        sa.Column("handbook_version", sa.Text(), nullable=False),
        sa.Column("adopted_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("nano_usd_per_token > 0", name=op.f("ck_token_values_positive")),
        sa.ForeignKeyConstraint(
            ["handbook_version"], ["handbooks.version"], name=op.f("fk_token_values_handbook_version")
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_token_values")),
    )
    with op.batch_alter_table("token_values", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_token_values_quarter"), ["quarter"], unique=False)

    op.create_table(
        "entries",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("effective_at", columns.Instant(), nullable=False, comment="When what it records happened."),
        sa.Column("posted_at", columns.Instant(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("value_version", sa.Text(), nullable=True),
        sa.Column("corrects_entry_id", columns.Identifier, nullable=True),
        sa.ForeignKeyConstraint(["corrects_entry_id"], ["entries.id"], name=op.f("fk_entries_corrects_entry_id")),
        sa.ForeignKeyConstraint(["value_version"], ["token_values.version"], name=op.f("fk_entries_value_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_entries_idempotency_key")),
    )
    op.create_table(
        "usage_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("service_key", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("debit_micro_tokens", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_usage_days_account_id")),
        sa.ForeignKeyConstraint(["service_key"], ["services.key"], name=op.f("fk_usage_days_service_key")),
        sa.PrimaryKeyConstraint("day", "account_id", "service_key", "model", "project", name=op.f("pk_usage_days")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lots",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("account_id", columns.Identifier, nullable=False),
        sa.Column("entry_id", columns.Identifier, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_lots_amount")),
        sa.CheckConstraint("remaining BETWEEN 0 AND amount", name=op.f("ck_lots_remaining")),
        sa.CheckConstraint("starts_at < expires_at", name=op.f("ck_lots_dates")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_lots_account_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_lots_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lots")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_lots_entry_id")),
    )
    with op.batch_alter_table("lots", schema=None) as batch_op:
        batch_op.create_index(
            "ix_lots_open",
            ["account_id"],
            unique=False,
            sqlite_where=sa.text("remaining > 0"),
            postgresql_where=sa.text("remaining > 0"),
        )

    op.create_table(
        "postings",
        sa.Column("account_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", columns.Identifier, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False, comment="The account's balance after this line."),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_postings_not_zero")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_postings_account_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_postings_entry_id")),
        sa.PrimaryKeyConstraint("account_id", "version", name=op.f("pk_postings")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("postings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_postings_entry_id"), ["entry_id"], unique=False)

    op.create_table(
        "usage_events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("occurred_at", columns.Instant(), nullable=False),
        sa.Column(
            "identities", columns.Json, nullable=False, comment="[[kind, name], ...] as the gateway reported them"
        ),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False, comment="The service tier; empty for the standard one."),
        sa.Column("meters", columns.Json, nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("account_id", columns.Identifier, nullable=True, comment="The wallet of the person who used it."),
        sa.Column("price_id", sa.Text(), nullable=True),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=True, comment="Empty while the event is in quarantine."),
        sa.Column("debit_micro_tokens", sa.BigInteger(), nullable=True),
        sa.Column(
            "entry_id", columns.Identifier, nullable=True, comment="Empty when the use was free, or in quarantine."
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_usage_events_entry_id")),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_usage_events")),
    )
    with op.batch_alter_table("usage_events", schema=None) as batch_op:
        batch_op.create_index("ix_usage_events_entry_id", ["entry_id"], unique=False)

    op.create_table(
        "lot_movements",
        sa.Column("entry_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("lot_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="Micro-tokens taken from the lot."),
        sa.CheckConstraint("amount > 0", name=op.f("ck_lot_movements_amount")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_lot_movements_entry_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_lot_movements_lot_id")),
        sa.PrimaryKeyConstraint("entry_id", "lot_id", name=op.f("pk_lot_movements")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("since", columns.Instant(), nullable=False),
        sa.Column("released_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["source", "event_id"],
            ["usage_events.source", "usage_events.event_id"],
            name=op.f("fk_quarantine_source_event_id"),
        ),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_quarantine")),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(
            "ix_quarantine_held",
            ["since"],
            unique=False,
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )

    op.create_table(
        "usage_conflicts",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="Of the content that was refused."),
        sa.Column("offered", columns.Json, nullable=False),
        sa.Column("first_seen_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source", "event_id"],
            ["usage_events.source", "usage_events.event_id"],
            name=op.f("fk_usage_conflicts_source_event_id"),
        ),
        sa.PrimaryKeyConstraint("source", "event_id", "fingerprint", name=op.f("pk_usage_conflicts")),
    )


def downgrade() -> None:
    op.drop_table("usage_conflicts")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_quarantine_held",
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )

    op.drop_table("quarantine")
    op.drop_table("lot_movements")
    with op.batch_alter_table("usage_events", schema=None) as batch_op:
        batch_op.drop_index("ix_usage_events_entry_id")

    op.drop_table("usage_events")
    with op.batch_alter_table("postings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_postings_entry_id"))

    op.drop_table("postings")
    with op.batch_alter_table("lots", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_lots_open", sqlite_where=sa.text("remaining > 0"), postgresql_where=sa.text("remaining > 0")
        )

    op.drop_table("lots")
    op.drop_table("usage_days")
    op.drop_table("entries")
    with op.batch_alter_table("token_values", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_token_values_quarter"))

    op.drop_table("token_values")
    op.drop_table("person_roles")
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identities_person_id"))

    op.drop_table("identities")
    op.drop_table("accounts")
    op.drop_table("services")
    op.drop_table("programme")
    op.drop_table("prices")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_people_manager_id"))

    op.drop_table("people")
    op.drop_table("handbooks")
    op.drop_table("file_imports")
    op.drop_table("audit_log")
    op.drop_table("api_keys")
