"""Appeals against cuts, one a case, and who is left out of the export of reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.appeals import OPEN, CutMonth
from policy.period import Month, Quarter
from policy.sizing import NEUTRAL, Factors
from policy.units import MicroTokens
from store import bulk
from store.reviews import drafts
from store.reviews.votes import VOTED
from store.tables.appeals import appeals, review_opt_outs
from store.tables.audit import audit_log
from store.tables.grants import grants
from store.tables.ledger import entries, lots
from store.tables.reviews import review_cases
from store.tables.reviews import reviews as reviews_table
from views import codec
from views.appeals import Appeal
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime
    from decimal import Decimal

    from policy.parameters.grants import SizingRules
    from store.engine import Session

FILED, ESCALATED, DECIDED, LAPSED = "appeal.file", "appeal.escalate", "appeal.decide", "appeal.lapse"
UPHELD = "appeal.uphold"
"""The actions by which the audit log tells of appeals; the last is that of silence."""
REMIND, ESCALATE, LAPSE, UPHOLD = "remind", "escalate", "lapse", "uphold"

_a, _c, _r = appeals.c, review_cases.c, reviews_table.c


_query = sa.select(*(_a[name] for name in Appeal.__dataclass_fields__))


def _appeal(row: Any) -> Appeal:  # noqa: ANN401 - a row of the query above
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["quarter"] = Quarter.parse(row.quarter)
    values["cut_from"] = Month.parse(row.cut_from) if row.cut_from else None
    return Appeal(**values)


def lock_case(session: Session, quarter: Quarter, person_id: str) -> bool:
    """Hold someone's case until the transaction ends, so that what is done about its appeal follows one another."""
    c = review_cases.c
    query = sa.select(c.person_id).where(c.quarter == str(quarter), c.person_id == person_id).with_for_update()
    return session.execute(query).one_or_none() is not None


def get(session: Session, quarter: Quarter, person_id: str) -> Appeal | None:
    query = _query.where(_a.quarter == str(quarter), _a.person_id == person_id)
    row = session.execute(query).one_or_none()
    return _appeal(row) if row else None


def insert(
    session: Session,
    quarter: Quarter,
    person_id: str,
    reason: str,
    *,
    remind_at: datetime,
    decide_by: datetime,
    now: datetime,
) -> None:
    session.execute(
        sa.insert(appeals).values(
            quarter=str(quarter),
            person_id=person_id,
            idempotency_key=f"appeal:{quarter}:{person_id}",
            reason=reason,
            filed_at=now,
            decide_by=decide_by,
            remind_at=remind_at,
        )
    )


def change(session: Session, appeal: Appeal, **values: object) -> Appeal | None:
    """Move an appeal from the state and revision that were read to the next; None when someone was quicker."""
    as_read = {name: getattr(appeal, name) for name in ("person_id", "revision", "state")}
    as_read["quarter"] = str(appeal.quarter)
    is_first = bulk.change(session, appeals, as_read, {"revision": appeal.revision + 1, **values})
    return get(session, appeal.quarter, appeal.person_id) if is_first else None


def of_quarter(session: Session, quarter: Quarter) -> dict[str, Appeal]:
    """The appeals against a review's cuts, by person."""
    rows = session.execute(_query.where(_a.quarter == str(quarter)).order_by(_a.person_id))
    return {row.person_id: _appeal(row) for row in rows}


def everything(session: Session) -> list[Appeal]:
    """Every appeal, of the oldest review first."""
    return [_appeal(row) for row in session.execute(_query.order_by(_a.quarter, _a.person_id))]


def all_open(session: Session) -> list[Appeal]:
    """What waits for a decision, the nearest deadline first."""
    query = _query.where(sa.text(f"appeals.state = '{OPEN}'")).order_by(_a.decide_by, _a.quarter, _a.person_id)
    return [_appeal(row) for row in session.execute(query)]


def due(session: Session, now: datetime, *, limit: int) -> list[tuple[str, str, datetime]]:
    """(appeal, step, instant) of what the calendar has to do about appeals, the longest due first.

    Of one that should have been decided by now only its end is due, whether anyone was reminded or not.
    """
    query = sa.select(_a.quarter, _a.person_id, _a.decide_by, _a.remind_at).where(sa.text(f"appeals.state = '{OPEN}'"))
    rows = session.execute(
        query.where(sa.or_(_a.decide_by <= now, _a.remind_at <= now)).order_by(_a.decide_by, _a.person_id).limit(limit)
    )
    steps = [
        (f"{quarter}/{person_id}", LAPSE, decide_by)
        if decide_by <= now
        else (f"{quarter}/{person_id}", REMIND, remind_at)
        for quarter, person_id, decide_by, remind_at in rows
    ]
    return sorted(steps, key=lambda step: (step[2], step[0]))


def note_reminded(session: Session, appeal: Appeal) -> None:
    """Remind no one about an appeal again."""
    noted = sa.update(appeals).where(_a.quarter == str(appeal.quarter), _a.person_id == appeal.person_id)
    session.execute(noted.values(remind_at=None))


def voters(session: Session, quarter: Quarter) -> frozenset[str]:
    """Who voted on a review's package, for themselves or for someone else."""
    return voters_of(session, [quarter])[quarter]


def voters_of(session: Session, quarters: Collection[Quarter]) -> dict[Quarter, frozenset[str]]:
    """The same of some reviews."""
    log = audit_log.c
    query = sa.select(log.subject, log.actor, log.after).where(log.action == VOTED)
    found: dict[str, set[str]] = {str(quarter): set() for quarter in quarters}
    for subject, actor, after in session.execute(query.where(log.subject.in_(sorted(found)))):
        found[subject] |= {actor, (after or {}).get("seat", actor)}
    return {quarter: frozenset(found[str(quarter)]) for quarter in quarters}


def cut_months(
    session: Session,
    quarter: Quarter,
    person_id: str,
    since: Month,
    *,
    at: datetime,
    rules_of: Callable[[str], SizingRules],
) -> Iterator[CutMonth]:
    """A person's grants from a month on that were posted up to an instant, as they would have been without a case.

    `rules_of` gives the sizing of a version of the handbook.
    """
    g = grants.c
    query = (
        sa.select(g.month, g.factors, g.handbook_version, entries.c.posted_at)
        .join(entries, entries.c.id == g.entry_id)
        .where(g.person_id == person_id, g.month >= str(since), entries.c.posted_at <= at)
    )
    for name, factors, version, posted_at in session.execute(query.order_by(g.month)).all():
        month = Month.parse(name)
        if _counted_later(session, quarter, person_id, month, posted_at):
            continue
        restored = _restored(session, quarter, person_id, month, at=at)
        yield CutMonth(month, codec.read(Factors, factors), restored, rules_of(version))


def _counted_later(session: Session, quarter: Quarter, person_id: str, month: Month, posted_at: datetime) -> bool:
    """Whether a later review's case made a grant what it is: then its own appeal gives back, and no other."""
    query = _adopted_cases(person_id, month).where(
        _c.quarter > str(quarter),
        # Filed after the grant, an appeal came too late to suspend it.
        sa.or_(_a.state.is_(None), _a.filed_at >= posted_at, _a.cut_from <= str(month)),
    )
    return session.execute(query.limit(1)).first() is not None


def _adopted_cases(person_id: str, month: Month) -> sa.Select[Any]:
    """The quarters of someone's cases in adopted reviews that hold in a month, with their appeals."""
    return (
        sa.select(_c.quarter)
        .join(reviews_table, _r.quarter == _c.quarter)
        .outerjoin(appeals, sa.and_(_a.quarter == _c.quarter, _a.person_id == _c.person_id))
        .where(_c.person_id == person_id, _r.state == ADOPTED, _r.holds_from <= str(month))
    )


def _restored(session: Session, quarter: Quarter, person_id: str, month: Month, *, at: datetime) -> Decimal:
    """`reviews.factors_on` for one person, without the case of a review, as it was known at an instant."""
    query = (
        _adopted_cases(person_id, month)
        .where(_c.quarter < str(quarter), _r.decided_at <= at)
        # An appeal that came later suspended nothing yet.
        .where(sa.or_(_a.state.is_(None), _a.filed_at > at, _a.cut_from <= str(month)))
        .order_by(_c.quarter.desc())
        .limit(1)
    )
    last = session.execute(query).scalar_one_or_none()
    kept = None if last is None else drafts.case(session, Quarter.parse(last), person_id)
    return NEUTRAL if kept is None else kept.factor


def credited(session: Session, entry_id: int) -> MicroTokens:
    """What an upheld appeal's entry gave back."""
    query = sa.select(lots.c.amount).where(lots.c.entry_id == entry_id)
    return MicroTokens(session.execute(query).scalar_one())


# --- Who is left out -----------------------------------------------------------------------------------------------


def opted_out(session: Session) -> frozenset[str]:
    return frozenset(session.execute(sa.select(review_opt_outs.c.person_id)).scalars())


def opt_out(session: Session, person_id: str, *, now: datetime) -> bool:
    """Leave someone out; False when they are already."""
    if person_id in opted_out(session):
        return False
    session.execute(sa.insert(review_opt_outs).values(person_id=person_id, since=now))
    return True


def opt_in(session: Session, person_id: str) -> bool:
    """Leave someone out no longer; False when they were not."""
    back = sa.delete(review_opt_outs).where(review_opt_outs.c.person_id == person_id)
    return session.execute(back).rowcount == 1
