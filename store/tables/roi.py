"""Reports of the return, with what each follows from."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from store.columns import Instant, Json
from store.tables.base import metadata
from store.tables.handbook import handbooks

roi_reports = Table(
    "roi_reports",
    metadata,
    Column("through", Text, primary_key=True, comment="The last month that is looked at."),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),
    Column(
        "handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False, comment="Whose assumptions hold."
    ),
    Column(
        "inputs", Json, nullable=False, comment="Basis and rows, a row for each team and month, as they were known."
    ),
    Column("inputs_digest", Text, nullable=False, comment="SHA-256 of the inputs."),
    comment="What was reported of the return; later data change nothing of it.",
)
