"""Offers of joiners, and appeals against the annual review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0037"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "joiners_offers",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("noted_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_joiners_offers_offer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_joiners_offers_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_joiners_offers")),
        sa.UniqueConstraint("offer_id", name=op.f("uq_joiners_offers_offer_id")),
        comment="Which offer a joiner accepted, until they were greeted or the offer is deleted.",
    )
    op.create_table(
        "annual_appeals",
        sa.Column("year", sa.SmallInteger(), nullable=False, comment="The one that was reviewed."),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default="1",
            nullable=False,
            comment="Of everything that is shown of it.",
        ),
        sa.Column(
            "state",
            sa.Text(),
            server_default="open",
            nullable=False,
            comment="Open or upheld, the factor does not count.",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="The person's."),
        sa.Column("filed_at", columns.Instant(), nullable=False),
        sa.Column("decide_by", columns.Instant(), nullable=False, comment="Then it ends in the person's favour."),
        sa.Column(
            "remind_at",
            columns.Instant(),
            nullable=True,
            comment="Then those who can decide are reminded; empty once they were.",
        ),
        sa.Column("decided_at", columns.Instant(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="A member of the board, or policy."),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("counts_from", sa.Text(), nullable=True, comment="The month from which the factor counts after all."),
        sa.Column("entry_id", columns.Identifier, nullable=True, comment="What credited the difference."),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_annual_appeals_decided")),
        sa.CheckConstraint("(state = 'open') = (decision_reason IS NULL)", name=op.f("ck_annual_appeals_reason")),
        sa.CheckConstraint("(state = 'rejected') = (counts_from IS NOT NULL)", name=op.f("ck_annual_appeals_counts")),
        sa.CheckConstraint("entry_id IS NULL OR state = 'upheld'", name=op.f("ck_annual_appeals_credited")),
        sa.CheckConstraint("state IN ('open', 'upheld', 'rejected')", name=op.f("ck_annual_appeals_state")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_annual_appeals_entry_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_annual_appeals_person_id")),
        sa.PrimaryKeyConstraint("year", "person_id", name=op.f("pk_annual_appeals")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_annual_appeals_entry_id")),
        comment="Appeals against what a year's annual review takes of grants, one a person and year.",
    )
    with op.batch_alter_table("annual_appeals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_annual_appeals_open",
            ["decide_by"],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("annual_appeals", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_annual_appeals_open", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )

    op.drop_table("annual_appeals")
    op.drop_table("joiners_offers")
