"""currency rates: what a unit of another currency is worth in a quarter, set by one and frozen by two people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "currency_rates",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("nano_usd_per_unit", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", columns.Instant(), nullable=False),
        sa.Column("adopted_by", sa.Text(), nullable=True, comment="The first of two people."),
        sa.Column("confirmed_by", sa.Text(), nullable=True, comment="The second, who is someone else."),
        sa.Column("frozen_at", columns.Instant(), nullable=True, comment="From then on it counts and never changes."),
        sa.CheckConstraint("nano_usd_per_unit > 0", name=op.f("ck_currency_rates_positive")),
        sa.CheckConstraint(
            "frozen_at IS NULL OR (adopted_by IS NOT NULL AND confirmed_by IS NOT NULL AND adopted_by <> confirmed_by)",
            name=op.f("ck_currency_rates_two_people"),
        ),
        sa.PrimaryKeyConstraint("quarter", "currency", name=op.f("pk_currency_rates")),
        comment="What a unit of a currency is worth in USD throughout a quarter.",
    )


def downgrade() -> None:
    op.drop_table("currency_rates")
