"""holds: what running calls are likely to cost, beside their worst cases; one index in the place of two."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0037"
branch_labels = None
depends_on = None

SETTLED = sa.text("status = 'settled'")
LIKELY = "likely_micro_tokens BETWEEN 0 AND micro_tokens AND likely_nano_usd BETWEEN 0 AND nano_usd"
"""Not in batches: a table that others refer to cannot be made anew while it has rows."""


def upgrade() -> None:
    op.add_column("accounts", _amount("likely", comment="By what such calls usually cost."))
    op.add_column(
        "cap_sums",
        _amount(
            "likely_nano_usd",
            sa.CheckConstraint("likely_nano_usd >= 0", name=op.f("ck_cap_sums_likely")),
            comment="The same by what such calls usually cost.",
        ),
    )
    op.add_column("holds", _amount("likely_micro_tokens", comment="Of it, what such calls usually cost."))
    op.add_column("holds", _amount("likely_nano_usd", sa.CheckConstraint(LIKELY, name=op.f("ck_holds_likely"))))
    # What runs at this moment counts in full.
    op.execute("UPDATE accounts SET likely = held WHERE held > 0")
    op.execute("UPDATE cap_sums SET likely_nano_usd = held_nano_usd WHERE held_nano_usd > 0")
    op.execute("UPDATE holds SET likely_micro_tokens = micro_tokens, likely_nano_usd = nano_usd WHERE status = 'held'")
    op.drop_index("ix_holds_usual", "holds", sqlite_where=SETTLED, postgresql_where=SETTLED)
    op.drop_index("ix_holds_sizes", "holds", sqlite_where=SETTLED, postgresql_where=SETTLED)
    op.create_index(
        "ix_holds_pace", "holds", ["account_id", "closed_at"], sqlite_where=SETTLED, postgresql_where=SETTLED
    )


def _amount(name: str, *constraints: sa.CheckConstraint, comment: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), *constraints, server_default="0", nullable=False, comment=comment)


def downgrade() -> None:
    op.drop_index("ix_holds_pace", "holds", sqlite_where=SETTLED, postgresql_where=SETTLED)
    op.create_index(
        "ix_holds_usual", "holds", ["model", "account_id", "closed_at"], sqlite_where=SETTLED, postgresql_where=SETTLED
    )
    op.create_index("ix_holds_sizes", "holds", ["model", "closed_at"], sqlite_where=SETTLED, postgresql_where=SETTLED)
    with op.batch_alter_table("holds") as table:
        table.drop_constraint(op.f("ck_holds_likely"), type_="check")
        table.drop_column("likely_nano_usd")
        table.drop_column("likely_micro_tokens")
    with op.batch_alter_table("cap_sums") as table:
        table.drop_constraint(op.f("ck_cap_sums_likely"), type_="check")
        table.drop_column("likely_nano_usd")
    with op.batch_alter_table("accounts") as table:
        table.drop_column("likely")
