"""Versions of usage events: what is known of each, what it was debited, and the reversals that undid it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.versions import REPORTED
from store import bulk
from store.tables.ledger import accounts, entries
from store.tables.usage import (
    quarantine,
    usage_conflicts,
    usage_days,
    usage_events,
    usage_reversals,
    usage_versions,
)
from store.usage import events, ids
from store.usage.events import EventPosting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from policy.metering import Meter, UsageEvent
    from policy.versions import Action, Version
    from store.engine import Session

Key = tuple[str, str]
"""(source, event id)"""
UNREPORTED = b""
"""Stands for the fingerprint of an event of which only a later version has come."""


class Posted(NamedTuple):
    """An event as it stands: its content, the version that holds, and its debit; all None while it has none."""

    event: UsageEvent
    revision: int
    posting: EventPosting | None
    person_id: str | None
    service_key: str | None
    value_version: str | None
    posted_at: datetime | None

    @property
    def key(self) -> Key:
        return self.event.source, self.event.event_id


class KeptVersion(NamedTuple):
    """A version as it was kept."""

    revision: int
    action: Action
    fingerprint: bytes
    content: Mapping[str, Any] | None
    reason: str
    actor: str
    kept_at: datetime


class Reversal(NamedTuple):
    """What a version of an event had been debited, and the entry that undid it."""

    source: str
    event_id: str
    reversal_entry_id: int
    revision: int
    meters: Mapping[Meter, int]
    account_id: int
    price_id: str
    cost_nano_usd: int
    debit_micro_tokens: int
    entry_id: int


_e = usage_events.c
POSTED = (
    sa.select(
        *(_e[name] for name in events.EVENT_COLUMNS),
        _e.revision,
        accounts.c.person_id,
        entries.c.memo,
        entries.c.value_version,
        entries.c.posted_at,
    )
    .outerjoin_from(usage_events, entries, entries.c.id == _e.entry_id)
    .outerjoin(accounts, accounts.c.id == _e.account_id)
)


def posted(row: Any) -> Posted:  # noqa: ANN401 - a row of `POSTED`
    """An event with what it was debited."""
    event = events.event_of(row)
    debit = EventPosting(*(getattr(row, name) for name in EventPosting._fields)) if row.account_id else None
    return Posted(event, row.revision, debit, row.person_id, row.memo, row.value_version, row.posted_at)


def standing(session: Session, keys: Iterable[Key]) -> dict[Key, Posted]:
    """Some events as they stand; those that never came are left out."""
    found: dict[Key, Posted] = {}
    for some in bulk.chunks(sorted(set(keys))):
        rows = session.execute(POSTED.where(ids.among(session, some)).order_by(_e.source, _e.event_id))
        found.update((one.key, one) for one in map(posted, rows))
    return found


def waiting(session: Session, keys: Iterable[Key]) -> dict[Key, bool]:
    """Whether each event that ever was in quarantine still is; held, so that no one releases them meanwhile."""
    q = quarantine.c
    columns = sa.select(q.source, q.event_id, q.released_at)
    found: dict[Key, bool] = {}
    for query in _of(columns, quarantine, keys):
        for source, event_id, released_at in session.execute(query.order_by(q.event_id).with_for_update()):
            found[source, event_id] = released_at is None
    return found


def kept(session: Session, keys: Iterable[Key]) -> dict[Key, dict[int, KeptVersion]]:
    """The versions that are kept of some events, by revision; none of an event that has only its first."""
    v = usage_versions.c
    columns = sa.select(v.source, v.event_id, *(v[name] for name in KeptVersion._fields))
    found: defaultdict[Key, dict[int, KeptVersion]] = defaultdict(dict)
    for query in _of(columns, usage_versions, keys):
        for source, event_id, *row in session.execute(query.order_by(v.event_id, v.revision)):
            version = KeptVersion._make(row)
            found[source, event_id][version.revision] = version._replace(fingerprint=bytes(version.fingerprint))
    return found


def reversals(session: Session, key: Key) -> list[Reversal]:
    """What undid the debits of an event, oldest first."""
    r = usage_reversals.c
    query = sa.select(usage_reversals).where(r.source == key[0], r.event_id == key[1]).order_by(r.reversal_entry_id)
    return [Reversal(*(getattr(row, name) for name in Reversal._fields)) for row in session.execute(query)]


def balance_of(session: Session, account_id: int) -> int:
    """What the account that paid for an event holds."""
    balance: int = session.execute(sa.select(accounts.c.balance).where(accounts.c.id == account_id)).scalar_one()
    return balance


def _of(query: sa.Select[Any], table: sa.Table, keys: Iterable[Key]) -> Iterator[sa.Select[Any]]:
    """The query for the events of some keys, source by source in their order."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for source, event_id in sorted(set(keys)):
        ids[source].append(event_id)
    for source, some in sorted(ids.items()):
        for part in bulk.chunks(some):
            yield query.where(table.c.source == source, table.c.event_id.in_(part))


VERSION_COLUMNS = ("source", "event_id", *KeptVersion._fields)


def keep_reported(session: Session, some: Iterable[Posted], *, now: datetime) -> None:
    """Keep events as they were reported, before a correction takes their place."""
    instant = bulk.instant_codec(session)
    rows = [
        (*one.key, REPORTED, "report", one.event.fingerprint, _content(one.event), "", "intake", instant(at))
        for one in some
        for at in [one.posted_at or now]
    ]
    bulk.insert(session, usage_versions, VERSION_COLUMNS, rows)


def keep(session: Session, some: Iterable[Version], *, actor: str, now: datetime) -> None:
    """Keep versions that were not known before."""
    at = bulk.instant_codec(session)(now)
    rows = [
        (*v.key, v.revision, v.action, v.fingerprint, _content(v.event) if v.event else None, v.reason, actor, at)
        for v in some
    ]
    bulk.insert(session, usage_versions, VERSION_COLUMNS, rows)


def keep_late(session: Session, late: Sequence[UsageEvent], *, now: datetime) -> None:
    """Keep events that were reported after a later version of them: they change nothing but what is known."""
    at = bulk.instant_codec(session)(now)
    rows = [(e.source, e.event_id, REPORTED, "report", e.fingerprint, _content(e), "", "intake", at) for e in late]
    bulk.insert(session, usage_versions, VERSION_COLUMNS, rows)
    known = [(e.source, e.event_id, e.fingerprint) for e in late]
    ids.change(session, ("fingerprint",), known)
    before = standing(session, [(e.source, e.event_id) for e in late])
    # Of what was withdrawn before it came nothing else is known.
    fill(session, [e for e in late if not before[e.source, e.event_id].event.provider])


def refuse(session: Session, some: Iterable[Version], *, now: datetime) -> None:
    """Note what was offered under a revision that already says something else; each offer once."""
    at = bulk.instant_codec(session)(now)
    rows = [
        (*v.key, v.fingerprint, events.json_text(said | {"revision": v.revision}), at, at, 1)
        for v in some
        for said in [events.content(v.event) if v.event else {"withdrawn": True}]
    ]
    columns = ("source", "event_id", "fingerprint", "offered", "first_seen_at", "last_seen_at", "times")
    bulk.insert_missing(session, usage_conflicts, columns, rows)


def _content(event: UsageEvent) -> str:
    return events.json_text(events.content(event))


CONTENT_COLUMNS = ("occurred_at", "identities", "provider", "model", "tier", "meters", "project")


def fill(session: Session, contents: Iterable[UsageEvent]) -> None:
    """Give events another content."""
    instant = bulk.instant_codec(session)
    rows = [(e.source, e.event_id, *_columns(e, instant(e.occurred_at))) for e in contents]
    ids.change(session, CONTENT_COLUMNS, rows)


def _columns(event: UsageEvent, occurred_at: object) -> tuple[Any, ...]:
    identities, meters = events.json_text(event.identities), events.json_text(event.meters)
    return (occurred_at, identities, event.provider, event.model, event.tier, meters, event.project)


def settle(session: Session, some: Iterable[tuple[Key, int, EventPosting | None]]) -> None:
    """Say of events which version holds, and what it is debited."""
    columns = ("revision", *EventPosting._fields)
    rows = [(*key, revision, *(debit or (None,) * len(EventPosting._fields))) for key, revision, debit in some]
    ids.change(session, columns, rows)


def note_reversals(session: Session, some: Iterable[Reversal]) -> None:
    rows = [one._replace(meters=events.json_text(one.meters)) for one in some]  # type: ignore[arg-type]  # as the driver takes it
    bulk.insert(session, usage_reversals, Reversal._fields, rows)


def hold(
    session: Session, some: Sequence[tuple[UsageEvent, str, str]], known: Mapping[Key, bool], *, now: datetime
) -> None:
    """Put events into quarantine with (reason, detail), also those that were in it before; `known` as of `waiting`."""
    of = {(event.source, event.event_id): (event, reason, detail) for event, reason, detail in some}
    events.hold(session, [one for key, one in of.items() if key not in known], now=now)
    events.explain_hold(session, [one for key, one in of.items() if key in known])
    since = bulk.instant_codec(session)(now)
    rows = [(*key, since, None) for key in of if known.get(key) is False]
    bulk.update(session, quarantine, ("source", "event_id", "since", "released_at"), rows, key=2)


def take_back(session: Session, keys: Iterable[Key]) -> None:
    """Events that may have been discarded are so no more: a later version of them holds."""
    rows = [(*key, None) for key in keys]
    bulk.update(session, quarantine, ("source", "event_id", "discarded_at"), rows, key=2)


def let_go(session: Session, keys: Iterable[Key], *, now: datetime) -> None:
    """Events leave quarantine."""
    at = bulk.instant_codec(session)(now)
    bulk.update(session, quarantine, ("source", "event_id", "released_at"), [(*key, at) for key in keys], key=2)


def services_on(session: Session, places: Iterable[tuple[date, int]]) -> dict[tuple[date, int, str, str], set[str]]:
    """By (day, wallet, model, project) the services that were used: for use that was free, and so has no entry."""
    d = usage_days.c
    found: defaultdict[tuple[date, int, str, str], set[str]] = defaultdict(set)
    wallets: defaultdict[date, set[int]] = defaultdict(set)
    for day, account_id in places:
        wallets[day].add(account_id)
    for day, payers in sorted(wallets.items()):
        query = sa.select(d.day, d.account_id, d.model, d.project, d.service_key)
        for some in bulk.chunks(sorted(payers)):
            for *key, service in session.execute(query.where(d.day == day, d.account_id.in_(some))):
                found[tuple(key)].add(service)
    return found


def forget_empty_days(session: Session, days: Iterable[date]) -> None:
    """Take out lines of the roll-up that no call is left of."""
    for some in bulk.chunks(sorted(set(days))):
        session.execute(sa.delete(usage_days).where(usage_days.c.day.in_(some), usage_days.c.calls == 0))


class Scope(NamedTuple):
    """Which events a bulk change is about: of a time, and of what `matches` says."""

    begin: datetime
    end: datetime
    matches: sa.ColumnElement[bool]

    @property
    def condition(self) -> sa.ColumnElement[bool]:
        """Of those that are debited or wait: what was withdrawn is left alone."""
        q = quarantine.c
        waits = sa.exists().where(q.source == _e.source, q.event_id == _e.event_id, q.released_at.is_(None))
        standing = sa.or_(_e.cost_nano_usd.is_not(None), waits)
        return sa.and_(_e.occurred_at >= self.begin, _e.occurred_at < self.end, self.matches, standing)


def named(session: Session, kind: str, name: str, source: str | None) -> sa.ColumnElement[bool]:
    """Events that name someone so, exactly as the gateway reported it; of one source, or of any."""
    if bulk.is_postgresql(session):
        pair = events.json_text([[kind, name]])
        said = sa.text("usage_events.identities @> CAST(:pair AS JSONB)").bindparams(pair=pair)
    else:
        pairs = "SELECT 1 FROM json_each(usage_events.identities) AS one WHERE one.value = json_array(:kind, :name)"
        said = sa.text(f"EXISTS ({pairs})").bindparams(kind=kind, name=name)
    of_source = sa.true() if source is None else _e.source == source
    return sa.and_(said, of_source)


def bought(provider: str, model: str | None) -> sa.ColumnElement[bool]:
    """Use of a provider's model, or of all of its models."""
    of_model = sa.true() if model is None else _e.model == model
    return sa.and_(_e.provider == provider, of_model)


def count(session: Session, scope: Scope) -> int:
    return session.execute(sa.select(sa.func.count()).select_from(usage_events).where(scope.condition)).scalar_one()


def page(session: Session, scope: Scope, *, after: Key | None, limit: int) -> list[Key]:
    """The next events of a scope, in the order of their numbers."""
    query = sa.select(_e.source, _e.event_id).where(scope.condition).order_by(_e.id).limit(limit)
    if after is not None:
        query = query.where(ids.after(after))
    return [(source, event_id) for source, event_id in session.execute(query)]
