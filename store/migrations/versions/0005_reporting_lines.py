"""reporting lines."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lines = op.create_table(
        "reporting_lines",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column("manager_id", sa.Text(), nullable=True, comment="Empty for nobody, and after leaving."),
        sa.ForeignKeyConstraint(["manager_id"], ["people.id"], name=op.f("fk_reporting_lines_manager_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_reporting_lines_person_id")),
        sa.PrimaryKeyConstraint("person_id", "holds_from", name=op.f("pk_reporting_lines")),
        comment=(
            "Who reported to whom since when, as it was known then: a week's total of a team is never told of others."
        ),
    )
    with op.batch_alter_table("reporting_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reporting_lines_manager_id"), ["manager_id"], unique=False)
    people = sa.table(
        "people",
        sa.column("id", sa.Text),
        sa.column("manager_id", sa.Text),
        sa.column("hired_on", sa.Date),
        sa.column("left_on", sa.Date),
    )
    # Nothing was told of teams before: today's managers can stand for those that were.
    rows = []
    for id_, manager, hired, left in op.get_bind().execute(sa.select(people).where(people.c.manager_id.is_not(None))):
        rows.append({"person_id": id_, "holds_from": hired, "manager_id": manager})
        if left is not None:
            rows.append({"person_id": id_, "holds_from": left + timedelta(days=1), "manager_id": None})
    if rows:
        op.bulk_insert(lines, rows)
