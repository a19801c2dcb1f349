"""Whether appeals are as the audit log tells, were decided by those who may, and gave back exactly what a cut took."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy import handbook
from policy.appeals import LAPSED, OPEN, REJECTED, UPHELD, deciders, owed_back
from policy.kinds import EntryKind, LotKind
from store.appeals import records as store
from store.appeals.annual import KEY as ANNUAL
from store.audit import POLICY
from store.handbook import reference
from store.reviews import drafts
from store.tables.appeals import appeals as table
from store.tables.audit import audit_log
from store.tables.ledger import accounts, entries, lots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.parameters.grants import SizingRules
    from policy.units import MicroTokens
    from store.engine import Session
    from views.appeals import Appeal

ENDS = {REJECTED: store.DECIDED, LAPSED: store.LAPSED}
"""What the audit log calls the end of an appeal in each state; one is upheld by a decision or by silence."""


def differences(session: Session) -> Iterator[str]:
    """A sentence for each appeal, and each entry of one, that does not hold."""
    told = _told(session)
    for appeal in store.everything(session):
        log = told.pop(appeal.id, {})
        yield from _as_told(appeal, log)
        decided = log.get(store.DECIDED)
        if decided is not None:
            yield from _by_whom_may(session, appeal, decided.after)
        end = decided or log.get(store.UPHELD)
        if appeal.state == UPHELD and appeal.entry_id is None and not (end and end.after.get("left")):
            owed = _owed(session, appeal)
            if owed:
                yield f"appeal {appeal.id}: upheld, nothing was given back, {int(owed)} are owed"
    for subject in told:
        yield f"appeal {subject} is in the audit log only"
    yield from _entries(session)


def _told(session: Session) -> dict[str, dict[str, Any]]:
    """What the log tells of each appeal, by action; a row that should not be there stands under its number."""
    a = audit_log.c
    query = sa.select(a.seq, a.at, a.subject, a.action, a.actor, a.after)
    told: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    actions = (store.FILED, store.ESCALATED, store.DECIDED, store.LAPSED, store.UPHELD)
    for row in session.execute(query.where(a.action.in_(actions)).order_by(a.seq)):
        of = told[row.subject]
        of[f"{row.action} {row.seq}" if row.action in of else row.action] = row
    return dict(told)


def _as_told(appeal: Appeal, log: dict[str, Any]) -> Iterator[str]:
    filed = log.get(store.FILED)
    if filed is None or (filed.actor, filed.at) != (appeal.person_id, appeal.filed_at):
        yield f"appeal {appeal.id}: that {appeal.person_id} filed it then is not in the audit log"
    expected = {store.FILED} if appeal.state == OPEN else {store.FILED, _end(appeal)}
    if appeal.escalated_at is not None:
        expected.add(store.ESCALATED)
    if log.keys() != expected or (appeal.escalated_at is None and _end(appeal) == store.UPHELD):
        yield f"appeal {appeal.id}: {appeal.state}, the audit log says {sorted(log)}"
        return
    if appeal.state == OPEN:
        return
    end = log[_end(appeal)]
    after = {name: end.after.get(name) for name in ("state", "cut_from", "entry_id")}
    stands = (
        appeal.decided_by,
        appeal.decided_at,
        {
            "state": appeal.state,
            "cut_from": str(appeal.cut_from) if appeal.cut_from else None,
            "entry_id": appeal.entry_id,
        },
    )
    if stands != (end.actor, end.at, after):
        yield f"appeal {appeal.id}: {appeal.state} by {appeal.decided_by}, the audit log says {after} by {end.actor}"


def _end(appeal: Appeal) -> str:
    if appeal.state == UPHELD:
        return store.UPHELD if appeal.decided_by == POLICY else store.DECIDED
    return ENDS.get(appeal.state, "")


def _by_whom_may(session: Session, appeal: Appeal, after: dict[str, Any]) -> Iterator[str]:
    """Of those who sat on the board then: no party, and no voter while there was someone else."""
    case = drafts.case(session, appeal.quarter, appeal.person_id)
    if case is None:
        yield f"appeal {appeal.id}: its case is gone"
        return
    able = deciders(
        after.get("seats", ()),
        concerned={appeal.person_id, case.case.team, *after.get("concerned", ())},
        case_decided_by=case.decided_by,
        voted=store.voters(session, appeal.quarter),
        called_in=after.get("called_in", ()),
    )
    if appeal.decided_by not in able:
        yield f"appeal {appeal.id}: {appeal.decided_by} decided it, and had a part in it or no seat"


def _entries(session: Session) -> Iterator[str]:
    """Every entry of an appeal is that of one that was upheld, in its person's wallet, as large as what is owed."""
    e, a = entries.c, table.c
    query = (
        sa.select(
            e.id,
            e.idempotency_key,
            a.quarter,
            a.person_id,
            a.state,
            lots.c.amount,
            lots.c.kind,
            accounts.c.person_id.label("owner"),
        )
        .select_from(entries)
        .outerjoin(table, a.entry_id == e.id)
        .outerjoin(lots, lots.c.entry_id == e.id)
        .outerjoin(accounts, accounts.c.id == lots.c.account_id)
        # Those against the annual review are proved with it.
        .where(
            sa.or_(
                sa.and_(e.kind == EntryKind.APPEAL, e.idempotency_key.not_like(f"{ANNUAL}%")), a.entry_id.is_not(None)
            )
        )
    )
    appeals = {(str(one.quarter), one.person_id): one for one in store.everything(session)}
    for row in session.execute(query).all():
        appeal = appeals.get((row.quarter, row.person_id))
        if appeal is None or row.idempotency_key != f"appeal:{appeal.id}" or appeal.state != UPHELD:
            yield f"entry {row.idempotency_key}: it is of no appeal that was upheld"
            continue
        owed = int(_owed(session, appeal))
        if (row.owner, row.kind, row.amount) != (appeal.person_id, LotKind.APPEAL, owed):
            yield f"appeal {appeal.id}: {row.amount} went to {row.owner}, what the cut took is {owed}"


def _owed(session: Session, appeal: Appeal) -> MicroTokens:
    review = drafts.get(session, appeal.quarter)
    assert review is not None  # noqa: S101 - a foreign key
    assert review.holds_from is not None  # noqa: S101 - only adopted reviews can be appealed against
    assert appeal.decided_at is not None  # noqa: S101 - a constraint
    months = store.cut_months(
        session,
        appeal.quarter,
        appeal.person_id,
        review.holds_from,
        at=appeal.decided_at,
        rules_of=lambda version: _rules(session, version),
    )
    return owed_back(months)


def _rules(session: Session, version: str) -> SizingRules:
    body = reference.handbook_body(session, version)
    assert body is not None  # noqa: S101 - a foreign key
    return handbook.parse(body).sizing
