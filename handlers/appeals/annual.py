"""The buttons for appeals against the annual review: a person files one, and the board decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack import carried
from handlers.slack.carried import FromMessage
from handlers.slack.interactions import Modal, closed, on_press, on_submit
from programme.appeals import annual, filing
from templates import appeals as shown
from templates import render

if TYPE_CHECKING:
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App


def press_appeal(app: App, press: Press) -> Modal:
    """The form, if there is anything to appeal against."""
    with app.reading(press.now) as moment:
        _, found = annual.require_open_to_appeal(moment, press.person)
        decide_by = filing.times(moment).decide_by
    return Modal(shown.appealing_annual(found, decide_by))


def submit_appeal(app: App, form: Form) -> View:
    with app.transaction(form.now) as moment:
        annual.file(moment, form.person, form.text("reason"))
    return closed("Your appeal is with the board. Until it is decided, the factor does not count.", title="Appeal")


class Deciding(FromMessage, frozen=True, kw_only=True):
    """What the form carries in which an appeal is decided."""

    appeal_id: str


def press_uphold(app: App, press: Press) -> Modal:
    return _deciding(app, press, upheld=True)


def press_reject(app: App, press: Press) -> Modal:
    return _deciding(app, press, upheld=False)


def _deciding(app: App, press: Press, *, upheld: bool) -> Modal:
    with app.reading(press.now) as moment:
        card = annual.card(moment, press.value)
        annual.require_decider(moment, press.person, card.appeal)
    private = Deciding(appeal_id=press.value, channel=press.channel, ts=press.ts)
    return Modal(shown.deciding_annual(card, upheld=upheld, private=carried.written(private)))


def submit_uphold(app: App, form: Form) -> View:
    return _decide(app, form, upheld=True)


def submit_reject(app: App, form: Form) -> View:
    return _decide(app, form, upheld=False)


def _decide(app: App, form: Form, *, upheld: bool) -> View:
    about, reason = carried.read(form.private, Deciding), form.text("reason")
    with app.transaction(form.now) as moment:
        appeal = annual.decide(moment, form.person, about.appeal_id, upheld=upheld, reason=reason, place=about.place)
    return render.modal("appeals/annual_decided", appeal=appeal)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "annual_appeal", press_appeal, app)
    on_press(listeners, "annual_uphold", press_uphold, app)
    on_press(listeners, "annual_reject", press_reject, app)
    on_submit(listeners, "annual_file", submit_appeal, app)
    on_submit(listeners, "annual_uphold", submit_uphold, app)
    on_submit(listeners, "annual_reject", submit_reject, app)
