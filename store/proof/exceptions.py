"""Whether exceptions were decided by their votes and booked as decided, and break-glass cost what was used of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from policy import exceptions
from policy.kinds import EntryKind
from policy.period import day_of
from store import time_zones
from store.exceptions import requests as requests_store
from store.exceptions import votes as votes_store
from store.handbook import reference
from store.tables.audit import audit_log
from store.tables.exceptions import request_votes, requests
from store.tables.ledger import accounts, entries, lot_movements, lots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session


def exceptions_as_decided(session: Session) -> Iterator[str]:
    """Every exception in the ledger is that of one request, in its requester's wallet, as large as was granted."""
    r, e = requests.c, entries.c
    query = (
        sa.select(
            e.idempotency_key, lots.c.amount, accounts.c.person_id, r.id, r.granted, r.person_id.label("requester")
        )
        .select_from(entries)
        .outerjoin(lots, lots.c.entry_id == e.id)
        .outerjoin(accounts, accounts.c.id == lots.c.account_id)
        .outerjoin(requests, r.entry_id == e.id)
        .where(e.kind == EntryKind.EXCEPTION)
    )
    for row in session.execute(query):
        if row.idempotency_key != f"exception:{row.id}":
            yield f"entry {row.idempotency_key}: request {row.id} names it"
        elif (row.amount, row.person_id) != (row.granted, row.requester):
            yield f"request {row.id}: {row.granted} granted to {row.requester}, {row.amount} went to {row.person_id}"
    credited = sa.select(r.id, e.kind).join(entries, e.id == r.entry_id).where(e.kind != EntryKind.EXCEPTION)
    for request_id, kind in session.execute(credited):
        yield f"request {request_id}: its entry is of kind {kind}"


def votes_as_audited(session: Session) -> Iterator[str]:
    """The votes on every request are those that the audit log tells of, one a seat."""
    a, v = audit_log.c, request_votes.c
    told: dict[tuple[str, str], tuple[str, bool]] = {}
    log = sa.select(a.subject, a.actor, a.after).where(a.action == "request.vote").order_by(a.seq)
    for subject, actor, after in session.execute(log):
        told[subject, after["seat"]] = (actor, after["approves"])
    for request_id, seat, cast_by, approves in session.execute(sa.select(v.request_id, v.seat, v.cast_by, v.approves)):
        if told.pop((request_id, seat), None) != (cast_by, approves):
            yield f"request {request_id}: the vote of {seat} is not the one in the audit log"
    for request_id, seat in told:
        yield f"request {request_id}: the vote of {seat} is in the audit log only"


def decisions_as_counted(session: Session) -> Iterator[str]:
    """What was decided by votes follows from them, counted again."""
    zone = time_zones.zone(reference.fact(session, "time_zone"), ZoneInfo("UTC"))
    expected = {"approved": "approved", "ratified": "approved", "rejected": "rejected"}
    decided = [one for one in requests_store.made_between(session, None, None) if one.state in expected]
    polls = votes_store.polls(session, decided)
    for request in decided:
        if request.decided_at is None:
            continue
        day = day_of(request.decided_at, zone)
        panel, votes = polls[request.id]
        standing = [one.vote for one in votes if one.last_day is None or one.last_day >= day]
        counted = exceptions.tally(panel, request.stage, standing)
        if counted.outcome != expected[request.state]:
            yield f"request {request.id}: {request.state}, its votes say {counted.outcome}"


def unratified_as_spent(session: Session) -> Iterator[str]:
    """What was spent and what returned are the whole credit, and at most what was spent was taken off a grant."""
    returned, netted = _taken(EntryKind.RETURN, "returned:"), _taken(EntryKind.NETTING, "netted:")
    r = requests.c
    query = sa.select(r.id, r.granted, r.spent, r.netted, returned.label("returned"), netted.label("taken"))
    for row in session.execute(query.where(r.spent.is_not(None))):
        if row.spent + row.returned != row.granted:
            yield f"request {row.id}: {row.granted} granted, but {row.spent} spent and {row.returned} returned"
        if (row.netted or 0) != row.taken or row.taken > row.spent:
            yield f"request {row.id}: {row.spent} spent, {row.netted} netted, {row.taken} taken off a grant"


def _taken(kind: EntryKind, prefix: str) -> sa.ScalarSelect[int]:
    """What the entry of a kind about each request took from lots."""
    total = sa.func.coalesce(sa.func.sum(lot_movements.c.amount), 0)
    query = sa.select(total).join_from(entries, lot_movements, lot_movements.c.entry_id == entries.c.id)
    about_it = entries.c.idempotency_key == sa.literal(prefix) + requests.c.id
    return query.where(entries.c.kind == kind, about_it).correlate(requests).scalar_subquery()


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    exceptions_as_decided,
    unratified_as_spent,
    votes_as_audited,
    decisions_as_counted,
)
