"""Gates between phases, the votes on them, and the months in which the roll-out stood still."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, SmallInteger, Table, Text

from store.columns import AmountColumn, Instant, Json
from store.tables.base import metadata
from store.tables.handbook import handbooks
from store.tables.people import people
from store.tables.roi import roi_reports

gates = Table(
    "gates",
    metadata,
    Column("id", Text, primary_key=True, comment="The phase behind it and the month with which that would begin."),
    Column("phase", SmallInteger, nullable=False),
    Column("month", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("revision", AmountColumn, nullable=False, server_default="1"),
    Column("asked_at", Instant, nullable=False),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False, comment="Whose criteria hold."),
    Column("through", Text, ForeignKey(roi_reports.c.through), comment="The report that is its evidence, if any."),
    Column("criteria", Json, nullable=False, comment="What was asked for and what was found."),
    Column("seats", Json, nullable=False, comment="Who was asked: [person, kind, is_chair, is_finance], ..."),
    Column("needed", AmountColumn, nullable=False, comment="So many members decide, one of them of finance."),
    Column("stage", SmallInteger, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    CheckConstraint("state IN ('open', 'passed', 'extended', 'stopped')", name="state"),
    CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
)

gate_votes = Table(
    "gate_votes",
    metadata,
    Column("gate", Text, ForeignKey(gates.c.id), primary_key=True),
    Column("seat", Text, ForeignKey(people.c.id), primary_key=True, comment="Whose vote it is; one a seat."),
    Column("cast_by", Text, ForeignKey(people.c.id), nullable=False, comment="The same person, or their delegate."),
    Column("choice", Text, nullable=False),
    Column("reason", Text),
    Column("cast_at", Instant, nullable=False),
    CheckConstraint("choice IN ('go_on', 'extend', 'stop')", name="choice"),
    CheckConstraint("choice = 'go_on' OR reason IS NOT NULL", name="reason"),
)

rollout_pauses = Table(
    "rollout_pauses",
    metadata,
    Column("month", Text, primary_key=True, comment="In which the roll-out stands still."),
    Column("phase", SmallInteger, nullable=False, comment="That waits."),
    Column("noted_at", Instant, nullable=False),
    comment="Months by which later phases and waves move; they are only added to.",
)
