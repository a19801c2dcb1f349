"""Cost centres, and which one bears a person's use since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.finance import cost_centres, person_cost_centres
from store.tables.people import projects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from store.engine import Session

_p = person_cost_centres.c


class CostCentre(NamedTuple):
    """A cost centre that has a name, and the person who owns it, if someone does."""

    key: str
    name: str
    owner_id: str | None = None


def all_of(session: Session) -> dict[str, CostCentre]:
    """Every cost centre that has a name, by its key."""
    columns = (cost_centres.c[name] for name in CostCentre._fields)
    rows = session.execute(sa.select(*columns).order_by(cost_centres.c.key))
    return {row.key: CostCentre._make(row) for row in rows}


def keep(session: Session, some: Iterable[CostCentre]) -> None:
    """Add or rename cost centres, by their keys."""
    for one in some:
        found = sa.update(cost_centres).where(cost_centres.c.key == one.key)
        if not session.execute(found.values(name=one.name, owner_id=one.owner_id)).rowcount:
            session.execute(sa.insert(cost_centres).values(**one._asdict()))


def hand_over(session: Session, owner_id: str, to: str) -> None:
    """Let somebody own what another owns."""
    session.execute(sa.update(cost_centres).where(cost_centres.c.owner_id == owner_id).values(owner_id=to))


class Belonging(NamedTuple):
    """Whose use a cost centre bears from a day on; None for no cost centre."""

    holds_from: date
    cost_centre: str | None


def belongings(session: Session) -> dict[str, list[Belonging]]:
    """By person the cost centres that they ever had, the latest first."""
    query = sa.select(_p.person_id, _p.holds_from, _p.cost_centre).order_by(_p.person_id, _p.holds_from.desc())
    found: dict[str, list[Belonging]] = {}
    for person_id, holds_from, cost_centre in session.execute(query):
        found.setdefault(person_id, []).append(Belonging(holds_from, cost_centre))
    return found


def known_persons(session: Session, people: Sequence[str]) -> set[str]:
    """Those of some people who ever had a cost centre."""
    known: set[str] = set()
    for some in bulk.chunks(people):
        known.update(session.execute(sa.select(_p.person_id).distinct().where(_p.person_id.in_(some))).scalars())
    return known


def record(session: Session, since: Mapping[str, Belonging]) -> None:
    """Note people's cost centres from a day on, instead of what was foreseen for then."""
    for person_id, belonging in since.items():
        later = (_p.person_id == person_id, _p.holds_from >= belonging.holds_from)
        session.execute(sa.delete(person_cost_centres).where(*later))
    day = bulk.day_codec(session)
    rows = [(person_id, day(one.holds_from), one.cost_centre) for person_id, one in sorted(since.items())]
    bulk.insert(session, person_cost_centres, ("person_id", "holds_from", "cost_centre"), rows)


def of_projects(session: Session) -> dict[str, str]:
    """The cost centres that bear projects' use instead of the people's own, by project."""
    c = projects.c
    query = sa.select(c.key, c.cost_centre).where(c.cost_centre.is_not(None))
    return {key: cost_centre for key, cost_centre in session.execute(query)}
