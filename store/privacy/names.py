"""Who somebody is: by what names they are known, and how a record says no more whose it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.tables.exceptions import board_group, request_drafts
from store.tables.outbox import homes
from store.tables.outcomes import outcomes
from store.tables.people import identities, people, person_roles
from store.tables.scim import scim_members, scim_users
from store.tables.warnings import warning_choices

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session

NAME = "Somebody who left"


def known_by(session: Session, person_id: str) -> list[str]:
    """By which gateways and Slack know somebody: what may stand in usage."""
    mapped = session.execute(sa.select(identities.c.value).where(identities.c.person_id == person_id)).scalars()
    own = (people.c.email, people.c.slack_user_id, people.c.former_slack_user_id)
    row = session.execute(sa.select(*own).where(people.c.id == person_id)).one()
    return sorted({name for name in (*mapped, *row) if name})


def forget(session: Session, person_id: str, names: list[str], now: datetime) -> None:
    """The record says no more who it was; its dates and terms stay, since grants follow from them."""
    slack = sa.select(people.c.slack_user_id).where(people.c.id == person_id).scalar_subquery()
    session.execute(sa.delete(board_group).where(board_group.c.slack_user_id == slack))
    for table in (identities, person_roles, scim_users, scim_members, homes, warning_choices, request_drafts):
        session.execute(sa.delete(table).where(table.c.person_id == person_id))
    waited_for = sa.func.lower(outcomes.c.waiting_for).in_([name.lower() for name in names])
    session.execute(sa.update(outcomes).where(outcomes.c.waiting_for.is_not(None), waited_for).values(waiting_for=None))
    empty = dict.fromkeys(("slack_user_id", "former_slack_user_id", "external_id", "department", "cost_centre"))
    named = {"name": NAME, "email": f"{person_id}@erased.invalid", "erased_at": now, **empty}
    session.execute(sa.update(people).where(people.c.id == person_id).values(**named))
