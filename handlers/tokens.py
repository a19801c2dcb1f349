"""`/tokens`: the dispatch table of its subcommands, and the answer to each.

Every answer is given in the acknowledgement itself, visible only to the person who asked.
"""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from handlers import contact_of, metrics, month_named, note_failure
from handlers.appeals import deciding
from handlers.balance import warnings
from handlers.exceptions import asking, voting
from handlers.handbook import proposals
from handlers.reports import team
from handlers.slack.interactions import Modal, open_modal
from handlers.slack.users import email_of
from policy.period import Month, day_of
from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.balance import balance, history, why
from programme.people import directory
from store.handbook import reference
from store.people import directory as people_store
from templates import formats, render, workings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from slack_bolt import Ack
    from slack_bolt import App as Bolt
    from slack_sdk import WebClient

    from programme.app import App
    from programme.balance.history import History
    from templates.render import Message

logger = logging.getLogger(__name__)

HISTORY_ROWS = 20


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


def show_balance(app: App, request: Request) -> Message | None:
    with app.reading(request.now) as moment:
        card = balance.of_slack_user(moment, request.slack_user_id)
        if card is None:
            return None
        books = app.recent_handbooks.get(moment.session, request.now)
    names = {service.key: service.name for book in books.versions for service in book.services}
    services = [(names.get(key, key), spent) for key, spent in card.services]
    lapsing = MicroTokens(card.outlook.lapsing if card.outlook else 0)
    contact = books.versions[-1].contact
    return render.message("balance/balance", card=card, services=services, lapsing=lapsing, contact=contact)


def show_why(app: App, request: Request) -> Message | None:
    with app.reading(request.now) as moment:
        card = balance.of_slack_user(moment, request.slack_user_id)
        if card is None:
            return None
        explanation = why.explain(moment, card)
        names = reference.service_names(moment.session)
        contact = contact_of(moment)
    working = workings.of(explanation.grant) if explanation.grant else None
    return render.message("balance/why", why=explanation, card=card, names=names, contact=contact, working=working)


def show_history(app: App, request: Request) -> Message | None:
    month = _month(request, app)
    with app.reading() as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        of_month = history.of_month(moment, person.id, month)
        names = reference.service_names(moment.session)
    rows, left_out = _table(of_month, names)
    return render.message("balance/history", history=of_month, rows=rows, left_out=left_out)


def _month(request: Request, app: App) -> Month:
    if not request.arguments:
        return Month.containing(day_of(request.now, app.zone))
    try:
        return month_named(request.arguments)
    except ValueError as error:
        raise Refusal("not_a_month", f"{error}.", next_step="Try `/tokens history 2026-10`.") from error


def _table(of_month: History, names: dict[str, str]) -> tuple[list[list[str]], int]:
    """Rows with their heading; the lines beyond HISTORY_ROWS added up in one, and how many those are."""
    shown = of_month.lines[:HISTORY_ROWS]
    rest = of_month.lines[HISTORY_ROWS:]
    rows = [["Service", "Model", "Calls", "Input", "Output", "Tokens", "USD"]]
    rows += [_row(names.get(line.service_key, line.service_key), line.model, [line]) for line in shown]
    if rest:
        rows.append(_row("Others", "", rest))
    return rows, len(rest)


def _row(service: str, model: str, lines: Any) -> list[str]:  # noqa: ANN401 - a sequence of usage lines
    return [
        formats.short(service),
        formats.short(model) or "–",
        formats.count(sum(line.calls for line in lines)),
        formats.short_count(sum(line.input_tokens for line in lines)),
        formats.short_count(sum(line.output_tokens for line in lines)),
        formats.tokens(sum((line.debit for line in lines[1:]), lines[0].debit)),
        formats.usd(sum((line.cost for line in lines[1:]), lines[0].cost)).removeprefix("USD "),
    ]


def show_services(app: App, request: Request) -> Message | None:
    today = day_of(request.now, app.zone)
    with app.database.reading() as session:
        book = app.recent_handbooks.get(session, request.now).on(today)
    approved = [service for service in book.services if service.approved_on(today)]
    return render.message("commands/services", services=approved, contact=book.contact)


def show_help(app: App, request: Request) -> Message | None:
    with app.reading(request.now) as moment:
        contact = contact_of(moment)
    near = difflib.get_close_matches(request.arguments.lower(), [c.name for c in COMMANDS], n=1)
    return render.message(
        "commands/help", commands=COMMANDS, unknown=request.arguments, near=near[0] if near else "", contact=contact
    )


COMMANDS: tuple[Command, ...] = (
    Command("balance", "", "what you have left, and until when", show_balance),
    Command("why", "", "the arithmetic behind it", show_why),
    Command("history", "[month]", "what you used in a month, such as `2026-10`", show_history),
    Command("request", "[amount]", "ask for more; the form shows who decides and by when", asking.open_request),
    Command("requests", "", "what you asked for, and where it stands", asking.show_requests),
    Command("team", "", "what your team spends, for managers", team.show_team),
    Command("review", "", "your case in the last quarterly review, and why", deciding.show_review),
    Command("warnings", "", "at what share of your tokens you are warned, and when not", warnings.open_choice),
    Command("services", "", "the AI services that tokens pay for", show_services),
    Command("policy", "", "the rules in force, those to come, and what is proposed", proposals.show_policy),
    Command("board", "", "what is waiting for the board, for its members", voting.show_queue),
    Command("delegate", "@who until [day]", "hand your vote on the board to someone; `off` ends it", voting.delegate),
    Command("help", "", "this list", show_help),
)
_BY_NAME = {command.name: command for command in COMMANDS}


def parse(text: str) -> tuple[Command, str]:
    """The subcommand and its arguments; for an unknown word the help, which names the nearest."""
    # Slack escapes what is typed, so that mentions can be told from it.
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    word, _, arguments = text.strip().partition(" ")
    command = _BY_NAME.get(word.lower())
    if command is None:
        return _BY_NAME["help"], word
    return command, "" if command.name == "help" else arguments.strip()


def answer(app: App, *, text: str, slack_user_id: str, client: WebClient) -> Message | Modal:
    """The answer to one `/tokens …`, whatever happens; an unforeseen failure is logged under the number it shows."""
    now = app.clock()
    command, arguments = parse(text)
    request = Request(slack_user_id, arguments, now)
    try:
        with metrics.COMMAND_SECONDS.labels(command.name).time():
            return command.answer(app, request) or _after_linking(app, command, request, client)
    except Refusal as refusal:
        return render.message("shared/refusal", refusal=refusal)
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets an answer
        failure_id = note_failure(logger, f"/tokens {command.name}", error)
        return render.message("shared/failure", failure_id=failure_id, contact="the administrators")


def _after_linking(app: App, command: Command, request: Request, client: WebClient) -> Message | Modal:
    """First contact: ask Slack for the e-mail, outside of any transaction, link the person, answer again."""
    email = email_of(client, request.slack_user_id)
    with app.transaction(request.now) as moment:
        person = directory.link(moment, slack_user_id=request.slack_user_id, email=email)
        contact = contact_of(moment)
    answered = command.answer(app, request) if person else None
    return answered or render.message("shared/unknown_person", email=email, contact=contact)


def respond(ack: Ack, command: dict[str, Any], client: WebClient, *, app: App) -> None:
    """Bolt's listener for the slash command."""
    said = answer(app, text=command.get("text", ""), slack_user_id=command["user_id"], client=client)
    if isinstance(said, Modal):
        try:
            open_modal(client, command["trigger_id"], said)
        except Refusal as refusal:
            said = render.message("shared/refusal", refusal=refusal)
        else:
            ack()
            return
    ack(**said.ephemeral())


def register(bolt: Bolt, app: App) -> None:
    bolt.command("/tokens")(partial(respond, app=app))
