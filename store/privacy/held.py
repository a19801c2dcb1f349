"""Everything that is held about somebody, found by the tables' own keys.

A table that comes later is found as well: by its foreign keys to people and accounts, and by the columns that say who
did something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.tables import metadata
from store.tables.ledger import accounts, entries, postings
from store.tables.people import people

if TYPE_CHECKING:
    from store.engine import Session

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
