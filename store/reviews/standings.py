"""Figures of a review as a whole, read without what only a single case is shown with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.reviews.proposal import AMENDED, HELD, ChangeCounts
from store.reviews.drafts import delta_now
from store.tables.reviews import review_cases, review_inputs

if TYPE_CHECKING:
    from policy.period import Quarter
    from store.engine import Session

_c, _i = review_cases.c, review_inputs.c


class CaseFigures(NamedTuple):
    """What figures of all cases are made from: a case as it stands, without its reasons, and whose it is."""

    person_id: str
    level: str
    team: str
    wave: int | None
    delta_thousandths: int
    decision: str
    state_after: str
    bound: str
    missing: str
    utilisation_permille: int | None
    grant_before: int | None
    grant_after: int | None


class Totals(NamedTuple):
    """How many cases there are of each kind, as they stand."""

    counted: ChangeCounts
    held: int
    amended: int

    @property
    def cases(self) -> int:
        return self.counted.raised + self.counted.cut + self.counted.unchanged


def standings(session: Session, quarter: Quarter) -> list[CaseFigures]:
    """Everyone's case by person id, read without what only a single case is shown with."""
    rest = (_c[name] for name in CaseFigures._fields[5:])
    query = (
        sa.select(_c.person_id, _i.level, _i.team, _i.wave, delta_now(), *rest)
        .join(review_inputs, sa.and_(_i.quarter == _c.quarter, _i.person_id == _c.person_id))
        .where(_c.quarter == str(quarter), _i.is_case)
        .order_by(_c.person_id)
    )
    return [CaseFigures._make(row) for row in session.execute(query)]


def totals(session: Session, quarter: Quarter) -> Totals:
    """The cases of a review, counted."""

    def count(where: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((where, 1), else_=0)), 0)

    query = sa.select(
        sa.func.count(),
        count(delta_now() > 0),
        count(delta_now() < 0),
        count(_c.decision == HELD),
        count(_c.decision == AMENDED),
    )
    found = session.execute(query.where(_c.quarter == str(quarter))).one()
    cases_, raised, cut, held, amended = (int(number) for number in found)
    return Totals(ChangeCounts(raised, cut, cases_ - raised - cut), held, amended)


def used(session: Session, quarter: Quarter) -> list[int]:
    """The share of their grants that people used, in thousandths, of those of whom it is known."""
    query = sa.select(_c.utilisation_permille).where(_c.quarter == str(quarter), _c.utilisation_permille.is_not(None))
    return list(session.execute(query).scalars())
