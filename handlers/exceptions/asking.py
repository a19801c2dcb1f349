"""Asking for tokens: the form, requests and their withdrawal, answers to the board's questions."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers import note_failure
from handlers.exceptions import choices, request_form
from handlers.exceptions.request_form import Fields
from handlers.slack import carried
from handlers.slack.commands import Command
from handlers.slack.interactions import Modal, form_of, on_press, on_submit
from handlers.slack.listeners import CLOSED_FORM, PRESS
from handlers.slack.users import quick
from policy import texts
from policy.reasons import FieldsRefused, Refusal
from policy.units import MicroTokens
from programme.exceptions import asking, cards, questions
from programme.exceptions.request import require_undecided
from store.exceptions import drafts as drafts_store
from store.exceptions import questions as questions_store
from store.exceptions import requests
from store.people import directory as people_store
from templates import formats, render
from templates.exceptions import button_value

if TYPE_CHECKING:
    from slack_bolt import Ack
    from slack_sdk import WebClient

    from handlers.slack.commands import Request
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from store.engine import Session
    from templates.render import Message

logger = logging.getLogger(__name__)

_NUMBER = re.compile(r"\d{1,18}")
SHOWN_REQUESTS = 5
LONGEST_AMOUNT = 40


# --- The form ------------------------------------------------------------------------------------------------------


def open_request(app: App, request: Request) -> Modal | None:
    """`/tokens request [amount]`."""
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        fields, drafted_at = request_form.draft(moment.session, person)
        if request.arguments:
            fields = replace(fields, amount=request.arguments[:LONGEST_AMOUNT])
        return Modal(request_form.opened(moment, person, fields, drafted_at=drafted_at))


def press_request(app: App, press: Press) -> Modal:
    """The form, with the amount that was written where the button is."""
    with app.reading(press.now) as moment:
        fields, drafted_at = request_form.draft(moment.session, press.person)
        if press.value:
            fields = replace(fields, amount=press.value[:LONGEST_AMOUNT])
        return Modal(request_form.opened(moment, press.person, fields, drafted_at=drafted_at))


def press_again(app: App, press: Press) -> Modal:
    """The form with what an earlier request had in it."""
    with app.reading(press.now) as moment:
        earlier = _own(moment.session, press)
        fields = Fields(
            amount=formats.exact_tokens(earlier.amount),
            purpose=earlier.purpose,
            project=earlier.project_key or "",
            service=earlier.service_key or "",
        )
        return Modal(request_form.opened(moment, press.person, fields))


def press_more_time(app: App, press: Press) -> Modal:
    """The form for what is left of an exception that ends."""
    with app.reading(press.now) as moment:
        earlier = _own(moment.session, press)
        left = MicroTokens(requests.remaining(moment.session, earlier))
        fields = Fields(
            amount=formats.exact_tokens(left) if left else "",
            purpose=f"More time for: {earlier.purpose}"[: texts.LONGEST],
            project=earlier.project_key or "",
            service=earlier.service_key or "",
        )
        return Modal(request_form.opened(moment, press.person, fields))


def _own(session: Session, press: Press) -> requests.Request:
    earlier = requests.get(session, press.request_id)
    if earlier is None or earlier.person_id != press.person.id:
        raise Refusal("not_yours", "This is someone else's request.", next_step="Type `/tokens request` for your own.")
    return earlier


def preview(ack: Ack, body: dict[str, Any], client: WebClient, *, app: App) -> None:
    """Something was typed: keep it, and show what would become of it."""
    try:
        form = form_of(app, client, body)
        fields = request_form.filled_in(form)
        _keep(app.once(body["trigger_id"]), form, fields)
        with app.reading(form.now) as moment:
            view = request_form.view(moment, form.person, fields)
        quick(client).views_update(view_id=form.id, hash=body["view"]["hash"], view=view)
    except (SlackApiError, SlackClientError, OSError) as error:
        # Typed on meanwhile, or closed: the next preview is on its way, or no one looks.
        logger.info("a preview was not shown: %s", type(error).__name__)
    except Refusal as refusal:
        logger.info("a preview was not shown: %s", refusal.code)
    except Exception as error:  # noqa: BLE001 - what is typed stays, and is judged when it is sent
        note_failure(logger, "preview", error)
    ack()


def keep_draft(ack: Ack, body: dict[str, Any], client: WebClient, *, app: App) -> None:
    """The form was closed: what is in it is there again when it is opened."""
    try:
        form = form_of(app, client, body)
        if form.values:
            _keep(app.once(f"closed:{form.id}"), form, request_form.filled_in(form))
    except Refusal as refusal:
        logger.info("a draft was not kept: %s", refusal.code)
    ack()


def _keep(app: App, form: Form, fields: Fields) -> None:
    """Save a draft, unless the form was sent meanwhile: then there is nothing left to write."""
    with app.transaction(form.now) as moment:
        if requests.by_key(moment.session, f"request:{form.id}") is None:
            drafts_store.save(moment.session, form.person.id, asdict(fields), now=form.now)


def submit(app: App, form: Form) -> View:
    """Keep the request, and show who decides it until when."""
    with app.transaction(form.now) as moment:
        asked = request_form.require_readable(moment, form.person, request_form.filled_in(form))
        try:
            submitted = asking.submit(moment, form.person, asked, key=form.id)
        except FieldsRefused:
            raise
        except Refusal as refusal:
            # The form stays as it is, with what is in the way.
            raise FieldsRefused({"amount": str(refusal)}) from refusal
        card = cards.of(moment, submitted.request.id)
    return render.modal("exceptions/receipt", card=card)


# --- One's own requests --------------------------------------------------------------------------------------------


def show_requests(app: App, request: Request) -> Message | None:
    """`/tokens requests`."""
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        own = cards.mine(moment, person.id, limit=SHOWN_REQUESTS)
    values = {card.request.id: button_value(card) for card in own}
    return render.message("exceptions/requests", cards=own, values=values)


def press_withdraw(app: App, press: Press) -> Message:
    with app.transaction(press.now) as moment:
        asking.withdraw(moment, press.person, press.request_id)
    return render.message("exceptions/done", text="Your request is withdrawn. You can ask again at any time.")


# --- Answers to the board, and what came of it ---------------------------------------------------------------------


def press_answer(app: App, press: Press) -> Modal:
    with app.reading(press.now) as moment:
        question = questions_store.get(moment.session, int(press.value)) if _NUMBER.fullmatch(press.value) else None
        request = requests.get(moment.session, question.request_id) if question else None
        if question is None or request is None or request.person_id != press.person.id:
            raise Refusal("not_yours", "This question is for the person who asked for the tokens.")
        require_undecided(moment, request)
    if question.answer is not None:
        raise Refusal("answered", "You have already answered this.", next_step="The board has your answer.")
    return Modal(render.modal("exceptions/answer", question=question, private=press.value))


def submit_answer(app: App, form: Form) -> None:
    with app.transaction(form.now) as moment:
        questions.answer(moment, form.person, carried.parsed(form.private, int), form.text("answer"))


def press_outcome(app: App, press: Press) -> Modal:
    with app.reading(press.now) as moment:
        _own(moment.session, press)
        card = cards.of(moment, press.request_id)
    outcomes = list(questions.OUTCOMES.items())
    return Modal(render.modal("exceptions/outcome_form", card=card, outcomes=outcomes, private=press.request_id))


def submit_outcome(app: App, form: Form) -> None:
    outcome, note = form.text("outcome"), form.text("note")
    with app.transaction(form.now) as moment:
        questions.tell_outcome(moment, form.person, form.private, outcome, note)


COMMANDS = (
    Command(
        "request",
        "[amount]",
        "ask for more; the form shows who decides and by when",
        open_request,
        button="fast_track_request",
    ),
    Command("requests", "", "what you asked for, and where it stands", show_requests),
)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "fast_track_request", press_request, app)
    on_press(listeners, "caps_incident", press_request, app)
    on_press(listeners, "fast_track_again", press_again, app)
    on_press(listeners, "fast_track_more_time", press_more_time, app)
    on_press(listeners, "fast_track_withdraw", press_withdraw, app)
    on_press(listeners, "fast_track_answer", press_answer, app)
    on_press(listeners, "fast_track_outcome", press_outcome, app)
    on_submit(listeners, request_form.CALLBACK, submit, app)
    on_submit(listeners, "fast_track_answer", submit_answer, app)
    on_submit(listeners, "fast_track_outcome", submit_outcome, app)
    choices.register(listeners, app)
    for name in request_form.LIVE_FIELDS:
        listeners.on(PRESS, name, partial(preview, app=app))
    listeners.on(CLOSED_FORM, request_form.CALLBACK, partial(keep_draft, app=app))
