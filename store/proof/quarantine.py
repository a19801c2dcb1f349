"""Proof of what leaves quarantine: each event as it says, and each step of a person as the audit log tells."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.tables.audit import audit_log
from store.tables.intake import quarantine_steps
from store.tables.usage import quarantine, usage_events, usage_versions
from store.usage import ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

ACTIONS = {"quarantine.fix": "fixed", "quarantine.discard": "discarded"}
"""What the audit log calls it, and the step that it leaves at each event."""


def quarantined_events(session: Session) -> Iterator[str]:
    """An event waits exactly as long as it has no cost and was neither discarded nor withdrawn; those cost nothing."""
    q, e, v = quarantine.c, usage_events.c, usage_versions.c
    withdrawn = sa.exists().where(
        v.source == e.source, v.event_id == e.event_id, v.revision == e.revision, v.action == "withdraw"
    )
    waits = sa.and_(q.event_id.is_not(None), q.released_at.is_(None))
    query = sa.select(e.source, e.event_id, e.cost_nano_usd, q.discarded_at).outerjoin_from(
        usage_events, quarantine, sa.and_(q.source == e.source, q.event_id == e.event_id)
    )
    over = sa.or_(q.discarded_at.is_not(None), withdrawn)
    settled = sa.or_(e.cost_nano_usd.is_not(None), over)
    twice = sa.and_(e.cost_nano_usd.is_not(None), over)
    for row in session.execute(query.where(sa.or_(waits == settled, twice))):
        if row.discarded_at is not None:
            state = "is discarded and " + ("has a cost" if row.cost_nano_usd is not None else "waits in quarantine")
        elif row.cost_nano_usd is not None:
            state = "has a cost and waits in quarantine"
        else:
            state = "has no cost and does not wait"
        yield f"event {row.source}/{row.event_id} {state}"


def quarantine_as_audited(session: Session) -> Iterator[str]:
    """Whatever was corrected or discarded was so by those of whom the audit log tells, as many events as it tells."""
    a, s = audit_log.c, quarantine_steps.c
    told: Counter[tuple[str, str]] = Counter()
    for action, actor, after in session.execute(sa.select(a.action, a.actor, a.after).where(a.action.in_(ACTIONS))):
        told[ACTIONS[action], actor] += after["events"]
    done = sa.select(s.step, s.actor, sa.func.count()).where(s.step.in_(ACTIONS.values())).group_by(s.step, s.actor)
    found = Counter({(step, actor): count for step, actor, count in session.execute(done)})
    for step, actor in sorted(told.keys() | found.keys()):
        if told[step, actor] != found[step, actor]:
            yield (
                f"quarantine: {found[step, actor]} events were {step} by {actor},"
                f" the audit log tells of {told[step, actor]}"
            )
    yield from _discards(session)


def _discards(session: Session) -> Iterator[str]:
    """What was discarded has one step that says so; a later version takes that back, and it may be discarded again."""
    s, q, e = quarantine_steps.c, quarantine.c, usage_events.c
    same = sa.and_(s.source == q.source, s.event_id == q.event_id, s.step == "discarded")
    steps = sa.func.count(s.id)
    query = sa.select(q.source, q.event_id, steps.label("steps")).select_from(ids.with_events(quarantine))
    query = query.outerjoin(quarantine_steps, same).group_by(q.source, q.event_id, q.discarded_at, e.revision)
    expected = sa.case((q.discarded_at.is_not(None), 1), else_=0)
    wrong = sa.or_(sa.and_(e.revision == 0, steps != expected), steps < expected)
    for row in session.execute(query.having(wrong)):
        yield f"event {row.source}/{row.event_id}: its steps say that it was discarded {row.steps} times"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (quarantined_events, quarantine_as_audited)
