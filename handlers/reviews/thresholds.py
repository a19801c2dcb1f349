"""The form in which members of a review's panel propose other thresholds, and the share that it calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from handlers.slack import carried
from handlers.slack.interactions import Modal, on_press, on_submit
from policy.period import Quarter
from programme.handbook import cards, thresholds
from programme.handbook.thresholds import SHARE, THRESHOLDS, ThresholdForm
from templates import handbook

if TYPE_CHECKING:
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App


class Proposing(Struct, frozen=True, kw_only=True):
    """What the form carries: at which review, and after which version of the handbook, it was opened."""

    quarter: str
    base: str


def press_thresholds(app: App, press: Press) -> Modal:
    """The form, with what holds."""
    quarter = carried.parsed(press.value.partition(":")[0], Quarter.parse)
    with app.reading(press.now) as moment:
        offered = thresholds.offered(moment, press.person, quarter)
    private = Proposing(quarter=str(quarter), base=offered.base)
    return Modal(handbook.thresholds(offered, THRESHOLDS, private=carried.written(private)))


def submit_thresholds(app: App, form: Form) -> View:
    about = carried.read(form.private, Proposing)
    asked = ThresholdForm(about.base, {name: form.text(name) for name in form.values})
    with app.transaction(form.now) as moment:
        made = thresholds.propose(moment, form.person, carried.parsed(about.quarter, Quarter.parse), asked)
        # Without the try on the review, which goes through everyone: the card has it, and Slack waits three seconds.
        card = next(one for one in cards.all_open(moment) if one.proposal.id == made.id)
    return handbook.thresholds_proposed(card, THRESHOLDS)


def press_resize(app: App, press: Press) -> Modal:
    """The share that the review proposes, put before the board."""
    quarter = Quarter.parse(press.value.partition(":")[0])
    with app.transaction(press.now) as moment:
        made = thresholds.propose_share(moment, press.person, quarter)
        card = next(one for one in cards.all_open(moment) if one.proposal.id == made.id)
    return Modal(handbook.thresholds_proposed(card, (SHARE,)))


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "review_thresholds", press_thresholds, app)
    on_press(listeners, "review_resize", press_resize, app)
    on_submit(listeners, "review_thresholds", submit_thresholds, app)
