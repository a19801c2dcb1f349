"""The courier: takes what is owed from the outbox to Slack, each message exactly once (docs/decisions/0010, 0030).

A pass leases some messages and sends them one by one, outside of any transaction, noting each as soon as Slack has
answered. What it may send is drawn from rates that all couriers share (`slack_rates`). Where no one knows whether a
message went out, because a courier died or no clear answer came, its key is looked for in the conversation before it
is sent again (after a moment: see `doubts`).
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
from scheduler.delivered import Delivered
from scheduler.delivery import Pass
from scheduler.doubts import Doubts
from scheduler.slack_rates import SlackRates
from scheduler.troubles import RATE_LIMITED
from store.outbox import messages as outbox_messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from slack_sdk import WebClient

    from programme.app import App
    from scheduler.delivery import Compose
    from store.engine import Session
    from store.outbox.messages import OwedMessage

LEASE = timedelta(minutes=5)
MOST = 4
"""Messages a pass, a pass a second: as many as Slack takes from an app before it asks to wait. All couriers together
send no more, since they share the rates."""
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
        self._monotonic, self._doubts, self._rates = monotonic, Doubts(monotonic), SlackRates(monotonic)
        self._quiet_until, self._stopped, self._failures = 0.0, "", 0

    def __call__(self) -> Delivered:
        """One pass; while it is quiet, nothing but what `stopped` the last one."""
        if self._stopped and self._monotonic() < self._quiet_until:
            return Delivered(stopped=self._stopped)
        done = deliver(
            self._app,
            self._slack,
            courier=self._name,
            compose=self._compose,
            doubts=self._doubts,
            rates=self._rates,
        )
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
    rates: SlackRates | None = None,
) -> Delivered:
    """One pass: up to `most` messages that are due now; those in doubt at once, unless the courier keeps `doubts`.

    Without `rates` nobody else is taken into account: that is for one courier at a time.
    """
    now = app.clock()
    kept = doubts.ripe(most) if doubts else []
    with app.database.transaction() as session:
        leased = outbox_messages.lease(session, courier=courier, now=now, until=now + LEASE, limit=most - len(kept))
        rows = [*kept, *(row for row in leased if not (doubts and row.uncertain))]
        later: list[tuple[OwedMessage, datetime]] = []
        quiet_for = timedelta(0)
        if rates and rows:
            rows, later, quiet_for = rates.admit(session, rows, now)
        # What was in doubt for long enough stays with its courier, or that would begin anew.
        waiting = [] if quiet_for else [row for row, _due_at in later if row in kept]
        _give_back(session, [(row, due_at) for row, due_at in later if row not in waiting], courier)
    if doubts:
        doubts.keep(leased)
        doubts.put_back(waiting)
    done = Delivered()
    if rows:
        with app.reading() as moment:
            rules = moment.handbooks.on(day_of(now, app.zone)).messages
        composing = compose or partial(messages_scheduler.compose, app=app)
        done = Pass(app, slack, courier, composing, rules=rules, rates=rates).send(rows)
    done.leased += len(later)
    done.postponed += len(later)
    if quiet_for:
        done.stopped, done.quiet_for = RATE_LIMITED, quiet_for
    elif rates and done.stopped == RATE_LIMITED:
        with app.database.transaction() as session:
            rates.be_quiet(session, done.quiet_for, app.clock())
    return done


def _give_back(session: Session, later: list[tuple[OwedMessage, datetime]], courier: str) -> None:
    for row, due_at in later:
        outbox_messages.postpone(
            session,
            row.id,
            courier=courier,
            due_at=due_at,
            problem=None,
            attempts=row.attempts,
            uncertain=row.uncertain,
        )
