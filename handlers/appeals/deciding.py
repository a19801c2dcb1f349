"""The buttons for appeals against a cut: a person files one, and the board decides it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from handlers.slack.interactions import Modal, closed, on_press, on_submit
from policy.period import Quarter
from policy.reasons import Refusal
from programme.appeals import appeals, own_case
from store.audit import Place
from store.people import directory as people_store
from templates import appeals as shown
from templates import render, reviews

if TYPE_CHECKING:
    from slack_bolt import App

    from handlers.slack.interactions import Form, Press, View
    from handlers.tokens import Request
    from programme.app import Desk
    from templates.render import Message


def show_review(desk: Desk, request: Request) -> Message | None:
    """`/tokens review`."""
    with desk.reading() as session:
        person = people_store.by_slack_id(session, request.slack_user_id)
        if person is None:
            return None
        mine = own_case.of(session, person, desk=desk, now=request.now)
    return reviews.mine(mine.quarter, mine.changed, card=mine.appeal, may_appeal=mine.may_appeal)


def press_appeal(desk: Desk, press: Press) -> Modal:
    """The form, if there is anything to appeal against: no one fills one in for nothing."""
    quarter = _quarter(press.value)
    with desk.reading() as session:
        case = appeals.require_open_to_appeal(session, press.person, quarter, desk=desk, now=press.now)
        decide_by = appeals.times(session, desk=desk, now=press.now).decide_by
    return Modal(shown.appealing(quarter, case.delta_thousandths, decide_by))


def submit_appeal(desk: Desk, form: Form) -> View:
    with desk.transaction() as session:
        appeals.file(
            session, form.person, _quarter(form.private), form.values.get("reason", ""), desk=desk, now=form.now
        )  # fmt: skip
    return closed(
        "Your appeal is with the board, and the cut waits until it is decided. `/tokens review` shows where it stands.",
        title="Appeal",
    )


def _quarter(text: str) -> Quarter:
    try:
        return Quarter.parse(text)
    except ValueError:
        raise Refusal("unknown_review", f"There is no review of {text!r}.") from None


def press_uphold(desk: Desk, press: Press) -> Modal:
    return _deciding(desk, press, upheld=True)


def press_reject(desk: Desk, press: Press) -> Modal:
    return _deciding(desk, press, upheld=False)


def _deciding(desk: Desk, press: Press, *, upheld: bool) -> Modal:
    with desk.reading() as session:
        card = appeals.card(session, press.value, desk=desk, now=press.now)
        appeals.require_decider(session, press.person, card.appeal, desk=desk, now=press.now)
    private = json.dumps({"appeal_id": press.value, "channel": press.channel, "ts": press.ts})
    return Modal(shown.deciding(card, upheld=upheld, private=private))


def submit_uphold(desk: Desk, form: Form) -> View:
    return _decide(desk, form, upheld=True)


def submit_reject(desk: Desk, form: Form) -> View:
    return _decide(desk, form, upheld=False)


def _decide(desk: Desk, form: Form, *, upheld: bool) -> View:
    private = json.loads(form.private)
    place = Place(private["channel"], private["ts"])
    reason = form.values.get("reason", "")
    with desk.transaction() as session:
        appeal = appeals.decide(
            session, form.person, private["appeal_id"], upheld=upheld, reason=reason, desk=desk, now=form.now,
            place=place,
        )  # fmt: skip
    return render.modal("appeals/decided", appeal=appeal)


def register(app: App, desk: Desk) -> None:
    on_press(app, "appeals_file", press_appeal, desk)
    on_press(app, "appeals_uphold", press_uphold, desk)
    on_press(app, "appeals_reject", press_reject, desk)
    on_submit(app, "appeals_file", submit_appeal, desk)
    on_submit(app, "appeals_uphold", submit_uphold, desk)
    on_submit(app, "appeals_reject", submit_reject, desk)
