"""`/tokens`: what a subcommand is, which one is meant, and the answer to it.

Every answer is given in the acknowledgement itself, visible only to the person who asked.
"""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from handlers import contact_of, metrics
from handlers.slack import leavers
from handlers.slack.interactions import Modal, failed, open_modal
from handlers.slack.listeners import COMMAND
from handlers.slack.users import meet
from policy import texts
from policy.reasons import Refusal
from programme.offers.making import RECRUITER
from programme.people import board
from store import losses
from store.people import directory as people_store
from templates import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from slack_bolt import Ack
    from slack_sdk import WebClient

    from handlers.slack.listeners import Listeners
    from programme.app import App
    from programme.moment import Moment
    from templates.render import Message

logger = logging.getLogger(__name__)
T = TypeVar("T")


_AFTER = ".,;:!?…"
_AROUND = _AFTER + "`'\"*_~()<>"
"""What people put at the end of a sentence, and around a word that they copied."""


YOURS, PROGRAMME, TEAM, BOARD = "Your tokens", "The programme", "Your team", "The board"
RECRUITING = "Recruiting"


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked what, when."""

    slack_user_id: str
    arguments: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: it answers with a message or a form, or with None when it does not know who asked."""

    name: str
    arguments: str
    summary: str
    answer: Callable[[App, Request], Message | Modal | None]
    button: str = ""
    """The action that opens the same form, for a command with one."""
    topic: str = YOURS
    """Under which heading `help` lists it; those of managers, of the board and of recruiters are for them alone."""
    has_card: bool = False
    """It reads a card that says whether they have left; for all others that is looked up before."""


class Commands:
    """The topics' subcommands in the order in which `help`, the last of them, lists them."""

    def __init__(self, *commands: Command) -> None:
        table = (*commands, Command("help", "", "this list", self._help, topic=PROGRAMME))
        self._by_name = {command.name: command for command in table}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._by_name.values())

    def parse(self, text: str) -> tuple[Command, str]:
        """The subcommand and its arguments; for an unknown word the help, which names the nearest."""
        word, _, arguments = unescaped(texts.plain(text)).partition(" ")
        command = self._by_name.get(word.strip(_AROUND).casefold())
        if command is None:
            return self._by_name["help"], word
        return command, "" if command.name == "help" else arguments.strip().rstrip(_AFTER)

    def answer(self, app: App, *, text: str, slack_user_id: str, client: WebClient, once: str = "") -> Message | Modal:
        """The answer to one `/tokens …`, whatever happens; a failure is logged under the number that it shows.

        `once` is Slack's own id of it.
        """
        command, arguments = self.parse(text)
        request = Request(slack_user_id, arguments, app.clock())
        doing = app.once(once)
        # Under Slack's id a change that was committed without a word is not made again.
        done_again = losses.done_again if once else _done
        try:
            with metrics.command_seconds(command.name).time():
                return done_again(
                    lambda: _answered(doing, command, request) or _after_linking(doing, command, request, client)
                )
        except Refusal as refusal:
            return render.message("shared/refusal", refusal=refusal)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person gets an answer
            return failed(logger, f"/tokens {command.name}", error)

    def respond(self, ack: Ack, body: dict[str, Any], client: WebClient, *, app: App) -> None:
        """The listener for the slash command."""
        user, once = body["user_id"], body["trigger_id"]
        said = self.answer(app, text=body.get("text", ""), slack_user_id=user, client=client, once=once)
        if isinstance(said, Modal):
            try:
                open_modal(client, body["trigger_id"], said)
            except Refusal as refusal:
                said = render.message("shared/refusal", refusal=refusal)
            else:
                ack()
                return
        ack(**said.ephemeral())

    def register(self, listeners: Listeners, app: App) -> None:
        listeners.on(COMMAND, "/tokens", partial(self.respond, app=app))

    def _help(self, app: App, request: Request) -> Message:
        with app.reading(request.now) as moment:
            contact, topics = contact_of(moment), _topics(moment, request.slack_user_id)
        near = difflib.get_close_matches(request.arguments.strip(_AROUND).casefold(), self._by_name, n=1)
        return render.message(
            "commands/help",
            topics={topic: [command for command in self if command.topic == topic] for topic in topics},
            unknown=request.arguments,
            near=near[0] if near else "",
            contact=contact,
        )


def _done(work: Callable[[], T]) -> T:
    return work()


def _topics(moment: Moment, slack_user_id: str) -> list[str]:
    """What help is about for someone."""
    person = people_store.by_slack_id(moment.session, slack_user_id)
    leads = person is not None and bool(people_store.reports_of(moment.session, [person.id]))
    decides = person is not None and board.has_seat(moment, person.id)
    recruits = person is not None and RECRUITER in people_store.roles_of(moment.session, person.id)
    own = [topic for topic, is_theirs in ((TEAM, leads), (BOARD, decides), (RECRUITING, recruits)) if is_theirs]
    return [YOURS, *own, PROGRAMME]


def unescaped(text: str) -> str:
    """What was typed: Slack escapes it, so that mentions can be told from it."""
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return text


def _answered(app: App, command: Command, request: Request) -> Message | Modal | None:
    """The command's answer; whoever has left is told that there is none."""
    if not command.has_card:
        with app.reading(request.now) as moment:
            person = people_store.by_slack_id(moment.session, request.slack_user_id)
            leavers.require_here(moment, person.left_on if person else None)
    return command.answer(app, request)


def _after_linking(app: App, command: Command, request: Request, client: WebClient) -> Message | Modal:
    """First contact: link the person, and answer again."""
    met = meet(app, client, request.slack_user_id, request.now)
    if met.refusal is not None and met.refusal.code != "unknown_person":
        raise met.refusal
    answered = _answered(app, command, request) if met.person else None
    if answered is not None:
        return answered
    with app.reading(request.now) as moment:
        contact = contact_of(moment)
    return render.message("shared/unknown_person", email=met.email, contact=contact, account=request.slack_user_id)
