"""The courier: takes what is owed from the outbox to Slack, each message exactly once (docs/decisions/0010).

A pass leases some messages and sends them one by one, outside of any transaction, noting each as soon as Slack has
answered. Where no one knows whether a message went out, because a courier died or no clear answer came, its key
is looked for in the conversation before it is sent again.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from slack_sdk.errors import SlackApiError, SlackClientError

from policy.hours import next_opening
from policy.period import day_of
from programme.people import directory
from scheduler import messages as messages_scheduler
from scheduler import slack_delivery, troubles
from scheduler.messages import UnknownTemplateError
from scheduler.troubles import Trouble
from store.outbox import messages as outbox_messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from slack_sdk import WebClient

    from policy.parameters.messages import MessageRules
    from programme.app import App
    from scheduler.messages import Composed
    from store.outbox.messages import OwedMessage

    Compose = Callable[[str, object], Composed | None]
    """None where there is nothing to say any more."""

logger = logging.getLogger(__name__)

T = TypeVar("T")

LEASE = timedelta(minutes=5)
MARGIN = timedelta(minutes=1)
"""What must be left of the lease when a message is posted, or someone else may look for it before it is there: a
machine can sleep, and a history can be long."""
A_SECOND = timedelta(seconds=1)
MOST = 4
"""Messages a pass, a pass a second: as many as Slack takes from an app before it asks to wait."""
PROCESSING_ATTEMPTS = 6
"""Slack needs a moment until a picture can be shown, and until then refuses the message."""


@dataclass(slots=True)
class Delivered:
    """What a pass did; `stopped` names the trouble that ended it early."""

    leased: int = 0
    sent: int = 0
    settled: int = 0
    postponed: int = 0
    parked: int = 0
    stopped: str = ""
    quiet_for: timedelta = timedelta(0)


class Courier:
    """Passes of one process, and the quiet in between that Slack asked for, however the wall clock is set meanwhile."""

    def __init__(
        self,
        app: App,
        slack: WebClient,
        *,
        compose: Compose | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._slack, self._compose, self._name = app, slack, compose, name()
        self._monotonic = monotonic
        self._quiet_until, self._stopped = 0.0, ""

    def __call__(self) -> Delivered:
        """One pass; while it is quiet, nothing but what `stopped` the last one."""
        if self._stopped and self._monotonic() < self._quiet_until:
            return Delivered(stopped=self._stopped)
        done = deliver(self._app, self._slack, courier=self._name, compose=self._compose)
        self._stopped, self._quiet_until = done.stopped, self._monotonic() + done.quiet_for.total_seconds()
        return done


def name() -> str:
    """A name for a courier that no other has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def deliver(app: App, slack: WebClient, *, courier: str, compose: Compose | None = None, most: int = MOST) -> Delivered:
    """One pass: up to `most` messages that are due now."""
    now = app.clock()
    with app.database.transaction() as session:
        rows = outbox_messages.lease(session, courier=courier, now=now, until=now + LEASE, limit=most)
    if not rows:
        return Delivered()
    with app.reading() as moment:
        rules = moment.handbooks.on(day_of(now, app.zone)).messages
    composing = compose or partial(messages_scheduler.compose, app=app)
    return _Pass(app, slack, courier, composing, rules=rules, until=now + LEASE).send(rows)


class _Refused(Exception):  # noqa: N818 - an answer, not a mistake of ours
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.code)
        self.trouble = trouble


class _Pass:
    """The messages of one pass, and what became of them."""

    def __init__(
        self, app: App, slack: WebClient, courier: str, compose: Compose, *, rules: MessageRules, until: datetime
    ) -> None:
        self._app, self._slack, self._courier, self._compose, self._rules = app, slack, courier, compose, rules
        self._until = until
        self._channels: set[str] = set()
        self._done = Delivered()

    def send(self, rows: list[OwedMessage]) -> Delivered:
        self._done.leased = len(rows)
        for row in rows:
            if self._done.stopped:
                self._give_back(row, row.due_at)
            elif (opening := self._opening(row)) > self._app.clock():
                self._give_back(row, opening)
            elif row.channel in self._channels and row.replaces is None:
                self._give_back(row, self._app.clock() + A_SECOND)
            else:
                self._try(row)
        return self._done

    def _opening(self, row: OwedMessage) -> datetime:
        """When the message may go out: in the reader's hours, or the programme's for a channel, or at once."""
        if row.at_once:
            return self._app.clock()
        zone = ZoneInfo(row.time_zone) if row.time_zone else self._app.zone
        return next_opening(self._app.clock(), zone, self._rules)

    def _try(self, row: OwedMessage) -> None:
        try:
            self._send(row)
        except _Refused as refused:
            self._yield_to(row, refused.trouble)
        if row.channel is not None and row.replaces is None:
            self._channels.add(row.channel)

    def _send(self, row: OwedMessage) -> None:
        if row.replaces is not None:
            self._renew(row, row.replaces)
        else:
            self._post(row)

    def _renew(self, row: OwedMessage, replaces: str) -> None:
        """Show a message's new face. A second time does no harm, so no one has to look whether it was done."""
        now = self._app.clock()
        with self._app.database.reading() as session:
            place = outbox_messages.place_of(session, replaces)
            superseded, overtaking = (
                outbox_messages.is_superseded(session, row),
                outbox_messages.is_overtaking(session, row, now),
            )
        if place is None or place.state == outbox_messages.PARKED:
            raise _Refused(Trouble("anchor_parked", "park"))
        # A message of which no one knows whether it arrived is settled first: it may be there with an old face.
        if (
            place.state == outbox_messages.LEASED
            or overtaking
            or (place.state == outbox_messages.WAITING and place.uncertain)
        ):
            self._give_back(row, now + A_SECOND)
        # What is still to be posted will be written from what holds then.
        elif (
            superseded
            or place.state == outbox_messages.WAITING
            or place.ts is None
            or place.channel is None
            or (composed := self._composed(row)) is None
        ):
            self._note_overtaken(row)
        else:
            channel, ts = place.channel, place.ts
            _asked(lambda: slack_delivery.update(self._slack, composed, channel=channel, ts=ts), posting=False)
            self._note_sent(row, channel, ts)
            self._done.sent += 1

    def _thread(self, row: OwedMessage) -> str | None:
        """The ts of the message in whose thread this one goes; None while that is on its way."""
        if row.thread is None:
            return ""
        with self._app.database.reading() as session:
            place = outbox_messages.place_of(session, row.thread)
        if place is None or place.state == outbox_messages.PARKED:
            raise _Refused(Trouble("anchor_parked", "park"))
        return place.ts

    def _post(self, row: OwedMessage) -> None:
        thread = self._thread(row)
        if thread is None:
            self._give_back(row, self._app.clock() + A_SECOND)
            return
        user = None if row.channel else self._user(row)
        if row.uncertain and (place := self._found(row, user, thread)):
            self._note_sent(row, *place)
            self._done.settled += 1
            return
        composed = self._composed(row)
        if composed is None:
            self._note_overtaken(row)
            return
        file_id = row.file_id
        if (picture := composed.picture) is not None and file_id is None:
            file_id = _asked(lambda: slack_delivery.upload(self._slack, picture), posting=False)
            with self._app.database.transaction() as session:
                outbox_messages.note_file(session, row.id, courier=self._courier, file_id=file_id)
        if self._until - self._app.clock() < MARGIN:
            raise _Refused(Trouble("lease_over", "wait"))
        to = row.channel or user or ""
        place = _asked(
            lambda: slack_delivery.post(self._slack, row.key, composed, to=to, file_id=file_id, thread=thread),
            posting=True,
        )
        self._note_sent(row, *place)
        self._done.sent += 1

    def _user(self, row: OwedMessage) -> str:
        """The reader's Slack id; a reader without one is looked up by e-mail, and linked."""
        if row.slack_user_id is not None:
            return row.slack_user_id
        email = row.email or ""
        found = _asked(lambda: slack_delivery.user_of(self._slack, email), posting=False)
        if found is None:
            raise _Refused(Trouble("no_slack_user", "park"))
        with self._app.transaction() as moment:
            person = directory.link(moment, slack_user_id=found, email=email)
        # Someone else may be on record with this Slack user: what is this person's is not for them.
        if person is None or person.id != row.person_id:
            raise _Refused(Trouble("slack_user_taken", "park"))
        return found

    def _found(self, row: OwedMessage, user: str | None, thread: str) -> tuple[str, str] | None:
        return _asked(
            lambda: slack_delivery.find(
                self._slack, row.key, channel=row.channel, user=user, since=row.created_at, thread=thread
            ),
            posting=False,
        )

    def _composed(self, row: OwedMessage) -> Composed | None:
        try:
            return self._compose(row.template, row.view)
        except UnknownTemplateError as error:
            raise _Refused(Trouble("unknown_template", "park")) from error
        except Exception as error:
            logger.error("message %s cannot be composed: %s", row.id, type(error).__qualname__)  # noqa: TRY400 - no figures
            raise _Refused(Trouble("not_written", "park")) from error

    def _note_sent(self, row: OwedMessage, channel: str, ts: str) -> None:
        with self._app.database.transaction() as session:
            outbox_messages.sent(session, row.id, courier=self._courier, channel=channel, ts=ts, now=self._app.clock())
        if row.person_id is not None:
            self._app.refresh_home(row.person_id)

    def _note_overtaken(self, row: OwedMessage) -> None:
        self._done.settled += 1
        with self._app.database.transaction() as session:
            outbox_messages.overtaken(session, row.id, courier=self._courier, now=self._app.clock())

    def _yield_to(self, row: OwedMessage, trouble: Trouble) -> None:
        now, attempts = self._app.clock(), row.attempts + 1
        uncertain = row.uncertain or trouble.performed
        processing = trouble.code == "invalid_blocks" and self._has_picture(row) and attempts <= PROCESSING_ATTEMPTS
        if trouble.course == "wait":
            self._done.stopped = trouble.code
            # Not this message's fault: it is no attempt.
            self._done.quiet_for = trouble.retry_after
            self._give_back(row, now + trouble.retry_after, problem=trouble.code)
        elif trouble.course == "hold":
            self._give_back(row, now + troubles.STOPPED_FOR, problem=trouble.code)
        elif trouble.course == "stop":
            self._done.stopped, self._done.quiet_for = trouble.code, troubles.STOPPED_FOR
            self._give_back(row, now + troubles.STOPPED_FOR, problem=trouble.code)
        elif processing or (trouble.course == "back_off" and attempts < troubles.MOST_ATTEMPTS):
            if not processing:
                # Slack is ailing: to try the others meanwhile would use up their attempts.
                self._done.stopped, self._done.quiet_for = trouble.code, troubles.FIRST_WAIT
            self._give_back(
                row, now + troubles.wait(row.attempts), problem=trouble.code, attempts=attempts, uncertain=uncertain
            )
        else:
            self._done.parked += 1
            with self._app.database.transaction() as session:
                outbox_messages.park(
                    session, row.id, courier=self._courier, problem=trouble.code, attempts=attempts, uncertain=uncertain
                )
            logger.warning("message %s is parked: %s", row.id, trouble.code)

    def _has_picture(self, row: OwedMessage) -> bool:
        with self._app.database.reading() as session:
            return outbox_messages.file_of(session, row.id) is not None

    def _give_back(
        self,
        row: OwedMessage,
        due_at: datetime,
        *,
        problem: str | None = None,
        attempts: int | None = None,
        uncertain: bool | None = None,
    ) -> None:
        self._done.postponed += 1
        with self._app.database.transaction() as session:
            outbox_messages.postpone(
                session,
                row.id,
                courier=self._courier,
                due_at=due_at,
                problem=problem,
                attempts=row.attempts if attempts is None else attempts,
                uncertain=row.uncertain if uncertain is None else uncertain,
            )


def _asked(call: Callable[[], T], *, posting: bool) -> T:
    """What Slack answers; only a call that posts can leave a message behind although it failed."""
    try:
        return call()
    except (SlackApiError, SlackClientError, OSError, HTTPException) as error:
        trouble = troubles.of(error)
        if not posting:
            # Others may need no answer to this question.
            course = "hold" if trouble.code == "missing_scope" else trouble.course
            trouble = replace(trouble, performed=False, course=course)
        raise _Refused(trouble) from error
