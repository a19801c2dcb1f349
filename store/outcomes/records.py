"""Outcomes of work: every version that a source told, which of them counts, and what waits for its person."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.outcomes import Merge, Outcome
from store import bulk
from store.tables.outcomes import outcome_links, outcomes
from store.tables.people import reporting_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from policy.outcomes import Kind, OutcomeReport, Unit
    from store.engine import Session
    from store.people.teams import Lines

_c = outcomes.c


class Owner(NamedTuple):
    """Whose an outcome is: a team (by its manager) or a person; None where it is no one's."""

    unit: Unit | None = None
    unit_id: str | None = None
    batch: str | None = None
    waiting_for: str | None = None


class Waiting(NamedTuple):
    """An outcome of someone whom no one knows yet."""

    id: int
    source: str
    outcome_id: str
    kind: Kind
    day: date
    project: str
    lines: int | None
    user: str
    since: datetime


def known(session: Session, source: str, outcome_ids: Iterable[str]) -> dict[str, set[bytes]]:
    """The fingerprints of the versions that we have of some outcomes."""
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    query = sa.select(_c.outcome_id, _c.fingerprint).where(_c.source == source)
    for some in bulk.chunks(sorted(set(outcome_ids))):
        for outcome_id, fingerprint in session.execute(query.where(_c.outcome_id.in_(some))):
            found[outcome_id].add(bytes(fingerprint))
    return found


def insert(session: Session, told: Sequence[tuple[OutcomeReport, date, Owner]], *, now: datetime) -> None:
    rows = [
        {
            "source": one.source,
            "outcome_id": one.outcome_id,
            "fingerprint": one.fingerprint,
            "kind": one.kind,
            "occurred_at": one.occurred_at,
            "day": day,
            "as_of": one.as_of or now,
            "state": one.state,
            "project": one.project,
            "lines": one.lines,
            "figure": one.figure,
            "metric": one.metric,
            "reverts": list(one.reverts) or None,
            "merge": one.merge and one.merge._asdict(),
            "received_at": now,
            **owner._asdict(),
        }
        for one, day, owner in told
    ]
    if rows:
        session.execute(sa.insert(outcomes), rows)
    links = {(link, one.source, one.outcome_id) for one, _, _ in told for link in one.links}
    bulk.insert_missing(session, outcome_links, ("link", "source", "outcome_id"), sorted(links))


def waiting(session: Session, *, limit: int | None = None, after: int = 0) -> list[Waiting]:
    """What waits for its person, in the order in which it came."""
    query = sa.select(
        _c.id, _c.source, _c.outcome_id, _c.kind, _c.day, _c.project, _c.lines, _c.waiting_for, _c.received_at
    )
    query = query.where(_c.waiting_for.is_not(None), _c.id > after).order_by(_c.id).limit(limit)
    return [Waiting(*row) for row in session.execute(query)]


def count_waiting(session: Session) -> int:
    return session.execute(sa.select(sa.func.count()).where(_c.waiting_for.is_not(None))).scalar_one()


def attribute(session: Session, outcome_id: int, owner: Owner) -> bool:
    """Say whose an outcome is, and forget the name it waited by; whether this call did it."""
    statement = sa.update(outcomes).where(_c.id == outcome_id, _c.waiting_for.is_not(None)).values(**owner._asdict())
    return session.execute(statement).rowcount == 1


def counting(session: Session, begin: date, end: date) -> list[Outcome]:
    """The version that counts of each outcome of some days; `end` is no longer one of them."""
    return _outcomes(session, _latest(_c.day >= begin, _c.day < end))


def reverting(session: Session, since: date) -> list[Outcome]:
    """The same of what takes back others, from a day on."""
    return _outcomes(session, _latest(_c.reverts.is_not(None), _c.day >= since))


def linked(session: Session, links: Iterable[str], since: date, until: date = date.max) -> list[Outcome]:
    """The version that counts of each outcome of some links, from one day to another."""
    c = outcome_links.c
    found: list[Outcome] = []
    for some in bulk.chunks(sorted(links)):
        keys = sa.select(c.source, c.outcome_id).where(c.link.in_(some))
        found += _outcomes(
            session, _latest(sa.tuple_(_c.source, _c.outcome_id).in_(keys), _c.day.between(since, until))
        )
    return found


def latest(session: Session, *, limit: int) -> list[Outcome]:
    """What came last, the newest first."""
    return _outcomes(session, _latest().order_by(_c.id.desc()).limit(limit))


def _latest(*conditions: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    """Of each outcome the version that no other is later than; content decides between versions of one instant."""
    other = outcomes.alias()
    # What tells nothing of its way is of before, when nobody read it.
    rank = sa.tuple_(_c.as_of, _c.state, _c.merge.is_not(None), _c.fingerprint)
    later = sa.exists().where(
        other.c.source == _c.source,
        other.c.outcome_id == _c.outcome_id,
        sa.tuple_(other.c.as_of, other.c.state, other.c.merge.is_not(None), other.c.fingerprint) > rank,
    )
    return sa.select(*(outcomes.c[name] for name in Outcome._fields)).where(~later, *conditions)


def _outcomes(session: Session, query: sa.Select[tuple[object, ...]]) -> list[Outcome]:
    rows = session.execute(query).mappings()
    return [
        Outcome(**row | {"reverts": tuple(row["reverts"] or ()), "merge": _merge(row["merge"])})
        for row in map(dict, rows)
    ]


def _merge(kept: dict[str, Any] | None) -> Merge | None:
    return Merge(**kept | {"copies": tuple(kept["copies"])}) if kept else None


def lines_of(session: Session, person_ids: Iterable[str]) -> Lines:
    """Each person's managers, from the day on which they are known to be."""
    found: defaultdict[str, list[tuple[date, str | None]]] = defaultdict(list)
    c = reporting_lines.c
    query = sa.select(c.person_id, c.holds_from, c.manager_id).order_by(c.person_id, c.holds_from)
    for some in bulk.chunks(sorted(person_ids)):
        for person_id, day, manager in session.execute(query.where(c.person_id.in_(some))):
            found[person_id].append((day, manager))
    return found
