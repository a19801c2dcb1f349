"""Who left so long ago that nothing needs their name any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.tables.annual import annual_appeals
from store.tables.appeals import appeals
from store.tables.exceptions import requests
from store.tables.people import people
from store.tables.reviews import review_inputs, reviews

if TYPE_CHECKING:
    from datetime import date

    from store.engine import Session

_p = people.c


def left_before(session: Session, day: date, *, limit: int | None = None) -> list[str]:
    """The ids of those whose last day was before a day, and about whom nothing is to be decided any more."""
    waits = (
        sa.exists().where(requests.c.person_id == _p.id, requests.c.state.in_(("open", "credited"))),
        sa.exists().where(appeals.c.person_id == _p.id, appeals.c.state == "open"),
        sa.exists().where(annual_appeals.c.person_id == _p.id, annual_appeals.c.state == "open"),
        sa.exists()
        .where(review_inputs.c.person_id == _p.id, review_inputs.c.quarter == reviews.c.quarter)
        .where(reviews.c.state == "draft"),
    )
    query = sa.select(_p.id).where(_p.left_on < day, _p.erased_at.is_(None), *(~one for one in waits))
    return list(session.execute(query.order_by(_p.left_on, _p.id).limit(limit)).scalars())
