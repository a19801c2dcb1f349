"""Appeals against what the annual review takes of grants, one a person and year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.appeals import OPEN, REJECTED, ReviewedMonth
from policy.period import Month
from policy.sizing import Factors
from store import bulk
from store.tables.annual import annual_appeals
from store.tables.grants import grants
from store.tables.ledger import entries
from views import codec
from views.appeals import AnnualAppeal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from policy.parameters.grants import SizingRules
    from store.engine import Session

FILED, DECIDED, UPHELD = "annual_appeal.file", "annual_appeal.decide", "annual_appeal.uphold"
"""The actions by which the audit log tells of them; the last is that of silence."""
REMIND, UPHOLD = "remind", "uphold"
KEY = "appeal:annual:"
"""How the key of an entry begins that gives back what an annual review took."""

_a = annual_appeals.c
_query = sa.select(*(_a[name] for name in AnnualAppeal.__dataclass_fields__))


def _appeal(row: Any) -> AnnualAppeal:  # noqa: ANN401 - a row of the query above
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["counts_from"] = Month.parse(row.counts_from) if row.counts_from else None
    return AnnualAppeal(**values)


def get(session: Session, year: int, person_id: str) -> AnnualAppeal | None:
    row = session.execute(_query.where(_a.year == year, _a.person_id == person_id)).one_or_none()
    return _appeal(row) if row else None


def everything(session: Session) -> list[AnnualAppeal]:
    return [_appeal(row) for row in session.execute(_query.order_by(_a.year, _a.person_id))]


def all_open(session: Session) -> list[AnnualAppeal]:
    """What waits for a decision, the nearest deadline first."""
    query = _query.where(sa.text(f"annual_appeals.state = '{OPEN}'")).order_by(_a.decide_by, _a.year, _a.person_id)
    return [_appeal(row) for row in session.execute(query)]


def insert(
    session: Session,
    year: int,
    person_id: str,
    reason: str,
    *,
    remind_at: datetime,
    decide_by: datetime,
    now: datetime,
) -> None:
    values = {"reason": reason, "filed_at": now, "remind_at": remind_at, "decide_by": decide_by}
    session.execute(sa.insert(annual_appeals).values(year=year, person_id=person_id, **values))


def change(session: Session, appeal: AnnualAppeal, **values: object) -> AnnualAppeal | None:
    """Move an appeal from the state and revision that were read to the next; None when someone was quicker."""
    as_read = {name: getattr(appeal, name) for name in ("year", "person_id", "revision", "state")}
    is_first = bulk.change(session, annual_appeals, as_read, {"revision": appeal.revision + 1, **values})
    return get(session, appeal.year, appeal.person_id) if is_first else None


def note_reminded(session: Session, appeal: AnnualAppeal) -> None:
    """Remind no one about an appeal again."""
    noted = sa.update(annual_appeals).where(_a.year == appeal.year, _a.person_id == appeal.person_id)
    session.execute(noted.values(remind_at=None))


def due(session: Session, now: datetime, *, limit: int) -> list[tuple[str, str, datetime]]:
    """(appeal, step, instant) of what the calendar has to do about appeals, the longest due first."""
    query = sa.select(_a.year, _a.person_id, _a.decide_by, _a.remind_at).where(
        sa.text(f"annual_appeals.state = '{OPEN}'")
    )
    rows = session.execute(
        query.where(sa.or_(_a.decide_by <= now, _a.remind_at <= now)).order_by(_a.decide_by, _a.person_id).limit(limit)
    )
    steps = [
        (f"{year}/{person_id}", UPHOLD, decide_by) if decide_by <= now else (f"{year}/{person_id}", REMIND, remind_at)
        for year, person_id, decide_by, remind_at in rows
    ]
    return sorted(steps, key=lambda step: (step[2], step[0]))


def suspended(session: Session, month: Month) -> set[tuple[int, str]]:
    """(year, person) of the reviews that do not count in a month: an appeal is open or upheld, or ended only then."""
    waits = sa.or_(_a.state != REJECTED, _a.counts_from > str(month))
    return {(year, person_id) for year, person_id in session.execute(sa.select(_a.year, _a.person_id).where(waits))}


def reviewed_months(
    session: Session, appeal: AnnualAppeal, *, at: datetime, rules_of: Callable[[str], SizingRules]
) -> Iterator[ReviewedMonth]:
    """A person's grants with the factor of the year, of those that were posted up to an instant."""
    g = grants.c
    query = (
        sa.select(g.month, g.factors, g.handbook_version)
        .join(entries, entries.c.id == g.entry_id)
        .where(g.person_id == appeal.person_id, g.month > f"{appeal.year}-", entries.c.posted_at <= at)
    )
    for month, kept, version in session.execute(query.order_by(g.month)).all():
        factors = codec.read(Factors, kept)
        if factors.annual is not None and factors.annual.year == appeal.year:
            yield ReviewedMonth(Month.parse(month), factors, rules_of(version))
