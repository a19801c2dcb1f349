"""messages without their picture, and answers that were none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None

BARE = sa.text("problem = 'without_picture'")


def upgrade() -> None:
    op.create_index("ix_outbox_bare", "outbox", ["sent_at"], sqlite_where=BARE, postgresql_where=BARE)
    _doubt_pages()


def downgrade() -> None:
    op.drop_index("ix_outbox_bare", "outbox")


def _doubt_pages() -> None:
    """What was parked because of a page or of nothing may have arrived: it is looked for before it is sent again."""
    outbox = sa.table("outbox", *(sa.column(name) for name in ("state", "problem")), sa.column("uncertain", sa.Boolean))
    # Slack's codes are one word.
    no_answer = sa.or_(outbox.c.problem == "no_answer", outbox.c.problem.contains(" "))
    parked = outbox.update().where(outbox.c.state == "parked", no_answer)
    op.execute(parked.values(uncertain=sa.true(), problem="no_answer"))
