"""The handbook in words, and the board's buttons for a proposed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.slack import carried
from handlers.slack.carried import FromMessage
from handlers.slack.commands import PROGRAMME, Command, Request
from handlers.slack.interactions import Modal, on_press, on_submit
from policy.changes import differences
from policy.period import day_of
from programme.handbook import cards, deciding
from store.audit import Place
from store.handbook import reference
from store.people import directory as people_store
from templates import handbook, render

if TYPE_CHECKING:
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session
    from templates.render import Message
    from views.handbook import Card


@dataclass(frozen=True, slots=True)
class Line:
    """A proposal as one reader sees it, with what their buttons carry."""

    card: Card
    value: str
    may_decide: bool
    is_own: bool


class Declining(FromMessage, frozen=True, kw_only=True):
    """What the form carries in which a proposal is declined."""

    proposal_id: str


def show_policy(app: App, request: Request) -> Message | None:
    """`/tokens policy`: the rules in short, what comes, and what is proposed."""
    with app.reading() as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        books, today = moment.handbooks, day_of(request.now, app.zone)
        now = books.on(today)
        coming = [book for book in books.versions if book.effective_from > max(today, now.effective_from)]
        following = coming[0] if coming else None
        # Of several versions of one day the last one holds.
        following = books.on(following.effective_from) if following else None
        changes = _changes(moment.session, now.version, following.version) if following else ()
        later = [book for book in coming if following and book.effective_from > following.effective_from]
        proposed = [_line(moment, card, person.id, request) for card in cards.all_open(moment)]
    return render.message(
        "handbook/rules", now=now, next=following, next_changes=changes, later=later, proposed=proposed
    )


def press_policy(app: App, press: Press) -> Message | None:
    """The same for whoever presses a button."""
    return show_policy(app, Request(str(press.person.slack_user_id), "", press.now))


def press_all(app: App, press: Press) -> Message:
    """All rules in force, in words."""
    with app.reading(press.now) as moment:
        now = moment.handbooks.on(day_of(press.now, app.zone))
    return render.message("handbook/all_rules", now=now)


def _changes(session: Session, old: str, new: str) -> tuple[object, ...]:
    texts = [reference.handbook_body(session, version) or "" for version in (old, new)]
    return differences(*texts)


def _line(moment: Moment, card: Card, person_id: str, request: Request) -> Line:
    may = deciding.may_decide(moment.at(request.now), card.proposal, person_id)
    return Line(card, handbook.button_value(card), may, card.proposal.proposed_by == person_id)


def _named(value: str) -> tuple[str, str]:
    """(proposal, mark of what it was compared with) of a button."""
    proposal_id, _, mark = value.partition(":")
    return proposal_id, mark


def press_confirm(app: App, press: Press) -> Message:
    proposal_id, mark = _named(press.value)
    place = Place(press.channel, press.ts)
    with app.transaction(press.now) as moment:
        book = deciding.confirm(moment, press.person, proposal_id, mark, place=place)
    return render.message("handbook/done", state="confirmed", version=book.version, effective_from=book.effective_from)


def press_decline(app: App, press: Press) -> Modal:
    proposal_id, _ = _named(press.value)
    with app.reading(press.now) as moment:
        card = deciding.require_decidable(moment, press.person, proposal_id)
    private = Declining(proposal_id=proposal_id, channel=press.channel, ts=press.ts)
    return Modal(render.modal("handbook/decline", card=card, private=carried.written(private)))


def submit_decline(app: App, form: Form) -> View:
    about = carried.read(form.private, Declining)
    with app.transaction(form.now) as moment:
        deciding.decline(moment, form.person, about.proposal_id, form.text("reason"), place=about.place)
        card = cards.of(moment, about.proposal_id)
    return render.modal("handbook/declined", card=card)


def press_withdraw(app: App, press: Press) -> Message:
    proposal_id, _ = _named(press.value)
    with app.transaction(press.now) as moment:
        taken = deciding.withdraw(moment, press.person, proposal_id)
    return render.message(
        "handbook/done", state=taken.state, version=taken.version, effective_from=taken.effective_from
    )


COMMANDS = (
    Command("policy", "", "the rules in force, those to come, and what is proposed", show_policy, topic=PROGRAMME),
)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "policy_show", press_policy, app)
    on_press(listeners, "policy_all", press_all, app)
    on_press(listeners, "policy_confirm", press_confirm, app)
    on_press(listeners, "policy_decline", press_decline, app)
    on_press(listeners, "policy_withdraw", press_withdraw, app)
    on_submit(listeners, "policy_decline", submit_decline, app)
