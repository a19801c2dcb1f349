"""finance: days of settled months, added up by who bears them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "charge_days",
        sa.Column("month", sa.Text(), nullable=False, comment="Whose file it is in, such as 2026-11."),
        sa.Column(
            "day", sa.Date(), nullable=False, comment="Of that month; an earlier one where it was corrected in it."
        ),
        *(
            sa.Column(name, columns.Instant(), nullable=False)
            for name in ("effective_from", "effective_until", "posted_from", "posted_until")
        ),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("debit_micro_tokens", sa.BigInteger(), nullable=False),
        sa.Column("added_up_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("month", "day", name=op.f("pk_charge_days")),
        comment="Days whose charges were added up once their month was settled, of the entries of some time.",
    )
    op.create_table(
        "charge_lines",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cost_centre", sa.Text(), nullable=False, comment="Empty for none."),
        sa.Column("person_id", sa.Text(), nullable=False, comment="Empty where rows are of cost centres."),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("project", "service_key", "provider", "model", "tier", "price_id")
        ),
        sa.Column(
            "context", sa.Integer(), nullable=False, comment="The input tokens above which it holds; 0 for none."
        ),
        sa.Column("value_version", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("calls", "cost_nano_usd", "debit_micro_tokens")
        ),
        sa.Column("counted", sa.BigInteger(), nullable=False, comment="Calls that counted their requests."),
        sa.Column("counts", sa.Text(), nullable=False, comment="Of each meter, as JSON: it is read as a whole."),
        sa.ForeignKeyConstraint(
            ["month", "day"], ["charge_days.month", "charge_days.day"], name=op.f("fk_charge_lines_month_day")
        ),
        sa.PrimaryKeyConstraint("month", "day", "number", name=op.f("pk_charge_lines")),
        comment="What each cost centre bears of a day, product and price.",
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("charge_lines", "charge_days"):
        op.drop_table(table)
