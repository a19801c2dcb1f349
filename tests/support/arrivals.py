"""Whether everything that is owed to Slack arrived, and once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.tables.outbox import outbox
from tests.support import books

if TYPE_CHECKING:
    from datetime import datetime

    from programme.app import App
    from sandbox import Sandbox


def checked(app: App, sandbox: Sandbox, *, due_by: datetime | None = None) -> int:
    """How many messages arrived: those on record as sent, each where the record says; none is parked, no other is.

    What is due later than `due_by` may still wait.
    """
    shown = [
        message
        for channel in sandbox.workspace.channels
        for reader in sorted(channel.members)[:1]
        for message in sandbox.workspace.messages(channel.id, reader)
        if message.metadata
    ]
    arrived = Counter(message.metadata["event_payload"]["key"] for message in shown if message.metadata)
    assert {key: count for key, count in arrived.items() if count > 1} == {}
    query = sa.select(outbox.c.key, outbox.c.state, outbox.c.slack_ts, outbox.c.replaces, outbox.c.problem)
    if due_by is not None:
        query = query.where(sa.or_(outbox.c.due_at <= due_by, outbox.c.state == "sent"))
    told = books.rows(app, query)
    assert {key: (state, problem) for key, state, _, _, problem in told if state != "sent"} == {}
    posted = {key: ts for key, _, ts, replaces, _ in told if replaces is None and ts is not None}
    assert {m.metadata["event_payload"]["key"]: m.ts for m in shown if m.metadata} == posted
    return len(posted)
