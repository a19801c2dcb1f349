"""Slack's rates, kept by all couriers together: what may go out now, and when the rest may (docs/decisions/0072).

A bucket stands for each thing that Slack limits. It holds a few calls that may come at once and fills up at a pace of
its own, so that no minute has more calls than Slack promises to take. The database has the buckets.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from scheduler.troubles import RATE_LIMITED, Refused, Trouble
from store.outbox import slack_rates as store
from store.outbox.slack_rates import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from programme.app import App
    from store.engine import Session
    from store.outbox.messages import OwedMessage

NOTHING = timedelta(0)


class Rate(NamedTuple):
    """So many calls at once, and one more each time."""

    burst: int
    every: timedelta

    def wait(self, owed: timedelta) -> timedelta:
        """How long until a call may come, of a bucket that is full only after `owed`."""
        return max(owed - self.every * (self.burst - 1), NOTHING)


OF_APP = Rate(4, timedelta(milliseconds=250))
"""Messages that Slack takes from an app, whatever becomes of them: 1,600 took seven minutes."""
OF_CONVERSATION = Rate(1, timedelta(seconds=1))
TIER_3 = Rate(10, timedelta(milliseconds=1_500))
"""At most fifty in any minute: ten, and then forty."""
TIER_4 = Rate(20, timedelta(milliseconds=750))
"""At most a hundred in any minute."""

APP, QUIET, IN = "app", "quiet", "in:"
"""Buckets beside those of methods: the app's messages, Slack's word to wait, a conversation's posts."""
UPDATING, LOOKING_UP, OPENING = "chat.update", "users.lookupByEmail", "conversations.open"
SEARCHING, SEARCHING_THREAD = "conversations.history", "conversations.replies"
UPLOADING = ("files.getUploadURLExternal", "files.completeUploadExternal")
RATES = {
    APP: OF_APP,
    **dict.fromkeys((UPDATING, LOOKING_UP, OPENING, SEARCHING, SEARCHING_THREAD), TIER_3),
    **dict.fromkeys(UPLOADING, TIER_4),
}
FORGOTTEN_AFTER = timedelta(hours=2)
"""Longer than Slack is ever waited for, so that no word to wait is forgotten."""


class Admitted(NamedTuple):
    """What may go out now, and the rest with the instant from which it may; `quiet_for` where Slack said to wait."""

    now: list[OwedMessage]
    later: list[tuple[OwedMessage, datetime]]
    quiet_for: timedelta


def calls_of(row: OwedMessage) -> tuple[str, ...]:
    """The buckets that a message draws from beside the app's, as far as its row tells."""
    if row.replaces is not None:
        return (UPDATING,)
    calls = [f"{IN}{row.channel or row.person_id}"]
    if row.channel is None and row.slack_user_id is None:
        calls.append(LOOKING_UP)
    if row.uncertain:
        calls.append(SEARCHING_THREAD if row.thread else SEARCHING)
        if row.channel is None:
            calls.append(OPENING)
    return tuple(calls)


class SlackRates:
    """What one courier draws from the buckets of all.

    A level is of the clock of whoever drew last. Where that clock was set since, or differs, the bucket is full once
    nobody has drawn from it for as long as it takes to fill up, by our monotonic clock.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen: dict[str, tuple[Level, float]] = {}

    def admit(self, session: Session, rows: Sequence[OwedMessage], now: datetime) -> Admitted:
        """Draw for as many messages as may go out now, the first ones before the others."""
        wanted = {row.id: calls_of(row) for row in rows}
        owed = self._owed(session, {APP, QUIET, *(call for calls in wanted.values() for call in calls)}, now)
        if quiet_for := owed[QUIET]:
            return Admitted([], [(row, now + quiet_for) for row in rows], quiet_for)
        going: list[OwedMessage] = []
        later: list[tuple[OwedMessage, datetime]] = []
        drawn: set[str] = set()
        for row in rows:
            calls = (APP, *wanted[row.id])
            wait = max(_rate(call).wait(owed[call]) for call in calls)
            if wait:
                # What only the app's pace holds up keeps its place before what became due later.
                only_pace = not any(_rate(call).wait(owed[call]) for call in wanted[row.id])
                later.append((row, row.due_at if only_pace else now + wait))
                continue
            owed |= {call: owed[call] + _rate(call).every for call in calls}
            drawn.update(calls)
            going.append(row)
        self._keep(session, {call: owed[call] for call in drawn}, now)
        return Admitted(going, later, NOTHING)

    def draw(self, session: Session, calls: Collection[str], now: datetime) -> timedelta:
        """Draw for a call of each of some methods; where one of them may not come yet, for none: how long to wait."""
        owed = self._owed(session, calls, now)
        wait = max(_rate(call).wait(owed[call]) for call in calls)
        if not wait:
            self._keep(session, {call: owed[call] + _rate(call).every for call in calls}, now)
        return wait

    def await_upload(self, app: App) -> None:
        """Let go of a message whose picture or document may not be uploaded yet; the others go on."""
        now = app.clock()
        with app.database.transaction() as session:
            wait = self.draw(session, UPLOADING, now)
        if wait:
            raise Refused(Trouble(RATE_LIMITED, "pace", retry_after=wait))

    def be_quiet(self, session: Session, quiet_for: timedelta, now: datetime) -> None:
        """Slack said to wait: no courier asks before that, unless one was told to wait longer."""
        owed = self._owed(session, {QUIET}, now)[QUIET]
        self._keep(session, {QUIET: max(owed, quiet_for)}, now)

    def _owed(self, session: Session, calls: Collection[str], now: datetime) -> dict[str, timedelta]:
        """For how long each bucket is not full yet."""
        levels = store.hold(session, calls, now=now)
        return {call: self._until_full(call, level, now) for call, level in levels.items()}

    def _until_full(self, call: str, level: Level, now: datetime) -> timedelta:
        if level.full_at <= now:
            self._seen.pop(call, None)
            return NOTHING
        here = self._monotonic()
        known, since = self._seen.get(call, (None, here))
        if known != level:
            since = here
        self._seen[call] = level, since
        lasts = level.full_at - level.taken_at - timedelta(seconds=here - since)
        return max(min(level.full_at - now, lasts), NOTHING)

    def _keep(self, session: Session, owed: Mapping[str, timedelta], now: datetime) -> None:
        levels = {call: Level(now, now + left) for call, left in owed.items()}
        store.keep(session, levels)
        here = self._monotonic()
        lasting = {
            call: (level, since)
            for call, (level, since) in self._seen.items()
            if here - since < (level.full_at - level.taken_at).total_seconds()
        }
        self._seen = lasting | {call: (level, here) for call, level in levels.items()}


def _rate(call: str) -> Rate:
    return OF_CONVERSATION if call.startswith(IN) else RATES[call]
