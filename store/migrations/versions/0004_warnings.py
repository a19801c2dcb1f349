"""warnings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "warning_choices",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column(
            "percent", columns.Json, nullable=False, comment="At which they want to be warned, besides the last."
        ),
        sa.Column("quiet_from", sa.SmallInteger(), nullable=False, comment="An hour of their own time."),
        sa.Column("quiet_until", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "quiet_from BETWEEN 0 AND 23 AND quiet_until BETWEEN 0 AND 23", name=op.f("ck_warning_choices_hours")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_warning_choices_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_warning_choices")),
    )
    op.create_table(
        "wallets_to_check",
        sa.Column("account_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_wallets_to_check_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_wallets_to_check")),
        comment="Wallets that usage was posted to since somebody looked whether their owners are to be warned.",
    )
    op.create_table(
        "warnings_given",
        sa.Column("account_id", columns.Identifier, autoincrement=False, nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("percent", sa.SmallInteger(), nullable=False),
        sa.Column("reached_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_warnings_given_account_id")),
        sa.PrimaryKeyConstraint("account_id", "month", "percent", name=op.f("pk_warnings_given")),
        comment="Percentages that were reached; of those reached at once only the highest is told.",
    )
