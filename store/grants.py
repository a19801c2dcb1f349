"""Monthly grants as they were posted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.tables import grants

if TYPE_CHECKING:
    from policy.period import Month
    from store.engine import Session


def factors_of(session: Session, person_id: str, month: Month) -> object | None:
    """Everything that a person's grant of a month follows from, as plain values; None where there is no grant."""
    query = sa.select(grants.c.factors).where(grants.c.month == str(month), grants.c.person_id == person_id)
    factors: object | None = session.execute(query).scalar_one_or_none()
    return factors
