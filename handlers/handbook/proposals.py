"""The handbook in words, and the board's buttons for a proposed one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.slack.interactions import Modal, on_press, on_submit
from policy.changes import differences
from policy.period import day_of
from programme import handbooks
from programme.handbook import proposals
from store.audit import Place
from store.handbook import reference
from store.people import directory as people_store
from templates import handbook as shown
from templates import render

if TYPE_CHECKING:
    from slack_bolt import App

    from handlers.slack.interactions import Form, Press, View
    from handlers.tokens import Request
    from programme.app import Desk
    from programme.handbook.proposals import Card
    from store.engine import Session
    from templates.render import Message


@dataclass(frozen=True, slots=True)
class Line:
    """A proposal as one reader sees it, with what their buttons carry."""

    card: Card
    value: str
    may_decide: bool
    is_own: bool


def show_policy(desk: Desk, request: Request) -> Message | None:
    """`/tokens policy`."""
    with desk.reading() as session:
        person = people_store.by_slack_id(session, request.slack_user_id)
        if person is None:
            return None
        books, today = handbooks.load(session), day_of(request.now, desk.zone)
        now = books.on(today)
        coming = [book for book in books.versions if book.effective_from > max(today, now.effective_from)]
        following = coming[0] if coming else None
        # Of several versions of one day the last one holds.
        following = books.on(following.effective_from) if following else None
        changes = _changes(session, now.version, following.version) if following else ()
        later = [book for book in coming if following and book.effective_from > following.effective_from]
        proposed = [_line(session, card, person.id, desk, request) for card in proposals.cards(session)]
    return render.message(
        "policy/policy", now=now, next=following, next_changes=changes, later=later, proposed=proposed
    )  # fmt: skip


def _changes(session: Session, old: str, new: str) -> tuple[object, ...]:
    texts = [reference.handbook_body(session, version) or "" for version in (old, new)]
    return differences(*texts)


def _line(session: Session, card: Card, person_id: str, desk: Desk, request: Request) -> Line:
    may = proposals.may_decide(session, card.proposal, person_id, desk=desk, now=request.now)
    return Line(card, shown.button_value(card), may, card.proposal.proposed_by == person_id)


def _named(value: str) -> tuple[str, str]:
    """(proposal, mark of what it was compared with) of a button."""
    proposal_id, _, mark = value.partition(":")
    return proposal_id, mark


def press_confirm(desk: Desk, press: Press) -> Message:
    proposal_id, mark = _named(press.value)
    place = Place(press.channel, press.ts)
    with desk.transaction() as session:
        book = proposals.confirm(session, press.person, proposal_id, mark, desk=desk, now=press.now, place=place)
    return render.message(
        "policy/done", state="confirmed", version=book.version, effective_from=book.effective_from
    )  # fmt: skip


def press_decline(desk: Desk, press: Press) -> Modal:
    proposal_id, _ = _named(press.value)
    with desk.reading() as session:
        card = proposals.require_decidable(session, press.person, proposal_id, desk=desk, now=press.now)
    private = json.dumps({"proposal_id": proposal_id, "channel": press.channel, "ts": press.ts})
    return Modal(render.modal("policy/decline", card=card, private=private))


def submit_decline(desk: Desk, form: Form) -> View:
    private = json.loads(form.private)
    place = Place(private["channel"], private["ts"])
    with desk.transaction() as session:
        proposals.decline(
            session, form.person, private["proposal_id"], form.values.get("reason", ""), desk=desk, now=form.now,
            place=place,
        )  # fmt: skip
        card = proposals.of(session, private["proposal_id"])
    return render.modal("policy/declined", card=card)


def press_withdraw(desk: Desk, press: Press) -> Message:
    proposal_id, _ = _named(press.value)
    with desk.transaction() as session:
        taken = proposals.withdraw(session, press.person, proposal_id, desk=desk, now=press.now)
    return render.message(
        "policy/done", state=taken.state, version=taken.version, effective_from=taken.effective_from
    )  # fmt: skip


def register(app: App, desk: Desk) -> None:
    on_press(app, "policy_confirm", press_confirm, desk)
    on_press(app, "policy_decline", press_decline, desk)
    on_press(app, "policy_withdraw", press_withdraw, desk)
    on_submit(app, "policy_decline", submit_decline, desk)
