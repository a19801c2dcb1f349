"""What is held until a transaction ends, and the order in which it is taken (docs/decisions/0005).

These locks are no rows: each stands for something that many rows are part of. SQLite has one writer anyway, so there
they cost nothing. Rows are locked where they are read: a run, a request, a proposal, a review, a case, accounts.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from store import bulk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from store.engine import Session


class Lock(IntEnum):
    """A key of PostgreSQL's advisory locks. Replicas of two releases work side by side, so a key never changes."""

    MIGRATIONS = 7_263_002
    """Two replicas that start together migrate one after the other."""
    RETENTION = 7_263_007
    """Two replicas do not take away the same rows, and count them twice."""
    MONTHS = 7_263_008
    """Two batches with the first events of a month make room for it one after the other."""
    CHARGES = 7_263_009
    """Two replicas do not add up the same day of a month that runs."""
    PEOPLE = 7_263_006
    """What was checked of people together, such as who reports to whom, is so when it is stored."""
    HANDBOOKS = 7_263_004
    """Each version is judged by the one that came before it."""
    GRANTS = 7_263_005
    """What grants are sized by does not change before they are posted."""
    VALUES = 7_263_003
    """Two people who adopt a quarter's value at once do so one after the other."""
    AUDIT = 7_263_001
    """One writer at a time extends the chain."""


ORDER = (
    "migrations",
    "retention",
    "charges",
    "people",
    "runs",
    "bills",
    "sources",
    "months",
    "holds",
    "quarantine",
    "requests",
    "cash_questions",
    "handbooks",
    "handbook_proposals",
    "grants",
    "reviews",
    "review_cases",
    "values",
    "accounts",
    "cap_sums",
    "charge_changes",
    "slack_rates",
    "audit",
)
"""Whoever holds one takes no earlier one, so no one waits in a circle. A table's name stands for locks of its rows."""


def hold(session: Session, lock: Lock) -> None:
    """Hold a lock until the transaction ends; whoever comes second waits."""
    if bulk.is_postgresql(session):
        bulk.fetch(session, "SELECT pg_advisory_xact_lock(%s)", (int(lock),))


def share(session: Session, lock: Lock) -> None:
    """Hold a lock together with others who share it, until the transaction ends; whoever holds it alone comes after."""
    if bulk.is_postgresql(session):
        bulk.fetch(session, "SELECT pg_advisory_xact_lock_shared(%s)", (int(lock),))


def hold_sources(session: Session, of: Literal["usage", "outcomes", "requests"], sources: Iterable[str]) -> None:
    """Let one batch of a source in at a time, so that what is known of it stays true until we commit.

    Requests for one project, or about one incident, are such a source: each counts in the class of the next. Whoever
    has to wait for too long gives up: else the queue is soon of those alone whose callers ask again already.

    The unique keys of the tables remain the last word.
    """
    if bulk.is_postgresql(session):
        for source in sorted(sources):
            bulk.fetch(session, _ONE_AT_A_TIME, (SOURCE_PATIENCE, f"{of}:{source}"))


SOURCE_PATIENCE = "10s"
_ONE_AT_A_TIME = """\
SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock(hashtextextended(%s, 0)),
       set_config('lock_timeout', before.setting, true)
FROM (SELECT current_setting('lock_timeout') AS setting OFFSET 0) AS before"""
"""The patience is this lock's alone, in one statement: `OFFSET 0` has what was set before read first."""
