"""Everything that is held about somebody, found by the tables' own keys; and what of it names them, taken away.

A table that comes later is found as well: by its foreign keys to people and accounts, and by the columns that say who
did something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.tables import metadata
from store.tables.appeals import appeals
from store.tables.exceptions import board_group, request_drafts, request_questions, request_votes, requests
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.outbox import homes, outbox
from store.tables.people import identities, people, person_roles
from store.tables.reviews import review_votes
from store.tables.scim import scim_members, scim_users
from store.tables.usage import quarantine, usage_conflicts, usage_events, usage_versions
from store.tables.warnings import warning_choices

if TYPE_CHECKING:
    from datetime import datetime

    from store.engine import Session

ERASED = "[erased]"
NAME = "Somebody who left"
ACTORS = ("actor", "granted_by", "decided_by", "applied_by", "made_by", "drafted_by", "set_by", "adopted_by", "subject")
ACTORS_TOO = ("confirmed_by", "proposed_by", "first_adopter", "cast_by", "asked_by", "imported_by", "person_id")
"""Columns that may hold a person's id without a foreign key."""


def held(session: Session, person_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about somebody, by table; those of the ledger by their accounts."""
    theirs = [f"wallet:{person_id}", f"company:{person_id}"]
    own = list(session.execute(sa.select(accounts.c.id).where(accounts.c.code.in_(theirs))).scalars())
    found = {table.name: _rows(session, table, person_id, own) for table in metadata.sorted_tables}
    keys = sa.select(postings.c.entry_id).where(postings.c.account_id.in_(own))
    found["entries"] = [
        dict(one) for one in session.execute(sa.select(entries).where(entries.c.id.in_(keys))).mappings()
    ]
    found["accounts"] = [
        dict(one) for one in session.execute(sa.select(accounts).where(accounts.c.id.in_(own))).mappings()
    ]
    return {name: rows for name, rows in found.items() if rows}


def _rows(session: Session, table: sa.Table, person_id: str, own: list[int]) -> list[dict[str, Any]]:
    conditions = [column == person_id for column in table.c if _is_person(table, column)]
    conditions += [column.in_(own) for column in table.c if _is_account(column)]
    if not conditions:
        return []
    return [dict(row) for row in session.execute(sa.select(table).where(sa.or_(*conditions))).mappings()]


def _is_person(table: sa.Table, column: sa.Column[Any]) -> bool:
    of_people = any(key.column is people.c.id for key in column.foreign_keys)
    by_name = column.name in {*ACTORS, *ACTORS_TOO} and isinstance(column.type, sa.Text)
    return of_people or by_name or (table is people and column is people.c.id)


def _is_account(column: sa.Column[Any]) -> bool:
    return column.name == "account_id" or any(key.column is accounts.c.id for key in column.foreign_keys)


def names_of(session: Session, person_id: str) -> list[str]:
    """By which gateways and Slack know somebody: what may stand in usage."""
    mapped = session.execute(sa.select(identities.c.value).where(identities.c.person_id == person_id)).scalars()
    row = session.execute(sa.select(people.c.email, people.c.slack_user_id).where(people.c.id == person_id)).one()
    return sorted({name for name in (*mapped, *row) if name})


def forget_names(session: Session, person_id: str, now: datetime) -> None:
    """The record says no more who it was; its dates and terms stay, since grants follow from them."""
    slack = sa.select(people.c.slack_user_id).where(people.c.id == person_id).scalar_subquery()
    session.execute(sa.delete(board_group).where(board_group.c.slack_user_id == slack))
    for table in (identities, person_roles, scim_users, scim_members, homes, warning_choices, request_drafts):
        session.execute(sa.delete(table).where(table.c.person_id == person_id))
    empty = dict.fromkeys(("slack_user_id", "former_slack_user_id", "external_id", "department", "cost_centre"))
    named = {"name": NAME, "email": f"{person_id}@erased.invalid", "erased_at": now, **empty}
    session.execute(sa.update(people).where(people.c.id == person_id).values(**named))


def forget_texts(session: Session, person_id: str) -> int:
    """What somebody wrote is replaced by a mark; how many texts."""
    r, q = requests.c, request_questions.c
    own = sa.select(r.id).where(r.person_id == person_id)
    credited = sa.select(r.entry_id).where(r.person_id == person_id, r.entry_id.is_not(None))
    changes = (
        sa.update(requests).where(r.person_id == person_id).values(purpose=ERASED),
        sa.update(requests).where(r.person_id == person_id, r.outcome_note.is_not(None)).values(outcome_note=ERASED),
        sa.update(requests).where(r.person_id == person_id, r.incident.is_not(None)).values(incident=ERASED),
        sa.update(request_questions).where(q.asked_by == person_id).values(question=ERASED),
        sa.update(request_questions).where(q.request_id.in_(own), q.answer.is_not(None)).values(answer=ERASED),
        _reasons(request_votes, person_id),
        _reasons(review_votes, person_id),
        sa.update(appeals).where(appeals.c.person_id == person_id).values(reason=ERASED),
        # The purpose stands once more as the reason of what it was granted for.
        sa.update(lots).where(lots.c.entry_id.in_(credited)).values(reason=ERASED),
        sa.update(entries).where(entries.c.id.in_(credited)).values(memo=ERASED),
    )
    return sum(session.execute(change).rowcount for change in changes)


def _reasons(table: sa.Table, person_id: str) -> sa.Update:
    return sa.update(table).where(table.c.cast_by == person_id, table.c.reason.is_not(None)).values(reason=ERASED)


def forget_letters(session: Session, person_id: str, now: datetime) -> int:
    """Messages to somebody say nothing any more, and those that wait are not sent; how many there were."""
    theirs = outbox.c.person_id == person_id
    unsent = (theirs, outbox.c.state != "sent")
    over = {"state": "sent", "sent_at": now, "problem": "erased", "leased_by": None, "leased_until": None}
    session.execute(sa.update(outbox).where(*unsent).values(**over))
    return session.execute(sa.update(outbox).where(theirs).values(view={})).rowcount


def forget_in_usage(session: Session, person_id: str, names: list[str]) -> int:
    """Usage of somebody is that of an id; what waits and names them is no one's any more; how many events."""
    wallet = sa.select(accounts.c.id).where(accounts.c.person_id == person_id).scalar_subquery()
    e, unnamed = usage_events.c, [["user", person_id]]
    done = session.execute(sa.update(usage_events).where(e.account_id == wallet).values(identities=unnamed)).rowcount
    held = sa.select(quarantine.c.source, quarantine.c.event_id).where(quarantine.c.released_at.is_(None))
    waiting = session.execute(
        sa.select(e.source, e.event_id, e.identities).where(sa.tuple_(e.source, e.event_id).in_(held))
    ).all()
    for source, event_id, named in waiting:
        if any(value in names or value.lower() in names for _, value in named):
            of_event = (e.source == source, e.event_id == event_id)
            done += session.execute(sa.update(usage_events).where(*of_event).values(identities=unnamed)).rowcount
    return done


def forget_in_versions(session: Session, person_id: str) -> int:
    """The same of earlier versions of events, and of contents that were refused; how many."""
    wallet = sa.select(accounts.c.id).where(accounts.c.person_id == person_id).scalar_subquery()
    e, count = usage_events.c, 0
    for table, column in ((usage_versions, usage_versions.c.content), (usage_conflicts, usage_conflicts.c.offered)):
        of_event = sa.and_(table.c.source == e.source, table.c.event_id == e.event_id)
        query = sa.select(*table.primary_key, column).join_from(usage_events, table, of_event)
        for *keys, content in session.execute(query.where(e.account_id == wallet)).all():
            if content and "identities" in content:
                row = [key == value for key, value in zip(table.primary_key, keys, strict=True)]
                unnamed = {column.name: {**content, "identities": [["user", person_id]]}}
                count += session.execute(sa.update(table).where(*row).values(unnamed)).rowcount
    return count
