"""What members of the board click and type: votes, questions, their queue, and who stands in for them."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING

from handlers.exceptions import amounts
from handlers.slack.interactions import Modal, on_press, on_submit
from policy.period import Quarter, day_of
from policy.reasons import FieldsRefused, Refusal
from programme import handbooks
from programme.exceptions import cards, voting
from programme.exceptions.voting import Ballot
from programme.people import board
from programme.reviews import calls
from programme.value import valuation
from store.audit import Place
from store.exceptions import requests as store
from store.people import board as board_store
from store.people import directory as people_store
from templates import exceptions as shown
from templates import formats, render, reviews

if TYPE_CHECKING:
    from slack_bolt import App

    from handlers.slack.interactions import Form, Press, View
    from handlers.tokens import Request
    from policy.units import MicroTokens
    from programme.app import Desk
    from programme.exceptions.cards import Card
    from store.engine import Session
    from templates.render import Message

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
SHOWN_LINES = 10
HOW_TO_DELEGATE = "Try `/tokens delegate @who until 2026-12-24`, or `/tokens delegate off`."


# --- Votes ---------------------------------------------------------------------------------------------------------


def press_approve(desk: Desk, press: Press) -> Message:
    place = Place(press.channel, press.ts)
    with desk.transaction() as session:
        voted = voting.vote(
            session, press.person, press.request_id, Ballot(approves=True), desk=desk, now=press.now, place=place
        )
    return render.message("fast_track/voted", voted=voted)


def press_less(desk: Desk, press: Press) -> Modal:
    card = _to_decide(desk, press)
    amount = formats.exact_tokens(card.request.amount)
    return Modal(render.modal("fast_track/less", card=card, amount=amount, private=_private(press)))


def press_reject(desk: Desk, press: Press) -> Modal:
    return Modal(render.modal("fast_track/reject", card=_to_decide(desk, press), private=_private(press)))


def press_ask(desk: Desk, press: Press) -> Modal:
    return Modal(render.modal("fast_track/ask", card=_to_decide(desk, press), private=_private(press)))


def press_show(desk: Desk, press: Press) -> Message:
    """All of a request, for those who have a seat."""
    with desk.reading() as session:
        card = cards.of(session, press.request_id, desk=desk, now=press.now)
        if not cards.may_see(session, card.request, press.person.id, desk=desk, now=press.now):
            raise Refusal("not_on_board", "Requests are shown only to board members who are not involved in them.")
    return shown.card(card)


def _to_decide(desk: Desk, press: Press) -> Card:
    """The card that someone wants to decide, if they may: no one fills in a form for nothing."""
    with desk.reading() as session:
        card = cards.of(session, press.request_id, desk=desk, now=press.now)
        voting.require_undecided(session, card.request, press.now)
        voting.seat_of(session, card.request, press.person.id, desk=desk, now=press.now)
    return card


def _private(press: Press) -> str:
    return json.dumps({"request_id": press.request_id, "channel": press.channel, "ts": press.ts})


def submit_less(desk: Desk, form: Form) -> View:
    with desk.transaction() as session:
        request = store.get(session, json.loads(form.private)["request_id"])
        last_day = date.fromisoformat(form.values["last_day"]) if form.values.get("last_day") else None
        amount = _amount(session, form.values.get("amount", ""), desk, form)
        if request is not None and amount == request.amount and last_day == request.last_day:
            ballot = Ballot(approves=True)
        else:
            ballot = Ballot(approves=True, amount=amount, last_day=last_day)
        return _vote(session, form, ballot, desk=desk)


def _amount(session: Session, text: str, desk: Desk, form: Form) -> MicroTokens:
    books = handbooks.load(session)
    value = valuation.expected(session, Quarter.containing(day_of(form.now, desk.zone)), books)
    try:
        return amounts.parse(text, value)
    except ValueError as error:
        raise FieldsRefused({"amount": str(error)}) from error


def submit_reject(desk: Desk, form: Form) -> View:
    with desk.transaction() as session:
        return _vote(session, form, Ballot(approves=False, reason=form.values.get("reason", "").strip()), desk=desk)


def _vote(session: Session, form: Form, ballot: Ballot, *, desk: Desk) -> View:
    private = json.loads(form.private)
    place = Place(private["channel"], private["ts"])
    voted = voting.vote(
        session, form.person, private["request_id"], ballot, desk=desk, now=form.now, place=place
    )  # fmt: skip
    return render.modal("fast_track/voted", voted=voted)


def submit_question(desk: Desk, form: Form) -> None:
    request_id, text = json.loads(form.private)["request_id"], form.values.get("question", "")
    with desk.transaction() as session:
        voting.ask(session, form.person, request_id, text, key=f"question:{form.id}", desk=desk, now=form.now)


# --- The queue, and delegates --------------------------------------------------------------------------------------


def show_queue(desk: Desk, request: Request) -> Message | None:
    """`/tokens board`."""
    with desk.reading() as session:
        person = people_store.by_slack_id(session, request.slack_user_id)
        if person is None:
            return None
        queue = cards.queue(session, person.id, most=SHOWN_LINES, desk=desk, now=request.now)
        call = calls.of(session, person.id, desk=desk, now=request.now)
        handed = board_store.delegations_on(session, day_of(request.now, desk.zone)).get(person.id)
    values = {line.card.request.id: shown.button_value(line.card) for line in queue.lines}
    stands_in_until = handed.last_day if handed else None
    return render.message(
        "fast_track/queue", queue=queue, values=values, stands_in_until=stands_in_until, call_=call,
        button_value=reviews.button_value(call) if call else "",
    )  # fmt: skip


def delegate(desk: Desk, request: Request) -> Message | None:
    """`/tokens delegate @who until 2026-12-24`, or `off`; alone it says what holds."""
    words = request.arguments
    with desk.transaction() as session:
        member = people_store.by_slack_id(session, request.slack_user_id)
        if member is None:
            return None
        today = day_of(request.now, desk.zone)
        if words.lower() == "off":
            taken = board.take_back(session, member, now=request.now)
            text = "Your vote is yours again." if taken else "You hadn't handed your vote to anyone."
        elif not words:
            held = board_store.delegations_on(session, today).get(member.id)
            text = _held(session, held)
        else:
            to, last_day = _to_whom(session, words)
            board.delegate(session, member, to, last_day, desk=desk, now=request.now)
            text = f"{to.name} votes in your place until the end of {formats.day(last_day)}. {_OFF}"
    return render.message("fast_track/done", text=text)


_OFF = "`/tokens delegate off` takes it back."


def _held(session: Session, held: board_store.Delegation | None) -> str:
    if held is None:
        return f"No one stands in for you. {HOW_TO_DELEGATE}"
    to = people_store.by_id(session, held.delegate_id)
    assert to is not None  # noqa: S101 - a foreign key
    return f"{to.name} votes in your place until the end of {formats.day(held.last_day)}. {_OFF}"


def _to_whom(session: Session, words: str) -> tuple[people_store.Person, date]:
    who, _, until = words.partition(" until ")
    found = _MENTION.fullmatch(who.strip())
    try:
        last_day = date.fromisoformat(until.strip())
    except ValueError:
        raise Refusal("until", f"{words!r} lacks the last day.", next_step=HOW_TO_DELEGATE) from None
    if not found:
        raise Refusal("delegate_who", f"I don't recognise {who.strip()!r}.", next_step=HOW_TO_DELEGATE)
    person = people_store.by_slack_id(session, found[1])
    if person is None:
        raise Refusal(
            "delegate_unknown", "That person is not in the programme yet.",
            next_step="Ask them to use `/tokens` once, then try again.",
        )  # fmt: skip
    return person, last_day


def register(app: App, desk: Desk) -> None:
    on_press(app, "fast_track_approve", press_approve, desk)
    on_press(app, "fast_track_less", press_less, desk)
    on_press(app, "fast_track_reject", press_reject, desk)
    on_press(app, "fast_track_ask", press_ask, desk)
    on_press(app, "fast_track_show", press_show, desk)
    on_submit(app, "fast_track_less", submit_less, desk)
    on_submit(app, "fast_track_reject", submit_reject, desk)
    on_submit(app, "fast_track_ask", submit_question, desk)
