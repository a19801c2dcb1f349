"""The board's buttons at a gate between phases."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from handlers.slack import carried
from handlers.slack.carried import FromMessage
from handlers.slack.interactions import Modal, on_press, on_submit
from policy.gates import EXTEND, GO_ON, STOP
from programme import decisions
from programme.gates import deciding
from store.audit import Place
from store.gates import records
from templates import render

if TYPE_CHECKING:
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from templates.render import Message


class Choosing(FromMessage, frozen=True, kw_only=True):
    """What the form of a vote with a reason carries."""

    gate: str
    choice: str


def press_go_on(app: App, press: Press) -> Message:
    with app.transaction(press.now) as moment:
        place = Place(press.channel, press.ts)
        voted = deciding.vote(moment, press.person, press.value, GO_ON, place=place)
    return render.message("gates/voted", voted=voted)


def press_reason(app: App, press: Press, *, choice: str) -> Modal:
    """The form for a vote that needs a reason, if someone may vote: no one fills it in for nothing."""
    with app.reading(press.now) as moment:
        found = records.get(moment.session, press.value)
        gate = decisions.require_known(found, deciding.GATE, press.value)
        deciding.require_vote(moment, press.person, gate, choice)
    private = Choosing(gate=gate.id, choice=choice, channel=press.channel, ts=press.ts)
    return Modal(render.modal("gates/reason", gate=gate, choice=choice, private=carried.written(private)))


def submit_reason(app: App, form: Form) -> View:
    about = carried.read(form.private, Choosing)
    reason = form.text("reason").strip()
    with app.transaction(form.now) as moment:
        voted = deciding.vote(moment, form.person, about.gate, about.choice, reason, place=about.place)
    return render.modal("gates/voted", voted=voted)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "gate_go_on", press_go_on, app)
    on_press(listeners, "gate_extend", partial(press_reason, choice=EXTEND), app)
    on_press(listeners, "gate_stop", partial(press_reason, choice=STOP), app)
    on_submit(listeners, "gate_reason", submit_reason, app)
