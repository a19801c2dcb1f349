"""The buttons for appeals against a cut: a person files one, and the board decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack import carried
from handlers.slack.carried import FromMessage
from handlers.slack.commands import Command
from handlers.slack.interactions import Modal, closed, on_press, on_submit
from policy import texts
from policy.period import Quarter
from policy.reasons import Refusal
from programme.appeals import cards, deciding, filing, own_case
from programme.people import board
from store.people import directory as people_store
from templates import appeals as shown
from templates import render, reviews

if TYPE_CHECKING:
    from handlers.slack.commands import Request
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from templates.render import Message


def show_review(app: App, request: Request) -> Message | None:
    """`/tokens review`."""
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        mine = own_case.of(moment, person)
    return reviews.mine(mine.quarter, mine.changed, card=mine.appeal, may_appeal=mine.may_appeal)


def press_appeal(app: App, press: Press) -> Modal:
    """The form, if there is anything to appeal against: no one fills one in for nothing."""
    quarter = _quarter(press.value)
    with app.reading(press.now) as moment:
        case = filing.require_open_to_appeal(moment, press.person, quarter)
        decide_by, lapses = filing.times(moment).decide_by, moment.handbook.appeals.escalated_days is None
    return Modal(shown.appealing(quarter, case.delta_thousandths, decide_by, lapses=lapses))


def submit_appeal(app: App, form: Form) -> View:
    with app.transaction(form.now) as moment:
        filing.file(moment, form.person, _quarter(form.private), form.text("reason"))
    return closed(
        "Your appeal is with the board, and the cut waits until it is decided. `/tokens review` shows where it stands.",
        title="Appeal",
    )


def press_working(app: App, press: Press) -> Message:
    """The statistics behind one's own case in an adopted review."""
    quarter = _quarter(press.value)
    with app.reading(press.now) as moment:
        case = own_case.adopted(moment, press.person, quarter)
    return reviews.working(quarter, case)


def press_working_of_appeal(app: App, press: Press) -> Message:
    """The same of someone who appeals, for those who have a seat on the board."""
    with app.reading(press.now) as moment:
        card = cards.of(moment, press.value)
        if not board.has_seat(moment, press.person.id):
            raise Refusal("not_on_board", "Only members of the governance board see how a case was worked out.")
    return reviews.working(card.appeal.quarter, card.case, who=card.person.name)


def _quarter(text: str) -> Quarter:
    try:
        return Quarter.parse(text)
    except ValueError:
        raise Refusal("unknown_review", f"There is no review of {texts.quoted(text)}.") from None


def press_uphold(app: App, press: Press) -> Modal:
    return _deciding(app, press, upheld=True)


def press_reject(app: App, press: Press) -> Modal:
    return _deciding(app, press, upheld=False)


class Deciding(FromMessage, frozen=True, kw_only=True):
    """What the form carries in which an appeal is decided."""

    appeal_id: str


def _deciding(app: App, press: Press, *, upheld: bool) -> Modal:
    with app.reading(press.now) as moment:
        card = cards.of(moment, press.value)
        deciding.require_decider(moment, press.person, card.appeal)
    private = Deciding(appeal_id=press.value, channel=press.channel, ts=press.ts)
    return Modal(shown.deciding(card, upheld=upheld, private=carried.written(private)))


def submit_uphold(app: App, form: Form) -> View:
    return _decide(app, form, upheld=True)


def submit_reject(app: App, form: Form) -> View:
    return _decide(app, form, upheld=False)


def _decide(app: App, form: Form, *, upheld: bool) -> View:
    about, reason = carried.read(form.private, Deciding), form.text("reason")
    with app.transaction(form.now) as moment:
        appeal = deciding.decide(moment, form.person, about.appeal_id, upheld=upheld, reason=reason, place=about.place)
    return render.modal("appeals/decided", appeal=appeal)


COMMANDS = (Command("review", "", "your case in the last quarterly review, and why", show_review),)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "review_working", press_working, app)
    on_press(listeners, "appeals_working", press_working_of_appeal, app)
    on_press(listeners, "appeals_file", press_appeal, app)
    on_press(listeners, "appeals_uphold", press_uphold, app)
    on_press(listeners, "appeals_reject", press_reject, app)
    on_submit(listeners, "appeals_file", submit_appeal, app)
    on_submit(listeners, "appeals_uphold", submit_uphold, app)
    on_submit(listeners, "appeals_reject", submit_reject, app)
