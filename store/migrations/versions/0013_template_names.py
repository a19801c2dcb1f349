"""template names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TOPICS = {"fast_track": "exceptions", "policy": "handbook", "review": "reviews"}


def upgrade() -> None:
    for before, after in TOPICS.items():
        _rename(before, after)


def downgrade() -> None:
    for before, after in TOPICS.items():
        _rename(after, before)


def _rename(before: str, after: str) -> None:
    outbox = sa.table("outbox", sa.column("template", sa.Text))
    name = sa.func.substr(outbox.c.template, len(before) + 1)
    mine = outbox.c.template.startswith(f"{before}/", autoescape=True)
    op.execute(outbox.update().where(mine).values(template=sa.literal(after) + name))
