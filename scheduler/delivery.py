"""One pass of a courier: each of its messages is sent, settled, given back or set aside, whatever goes wrong with one.

What a courier may assume of Slack's answers is in `troubles`; how a message arrives exactly once in
docs/decisions/0010.
"""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy.hours import next_opening
from programme.people import linking
from scheduler import documents, fallbacks, pictures, slack_delivery, troubles
from scheduler.delivered import Delivered
from scheduler.messages import UnknownTemplateError
from scheduler.troubles import Refused, Trouble, asked
from store import engine, time_zones
from store.outbox import messages as outbox_messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from slack_sdk import WebClient

    from policy.parameters.messages import MessageRules
    from programme.app import App
    from programme.moment import Moment
    from scheduler.messages import Composed
    from scheduler.slack_rates import SlackRates
    from store.engine import Session
    from store.outbox.messages import OwedMessage

    Compose = Callable[[str, object], Composed | None]
    """None where there is nothing to say any more."""

logger = logging.getLogger(__name__)

MARGIN = timedelta(minutes=1)
"""What must be left of the lease when a message is posted, or someone else may look for it before it is there: a
machine can sleep, and a history can be long."""
A_SECOND = timedelta(seconds=1)


class _Destination(NamedTuple):
    """A channel or a person, and the thread there, if any."""

    place: str
    thread: str


class Pass:
    """The messages of one pass, and what became of them."""

    def __init__(
        self,
        app: App,
        slack: WebClient,
        courier: str,
        compose: Compose,
        *,
        rules: MessageRules,
        rates: SlackRates | None = None,
    ) -> None:
        self._app, self._slack, self._courier, self._compose, self._rules = app, slack, courier, compose, rules
        self._rates = rates
        self._channels: set[str] = set()
        self._may_be_there = False
        self._done = Delivered()

    def send(self, rows: list[OwedMessage]) -> Delivered:
        self._done.leased = len(rows)
        for row in rows:
            if self._done.stopped:
                self._give_back(row, row.due_at)
            else:
                self._settle(row)
        return self._done

    def _settle(self, row: OwedMessage) -> None:
        """Do what there is to do about a message; a mistake about one is no reason to hold up the others."""
        self._may_be_there = False
        try:
            self._send(row)
        except Refused as refused:
            self._yield_to(row, refused.trouble)
        except Exception as error:
            if engine.is_out_of_reach(error):
                raise
            _log_mistake(row, "is not handled", error)
            self._park(row, Trouble("not_handled", "park", performed=self._may_be_there))

    def _send(self, row: OwedMessage) -> None:
        if (opening := self._opening(row)) > self._app.clock():
            self._give_back(row, opening)
        elif row.replaces is not None:
            self._renew(row, row.replaces)
        elif row.channel is None:
            self._post(row)
        elif row.channel in self._channels:
            self._give_back(row, self._app.clock() + A_SECOND)
        else:
            self._channels.add(row.channel)
            self._post(row)

    def _opening(self, row: OwedMessage) -> datetime:
        """When the message may go out: in the reader's hours, or the programme's for a channel, or at once."""
        if row.at_once:
            return self._app.clock()
        zone = time_zones.zone(row.time_zone, self._app.zone)
        return next_opening(self._app.clock(), zone, self._rules)

    # --- New faces of what was posted ------------------------------------------------------------------------------

    def _renew(self, row: OwedMessage, replaces: str) -> None:
        """Show a message's new face. A second time does no harm, so no one has to look whether it was done."""
        now = self._app.clock()
        with self._app.database.reading() as session:
            place = outbox_messages.place_of(session, replaces)
            superseded = outbox_messages.is_superseded(session, row)
            overtaking = outbox_messages.is_overtaking(session, row)
        if place is None or (place.state == outbox_messages.PARKED and place.uncertain):
            raise Refused(Trouble("anchor_parked", "park"))
        # A message of which no one knows whether it arrived is settled first: it may be there with an old face.
        if (
            place.state == outbox_messages.LEASED
            or overtaking
            or (place.state == outbox_messages.WAITING and place.uncertain)
        ):
            if overtaking:
                with self._app.database.transaction() as session:
                    outbox_messages.hasten_doubts(session, row, now)
            self._give_back(row, now + A_SECOND)
        # What is still to be posted will be written from what holds then.
        elif (
            superseded
            or place.state != outbox_messages.SENT
            or place.ts is None
            or place.channel is None
            or (composed := self._composed(row)) is None
        ):
            self._note_overtaken(row)
        else:
            channel, ts = place.channel, place.ts
            self._require_lease(row)
            asked(
                lambda: slack_delivery.update(self._slack, composed, channel=channel, ts=ts),
                posting=False,
                renewing=True,
            )
            self._note_sent(row, channel, ts)
            self._done.sent += 1

    # --- Posting ---------------------------------------------------------------------------------------------------

    def _post(self, row: OwedMessage) -> None:
        if (thread := self._thread(row)) is None:
            return
        user = None if row.channel else self._user(row)
        if row.uncertain and (place := self._found(row, user, thread)):
            self._note_sent(row, *place)
            self._done.settled += 1
        elif (composed := self._composed(row)) is None:
            self._note_overtaken(row)
        else:
            self._say(row, composed, _Destination(row.channel or user or "", thread))
            self._done.sent += 1

    def _thread(self, row: OwedMessage) -> str | None:
        """The ts of the message in whose thread this one goes; None where nothing is to be posted now."""
        if row.thread is None:
            return ""
        with self._app.database.reading() as session:
            place = outbox_messages.place_of(session, row.thread)
        if place is None or place.state == outbox_messages.PARKED:
            raise Refused(Trouble("anchor_parked", "park"))
        if place.ts is None and place.state == outbox_messages.SENT:
            # It need not be said any more, and so what belongs to it need not.
            self._note_overtaken(row)
        elif place.ts is None:
            self._give_back(row, self._app.clock() + A_SECOND)
        return place.ts

    def _user(self, row: OwedMessage) -> str:
        """The reader's Slack id; a reader without one is looked up by e-mail, and linked."""
        if row.slack_user_id is not None:
            return row.slack_user_id
        email, own_team, now = row.email or "", self._app.own_team, self._app.clock()
        found = asked(lambda: slack_delivery.account_of(self._slack, email, own_team, now), posting=False)
        if found is None:
            raise Refused(Trouble("no_slack_user", "park"))
        if found.barred:
            raise Refused(Trouble("slack_user_barred", "park"))
        with self._app.transaction() as moment:
            met = linking.link(moment, found)
        # Someone else may be on record with this Slack user: what is this person's is not for them.
        if met.person is None or met.person.id != row.person_id:
            raise Refused(Trouble("slack_user_taken", "park"))
        return found.id

    def _found(self, row: OwedMessage, user: str | None, thread: str) -> tuple[str, str] | None:
        return asked(
            lambda: slack_delivery.find(
                self._slack,
                row.key,
                to=row.channel or user or "",
                since=row.created_at,
                thread=thread,
                file=row.file_id,
            ),
            posting=False,
        )

    def _composed(self, row: OwedMessage) -> Composed | None:
        try:
            return self._compose(row.template, row.view)
        except UnknownTemplateError as error:
            raise Refused(Trouble("unknown_template", "park")) from error
        except Exception as error:
            if engine.is_out_of_reach(error):
                raise
            _log_mistake(row, "cannot be composed", error)
            raise Refused(Trouble("not_written", "park")) from error

    def _say(self, row: OwedMessage, composed: Composed, to: _Destination) -> None:
        """Post a message, with its picture if it has one that Slack shows, or with its document."""
        if composed.document is not None:
            self._share(row, composed, to)
            return
        file_id = self._picture(row, composed)
        if file_id is not None:
            try:
                self._say_with(file_id, row, composed, to)
            except Refused as refused:
                self._require_bare(row, refused.trouble)
            else:
                return
        self._say_with(None, row, composed, to)

    def _share(self, row: OwedMessage, composed: Composed, to: _Destination) -> None:
        """Post a document. Its id is on record before it is anywhere, and by that it is found again."""
        if self._rates and row.file_id is None:
            self._rates.await_upload(self._app)
        file_id = documents.handed_in(self._slack, row, composed)
        if row.file_id is None:
            self._note_file(row, file_id)
        self._require_lease(row)
        self._may_be_there = True
        try:
            channel = documents.shared(self._slack, row, composed, file_id, to=to.place, thread=to.thread)
        except documents.LostError as lost:
            self._note_file(row, None)
            raise Refused(Trouble("document_lost", "retry")) from lost
        self._note_sent(row, channel, None)

    def _picture(self, row: OwedMessage, composed: Composed) -> str | None:
        if (picture := composed.picture) is None or row.file_id is not None:
            return row.file_id
        if self._rates:
            self._rates.await_upload(self._app)
        file_id = pictures.uploaded(self._slack, row, picture)
        if file_id is not None:
            self._note_file(row, file_id)
        return file_id

    def _require_bare(self, row: OwedMessage, trouble: Trouble) -> None:
        """Whatever else a message with a picture is refused for, or a picture that may still come, ends the attempt."""
        if not pictures.is_reason(trouble):
            raise Refused(trouble)
        if pictures.may_come(row, trouble):
            if pictures.is_lost(row):
                self._note_file(row, None)
            raise Refused(Trouble("picture_refused", "retry"))
        pictures.leave_out(row, trouble)

    def _require_lease(self, row: OwedMessage) -> None:
        """Let go what somebody else took over, or may take over while Slack is asked.

        The record is asked: the clock alone may have been set meanwhile, or be behind that of somebody else.
        """
        with self._app.database.reading() as session:
            until = self._app.clock() + MARGIN
            if not outbox_messages.is_held(session, row.id, courier=self._courier, until=until):
                raise Refused(Trouble("lease_over", "wait"))

    def _say_with(self, file_id: str | None, row: OwedMessage, composed: Composed, to: _Destination) -> None:
        self._require_lease(row)
        self._may_be_there = True
        place = asked(
            lambda: slack_delivery.post(self._slack, row.key, composed, to=to.place, file_id=file_id, thread=to.thread),
            posting=True,
        )
        is_bare = composed.picture is not None and file_id is None
        self._note_sent(row, *place, problem=outbox_messages.WITHOUT_PICTURE if is_bare else None)

    # --- What is on record -----------------------------------------------------------------------------------------

    def _note_file(self, row: OwedMessage, file_id: str | None) -> None:
        with self._app.database.transaction() as session:
            outbox_messages.note_file(session, row.id, courier=self._courier, file_id=file_id)

    def _note_sent(self, row: OwedMessage, channel: str, ts: str | None, *, problem: str | None = None) -> None:
        def note(session: Session) -> bool:
            place = outbox_messages.Place(channel, ts, problem)
            return outbox_messages.sent(session, row.id, place, courier=self._courier, now=self._app.clock())

        self._record(row, note, fallbacks.after_sent)
        if row.person_id is not None:
            self._app.refresh_home(row.person_id)

    def _note_overtaken(self, row: OwedMessage) -> None:
        self._done.settled += 1
        with self._app.database.transaction() as session:
            outbox_messages.overtaken(session, row.id, courier=self._courier, now=self._app.clock())

    def _yield_to(self, row: OwedMessage, trouble: Trouble) -> None:
        now, attempts = self._app.clock(), min(row.attempts + 1, troubles.MOST_ATTEMPTS - 1)
        match trouble.course:
            case "wait":
                # Not this message's fault: it is no attempt.
                self._stop(trouble, trouble.retry_after)
                self._give_back(row, now + trouble.retry_after, trouble)
            case "stop":
                self._stop(trouble, troubles.STOPPED_FOR)
                self._give_back(row, now + troubles.STOPPED_FOR, trouble)
            case "pace":
                self._give_back(row, now + trouble.retry_after)
            case "hold":
                self._give_back(row, now + troubles.STOPPED_FOR, trouble)
            case "retry":
                self._give_back(row, now + troubles.wait(row.attempts), trouble, attempts=attempts)
            case "back_off" if self._may_pass(row):
                # Slack is ailing: to try the others meanwhile would use up their attempts.
                self._stop(trouble, troubles.FIRST_WAIT)
                self._done.ailing = True
                self._give_back(row, now + troubles.wait(row.attempts), trouble, attempts=attempts)
            case _:
                self._park(row, trouble)

    def _may_pass(self, row: OwedMessage) -> bool:
        """Whether it is worth while to try again: after many attempts only if Slack answers nothing else either."""
        return row.attempts + 1 < troubles.MOST_ATTEMPTS or slack_delivery.is_away(self._slack)

    def _stop(self, trouble: Trouble, quiet_for: timedelta) -> None:
        self._done.stopped, self._done.quiet_for = trouble.code, quiet_for

    def _park(self, row: OwedMessage, trouble: Trouble) -> None:
        def note(session: Session) -> bool:
            return outbox_messages.park(
                session,
                row.id,
                courier=self._courier,
                problem=trouble.code,
                attempts=row.attempts + 1,
                uncertain=row.uncertain or trouble.performed,
            )

        if self._record(row, note, fallbacks.after_parked):
            self._done.parked += 1
            logger.warning("message %s is parked: %s", row.id, trouble.code)

    def _give_back(
        self, row: OwedMessage, due_at: datetime, trouble: Trouble | None = None, *, attempts: int | None = None
    ) -> None:
        self._done.postponed += 1
        with self._app.database.transaction() as session:
            outbox_messages.postpone(
                session,
                row.id,
                courier=self._courier,
                due_at=due_at,
                problem=trouble.code if trouble else None,
                attempts=row.attempts if attempts is None else attempts,
                uncertain=row.uncertain or (trouble is not None and trouble.performed),
            )

    def _record(
        self, row: OwedMessage, note: Callable[[Session], bool], then: Callable[[Moment, OwedMessage], None]
    ) -> bool:
        """Note what became of a message, and owe what follows from it; a mistake in that undoes no record."""
        try:
            with self._app.transaction() as moment:
                if noted := note(moment.session):
                    then(moment, row)
        except Exception as error:
            if engine.is_out_of_reach(error):
                raise
            _log_mistake(row, "is on record, but not what follows from it", error)
            with self._app.database.transaction() as session:
                noted = note(session)
        return noted


def _log_mistake(row: OwedMessage, what: str, error: Exception) -> None:
    """The places in the program, and nothing of what the message says."""
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("message %s %s: %s\n%s", row.id, what, type(error).__qualname__, where)
