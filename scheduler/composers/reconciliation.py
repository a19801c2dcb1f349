"""The messages about differences with vendors' bills, written from what holds when they go out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from programme.reconciliation import cards
from store.people import directory as people_store
from templates import reconciliation
from views import codec
from views.people import PersonName
from views.reconciliation import Question

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


@dataclass(frozen=True, slots=True)
class AboutFinding:
    """What a row of the outbox keeps: which difference; of a question who asks what."""

    finding_id: str
    asked_by: str = ""
    text: str = ""


def compose_card(app: App, view: object) -> Message | None:
    """The card of a difference that is still to be decided; None for one that is not."""
    with app.reading() as moment:
        card = cards.of(moment, codec.read(AboutFinding, view).finding_id)
    return reconciliation.card(card) if card.found.is_undecided else None


def compose_face(app: App, view: object) -> Message:
    """The same card for a message that was posted already."""
    with app.reading() as moment:
        return reconciliation.card(cards.of(moment, codec.read(AboutFinding, view).finding_id))


def compose_question(app: App, view: object) -> Message:
    """What finance asks, for an administrator."""
    about = codec.read(AboutFinding, view)
    with app.reading() as moment:
        card = cards.of(moment, about.finding_id)
        name = PersonName(*people_store.names(moment.session, [about.asked_by])[about.asked_by])
    return reconciliation.question(Question(card=card, asked_by=name, text=about.text))
