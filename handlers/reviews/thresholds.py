"""The form in which members of a review's panel propose other thresholds, and the share that it calls for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from handlers.slack.interactions import Modal, on_press, on_submit
from policy.period import Quarter
from programme.handbook import cards, thresholds
from programme.handbook.thresholds import SHARE, THRESHOLDS, ThresholdForm
from templates import handbook

if TYPE_CHECKING:
    from slack_bolt import App as Bolt

    from handlers.slack.interactions import Form, Press, View
    from programme.app import App


def press_thresholds(app: App, press: Press) -> Modal:
    """The form, with what holds."""
    quarter = Quarter.parse(press.value.partition(":")[0])
    with app.reading(press.now) as moment:
        offered = thresholds.offered(moment, press.person, quarter)
    private = json.dumps({"quarter": str(quarter), "base": offered.base})
    return Modal(handbook.thresholds(offered, THRESHOLDS, private=private))


def submit_thresholds(app: App, form: Form) -> View:
    private = json.loads(form.private)
    asked = ThresholdForm(private["base"], form.values)
    with app.transaction(form.now) as moment:
        made = thresholds.propose(moment, form.person, Quarter.parse(private["quarter"]), asked)
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


def register(bolt: Bolt, app: App) -> None:
    on_press(bolt, "review_thresholds", press_thresholds, app)
    on_press(bolt, "review_resize", press_resize, app)
    on_submit(bolt, "review_thresholds", submit_thresholds, app)
