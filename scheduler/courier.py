"""The courier: takes what is owed from the outbox to Slack, each message exactly once (docs/decisions/0010, 0030).

A pass leases some messages and sends them one by one, outside of any transaction, noting each as soon as Slack has
answered. Where no one knows whether a message went out, because a courier died or no clear answer came, its key
is looked for in the conversation before it is sent again (after a moment: see `doubts`).
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from policy.period import day_of
from scheduler import messages as messages_scheduler
from scheduler.delivery import Delivered, Pass
from scheduler.doubts import Doubts
from store.outbox import messages as outbox_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient

    from programme.app import App
    from scheduler.delivery import Compose

LEASE = timedelta(minutes=5)
MOST = 4
"""Messages a pass, a pass a second: as many as Slack takes from an app before it asks to wait."""
LONGEST_QUIET = timedelta(minutes=1)
"""While Slack is away it is asked less and less often, but so often that its return is noticed."""


class Courier:
    """Passes of one process, and the quiet in between, however the wall clock is set meanwhile.

    It is quiet as long as Slack asks for, and longer while Slack does not answer.
    """

    def __init__(
        self,
        app: App,
        slack: WebClient,
        *,
        compose: Compose | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._slack, self._compose, self._name = app, slack, compose, name()
        self._monotonic, self._doubts = monotonic, Doubts(monotonic)
        self._quiet_until, self._stopped, self._failures = 0.0, "", 0

    def __call__(self) -> Delivered:
        """One pass; while it is quiet, nothing but what `stopped` the last one."""
        if self._stopped and self._monotonic() < self._quiet_until:
            return Delivered(stopped=self._stopped)
        done = deliver(self._app, self._slack, courier=self._name, compose=self._compose, doubts=self._doubts)
        if done.leased:
            self._failures = self._failures + 1 if done.ailing else 0
        self._stopped, self._quiet_until = done.stopped, self._monotonic() + self._pause(done).total_seconds()
        return done

    def _pause(self, done: Delivered) -> timedelta:
        if not done.ailing:
            return done.quiet_for
        return max(done.quiet_for, min(done.quiet_for * (1 << min(self._failures - 1, 10)), LONGEST_QUIET))


def name() -> str:
    """A name for a courier that no other has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def deliver(
    app: App,
    slack: WebClient,
    *,
    courier: str,
    compose: Compose | None = None,
    most: int = MOST,
    doubts: Doubts | None = None,
) -> Delivered:
    """One pass: up to `most` messages that are due now; those in doubt at once, unless the courier keeps `doubts`."""
    now = app.clock()
    kept = doubts.ripe(most) if doubts else []
    with app.database.transaction() as session:
        rows = outbox_messages.lease(session, courier=courier, now=now, until=now + LEASE, limit=most - len(kept))
    rows = [*kept, *doubts.keep(rows)] if doubts else rows
    if not rows:
        return Delivered()
    with app.reading() as moment:
        rules = moment.handbooks.on(day_of(now, app.zone)).messages
    composing = compose or partial(messages_scheduler.compose, app=app)
    return Pass(app, slack, courier, composing, rules=rules).send(rows)
