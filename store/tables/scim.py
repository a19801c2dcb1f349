"""What an identity provider told of people and groups by SCIM that is nowhere else."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from store.columns import Instant, Json
from store.tables.base import metadata, partial_index
from store.tables.people import people

scim_users = Table(
    "scim_users",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("user_name", Text, nullable=False, comment="As the identity provider writes it."),
    Column("user_key", Text, nullable=False, unique=True, comment="The same in lower case."),
    Column("told", Json, nullable=False, comment="Names and addresses as they were told; what is to be left out."),
    Column("awaits", Text, comment="A manager whom nobody is known by yet, as told."),
    Column("created_at", Instant, nullable=False),
    Column("modified_at", Instant, nullable=False),
    Column("deleted_at", Instant, comment="Since when the identity provider has no such user any more."),
    partial_index("ix_scim_users_awaits", "awaits", where="awaits IS NOT NULL"),
    comment="People as their identity provider tells of them; what a column of theirs holds is not here.",
)

scim_groups = Table(
    "scim_groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("external_id", Text),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True, comment="The same in lower case."),
    Column("created_at", Instant, nullable=False),
    Column("modified_at", Instant, nullable=False),
    comment="Groups; one that is named after a role has the people with that role as members.",
)

scim_members = Table(
    "scim_members",
    metadata,
    Column("group_id", Text, ForeignKey(scim_groups.c.id), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True, index=True),
    comment="Members of groups that are no role.",
)
