"""The names in usage: events as gateways reported them, their versions, what was refused, and what left quarantine.

An event of somebody is that of an id from then on, and one of no one names nobody. What waits in quarantine keeps its
names, since it is by them that it finds its person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store import bulk
from store.privacy.parts import ERASED, Part, Scope, keyed
from store.tables.intake import quarantine_steps
from store.tables.ledger import accounts, entries, postings
from store.tables.usage import quarantine, usage_conflicts, usage_events, usage_reversals, usage_versions
from store.usage import ids
from store.usage.events import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from store.engine import Session

_e, _v, _c, _q, _s = usage_events.c, usage_versions.c, usage_conflicts.c, quarantine.c, quarantine_steps.c
Key = tuple[str, str]
Names = list[list[str]]
IDENTITIES = "identities"


def _event_of(table: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.source == _e.source, table.c.event_id == _e.event_id)


_waits = sa.exists().where(_event_of(quarantine), _q.released_at.is_(None))
_has_versions = sa.exists().where(_event_of(usage_versions))
_code = sa.func.coalesce(accounts.c.code, "")
"""Of the account that paid: `wallet:per_…` or `company:per_…`; empty where none did."""
_payer = sa.func.replace(sa.func.replace(_code, "wallet:", ""), "company:", "")


def _codes(person_id: str | None) -> tuple[str, str]:
    return f"wallet:{person_id}", f"company:{person_id}"


def _of(scope: Scope, over: Any) -> Any:  # noqa: ANN401 - conditions
    """Of a person, by the accounts that paid for them; or over by then."""
    if scope.before is not None:
        return over(scope.before)
    return accounts.c.code.in_(_codes(scope.person_id))


def _is_named(session: Session, names: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether names are more than the id of whoever paid."""
    length = sa.func.jsonb_array_length if bulk.is_postgresql(session) else sa.func.json_array_length
    of_id = sa.and_(names[(0, 0)].as_string() == "user", names[(0, 1)].as_string() == _payer)
    return sa.case((length(names) == 0, sa.false()), (sa.and_(length(names) == 1, of_id), sa.false()), else_=sa.true())


def _unnamed(code: str) -> Names:
    """The names of an event that is known by an id alone."""
    person_id = code.partition(":")[2]
    return [["user", person_id]] if person_id else []


# --- Events ----------------------------------------------------------------------------------------------------------


def _events(named_by: sa.Table | None = None) -> sa.Select[Any]:
    """Events, all or those that a table names."""
    columns = (_e.source, _e.event_id, _code.label("code"))
    some = usage_events if named_by is None else ids.with_events(named_by)
    return sa.select(*columns).outerjoin_from(some, accounts, accounts.c.id == _e.account_id)


def _posted(session: Session, scope: Scope) -> sa.Select[Any]:
    """Events that an entry paid for and nobody corrected, by the entries: no index of events has their time."""
    query = sa.select(_e.source, _e.event_id, _code.label("code"), _e.entry_id.label("place")).select_from(usage_events)
    query = query.join(accounts, accounts.c.id == _e.account_id).where(
        _is_named(session, _e.identities), ~_has_versions
    )
    if scope.before is None:
        own = sa.select(accounts.c.id).where(accounts.c.code.in_(_codes(scope.person_id)))
        paid = sa.select(postings.c.entry_id).where(postings.c.account_id.in_(own))
        return query.where(_e.entry_id.in_(paid), accounts.c.code.in_(_codes(scope.person_id)))
    within = entries.c.posted_at < scope.before
    if scope.since is not None:
        within &= entries.c.posted_at >= scope.since
    # The index is gone through between the first such entry and the last, not through all that came since.
    first, last = session.execute(sa.select(sa.func.min(entries.c.id), sa.func.max(entries.c.id)).where(within)).one()
    query = query.join(entries, entries.c.id == _e.entry_id).where(within)
    return query.where(_e.entry_id.between(first or 0, last or 0))


def _free(session: Session, scope: Scope) -> sa.Select[Any]:
    """Events that cost nothing."""
    query = _events().where(_e.entry_id.is_(None), _e.account_id.is_not(None), ~_has_versions)
    return query.where(_is_named(session, _e.identities), _of(scope, lambda before: _e.occurred_at < before))


def _corrected(session: Session, scope: Scope) -> sa.Select[Any]:
    """Events that were corrected or withdrawn: they and their versions say the same, so they change together."""
    told = sa.exists().where(
        _event_of(usage_versions), _v.content.is_not(None), _is_named(session, _v.content[IDENTITIES])
    )
    named = sa.or_(_is_named(session, _e.identities), told.correlate(usage_events, accounts))
    query = _events().where(ids.named_in(usage_versions), ~_waits, named)
    if scope.before is not None:
        return query.where(~sa.exists().where(_event_of(usage_versions), _v.kept_at >= scope.before))
    own = sa.select(accounts.c.id).where(accounts.c.code.in_(_codes(scope.person_id)))
    # Someone else's by now: its earlier versions still name them.
    once = sa.exists().where(_event_of(usage_reversals), usage_reversals.c.account_id.in_(own))
    return query.where(sa.or_(_e.account_id.in_(own), once))


def _discarded(session: Session, scope: Scope) -> sa.Select[Any]:
    """Events that someone decided never to debit: they are no one's."""
    query = _events(quarantine).where(~_has_versions)
    return query.where(_is_named(session, _e.identities), _q.discarded_at < scope.before)


def _forget_events(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    changed = [(row.source, row.event_id, json_text(_unnamed(row.code))) for row in rows]
    ids.change(session, (IDENTITIES,), changed)


def _forget_corrected(session: Session, scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    _forget_events(session, scope, rows)
    _forget_versions(session, {(row.source, row.event_id): row.code for row in rows})


def _forget_versions(session: Session, code_of: Mapping[Key, str]) -> None:
    query = sa.select(*usage_versions.primary_key, _v.content).where(_v.content.is_not(None))
    query = query.where(sa.tuple_(_v.source, _v.event_id).in_(list(code_of)))
    changed = [
        (v.source, v.event_id, v.revision, json_text(v.content | {IDENTITIES: _unnamed(code_of[v.source, v.event_id])}))
        for v in session.execute(query)
    ]
    bulk.update(session, usage_versions, ("source", "event_id", "revision", "content"), changed, key=3)


# --- What was refused, and what left quarantine ----------------------------------------------------------------------


def _conflicts(session: Session, scope: Scope) -> sa.Select[Any]:
    """Contents that were refused."""
    columns = (*usage_conflicts.primary_key, _code.label("code"), _c.offered)
    query = sa.select(*columns).select_from(ids.with_events(usage_conflicts))
    query = query.outerjoin(accounts, accounts.c.id == _e.account_id).where(~_waits)
    # A withdrawal that was refused says nothing of whose it was.
    query = query.where(_c.offered[IDENTITIES].as_string().is_not(None), _is_named(session, _c.offered[IDENTITIES]))
    return query.where(_of(scope, lambda before: _c.last_seen_at < before))


def _forget_conflicts(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    changed = [
        (row.source, row.event_id, bytes(row.fingerprint), json_text(row.offered | {IDENTITIES: _unnamed(row.code)}))
        for row in rows
    ]
    bulk.update(session, usage_conflicts, ("source", "event_id", "fingerprint", "offered"), changed, key=3)


def _details(_session: Session, scope: Scope) -> sa.Select[Any]:
    """Why events had waited: the detail names who was not known."""
    query = _events(quarantine).where(_q.detail != ERASED)
    return query.where(_q.released_at.is_not(None), _of(scope, lambda before: _q.released_at < before))


def _forget_details(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    session.execute(sa.update(quarantine).where(keyed(quarantine, rows)).values(detail=ERASED))


def _steps(session: Session, scope: Scope) -> sa.Select[Any]:
    """What events said before they were put right while they waited."""
    query = sa.select(_s.id, _s.source, _code.label("code"), _s.before)
    query = query.select_from(ids.with_events(quarantine_steps))
    query = query.outerjoin(accounts, accounts.c.id == _e.account_id)
    query = query.where(_s.before.is_not(None), ~_waits, _is_named(session, _s.before[IDENTITIES]))
    return query.where(_of(scope, lambda before: _s.at < before))


def _forget_steps(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    changed = [(row.id, json_text(row.before | {IDENTITIES: _unnamed(row.code)})) for row in rows]
    bulk.update(session, quarantine_steps, ("id", "before"), changed)


POSTED = Part(name="usage_events", found=_posted, change=_forget_events, place=_e.entry_id, is_usage=True)
FREE = Part(name="usage_events, free", found=_free, change=_forget_events, is_usage=True)
CORRECTED = Part(name="usage_events, corrected", found=_corrected, change=_forget_corrected, is_usage=True)
DISCARDED = Part(name="usage_events, discarded", found=_discarded, change=_forget_events, is_usage=True)
CONFLICTS = Part(name="usage_conflicts", found=_conflicts, change=_forget_conflicts, is_usage=True)
DETAILS = Part(name="quarantine", found=_details, change=_forget_details, is_usage=True)
STEPS = Part(name="quarantine_steps", found=_steps, change=_forget_steps, is_usage=True)
PARTS = (POSTED, FREE, CORRECTED, DISCARDED, CONFLICTS, DETAILS, STEPS)
"""Everything in which names stand by which usage was reported."""


def forget(session: Session, person_id: str, names: list[str]) -> int:
    """Usage of somebody is that of an id; what no one has paid for and names them is no one's; how many events."""
    scope = Scope(person_id=person_id)
    events = sum(part.take_all(session, scope) for part in (POSTED, FREE, CORRECTED))
    for part in (CONFLICTS, DETAILS, STEPS):
        part.take_all(session, scope)
    return events + _forget_unpaid(session, person_id, set(names))


def _forget_unpaid(session: Session, person_id: str, names: set[str]) -> int:
    """Of usage that waits or was discarded, and of what it said before."""
    unpaid = sa.or_(_q.released_at.is_(None), _q.discarded_at.is_not(None))
    query = sa.select(_e.source, _e.event_id, _e.identities).select_from(ids.with_events(quarantine)).where(unpaid)
    theirs = [(source, event_id) for source, event_id, said in session.execute(query) if _are_among(said, names)]
    code = f"wallet:{person_id}"
    unnamed = json_text(_unnamed(code))
    ids.change(session, (IDENTITIES,), [(*key, unnamed) for key in theirs])
    bulk.update(session, quarantine, ("source", "event_id", "detail"), [(*key, ERASED) for key in theirs], key=2)
    _forget_versions(session, dict.fromkeys(theirs, code))
    steps = sa.select(_s.id, sa.literal(code).label("code"), _s.before).join_from(
        quarantine_steps, quarantine, sa.and_(_s.source == _q.source, _s.event_id == _q.event_id)
    )
    rows = session.execute(steps.where(unpaid, _s.before.is_not(None))).all()
    _forget_steps(session, Scope(), [row for row in rows if _are_among(row.before[IDENTITIES], names)])
    return len(theirs)


def _are_among(said: Names, names: set[str]) -> bool:
    return any(value in names or value.lower() in names for _, value in said)
