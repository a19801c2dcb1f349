"""Who did what, when: an append-only log in which every row carries the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store import bulk, locks
from store.locks import Lock
from store.tables.audit import audit_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from store.engine import Session

    Fields = Mapping[str, Any] | None

GENESIS = "0" * 64
POLICY = "policy"
"""The actor of what no person did: the calendar, by the rules."""


@dataclass(frozen=True, slots=True)
class Place:
    """The Slack message in which a person clicked a button."""

    channel: str | None = None
    ts: str | None = None


NOWHERE = Place()
_last = bulk.Prepared(
    sa.select(audit_log.c.seq, audit_log.c.hash).order_by(audit_log.c.seq.desc()).limit(sa.literal_column("1"))
)
_add = bulk.Typed(sa.insert(audit_log).values({c: sa.bindparam(f"to_{c.name}", type_=c.type) for c in audit_log.c}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Something that someone did; `before` and `after` hold what changed, never an amount of another person."""

    at: datetime
    actor: str
    action: str
    subject: str
    before: Fields = None
    after: Fields = None
    handbook_version: str | None = None
    slack_channel: str | None = None
    slack_ts: str | None = None


def append(session: Session, *records: Record) -> None:
    """Add rows to the chain; they become part of the caller's transaction."""
    if not records:
        return
    locks.hold(session, Lock.AUDIT)
    seq, previous = head(session) or (0, GENESIS)
    rows = []
    for number, record in enumerate(records, start=seq + 1):
        row = {"seq": number, **_columns(record), "previous_hash": previous}
        previous = row["hash"] = digest(row)
        rows.append(row)
    if len(rows) == 1:
        _add.change(session, {f"to_{name}": value for name, value in rows[0].items()})
    else:
        session.execute(sa.insert(audit_log), rows)


def _columns(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in Record.__dataclass_fields__}


def note(
    session: Session,
    actor: str,
    action: str,
    subject: str,
    *,
    at: datetime,
    before: Fields = None,
    after: Fields = None,
    handbook_version: str | None = None,
    place: Place = NOWHERE,
) -> None:
    """Add one row: who did what to what, and in which Slack message they clicked."""
    record = Record(
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        before=before,
        after=after,
        handbook_version=handbook_version,
        slack_channel=place.channel,
        slack_ts=place.ts,
    )
    append(session, record)


class Head(NamedTuple):
    """The last row of the chain."""

    seq: int
    hash: str


def head(session: Session) -> Head | None:
    """Where the chain ends; None while nothing is on record."""
    rows = _last.execute(session, {})
    return Head(*rows[0]) if rows else None


def begun_at(session: Session) -> datetime | None:
    """When the first row was added."""
    first = sa.select(audit_log.c.at).order_by(audit_log.c.seq).limit(1)
    return session.execute(first).scalar_one_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows are looked for; `action` is one (`grant.give`) or all of a topic (`grant`)."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    before: datetime | None = None


class Row(NamedTuple):
    """A row of the log, without what changed."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str


def listed(session: Session, wanted: Wanted, *, limit: int) -> list[Row]:
    """Rows, the latest first."""
    c = audit_log.c
    query = sa.select(*(c[name] for name in Row._fields)).order_by(c.seq.desc()).limit(limit)
    for column, value in ((c.actor, wanted.actor), (c.subject, wanted.subject)):
        if value is not None:
            query = query.where(column == value)
    if wanted.action is not None:
        topic = c.action.startswith(f"{wanted.action}.", autoescape=True)
        query = query.where(sa.or_(c.action == wanted.action, topic))
    if wanted.since is not None:
        query = query.where(c.at >= wanted.since)
    if wanted.before is not None:
        query = query.where(c.at < wanted.before)
    return [Row(*row) for row in session.execute(query)]


def row(session: Session, seq: int) -> dict[str, Any] | None:
    """One row with everything in it."""
    found = session.execute(sa.select(audit_log).where(audit_log.c.seq == seq)).mappings().one_or_none()
    return dict(found) if found else None


def missing_anchors(session: Session, anchors: Sequence[str]) -> Iterator[str]:
    """Every hash that was told once and is not in the chain any more: what came before it is gone or was rewritten."""
    known = sa.select(audit_log.c.hash).where(audit_log.c.hash.in_(anchors))
    found = set(session.execute(known).scalars())
    for anchor in anchors:
        if anchor not in found:
            yield f"anchor {anchor} is not in the audit log: rows up to it are missing, or were written anew"


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 over every column but the hash itself, in canonical JSON."""
    content = {key: row[key] for key in sorted(row) if key != "hash"} | {"at": row["at"].astimezone(UTC).isoformat()}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def broken_links(session: Session) -> Iterator[str]:
    """Every row whose hash or predecessor does not hold."""
    previous, expected_seq = GENESIS, 1
    for row in session.execute(sa.select(audit_log).order_by(audit_log.c.seq)).mappings():
        if row["seq"] != expected_seq or row["previous_hash"] != previous or digest(dict(row)) != row["hash"]:
            yield f"audit row {row['seq']} does not follow from row {expected_seq - 1}"
        previous, expected_seq = row["hash"], row["seq"] + 1
