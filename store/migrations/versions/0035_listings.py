"""Texts of job listings that were handed out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listings",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="Of what it says of the policy, as it was handed out last."
        ),
        sa.Column("handbook_version", sa.Text(), nullable=False),
        sa.Column("made_at", columns.Instant(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False, comment="A person, or a login of the command line."),
        sa.Column(
            "outdated_digest", sa.Text(), nullable=True, comment="What recruiters were told that it should say by now."
        ),
        sa.ForeignKeyConstraint(["handbook_version"], ["handbooks.version"], name=op.f("fk_listings_handbook_version")),
        sa.PrimaryKeyConstraint("level", "band", "language", name=op.f("pk_listings")),
        comment="Texts for job listings that were handed out: recruiters are told once they are out of date.",
    )


def downgrade() -> None:
    op.drop_table("listings")
