"""What members of the board click and type: votes, questions, their queue, and who stands in for them."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from handlers.exceptions import amounts
from handlers.slack import carried
from handlers.slack.carried import FromMessage
from handlers.slack.commands import BOARD, Command
from handlers.slack.interactions import Modal, on_press, on_submit
from policy import texts
from policy.period import Quarter, day_of
from policy.reasons import FieldsRefused, Refusal
from programme import delegating, waiting
from programme.exceptions import cards, questions, voting
from programme.exceptions.request import require_undecided
from programme.exceptions.voting import Ballot
from programme.reviews import calls
from programme.value import valuation
from store.audit import Place
from store.exceptions import requests
from store.people import board as board_store
from store.people import directory as people_store
from templates import exceptions, formats, homes, render, reviews

if TYPE_CHECKING:
    from handlers.slack.commands import Request
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from policy.units import MicroTokens
    from programme.app import App
    from programme.exceptions.cards import Card
    from programme.moment import Moment
    from store.engine import Session
    from templates.render import Message

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|([^>]*))?>")
_UNTIL = re.compile(r"\s+until\b\s*", re.IGNORECASE)
SHOWN_LINES = 10
HOW_TO_DELEGATE = "Try `/tokens delegate @who until 2026-12-24`, or `/tokens delegate off`."


# --- Votes ---------------------------------------------------------------------------------------------------------


def press_approve(app: App, press: Press) -> Message:
    place = Place(press.channel, press.ts)
    with app.transaction(press.now) as moment:
        voted = voting.vote(moment, press.person, press.request_id, Ballot(approves=True), place=place)
    return render.message("exceptions/voted", voted=voted)


def press_less(app: App, press: Press) -> Modal:
    card = _to_decide(app, press)
    amount = formats.exact_tokens(card.request.amount)
    return Modal(render.modal("exceptions/less", card=card, amount=amount, private=_private(press)))


def press_reject(app: App, press: Press) -> Modal:
    return Modal(render.modal("exceptions/reject", card=_to_decide(app, press), private=_private(press)))


def press_ask(app: App, press: Press) -> Modal:
    return Modal(render.modal("exceptions/ask", card=_to_decide(app, press), private=_private(press)))


def press_show(app: App, press: Press) -> Message:
    """All of a request, for those who have a seat."""
    with app.reading(press.now) as moment:
        card = cards.of(moment, press.request_id)
        if not cards.may_see(moment, card.request, press.person.id):
            raise Refusal("not_on_board", "Requests are shown only to board members who are not involved in them.")
    return exceptions.card(card)


def _to_decide(app: App, press: Press) -> Card:
    """The card that someone wants to decide, if they may: no one fills in a form for nothing."""
    with app.reading(press.now) as moment:
        card = cards.of(moment, press.request_id)
        require_undecided(moment, card.request)
        voting.seat_of(moment, card.request, press.person.id)
    return card


class OfRequest(FromMessage, frozen=True, kw_only=True):
    """What the forms about a request carry."""

    request_id: str


def _private(press: Press) -> str:
    return carried.written(OfRequest(request_id=press.request_id, channel=press.channel, ts=press.ts))


def submit_less(app: App, form: Form) -> View:
    with app.transaction() as moment:
        request = requests.get(moment.session, carried.read(form.private, OfRequest).request_id)
        last_day = carried.parsed(form.text("last_day"), date.fromisoformat) if form.text("last_day") else None
        amount = _amount(moment, form.text("amount"), form)
        if request is not None and amount == request.amount and last_day == request.last_day:
            ballot = Ballot(approves=True)
        else:
            ballot = Ballot(approves=True, amount=amount, last_day=last_day)
        return _vote(moment, form, ballot)


def _amount(moment: Moment, text: str, form: Form) -> MicroTokens:
    books = moment.handbooks
    value = valuation.expected(moment, Quarter.containing(day_of(form.now, moment.zone)), books)
    try:
        return amounts.parse(text, value)
    except ValueError as error:
        raise FieldsRefused({"amount": str(error)}) from error


def submit_reject(app: App, form: Form) -> View:
    with app.transaction() as moment:
        return _vote(moment, form, Ballot(approves=False, reason=form.text("reason").strip()))


def _vote(moment: Moment, form: Form, ballot: Ballot) -> View:
    about = carried.read(form.private, OfRequest)
    voted = voting.vote(moment.at(form.now), form.person, about.request_id, ballot, place=about.place)
    return render.modal("exceptions/voted", voted=voted)


def submit_question(app: App, form: Form) -> None:
    request_id, text = carried.read(form.private, OfRequest).request_id, form.text("question")
    with app.transaction(form.now) as moment:
        questions.ask(moment, form.person, request_id, text, key=f"question:{form.id}")


# --- The queue, and delegates --------------------------------------------------------------------------------------


def show_queue(app: App, request: Request) -> Message | None:
    """`/tokens board`."""
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        queue = cards.queue(moment, person.id, most=SHOWN_LINES)
        call, duties = calls.of(moment, person.id), waiting.of(moment, person.id)
        handed = board_store.delegations_on(moment.session, day_of(request.now, app.zone)).get(person.id)
    values = {line.card.request.id: exceptions.button_value(line.card) for line in queue.lines}
    stands_in_until = handed.last_day if handed else None
    return render.message(
        "exceptions/queue",
        queue=queue,
        values=values,
        stands_in_until=stands_in_until,
        call_=call,
        waiting=duties,
        **homes.WAITING,
        button_value=reviews.button_value(call) if call else "",
    )


def delegate(app: App, request: Request) -> Message | None:
    """`/tokens delegate @who until 2026-12-24`, or `off`; alone it says what holds."""
    words = request.arguments
    with app.transaction(request.now) as moment:
        member = people_store.by_slack_id(moment.session, request.slack_user_id)
        if member is None:
            return None
        today = day_of(request.now, app.zone)
        if words.casefold() == "off":
            taken = delegating.take_back(moment, member)
            text = "Your vote is yours again." if taken else "You hadn't handed your vote to anyone."
        elif not words:
            held = board_store.delegations_on(moment.session, today).get(member.id)
            text = _held(moment.session, held)
        else:
            to, last_day = _to_whom(moment.session, words)
            delegating.hand_over(moment, member, to, last_day)
            text = f"{to.name} votes in your place until the end of {formats.day(last_day)}. {_OFF}"
    return render.message("exceptions/done", text=text)


_OFF = "`/tokens delegate off` takes it back."


def _held(session: Session, held: board_store.Delegation | None) -> str:
    if held is None:
        return f"No one stands in for you. {HOW_TO_DELEGATE}"
    to = people_store.by_id(session, held.delegate_id)
    assert to is not None  # noqa: S101 - a foreign key
    return f"{to.name} votes in your place until the end of {formats.day(held.last_day)}. {_OFF}"


def _to_whom(session: Session, words: str) -> tuple[people_store.Person, date]:
    who, *until = _UNTIL.split(words, maxsplit=1)
    found = _MENTION.fullmatch(who)
    try:
        last_day = date.fromisoformat("".join(until))
    except ValueError:
        said = texts.quoted(_MENTION.sub(lambda one: _as_typed(session, one), words))
        raise Refusal("until", f"{said} lacks the last day.", next_step=HOW_TO_DELEGATE) from None
    if not found:
        raise Refusal("delegate_who", f"I don't recognise {texts.quoted(who)}.", next_step=HOW_TO_DELEGATE)
    person = people_store.by_slack_id(session, found[1])
    if person is None:
        raise Refusal(
            "delegate_unknown",
            "That person is not in the programme yet.",
            next_step="Ask them to use `/tokens` once, then try again.",
        )
    return person, last_day


def _as_typed(session: Session, found: re.Match[str]) -> str:
    """A mention as its writer saw it: Slack sends an id, with the name beside it or not."""
    person = people_store.by_slack_id(session, found[1])
    name = found[2] or (person.name.split()[0] if person else "someone")
    return f"@{name}"


COMMANDS = (
    Command("board", "", "what is waiting for you to decide", show_queue, topic=BOARD),
    Command("delegate", "@who until [day]", "hand your vote to someone; `off` ends it", delegate, topic=BOARD),
)


def register(listeners: Listeners, app: App) -> None:
    # Buttons of messages that were sent long ago carry these ids, so they keep their first spelling.
    on_press(listeners, "fast_track_approve", press_approve, app)
    on_press(listeners, "fast_track_less", press_less, app)
    on_press(listeners, "fast_track_reject", press_reject, app)
    on_press(listeners, "fast_track_ask", press_ask, app)
    on_press(listeners, "fast_track_show", press_show, app)
    on_submit(listeners, "fast_track_less", submit_less, app)
    on_submit(listeners, "fast_track_reject", submit_reject, app)
    on_submit(listeners, "fast_track_ask", submit_question, app)
