"""The messages about requests, written from what holds when they go out; None where nothing is left to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import first_instant
from policy.units import MICRO_PER_TOKEN
from programme.exceptions import cards, reach
from programme.exceptions.steps import NOTICE
from store.exceptions import questions as questions_store
from store.people import directory as people_store
from templates import exceptions, render
from views import codec

if TYPE_CHECKING:
    from datetime import datetime

    from programme.app import App
    from programme.exceptions.cards import Card
    from programme.moment import Moment
    from templates.render import Message


A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AboutRequest:
    """What a row of the outbox keeps of a message about a request: which, for whom, and at which step."""

    request_id: str
    reader: str | None = None
    stage: int | None = None
    question_id: int | None = None
    days: int = 0


def compose_card(app: App, view: object) -> Message | None:
    """The board's card: in its channel always, for one person as long as their vote is awaited or the card is there."""
    named = codec.read(AboutRequest, view)
    with app.reading() as moment:
        if named.reader is None:
            return exceptions.card(_card(moment, named))
        line = cards.for_reader(moment, named.request_id, named.reader)
    return exceptions.card(line.card) if line.awaits_reader else None


def compose_face(app: App, view: object) -> Message:
    """The same card for a message that was posted already."""
    with app.reading() as moment:
        return exceptions.card(_card(moment, codec.read(AboutRequest, view)))


def compose_mine(app: App, view: object) -> Message:
    """Where a request stands, for the person who asked."""
    with app.reading() as moment:
        card = _card(moment, codec.read(AboutRequest, view))
        reached = reach.of(moment, card.request) if card.request.is_undecided else reach.TOLD
    return exceptions.mine(card, reached=reached)


def compose_note(app: App, view: object) -> Message | None:
    """A word at a step; that a request was passed on is of no interest once it is decided."""
    named = codec.read(AboutRequest, view)
    with app.reading() as moment:
        card = _card(moment, named)
    if named.stage is not None and (card.is_overdue or not card.request.is_undecided):
        return None
    return exceptions.note(
        card,
        for_requester=named.reader == card.request.person_id,
        stage=named.stage,
        is_told_before=(card.request.next_step or "").startswith(NOTICE),
    )


def compose_question(app: App, view: object) -> Message | None:
    """A question or its answer, for one of the four who read it."""
    named = codec.read(AboutRequest, view)
    with app.reading() as moment:
        card = _card(moment, named)
        question = questions_store.get(moment.session, named.question_id or 0)
        if question is None:
            return None
        asked_by = people_store.names(moment.session, [question.asked_by])[question.asked_by]
    return render.message("exceptions/question", card=card, question=question, asked_by=asked_by, reader=named.reader)


def compose_more_time(app: App, view: object) -> Message | None:
    """What is left of an exception that ends soon, unless it is used up or over by now."""
    named = codec.read(AboutRequest, view)
    with app.reading() as moment:
        card = _card(moment, named)
        end = _end(moment, card)
        person = people_store.by_id(moment.session, card.request.person_id)
        assert person is not None  # noqa: S101 - a foreign key
        zone = people_store.zone_of(person, moment.zone)
    if int(card.left) < MICRO_PER_TOKEN or end is None or end <= moment.now:
        return None
    return exceptions.more_time(card, end, zone, moment.now)


def compose_outcome(app: App, view: object) -> Message:
    """The question what came of an exception, or the answer to it."""
    with app.reading() as moment:
        card = _card(moment, codec.read(AboutRequest, view))
    return render.message("exceptions/outcome", card=card, button_value=exceptions.button_value(card))


def _end(moment: Moment, card: Card) -> datetime | None:
    """When what was granted ends."""
    last_day = card.request.granted_last_day
    return None if last_day is None else first_instant(last_day + A_DAY, moment.zone)


def _card(moment: Moment, named: AboutRequest) -> Card:
    return cards.of(moment, named.request_id)
