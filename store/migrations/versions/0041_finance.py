"""finance: cost centres, who belongs to which, and the charges on vendors' bills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import columns

revision = "0041"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bill_imports",
        sa.Column("id", columns.Identifier, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="Of the file's content."),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("begun_at", columns.Instant(), nullable=False),
        sa.Column("ended_at", columns.Instant(), nullable=True, comment="Empty while it is not complete."),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("counts", columns.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_imports")),
        sa.UniqueConstraint("digest", name=op.f("uq_bill_imports_digest")),
    )
    op.create_table(
        "bill_lines",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="Of everything that the row says."),
        sa.Column(
            "copy", sa.Integer(), autoincrement=False, nullable=False, comment="Equal rows of one file are several."
        ),
        sa.Column("import_id", columns.Identifier, nullable=False, comment="The first that has it."),
        sa.Column("last_import_id", columns.Identifier, nullable=False),
        sa.Column(
            "month",
            sa.Date(),
            nullable=False,
            comment="In whose file it stands: an earlier bill's, once that is settled.",
        ),
        sa.Column("day", sa.Date(), nullable=False, comment="Of the charge."),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("service_category", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False, comment="Usage, Purchase, Tax, Credit, Adjustment"),
        sa.Column("is_correction", sa.SmallInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("billed_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("effective_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("list_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("contracted_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column(
            "micro_tokens", sa.BigInteger(), nullable=False, comment="Where the row is priced in tokens of a programme."
        ),
        sa.Column("person_id", sa.Text(), nullable=True, comment="Whom a tag names."),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("cost_centre", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=True, comment="The usage event that it was taken in as."),
        sa.CheckConstraint("is_correction IN (0, 1)", name=op.f("ck_bill_lines_is_correction")),
        sa.ForeignKeyConstraint(["import_id"], ["bill_imports.id"], name=op.f("fk_bill_lines_import_id")),
        sa.ForeignKeyConstraint(["last_import_id"], ["bill_imports.id"], name=op.f("fk_bill_lines_last_import_id")),
        sa.PrimaryKeyConstraint("digest", "copy", name=op.f("pk_bill_lines")),
        comment="Each charge of the vendors' bills, once.",
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("bill_lines", schema=None) as batch_op:
        batch_op.create_index("ix_bill_lines_last_import_id", ["last_import_id"], unique=False)
        batch_op.create_index("ix_bill_lines_month", ["month"], unique=False)

    op.create_table(
        "cost_centres",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True, comment="Who gets its monthly statement."),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_cost_centres_owner_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cost_centres")),
        comment="Those that have a name or an owner; a person or a project may name others.",
    )
    op.create_table(
        "person_cost_centres",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column("cost_centre", sa.Text(), nullable=True, comment="Empty for none."),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_cost_centres_person_id")),
        sa.PrimaryKeyConstraint("person_id", "holds_from", name=op.f("pk_person_cost_centres")),
        comment="Which cost centre bore a person's use since when.",
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cost_centre", sa.Text(), nullable=True))

    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "cost_centre",
                sa.Text(),
                nullable=True,
                comment="Which bears what is used for it, instead of the person's.",
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("cost_centre")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_column("cost_centre")
    for table in ("person_cost_centres", "cost_centres", "bill_lines", "bill_imports"):
        op.drop_table(table)
