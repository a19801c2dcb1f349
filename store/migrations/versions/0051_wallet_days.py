"""what wallets paid by day, in the order of the wallets: made from the roll-up that is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0046"
branch_labels = None
depends_on = None

IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FILL = """
INSERT INTO wallet_days (account_id, day, service_key, debit_micro_tokens)
SELECT account_id, day, service_key, sum(debit_micro_tokens)
FROM usage_days GROUP BY account_id, day, service_key ORDER BY account_id, day, service_key
"""


def upgrade() -> None:
    op.create_table(
        "wallet_days",
        sa.Column("account_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("service_key", sa.Text(), nullable=False),
        sa.Column("debit_micro_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", "service_key", name=op.f("pk_wallet_days")),
        sqlite_with_rowid=False,
        comment="What each wallet paid, by day and service: one stretch of the key is all that a balance reads.",
    )
    op.execute(FILL)


def downgrade() -> None:
    op.drop_table("wallet_days")
