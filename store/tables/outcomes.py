"""Outcomes of work, each version that a source told."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, LargeBinary, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata, partial_index
from store.tables.people import people

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("source", Text, nullable=False),
    Column("outcome_id", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("day", Date, nullable=False, comment="Of occurred_at, in the programme's zone."),
    Column("as_of", Instant, nullable=False, comment="When it was so: of several versions the latest counts."),
    Column("state", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("lines", AmountColumn, comment="Changed ones, of a pull request."),
    Column("figure", AmountColumn, comment="Its weight or, of quality, its score, in thousandths."),
    Column("metric", Text, nullable=False),
    Column("reverts", Json, comment="The outcomes of the same source that it takes back."),
    Column("merge", Json, comment="How a pull request came into its repository; branches and title as digests."),
    Column("unit", Text, comment="team or person; empty while it waits, and for what is nobody's."),
    Column("unit_id", Text, ForeignKey(people.c.id), comment="The person, or the manager whose team it was that day."),
    Column("batch", Text, comment="Pull requests that are weighed together."),
    Column("waiting_for", Text, comment="A name that nobody is known by yet; forgotten once somebody is."),
    Column("received_at", Instant, nullable=False),
    sa.UniqueConstraint("source", "outcome_id", "fingerprint"),
    CheckConstraint("kind IN ('pull_request', 'bug', 'task', 'quality')", name="kind"),
    # Where two versions are of one instant, the state that comes later in the alphabet counts.
    CheckConstraint("state IN ('done', 'reopened', 'withdrawn')", name="state"),
    CheckConstraint("lines >= 0", name="lines"),
    CheckConstraint("figure >= 0", name="figure"),
    CheckConstraint("unit IN ('team', 'person')", name="unit"),
    CheckConstraint("waiting_for IS NULL OR (unit IS NULL AND unit_id IS NULL)", name="waiting"),
    Index("ix_outcomes_day", "day"),
    partial_index("ix_outcomes_waiting", "id", where="waiting_for IS NOT NULL"),
    partial_index("ix_outcomes_reverts", "day", where="reverts IS NOT NULL"),
    comment="What sources told of work, each version of it; only whose it was is filled in later.",
)

outcome_links = Table(
    "outcome_links",
    metadata,
    Column("link", Text, primary_key=True, comment="A branch into or out of which it was merged, a commit, a title."),
    Column("source", Text, primary_key=True),
    Column("outcome_id", Text, primary_key=True),
    comment="What pull requests have in common, to find those that belong together; of any version of them.",
)
