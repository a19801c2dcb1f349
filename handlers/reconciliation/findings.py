"""The buttons and forms of a difference with a vendor's bill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack import carried
from handlers.slack.carried import FromMessage
from handlers.slack.interactions import Modal, on_press, on_submit
from programme.reconciliation import asking, cards, deciding
from programme.reconciliation.deciding import ACCEPT, Choice
from store.audit import Place
from templates import reconciliation

if TYPE_CHECKING:
    from collections.abc import Callable

    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from templates.blocks import Block
    from templates.render import Message


class About(FromMessage, frozen=True, kw_only=True):
    """What the forms carry: which difference, and the revision at which it was read."""

    finding_id: str
    revision: int


def _named(value: str) -> tuple[str, int]:
    """(difference, revision) of a button."""

    def parse(text: str) -> tuple[str, int]:
        revision, _, finding_id = text.partition(":")
        return finding_id, int(revision)

    return carried.parsed(value, parse)


def _open(app: App, press: Press, form: Callable[..., Block]) -> Modal:
    finding_id, revision = _named(press.value)
    with app.transaction(press.now) as moment:
        deciding.require_open(moment, press.person, finding_id, revision)
        card = cards.of(moment, finding_id)
    about = About(finding_id=finding_id, revision=revision, channel=press.channel, ts=press.ts)
    return Modal(form(card, private=carried.written(about)))


def press_accept(app: App, press: Press) -> Modal:
    return _open(app, press, reconciliation.accept)


def press_correct(app: App, press: Press) -> Modal:
    return _open(app, press, reconciliation.correct)


def press_ask(app: App, press: Press) -> Modal:
    return _open(app, press, reconciliation.ask)


def press_confirm(app: App, press: Press) -> Message:
    finding_id, revision = _named(press.value)
    with app.transaction(press.now) as moment:
        deciding.confirm(moment, press.person, finding_id, revision, place=Place(press.channel, press.ts))
        return reconciliation.card(cards.of(moment, finding_id))


def press_reopen(app: App, press: Press) -> Message:
    finding_id, revision = _named(press.value)
    with app.transaction(press.now) as moment:
        deciding.reopen(moment, press.person, finding_id, revision, place=Place(press.channel, press.ts))
        return reconciliation.card(cards.of(moment, finding_id))


def submit_accept(app: App, form: Form) -> View:
    return _choose(app, form, ACCEPT)


def submit_correct(app: App, form: Form) -> View:
    return _choose(app, form, form.text("way"))


def _choose(app: App, form: Form, way: str) -> View:
    about = carried.read(form.private, About)
    choice = Choice(about.finding_id, about.revision, way, form.text("reason"))
    with app.transaction(form.now) as moment:
        deciding.choose(moment, form.person, choice, place=about.place)
        return reconciliation.done(cards.of(moment, about.finding_id))


def submit_ask(app: App, form: Form) -> View:
    about = carried.read(form.private, About)
    with app.transaction(form.now) as moment:
        asking.ask(moment, form.person, about.finding_id, about.revision, form.text("question"))
        return reconciliation.done(cards.of(moment, about.finding_id))


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "finding_accept", press_accept, app)
    on_press(listeners, "finding_correct", press_correct, app)
    on_press(listeners, "finding_ask", press_ask, app)
    on_press(listeners, "finding_confirm", press_confirm, app)
    on_press(listeners, "finding_reopen", press_reopen, app)
    on_submit(listeners, "finding_accept", submit_accept, app)
    on_submit(listeners, "finding_correct", submit_correct, app)
    on_submit(listeners, "finding_ask", submit_ask, app)
