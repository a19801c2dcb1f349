"""replicas: Slack's rates shared between couriers, and which processes run which parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0057"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("process", sa.Text(), nullable=False, comment="Its machine, its number there, and a word."),
        sa.Column("part", sa.Text(), nullable=False, comment="http, bot, courier, tick"),
        sa.Column("began_at", columns.Instant(), nullable=False),
        sa.Column("seen_at", columns.Instant(), nullable=False, comment="When it last told that it is there."),
        sa.Column("problem", sa.Text(), nullable=True, comment="What the part met there, if it is not well."),
        sa.PrimaryKeyConstraint("process", "part", name=op.f("pk_processes")),
        comment="The processes that run parts of the bot; one that stops takes its rows away.",
    )
    op.create_table(
        "slack_rates",
        sa.Column("bucket", sa.Text(), nullable=False, comment="A method, a conversation, or the app."),
        sa.Column(
            "taken_at", columns.Instant(), nullable=False, comment="When a courier last drew from it, by its clock, and"
        ),
        sa.Column(
            "full_at", columns.Instant(), nullable=False, comment="when nothing of that counts any more, by the same."
        ),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_slack_rates")),
        comment="How much of Slack's rates is used up, for all couriers together.",
    )


def downgrade() -> None:
    for table in ("slack_rates", "processes"):
        op.drop_table(table)
