"""exact posts: a share of a full-time post keeps all its decimals, 38.5 of 40 hours for instance."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0019"
down_revision = "0016"
branch_labels = None
depends_on = None

CHECK = "ck_people_fte"
TABLES = ("people", "person_terms", "review_inputs")
WHOLE = "fte_permille BETWEEN 1 AND 1000"
EXACT = "CAST(fte_permille AS NUMERIC) > 0 AND CAST(fte_permille AS NUMERIC) <= 1000"


def upgrade() -> None:
    _retype(sa.SmallInteger(), columns.PermilleColumn(), EXACT, "fte_permille::text")


def downgrade() -> None:
    """Posts finer than a thousandth are rounded to one."""
    rounded = "CAST(CAST(round(CAST(fte_permille AS NUMERIC)) AS INTEGER) AS TEXT)"
    for table in TABLES:
        op.execute(f"UPDATE {table} SET fte_permille = {rounded}")  # noqa: S608 - names of our own
        op.execute(f"UPDATE {table} SET fte_permille = '1' WHERE fte_permille = '0'")  # noqa: S608
    _retype(columns.PermilleColumn(), sa.SmallInteger(), WHOLE, "fte_permille::smallint")


def _retype(before: sa.types.TypeEngine[Any], after: sa.types.TypeEngine[Any], check: str, using: str) -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch_op:
            if table == "people":
                batch_op.drop_constraint(op.f(CHECK), type_="check")
            batch_op.alter_column(
                "fte_permille", existing_type=before, existing_nullable=False, type_=after, postgresql_using=using
            )
            if table == "people":
                batch_op.create_check_constraint(op.f(CHECK), check)
