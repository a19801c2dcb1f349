"""Groups of the annual review: who is in which, from which month on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.annual import annual_groups
from store.tables.grants import grants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from policy.period import Month
    from store.engine import Session

_g = annual_groups.c


class AnnualRow(NamedTuple):
    """Someone's group."""

    holds_from: str
    person_id: str
    year: int
    group_name: str
    imported_at: datetime
    imported_by: str


def replace(session: Session, month: Month, rows: Sequence[AnnualRow]) -> None:
    """Make these the groups that count from a month on."""
    session.execute(sa.delete(annual_groups).where(_g.holds_from == str(month)))
    instant = bulk.instant_codec(session)
    bulk.insert(
        session,
        annual_groups,
        AnnualRow._fields,
        [row._replace(imported_at=instant(row.imported_at)) for row in rows],
    )


def on(session: Session, month: Month, person_id: str | None = None) -> dict[str, AnnualRow]:
    """Everyone's group in a month, or one's, by person: of the latest import that counts from it or an earlier one."""
    latest = sa.select(sa.func.max(_g.holds_from)).where(_g.holds_from <= str(month)).scalar_subquery()
    query = sa.select(*(_g[name] for name in AnnualRow._fields)).where(_g.holds_from == latest)
    if person_id is not None:
        query = query.where(_g.person_id == person_id)
    return {row.person_id: AnnualRow(*row) for row in session.execute(query)}


def is_granted(session: Session, month: Month) -> bool:
    """Whether anyone has a grant of a month, or of a later one."""
    return session.execute(sa.select(grants.c.month).where(grants.c.month >= str(month)).limit(1)).first() is not None


def of_person(session: Session, person_id: str, month: Month) -> AnnualRow | None:
    """Someone's group in a month."""
    return on(session, month, person_id).get(person_id)


def of_year(session: Session, person_id: str, year: int) -> AnnualRow | None:
    """Someone's group of a year's review, as it was imported last."""
    return of_years(session, [(year, person_id)]).get((year, person_id))


def of_years(session: Session, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], AnnualRow]:
    """Some people's groups of some years' reviews, each as it was imported last."""
    found: dict[tuple[int, str], AnnualRow] = {}
    for some in bulk.chunks(sorted(set(keys))):
        query = sa.select(*(_g[name] for name in AnnualRow._fields))
        query = query.where(sa.tuple_(_g.year, _g.person_id).in_(some)).order_by(_g.holds_from)
        found |= {(row.year, row.person_id): AnnualRow(*row) for row in session.execute(query)}
    return found
