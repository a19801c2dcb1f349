"""Whether everything that is owed to Slack arrived, and once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from store.tables.outbox import outbox
from tests.support import books

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox


def checked(app: App, sandbox: Sandbox) -> int:
    """How many messages arrived: those on record as sent, each where the record says; none is parked, no other is."""
    shown = [
        message
        for channel in sandbox.workspace.channels
        for reader in sorted(channel.members)[:1]
        for message in sandbox.workspace.messages(channel.id, reader)
        if message.metadata
    ]
    arrived = Counter(message.metadata["event_payload"]["key"] for message in shown if message.metadata)
    assert {key: count for key, count in arrived.items() if count > 1} == {}
    told = books.rows(
        app, sa.select(outbox.c.key, outbox.c.state, outbox.c.slack_ts, outbox.c.replaces, outbox.c.problem)
    )
    assert {key: (state, problem) for key, state, _, _, problem in told if state != "sent"} == {}
    posted = {key: ts for key, _, ts, replaces, _ in told if replaces is None and ts is not None}
    assert {m.metadata["event_payload"]["key"]: m.ts for m in shown if m.metadata} == posted
    return len(posted)
