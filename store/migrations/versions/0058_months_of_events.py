"""events get a number that begins with their month, and are known by digests: on PostgreSQL each month is a part."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations import months

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        months.exchange(bind)
        _say()
        return
    for table in months.OF_EVENTS:
        with op.batch_alter_table(table) as changed:
            changed.drop_constraint(f"fk_{table}_source_event_id", type_="foreignkey")
    for statement in months.ON_SQLITE:
        bind.exec_driver_sql(statement)


def _say() -> None:
    """Comments, which only PostgreSQL keeps."""
    for what, text in COMMENTS.items():
        op.execute(sa.text(f"COMMENT ON {what} IS '{text}'"))


COMMENTS = {
    "TABLE usage_ids": "Every event that was ever taken in, so that none is twice. On PostgreSQL in parts, by digest.",
    "COLUMN usage_ids.digest": "Of source and id: sixteen bytes, whatever their length.",
    "COLUMN usage_ids.event": "The number of the event.",
    "COLUMN usage_events.id": (
        "Begins with the month that was first reported, which it keeps. On PostgreSQL a part for each month."
    ),
    "COLUMN usage_events.fingerprint": "As reported; empty while only a correction has come.",
    "COLUMN usage_events.identities": "[[kind, name], ...] as the gateway reported them",
    "COLUMN usage_events.tier": "The service tier; empty for the standard one.",
    "COLUMN usage_events.account_id": "The wallet of the person who used it.",
    "COLUMN usage_events.cost_nano_usd": "Empty while the event is in quarantine.",
    "COLUMN usage_events.entry_id": "Empty when the use was free, or in quarantine.",
    "COLUMN usage_events.revision": "The version that holds; 0 as reported.",
}


def downgrade() -> None:
    raise NotImplementedError("an older version keeps events by source and id: restore a back-up of before")
