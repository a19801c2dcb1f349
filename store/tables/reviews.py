"""Quarterly reviews: what each was worked out from, what it proposes, and who votes on it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, SmallInteger, Table, Text

from store.columns import AmountColumn, Instant, Json, PermilleColumn
from store.tables.base import metadata
from store.tables.handbook import handbooks
from store.tables.people import people
from store.tables.value import token_values

reviews = Table(
    "reviews",
    metadata,
    Column("quarter", Text, primary_key=True, comment="The one that is looked back at."),
    Column("state", Text, nullable=False, server_default="draft"),
    Column("revision", AmountColumn, nullable=False, server_default="1", comment="Of everything that is shown of it."),
    Column("drafted_at", Instant, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False, comment="Whose thresholds hold."),
    Column("value_version", Text, ForeignKey(token_values.c.version), nullable=False, comment="It sizes the grants."),
    Column("value_proposal", Text, comment="The digest of the value that is proposed for the month."),
    Column("month", Text, nullable=False, comment="Whose grants are compared: the first that a change could reach."),
    Column("inputs", Json, nullable=False, comment="What is the same for everybody that the proposal follows from."),
    Column("inputs_digest", Text, nullable=False, comment="SHA-256 of all inputs, those of each person with them."),
    Column("summary", Json, nullable=False, comment="The quarter's figures as they were known at the draft."),
    Column("vote_until", Instant),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("holds_from", Text, comment="The month from which adopted changes hold."),
    CheckConstraint("state IN ('draft', 'adopted', 'lapsed')", name="state"),
    CheckConstraint("(state = 'draft') = (decided_at IS NULL)", name="decided"),
    CheckConstraint("(state = 'adopted') = (holds_from IS NOT NULL)", name="holds"),
)

review_inputs = Table(
    "review_inputs",
    metadata,
    Column("quarter", Text, ForeignKey(reviews.c.quarter), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("part", SmallInteger, primary_key=True, comment="0 is decided about; others are weeks in earlier teams."),
    Column("is_case", sa.Boolean, nullable=False, comment="Whether anything is proposed; else it is there for others."),
    Column("role_family", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("fte_permille", PermilleColumn, nullable=False),
    Column("wave", SmallInteger),
    Column("team", Text, nullable=False, comment="Its manager; empty for nobody's."),
    Column("output", Json, nullable=False, comment="Thousandths by week; empty where only teams are measured."),
    Column("debits", Json, nullable=False, comment="Micro-tokens by week; null where the person was not there."),
    Column("utilisation", Json, nullable=False, comment="By quarter, the latest last, as decimals; null: no grants."),
    Column("state", Text, nullable=False, comment="That of the quarter before."),
    Column("deltas", Json, nullable=False, comment="Thousandths by quarter, the latest last: what was adopted."),
    Column("factor", Text, nullable=False, comment="What all adjustments so far make together."),
    Column("claim", Json, comment="What the grant of the month follows from; empty where there is none."),
    comment="What a review's draft was worked out from, kept as it was: later data change nothing of it.",
)

review_cases = Table(
    "review_cases",
    metadata,
    Column("quarter", Text, ForeignKey(reviews.c.quarter), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True, index=True),
    Column("unit", Text, nullable=False, comment="Whose efficiency it is: team or person."),
    Column("team", Text, nullable=False, comment="Its manager; empty for nobody's."),
    Column("peers", Text, comment="A key such as engineering/senior; empty where there is no score."),
    Column("peers_size", AmountColumn),
    Column("utilisation_permille", AmountColumn, comment="Empty where there were no grants."),
    Column("state_before", Text, nullable=False),
    Column("state_after", Text, nullable=False),
    Column("theta", Text),
    Column("lcb", Text),
    Column("missing", Text, nullable=False, comment="Why there is no score."),
    Column("delta_thousandths", SmallInteger, nullable=False),
    Column("factor_before", Text, nullable=False),
    Column("factor_after", Text, nullable=False, comment="What the proposal makes of it."),
    Column("grant_before", AmountColumn, comment="Of the month, without the change; empty where there is none."),
    Column("grant_after", AmountColumn, comment="With all changes as proposed, within the same budget."),
    Column("bound", Text, nullable=False, comment="What holds the proposed grant: floor, cap, or nothing."),
    Column("reasons", Json, nullable=False, comment="[{code, text, figures}, ...]"),
    Column("would_change", Json, nullable=False),
    Column("decision", Text, nullable=False, server_default="proposed"),
    Column("amended_thousandths", SmallInteger),
    Column("amended_factor", Text),
    Column("decided_by", Text, comment="Who held or amended it."),
    Column("decided_at", Instant),
    Column("decision_reason", Text),
    CheckConstraint("state_before IN ('low', 'usual', 'high')", name="before"),
    CheckConstraint("state_after IN ('low', 'usual', 'high')", name="after"),
    CheckConstraint("decision IN ('proposed', 'held', 'amended')", name="decision"),
    CheckConstraint(
        "(decision = 'amended') = (amended_thousandths IS NOT NULL AND amended_factor IS NOT NULL)", name="amended"
    ),
    CheckConstraint("(decision = 'proposed') = (decided_by IS NULL)", name="decided"),
    comment="What is proposed for each person with its reasons, and what became of it.",
)

review_panels = Table(
    "review_panels",
    metadata,
    Column("quarter", Text, ForeignKey(reviews.c.quarter), primary_key=True),
    Column("package", AmountColumn, nullable=False, comment="Counts holds and amendments: votes are on one package."),
    Column("needed", AmountColumn, nullable=False, comment="So many members adopt it, one of them of finance."),
    Column("stage", SmallInteger, nullable=False, comment="0 members, 1 alternates too, 2 the chair and finance too."),
    Column("convened_at", Instant, nullable=False),
    Column("remind_at", Instant, nullable=False),
    Column("next_step", Text, comment="remind, lapse, effect, close; or nothing."),
    Column("next_at", Instant),
    CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name="step"),
    comment="Who decides a review was asked at an instant; until when is in the review.",
)

review_seats = Table(
    "review_seats",
    metadata,
    Column("quarter", Text, ForeignKey(review_panels.c.quarter), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("kind", Text, nullable=False, comment="member, alternate, reserve"),
    Column("is_chair", sa.Boolean, nullable=False),
    Column("is_finance", sa.Boolean, nullable=False),
    comment="The electorate of a review, as it was when the board was asked.",
)

review_votes = Table(
    "review_votes",
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("seat", Text, primary_key=True, comment="Whose vote it is; one a seat, changeable until it is decided."),
    Column("cast_by", Text, ForeignKey(people.c.id), nullable=False, comment="The same person, or their delegate."),
    Column("package", AmountColumn, nullable=False, comment="What it is about; of an earlier one it does not count."),
    Column("adopts", sa.Boolean, nullable=False),
    Column("reason", Text, comment="Of a vote against."),
    Column("cast_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["quarter", "seat"], ["review_seats.quarter", "review_seats.person_id"]),
    sa.UniqueConstraint("quarter", "cast_by"),
    CheckConstraint("adopts OR reason IS NOT NULL", name="reason"),
)
