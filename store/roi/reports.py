"""Reports of the return: kept once for a month, read again, and the figures of usage that they need."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.period import Month
from policy.roi.report import Basis, TeamMonth, TeamWeek
from store.tables.audit import audit_log
from store.tables.ledger import accounts
from store.tables.roi import roi_reports
from store.tables.usage import usage_days
from views import codec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from store.engine import Session

MADE = "roi.report"
"""The action by which the audit log tells of a report, with the digest of its inputs."""
_c = roi_reports.c


@dataclass(frozen=True, slots=True)
class Kept:
    """A report as it was kept: what it follows from."""

    through: Month
    made_at: datetime
    made_by: str
    handbook_version: str
    basis: Basis
    rows: tuple[TeamMonth, ...]
    weeks: tuple[TeamWeek, ...]
    digest: str


def digest(basis: Basis, rows: Sequence[TeamMonth], weeks: Sequence[TeamWeek]) -> str:
    """SHA-256 of everything that a report follows from."""
    return _sha256(_inputs(basis, rows, weeks))


def _inputs(basis: Basis, rows: Sequence[TeamMonth], weeks: Sequence[TeamWeek]) -> dict[str, Any]:
    return {
        "basis": codec.plain(basis),
        "rows": [list(row) for row in sorted(rows, key=lambda row: (row.month, row.team))],
        "weeks": [list(week) for week in sorted(weeks, key=lambda week: (week.monday, week.team))],
    }


def _sha256(inputs: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def insert(session: Session, kept: Kept) -> None:
    session.execute(
        sa.insert(roi_reports).values(
            through=str(kept.through),
            made_at=kept.made_at,
            made_by=kept.made_by,
            handbook_version=kept.handbook_version,
            inputs=_inputs(kept.basis, kept.rows, kept.weeks),
            inputs_digest=kept.digest,
        )
    )


def get(session: Session, through: Month) -> Kept | None:
    row = session.execute(sa.select(roi_reports).where(_c.through == str(through))).mappings().one_or_none()
    return None if row is None else _kept(dict(row))


def latest(session: Session) -> Kept | None:
    row = session.execute(sa.select(roi_reports).order_by(_c.through.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else _kept(dict(row))


def latest_of(session: Session, months: Sequence[Month]) -> Kept | None:
    """The report through the last of some months that has one."""
    query = sa.select(roi_reports).where(_c.through.in_([str(one) for one in months]))
    row = session.execute(query.order_by(_c.through.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else _kept(dict(row))


def _kept(row: dict[str, Any]) -> Kept:
    inputs = row["inputs"]
    rows = tuple(TeamMonth(*one) for one in inputs["rows"])
    weeks = tuple(TeamWeek(*one) for one in inputs["weeks"])
    basis = codec.read(Basis, inputs["basis"])
    through = Month.parse(row["through"])
    return Kept(
        through, row["made_at"], row["made_by"], row["handbook_version"], basis, rows, weeks, row["inputs_digest"]
    )


def differences(session: Session) -> Iterator[str]:
    """A sentence for each report whose inputs are not those that it was made from."""
    audited = {
        subject: (after or {}).get("inputs_digest")
        for subject, after in session.execute(
            sa.select(audit_log.c.subject, audit_log.c.after).where(audit_log.c.action == MADE)
        )
    }
    for through, inputs, kept in session.execute(sa.select(_c.through, _c.inputs, _c.inputs_digest)):
        if _sha256(inputs) != kept:
            yield f"report of the return {through}: its inputs are not those that it was made from"
        if audited.get(through) != kept:
            yield f"report of the return {through}: the audit log tells of a report from other inputs"


class Spent(NamedTuple):
    """What somebody's wallet paid for in a month: micro-tokens and nano-USD."""

    tokens: int
    cost: int


def spent(session: Session, month: Month) -> dict[str, Spent]:
    """Of everyone whose wallet paid for anything; exceptions are in it, what the company paid for outsiders is not."""
    d = usage_days.c
    query = (
        sa.select(accounts.c.person_id, sa.func.sum(d.debit_micro_tokens), sa.func.sum(d.cost_nano_usd))
        .join(accounts, accounts.c.id == d.account_id)
        .where(d.day >= month.first_day, d.day < month.next().first_day, accounts.c.person_id.is_not(None))
        .group_by(accounts.c.person_id)
    )
    return {person_id: Spent(int(tokens), int(cost)) for person_id, tokens, cost in session.execute(query)}


def drawn_before(session: Session, instant: datetime) -> bool:
    """Whether the audit log tells that waves were drawn by lot before an instant."""
    query = sa.select(sa.func.count()).where(audit_log.c.action == "rollout.draw", audit_log.c.at < instant)
    return bool(session.execute(query).scalar_one())
