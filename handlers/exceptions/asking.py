"""Asking for tokens: the form with its preview, requests and their withdrawal, answers to the board's questions."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers import note_failure
from handlers.exceptions import amounts, choices
from handlers.slack import carried
from handlers.slack.commands import Command
from handlers.slack.interactions import Modal, form_of, on_press, on_submit
from handlers.slack.users import quick
from policy import exceptions, texts
from policy.period import Quarter
from policy.reasons import FieldsRefused, Refusal
from policy.units import MicroTokens
from programme.exceptions import asking, cards, crediting, questions
from programme.exceptions.asking import NewRequest
from programme.exceptions.request import require_undecided
from programme.value import valuation
from store.exceptions import drafts as drafts_store
from store.exceptions import questions as questions_store
from store.exceptions import requests
from store.people import directory as people_store
from templates import formats, render
from templates.exceptions import button_value

if TYPE_CHECKING:
    from slack_bolt import Ack
    from slack_bolt import App as Bolt
    from slack_sdk import WebClient

    from handlers.slack.commands import Request
    from handlers.slack.interactions import Form, Press, View
    from policy.handbook import Handbook
    from policy.value.valuation import TokenValue
    from programme.app import App
    from programme.exceptions.asking import Preview
    from programme.moment import Moment
    from store.engine import Session
    from store.people.directory import Person
    from templates.render import Message

logger = logging.getLogger(__name__)

_NUMBER = re.compile(r"\d{1,18}")
SHOWN_REQUESTS = 5
LONGEST_AMOUNT = 40
FORM = "fast_track_form"
LIVE_FIELDS = ("amount", "purpose", "last_day", "project", "service", "beneficiaries", "incident")


@dataclass(frozen=True, slots=True)
class Fields:
    """The form's fields as they are typed; people are Slack users."""

    amount: str = ""
    purpose: str = ""
    last_day: str = ""
    project: str = ""
    service: str = ""
    beneficiaries: list[str] = field(default_factory=list)
    incident: str = ""


@dataclass(frozen=True, slots=True)
class _Office:
    """What the form is filled in and judged with."""

    book: Handbook
    value: TokenValue
    today: date


def _office(moment: Moment) -> _Office:
    today = moment.today
    books = moment.handbooks
    return _Office(books.on(today), valuation.expected(moment, Quarter.containing(today), books), today)


# --- The form ------------------------------------------------------------------------------------------------------


def open_request(app: App, request: Request) -> Modal | None:
    """`/tokens request [amount]`."""
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        fields, drafted_at = _draft(moment.session, person)
        if request.arguments:
            fields = replace(fields, amount=request.arguments[:LONGEST_AMOUNT])
        return Modal(_form(moment, person, fields, drafted_at=drafted_at))


def press_request(app: App, press: Press) -> Modal:
    """The form, with the amount that was written where the button is."""
    with app.reading(press.now) as moment:
        fields, drafted_at = _draft(moment.session, press.person)
        if press.value:
            fields = replace(fields, amount=press.value[:LONGEST_AMOUNT])
        return Modal(_form(moment, press.person, fields, drafted_at=drafted_at))


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
        return Modal(_form(moment, press.person, fields))


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
        return Modal(_form(moment, press.person, fields))


def _own(session: Session, press: Press) -> requests.Request:
    earlier = requests.get(session, press.request_id)
    if earlier is None or earlier.person_id != press.person.id:
        raise Refusal("not_yours", "This is someone else's request.", next_step="Type `/tokens request` for your own.")
    return earlier


def _draft(session: Session, person: Person) -> tuple[Fields, datetime | None]:
    kept = drafts_store.of_person(session, person.id)
    if kept is None:
        return Fields(), None
    return Fields(**{name: value for name, value in kept.fields.items() if name in LIVE_FIELDS}), kept.saved_at


def _form(
    moment: Moment,
    person: Person,
    fields: Fields,
    *,
    drafted_at: datetime | None = None,
) -> View:
    office = _office(moment)
    last_day = _day(fields.last_day)
    if last_day is None or last_day < office.today:
        usual = asking.usual_last_day(office.book, office.today)
        fields = replace(fields, last_day=usual.isoformat())
    judged, amount, problem = _preview(moment, person, fields, office)
    grant = crediting.monthly_grant(moment, person.id)
    return render.modal(
        "exceptions/form",
        form=fields,
        value=office.value,
        projects=choices.projects(moment.session, person, fields.project, office.today),
        services=choices.services(office.book, fields.service, office.today),
        break_glass=exceptions.break_glass_limit(grant, office.value, office.book.exceptions),
        judged=judged,
        preview_amount=amount,
        problem=problem,
        drafted_at=drafted_at,
    )


def _preview(
    moment: Moment, person: Person, fields: Fields, office: _Office
) -> tuple[Preview | None, MicroTokens | None, str]:
    """(how it would be judged, the amount, or else what is in the way) of a form that is being filled in."""
    if not fields.amount.strip():
        return None, None, ""
    started = fields if texts.shows(fields.purpose) else replace(fields, purpose="…")
    try:
        asked = _asked(moment.session, started, office)
        return asking.judge(moment, person, asked), asked.amount, ""
    except FieldsRefused as refused:
        return None, None, " ".join(refused.problems.values())
    except Refusal as refusal:
        return None, None, str(refusal)


def _asked(session: Session, fields: Fields, office: _Office) -> NewRequest:
    """What a form asks for; FieldsRefused for what cannot be read."""
    problems: dict[str, str] = {}
    amount = MicroTokens(0)
    try:
        amount = amounts.parse(fields.amount, office.value)
    except ValueError as error:
        problems["amount"] = str(error)
    named = {user: people_store.by_slack_id(session, user) for user in fields.beneficiaries}
    if unknown := [user for user, person in named.items() if person is None]:
        problems["beneficiaries"] = f"Not in the programme: {len(unknown)} of these people. Remove them."
    last_day = _day(fields.last_day)
    if last_day is None:
        problems["last_day"] = "Choose a day."
    if problems or last_day is None:
        raise FieldsRefused(problems)
    return NewRequest(
        amount=amount,
        purpose=fields.purpose,
        last_day=last_day,
        project_key=fields.project or None,
        service_key=fields.service or None,
        beneficiaries=frozenset(person.id for person in named.values() if person is not None),
        incident=fields.incident.strip() if texts.shows(fields.incident) else None,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _fields(form: Form) -> Fields:
    """What is filled in; people are those of the one field that takes them."""
    named = form.values.get("beneficiaries")
    texts_of = {name: form.text(name) for name in LIVE_FIELDS if name != "beneficiaries"}
    return Fields(beneficiaries=named if isinstance(named, list) else [], **texts_of)


def preview(ack: Ack, body: dict[str, Any], client: WebClient, *, app: App) -> None:
    """Something was typed: keep it, and show what would become of it."""
    try:
        form = form_of(app, client, body)
        fields = _fields(form)
        _keep(app.once(body["trigger_id"]), form, fields)
        with app.reading(form.now) as moment:
            view = _form(moment, form.person, fields)
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
            _keep(app.once(f"closed:{form.id}"), form, _fields(form))
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
        office = _office(moment)
        asked = _asked(moment.session, _fields(form), office)
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


def register(bolt: Bolt, app: App) -> None:
    on_press(bolt, "fast_track_request", press_request, app)
    on_press(bolt, "fast_track_again", press_again, app)
    on_press(bolt, "fast_track_more_time", press_more_time, app)
    on_press(bolt, "fast_track_withdraw", press_withdraw, app)
    on_press(bolt, "fast_track_answer", press_answer, app)
    on_press(bolt, "fast_track_outcome", press_outcome, app)
    on_submit(bolt, FORM, submit, app)
    on_submit(bolt, "fast_track_answer", submit_answer, app)
    on_submit(bolt, "fast_track_outcome", submit_outcome, app)
    choices.register(bolt, app)
    for name in LIVE_FIELDS:
        bolt.action({"block_id": name, "action_id": name})(partial(preview, app=app))
    bolt.view_closed(FORM)(partial(keep_draft, app=app))
