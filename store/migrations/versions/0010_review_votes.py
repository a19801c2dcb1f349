"""votes on quarterly reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_panels",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column(
            "package",
            sa.BigInteger(),
            nullable=False,
            comment="Counts holds and amendments: votes are on one package.",
        ),
        sa.Column(
            "needed", sa.BigInteger(), nullable=False, comment="So many members adopt it, one of them of finance."
        ),
        sa.Column(
            "stage",
            sa.SmallInteger(),
            nullable=False,
            comment="0 members, 1 alternates too, 2 the chair and finance too.",
        ),
        sa.Column("convened_at", columns.Instant(), nullable=False),
        sa.Column("remind_at", columns.Instant(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=True, comment="remind, lapse, effect, close; or nothing."),
        sa.Column("next_at", columns.Instant(), nullable=True),
        sa.CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name=op.f("ck_review_panels_step")),
        sa.ForeignKeyConstraint(["quarter"], ["reviews.quarter"], name=op.f("fk_review_panels_quarter")),
        sa.PrimaryKeyConstraint("quarter", name=op.f("pk_review_panels")),
        comment="Who decides a review was asked at an instant; until when is in the review.",
    )
    op.create_table(
        "review_seats",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="member, alternate, reserve"),
        sa.Column("is_chair", sa.Boolean(), nullable=False),
        sa.Column("is_finance", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_review_seats_person_id")),
        sa.ForeignKeyConstraint(["quarter"], ["review_panels.quarter"], name=op.f("fk_review_seats_quarter")),
        sa.PrimaryKeyConstraint("quarter", "person_id", name=op.f("pk_review_seats")),
        comment="The electorate of a review, as it was when the board was asked.",
    )
    op.create_table(
        "review_votes",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column(
            "seat", sa.Text(), nullable=False, comment="Whose vote it is; one a seat, changeable until it is decided."
        ),
        sa.Column("cast_by", sa.Text(), nullable=False, comment="The same person, or their delegate."),
        sa.Column(
            "package",
            sa.BigInteger(),
            nullable=False,
            comment="What it is about; of an earlier one it does not count.",
        ),
        sa.Column("adopts", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True, comment="Of a vote against."),
        sa.Column("cast_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("adopts OR reason IS NOT NULL", name=op.f("ck_review_votes_reason")),
        sa.ForeignKeyConstraint(["cast_by"], ["people.id"], name=op.f("fk_review_votes_cast_by")),
        sa.ForeignKeyConstraint(
            ["quarter", "seat"],
            ["review_seats.quarter", "review_seats.person_id"],
            name=op.f("fk_review_votes_quarter_seat"),
        ),
        sa.PrimaryKeyConstraint("quarter", "seat", name=op.f("pk_review_votes")),
        sa.UniqueConstraint("quarter", "cast_by", name=op.f("uq_review_votes_quarter_cast_by")),
    )
