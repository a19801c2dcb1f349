"""What waits in quarantine and why, what stands under its ids, and the steps in which it changes or leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.intake import quarantine_steps
from store.tables.usage import quarantine, usage_events
from store.usage import ids
from store.usage.events import CONTENT, QuarantinedEvent, event_of, json_text, only

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from policy.metering import UsageEvent
    from store.engine import Session

Key = tuple[str, str]
"""(source, event id)"""
State = Literal["waiting", "posted", "discarded", "corrected"]
Place = tuple["datetime", str, str]
"""(since, source, event id) of an event in the order in which quarantine is gone through."""

CONTENT_COLUMNS = ("fingerprint", "occurred_at", "identities", "provider", "model", "tier", "meters", "project")

_q = quarantine.c
_same = sa.and_(_q.source == usage_events.c.source, _q.event_id == usage_events.c.event_id)
_with_events = ids.with_events(quarantine)
_order = (_q.since, _q.source, _q.event_id)
_waits = _q.released_at.is_(None)
_corrected = (usage_events.c.revision > 0, "corrected")
_left = ((_q.discarded_at.is_not(None), "discarded"), (_waits & _q.since.is_not(None), "waiting"))
# Of what was corrected another version is right, and no plain event takes its place, also while it waits.
_state = sa.case(_corrected, *_left, else_="posted")
_own_state = sa.case(*_left, _corrected, else_="posted")
# Two people may have left on the same day, and what to do about their use is said of each.
_whose = sa.case((_q.reason == "not_employed", sa.cast(usage_events.c.identities, sa.Text)), else_="")


class Standing(NamedTuple):
    """The event that stands under an id."""

    event: UsageEvent
    state: State


class Step(NamedTuple):
    """What was done to an event that waits: by whom, why, and what it said until then, where that changed."""

    source: str
    event_id: str
    step: Literal["fixed", "replaced", "discarded"]
    at: datetime
    actor: str
    why: str
    before: dict[str, Any] | None = None
    fingerprint: bytes | None = None


class Group(NamedTuple):
    """Everything that waits for one and the same reason, of one person after they left; `example` came first."""

    reason: str
    detail: str
    events: int
    sources: tuple[str, ...]
    first_used: datetime
    last_used: datetime
    since: datetime
    example: UsageEvent


class Case(NamedTuple):
    """An event that waits or once did, and how it came and left."""

    event: UsageEvent
    state: State
    reason: str
    detail: str
    since: datetime
    left_at: datetime | None
    steps: tuple[Step, ...]


def _among(keys: Collection[Key], table: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.tuple_(table.c.source, table.c.event_id).in_(sorted(keys))


def lock(session: Session, keys: Collection[Key]) -> None:
    """Hold those of some events that wait until the transaction ends."""
    query = sa.select(_q.event_id).where(_among(keys, quarantine), _waits).order_by(*_order)
    session.execute(query.with_for_update(of=quarantine)).all()


def standing(session: Session, keys: Collection[Key]) -> dict[Key, Standing]:
    """What stands under some ids, for those that are known."""
    query = sa.select(*CONTENT, _state.label("state")).outerjoin_from(usage_events, quarantine, _same)
    rows = session.execute(query.where(ids.among(session, keys)))
    return {(row.source, row.event_id): Standing(event_of(row), row.state) for row in rows}


def corrected(session: Session, keys: Collection[Key]) -> set[Key]:
    """Those of some events of which a later version holds."""
    e = usage_events.c
    query = sa.select(e.source, e.event_id).where(e.revision > 0, ids.among(session, keys))
    return {(source, event_id) for source, event_id in session.execute(query)}


def versions_waiting(
    session: Session, *, limit: int, after: Place | None = None, source: str | None = None, key: Key | None = None
) -> list[tuple[QuarantinedEvent, int]]:
    """What waits although a later version of it holds, the oldest first, and the revision of each; nothing is held."""
    e = usage_events.c
    query = sa.select(*CONTENT, _q.reason, _q.detail, _q.since, e.revision).select_from(_with_events)
    query = query.where(_waits, e.revision > 0, *_wanted(after, source, key)).order_by(*_order).limit(limit)
    return [
        (QuarantinedEvent(event_of(row), row.reason, row.detail, row.since), row.revision)
        for row in session.execute(query)
    ]


def reasons(session: Session, keys: Iterable[Key]) -> dict[Key, str]:
    """Why those of some events wait that do."""
    wanted = list(keys)
    if not wanted:
        return {}
    query = sa.select(_q.source, _q.event_id, _q.reason).where(_waits, _among(wanted, quarantine))
    return {(source, event_id): reason for source, event_id, reason in session.execute(query)}


def contents_replaced(session: Session, keys: Collection[Key]) -> set[tuple[str, str, bytes]]:
    """(source, event id, fingerprint) of contents that stood under some ids until others took their place."""
    c = quarantine_steps.c
    query = sa.select(c.source, c.event_id, c.fingerprint).where(_among(keys, quarantine_steps))
    rows = session.execute(query.where(c.fingerprint.is_not(None)))
    return {(source, event_id, bytes(fingerprint)) for source, event_id, fingerprint in rows}


def rewrite(session: Session, events: Sequence[UsageEvent]) -> None:
    """Give events that wait another content; nothing was posted for them yet."""
    instant = bulk.instant_codec(session)
    rows = [
        (
            event.source,
            event.event_id,
            event.fingerprint,
            instant(event.occurred_at),
            json_text(event.identities),
            event.provider,
            event.model,
            event.tier,
            json_text(event.meters),
            event.project,
        )
        for event in events
    ]
    ids.change(session, CONTENT_COLUMNS, rows)


def note(session: Session, steps: Sequence[Step]) -> None:
    """Keep what was done."""
    if steps:
        session.execute(sa.insert(quarantine_steps), [step._asdict() for step in steps])


def discard(session: Session, keys: Sequence[Key], *, now: datetime) -> int:
    """Let events leave without being debited, ever; how many of them still waited."""
    if not keys:
        return 0
    left = sa.update(quarantine).where(_among(keys, quarantine), _waits)
    return session.execute(left.values(released_at=now, discarded_at=now)).rowcount


def is_discarded(session: Session, key: Key) -> bool:
    query = sa.select(_q.discarded_at).where(_q.source == key[0], _q.event_id == key[1])
    return session.execute(query).scalar() is not None


def locked(
    session: Session, *, limit: int, after: Place | None = None, source: str | None = None, key: Key | None = None
) -> list[QuarantinedEvent]:
    """What waits, the oldest first, held until the transaction ends: all of it, a source's, or one event."""
    query = sa.select(_q.source, _q.event_id).where(_waits, *_wanted(after, source, key))
    query = query.order_by(*_order).limit(limit)
    keys = [(row.source, row.event_id) for row in session.execute(query.with_for_update(of=quarantine))]
    if not keys:
        return []
    # Read once they are ours: while we waited their content may have been replaced.
    found = sa.select(*CONTENT, _q.reason, _q.detail, _q.since).select_from(_with_events)
    rows = session.execute(found.where(_among(keys, quarantine), _waits).order_by(*_order))
    return [QuarantinedEvent(event_of(row), row.reason, row.detail, row.since) for row in rows]


def _wanted(after: Place | None, source: str | None, key: Key | None) -> Iterator[sa.ColumnElement[bool]]:
    if after is not None:
        place = (sa.literal(value, column.type) for value, column in zip(after, _order, strict=True))
        yield sa.tuple_(*_order) > sa.tuple_(*place)
    if source is not None:
        yield _q.source == source
    if key is not None:
        yield _q.source == key[0]
        yield _q.event_id == key[1]


def groups(session: Session, *, limit: int, source: str | None = None, reason: str | None = None) -> list[Group]:
    """What waits, all or of one gateway or reason, by reason and detail, the largest groups first."""
    wanted = only(source, reason)
    e = usage_events.c
    alike = (_q.reason, _q.detail, _whose)
    rows = (
        sa.select(
            *CONTENT,
            _q.reason,
            _q.detail,
            sa.func.count().over(partition_by=alike).label("events"),
            sa.func.min(e.occurred_at).over(partition_by=alike).label("first_used"),
            sa.func.max(e.occurred_at).over(partition_by=alike).label("last_used"),
            _q.since,
            sa.func.row_number().over(partition_by=alike, order_by=_order).label("nth"),
            _whose.label("whose"),
        )
        .select_from(_with_events)
        .where(_waits, *wanted)
        .subquery()
    )
    query = sa.select(rows).where(rows.c.nth == 1)
    query = query.order_by(rows.c.events.desc(), rows.c.reason, rows.c.detail, rows.c.whose).limit(limit)
    sources = _sources_by_group(session, wanted)
    return [
        Group(
            row.reason,
            row.detail,
            row.events,
            tuple(sources[row.reason, row.detail, row.whose]),
            row.first_used,
            row.last_used,
            row.since,
            event_of(row),
        )
        for row in session.execute(query)
    ]


def _sources_by_group(
    session: Session, wanted: Sequence[sa.ColumnElement[bool]]
) -> dict[tuple[str, str, str], list[str]]:
    query = sa.select(_q.reason, _q.detail, _whose, _q.source).select_from(_with_events)
    query = query.where(_waits, *wanted).distinct().order_by(_q.source)
    found: dict[tuple[str, str, str], list[str]] = {}
    for reason, detail, whose, source in session.execute(query):
        found.setdefault((reason, detail, whose), []).append(source)
    return found


def locate(session: Session, name: str) -> list[Key]:
    """The events that wait or once did with that name: an id, or SOURCE/ID, in which both may have slashes."""
    parts = name.split("/")
    keys = [("/".join(parts[:i]), "/".join(parts[i:])) for i in range(1, len(parts))]
    query = sa.select(_q.source, _q.event_id).order_by(_q.source, _q.event_id)
    named = _q.event_id == name
    if keys:
        named |= _among(keys, quarantine)
    return [(source, event_id) for source, event_id in session.execute(query.where(named))]


def case_of(session: Session, key: Key) -> Case:
    """An event that `locate` found, with everything that was done to it."""
    query = sa.select(*CONTENT, _own_state.label("state"), _q.reason, _q.detail, _q.since, _q.released_at)
    query = query.select_from(_with_events).where(_q.source == key[0], _q.event_id == key[1])
    row = session.execute(query).one()
    c = quarantine_steps.c
    done = sa.select(*(c[name] for name in Step._fields)).where(c.source == key[0], c.event_id == key[1])
    steps = tuple(Step(*step) for step in session.execute(done.order_by(c.id)))
    return Case(event_of(row), row.state, row.reason, row.detail, row.since, row.released_at, steps)
