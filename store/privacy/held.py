"""Everything that is held about somebody, found by the tables' own keys.

A table that comes later is found as well: by its foreign keys to people, accounts and requests, and by the
columns that say who did something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.digests import digest_of
from store.privacy import names
from store.tables import metadata
from store.tables.exceptions import requests
from store.tables.intake import quarantine_steps
from store.tables.ledger import accounts, entries, postings
from store.tables.outcomes import outcomes
from store.tables.people import people
from store.tables.usage import (
    quarantine,
    usage_conflicts,
    usage_events,
    usage_ids,
    usage_reversals,
    usage_versions,
)

if TYPE_CHECKING:
    from store.engine import Session

ACTORS = ("actor", "granted_by", "decided_by", "applied_by", "made_by", "drafted_by", "set_by", "adopted_by", "subject")
ACTORS_TOO = ("confirmed_by", "proposed_by", "first_adopter", "cast_by", "asked_by", "imported_by", "person_id")
"""Columns that may hold a person's id without a foreign key."""


OF_EVENTS = (quarantine, quarantine_steps, usage_conflicts, usage_versions, usage_reversals)
"""What names an event by source and id is about whomever that event is about."""


_located = usage_ids.c.event == usage_events.c.id


CONTENTS = {"usage_versions": "content", "usage_conflicts": "offered", "quarantine_steps": "before"}
ANOTHER = "[somebody else]"


def held(session: Session, person_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about somebody, by table; those of the ledger by their accounts."""
    theirs = [f"wallet:{person_id}", f"company:{person_id}"]
    own = list(session.execute(sa.select(accounts.c.id).where(accounts.c.code.in_(theirs))).scalars())
    found = {table.name: _rows(session, table, person_id, own) for table in metadata.sorted_tables}
    keys = sa.select(postings.c.entry_id).where(postings.c.account_id.in_(own))
    found["entries"] = _all(session, entries, entries.c.id.in_(keys))
    found["accounts"] = _all(session, accounts, accounts.c.id.in_(own))
    known_by = {name.lower() for name in names.known_by(session, person_id)}
    _add_waiting(session, found, known_by)
    _leave_out_others(found, known_by | {person_id})
    return {name: rows for name, rows in found.items() if rows}


def _rows(session: Session, table: sa.Table, person_id: str, own: list[int]) -> list[dict[str, Any]]:
    about = _about(table, person_id, own)
    conditions = [] if about is None else [about]
    for key in table.foreign_key_constraints:
        if key.referred_table is requests and (owner := _about(requests, person_id, own)) is not None:
            same = (one.parent == one.column for one in key.elements)
            conditions.append(sa.exists().where(*same, owner).correlate(table))
    if table in OF_EVENTS and (owner := _about(usage_events, person_id, own)) is not None:
        event = sa.and_(usage_ids.c.digest == digest_of(table.c.source, table.c.event_id), _located)
        conditions.append(sa.exists().where(event, owner).correlate(table))
    return _all(session, table, sa.or_(*conditions)) if conditions else []


def _about(table: sa.Table, person_id: str, own: list[int]) -> sa.ColumnElement[bool] | None:
    conditions = [column == person_id for column in table.c if _is_person(table, column)]
    conditions += [column.in_(own) for column in table.c if _is_account(column)]
    if table is usage_events:
        # Withdrawn, it is paid by no one any more.
        undone = (usage_reversals.c.source == table.c.source, usage_reversals.c.event_id == table.c.event_id)
        once = sa.exists().where(*undone, usage_reversals.c.account_id.in_(own)).correlate(table)
        conditions.append(sa.and_(table.c.account_id.is_(None), once))
    return sa.or_(*conditions) if conditions else None


def _add_waiting(session: Session, found: dict[str, list[dict[str, Any]]], known_by: set[str]) -> None:
    """What is no one's yet and comes under a name of theirs: usage in quarantine, and outcomes."""
    waits = sa.exists().where(
        quarantine.c.source == usage_events.c.source,
        quarantine.c.event_id == usage_events.c.event_id,
        quarantine.c.released_at.is_(None),
    )
    found["usage_events"] += [
        row
        for row in _all(session, usage_events, waits)
        if any(value.lower() in known_by for _, value in row["identities"])
    ]
    named = sa.and_(outcomes.c.waiting_for.is_not(None), sa.func.lower(outcomes.c.waiting_for).in_(known_by))
    found["outcomes"] += _all(session, outcomes, named)


def _leave_out_others(found: dict[str, list[dict[str, Any]]], known_by: set[str]) -> None:
    """Contents that once stood for their usage may name somebody else, to whom it was given by mistake."""
    theirs = known_by | {value.lower() for row in found["usage_events"] for _, value in row["identities"]}
    for table, column in CONTENTS.items():
        for row in found[table]:
            if row[column] and (named := row[column].get("identities")):
                row[column] |= {"identities": [[k, v if v.lower() in theirs else ANOTHER] for k, v in named]}


def _all(session: Session, table: sa.Table, condition: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(sa.select(table).where(condition)).mappings()]


def _is_person(table: sa.Table, column: sa.Column[Any]) -> bool:
    of_people = any(key.column is people.c.id for key in column.foreign_keys)
    by_name = column.name in {*ACTORS, *ACTORS_TOO} and isinstance(column.type, sa.Text)
    return of_people or by_name or (table is people and column is people.c.id)


def _is_account(column: sa.Column[Any]) -> bool:
    return column.name == "account_id" or any(key.column is accounts.c.id for key in column.foreign_keys)
