"""The form in which members of a review's panel propose other thresholds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from handlers.slack.interactions import Modal, on_press, on_submit
from policy.period import Quarter
from programme.handbook import proposals, thresholds
from programme.handbook.thresholds import THRESHOLDS, Asked
from templates import handbook

if TYPE_CHECKING:
    from slack_bolt import App

    from handlers.slack.interactions import Form, Press, View
    from programme.app import Desk


def press_thresholds(desk: Desk, press: Press) -> Modal:
    """The form, with what holds."""
    quarter = Quarter.parse(press.value.partition(":")[0])
    with desk.reading() as session:
        offered = thresholds.offered(session, press.person, quarter, desk=desk, now=press.now)
    private = json.dumps({"quarter": str(quarter), "base": offered.base})
    return Modal(handbook.thresholds(offered, THRESHOLDS, private=private))


def submit_thresholds(desk: Desk, form: Form) -> View:
    private = json.loads(form.private)
    asked = Asked(private["base"], form.values)
    with desk.transaction() as session:
        made = thresholds.propose(
            session, form.person, Quarter.parse(private["quarter"]), asked, desk=desk, now=form.now
        )  # fmt: skip
        # Without the try on the review, which goes through everyone: the card has it, and Slack waits three seconds.
        card = next(one for one in proposals.cards(session) if one.proposal.id == made.id)
    return handbook.thresholds_proposed(card, THRESHOLDS)


def register(app: App, desk: Desk) -> None:
    on_press(app, "review_thresholds", press_thresholds, desk)
    on_submit(app, "review_thresholds", submit_thresholds, desk)
