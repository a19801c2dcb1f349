"""Which offers joiners accepted: known until they were greeted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.tables.grants import grants
from store.tables.offers import joiners_offers, offers
from store.tables.outbox import outbox

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session

_j = joiners_offers.c
GREETING = "grants/greeting"


def is_on_record(session: Session, offer_id: str) -> bool:
    return session.execute(sa.select(offers.c.id).where(offers.c.id == offer_id)).first() is not None


def has_grants(session: Session, person_id: str) -> bool:
    return (
        session.execute(sa.select(grants.c.month).where(grants.c.person_id == person_id).limit(1)).first() is not None
    )


def owner(session: Session, offer_id: str) -> str | None:
    """Whose an offer is, as far as is known."""
    return session.execute(sa.select(_j.person_id).where(_j.offer_id == offer_id)).scalar_one_or_none()


def note(session: Session, person_id: str, offer_id: str, *, now: datetime) -> None:
    """Say whose an offer is; another one of the same person is theirs no longer."""
    session.execute(sa.delete(joiners_offers).where(_j.person_id == person_id))
    session.execute(sa.insert(joiners_offers).values(person_id=person_id, offer_id=offer_id, noted_at=now))


def of_person(session: Session, person_id: str) -> str | None:
    return session.execute(sa.select(_j.offer_id).where(_j.person_id == person_id)).scalar_one_or_none()


def forget(session: Session, *, offers_before: datetime) -> None:
    """Forget whose offers were whose, once they were greeted or the offer is older than an instant."""
    greeted = sa.select(outbox.c.person_id).where(outbox.c.template == GREETING, outbox.c.sent_at.is_not(None))
    old = sa.select(offers.c.id).where(offers.c.made_at < offers_before)
    session.execute(sa.delete(joiners_offers).where(sa.or_(_j.person_id.in_(greeted), _j.offer_id.in_(old))))
