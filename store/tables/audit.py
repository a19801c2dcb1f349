"""Who did what, when: rows that are only ever added."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from store.columns import Identifier, Instant, Json
from store.tables.base import metadata

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", Identifier, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("handbook_version", Text),
    Column("slack_channel", Text),
    Column("slack_ts", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
