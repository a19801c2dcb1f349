"""People with their terms and roles, the names by which gateways know them, and the keys of gateways."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, LargeBinary, SmallInteger, Table, Text

from store.columns import AmountColumn, Instant, PermilleColumn
from store.tables.base import metadata

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True, comment="Lower case."),
    Column("name", Text, nullable=False),
    Column("slack_user_id", Text, unique=True),
    Column("former_slack_user_id", Text, comment="The one before: who had one is never linked by e-mail again."),
    Column("manager_id", Text, ForeignKey("people.id"), index=True),
    Column("level", Text, nullable=False),
    Column("role_family", Text, nullable=False),
    Column("pay_band", Text),
    Column("fte_permille", PermilleColumn, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("hired_on", Date, nullable=False),
    Column("left_on", Date),
    Column("wave", SmallInteger),
    Column("external_id", Text, unique=True, comment="By which the HR system knows them, whatever their e-mail."),
    Column("department", Text),
    Column("cost_centre", Text),
    Column("merged_into", Text, ForeignKey("people.id"), comment="Whose second record this was."),
    Column("erased_at", Instant, comment="When everything that named them was taken away."),
    CheckConstraint("CAST(fte_permille AS NUMERIC) > 0 AND CAST(fte_permille AS NUMERIC) <= 1000", name="fte"),
)

person_terms = Table(
    "person_terms",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("holds_from", Date, primary_key=True),
    Column("level", Text, nullable=False),
    Column("role_family", Text, nullable=False),
    Column("pay_band", Text),
    Column("fte_permille", PermilleColumn, nullable=False),
    comment="What a grant follows from, dated: a change in mid-month counts from the next month.",
)

reporting_lines = Table(
    "reporting_lines",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("holds_from", Date, primary_key=True),
    Column("manager_id", Text, ForeignKey(people.c.id), index=True, comment="Empty for nobody, and after leaving."),
    comment="Who reported to whom since when, as it was known then: a week's total of a team is never told of others.",
)

pay_bands = Table(
    "pay_bands",
    metadata,
    Column("band", Text, primary_key=True),
    Column("holds_from", Date, primary_key=True),
    Column("midpoint_nano_usd", AmountColumn, nullable=False, comment="A year's; never anybody's salary."),
    Column("currency", Text, nullable=False, server_default="USD", comment="Of the midpoint."),
    CheckConstraint("midpoint_nano_usd > 0", name="positive"),
)

absences = Table(
    "absences",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, comment="Empty while nobody knows."),
    Column("counted_at", Instant, comment="When ends of lots were last moved by it."),
    CheckConstraint("last_day IS NULL OR last_day >= first_day", name="days"),
)

person_roles = Table(
    "person_roles",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("role", Text, primary_key=True),
)

identities = Table(
    "identities",
    metadata,
    Column("source", Text, primary_key=True, comment="The gateway, or * for every gateway."),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), nullable=False, index=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False, comment="The CloudEvents source this key may report for."),
    Column("scopes", Text, nullable=False, comment="Separated by spaces."),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("expires_at", Instant),
    Column("last_used_at", Instant, comment="To the hour."),
    Column(
        "former_hash",
        LargeBinary,
        unique=True,
        comment="Of the secret before the last rotation, which opens too until it ends.",
    ),
    Column("former_ends_at", Instant),
)

projects = Table(
    "projects",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("complexity", Text, nullable=False, comment="As its director scores it."),
    Column("director_id", Text, ForeignKey(people.c.id)),
    Column("sponsor_id", Text, ForeignKey(people.c.id)),
    Column("cost_centre", Text, comment="Which bears what is used for it, instead of the person's."),
)

assignments = Table(
    "assignments",
    metadata,
    Column("project_key", Text, ForeignKey(projects.c.key), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True, index=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date),
    Column("share_permille", SmallInteger, nullable=False),
    CheckConstraint("share_permille BETWEEN 1 AND 1000", name="share"),
)
