"""The buttons of a cash cap's card: *Raise…*, *Stop*, *Let it run*."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from handlers import amounts
from handlers.slack import carried
from handlers.slack.carried import FromMessage
from handlers.slack.interactions import Modal, on_press, on_submit
from policy.cash import HALT, LET_RUN, RAISE
from policy.reasons import FieldsRefused
from programme.cash import cards, questions
from programme.cash.questions import Choice
from store.audit import Place
from store.holds import cash as store
from templates import cash as shown

if TYPE_CHECKING:
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from templates.render import Message


class Raising(FromMessage, frozen=True, kw_only=True):
    """What the form carries in which someone votes for another limit."""

    question_id: str


def _vote(app: App, press: Press, *, choice: str) -> Message:
    place = Place(press.channel, press.ts)
    with app.transaction(press.now) as moment:
        voted = questions.vote(moment, press.person, press.value, Choice(choice), place=place)
    return shown.voted(voted.question, voted.choice, voted.count, again=voted.again)


def press_raise(app: App, press: Press) -> Modal:
    """The form, if they may vote: no one fills one in for nothing. It begins with what they voted for before."""
    with app.reading(press.now) as moment:
        question = questions.require(moment, press.value)
        questions.require_undecided(moment, question)
        panel, votes = store.panel(moment.session, question), store.votes(moment.session, question.id)
        seat = questions.seat_of(moment, question, panel, press.person.id, votes=votes)
        card = cards.of(moment, question.id)
    before = next((one.limit for one in votes if one.seat == seat.person_id), None)
    private = Raising(question_id=press.value, channel=press.channel, ts=press.ts)
    return Modal(shown.raising(card, before, carried.written(private)))


def submit_raise(app: App, form: Form) -> View:
    about = carried.read(form.private, Raising)
    try:
        limit = amounts.usd(form.text("limit"))
    except ValueError as error:
        raise FieldsRefused({"limit": str(error)}) from error
    with app.transaction(form.now) as moment:
        voted = questions.vote(moment, form.person, about.question_id, Choice(RAISE, limit), place=about.place)
    return shown.voted_view(voted.question, voted.choice, voted.count, again=voted.again)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "cash_raise", press_raise, app)
    on_press(listeners, "cash_stop", partial(_vote, choice=HALT), app)
    on_press(listeners, "cash_let_run", partial(_vote, choice=LET_RUN), app)
    on_submit(listeners, "cash_raise", submit_raise, app)
