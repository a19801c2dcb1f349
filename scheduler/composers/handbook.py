"""The messages about proposed handbooks, written from what holds when they go out; None where nothing is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from programme.handbook import cards
from templates import handbook
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message
    from views.handbook import Card


@dataclass(frozen=True, slots=True)
class AboutProposal:
    """What a row of the outbox keeps of such a message: which proposal, and for whom if not for a channel."""

    proposal_id: str
    reader: str | None = None


def compose_card(app: App, view: object) -> Message | None:
    """The board's card: in its channel always, for one person as long as it waits for a decision."""
    named = codec.read(AboutProposal, view)
    card = _card(app, named)
    return handbook.card(card) if named.reader is None or (card.proposal.is_open and not card.is_overdue) else None


def compose_face(app: App, view: object) -> Message:
    """The same card for a message that was posted already."""
    return handbook.card(_card(app, codec.read(AboutProposal, view)))


def compose_mine(app: App, view: object) -> Message:
    """Where a proposal stands, for its proposer."""
    return handbook.mine(_card(app, codec.read(AboutProposal, view)))


def compose_note(app: App, view: object) -> Message:
    """What became of a proposal, for its proposer."""
    return handbook.note(_card(app, codec.read(AboutProposal, view)))


def _card(app: App, named: AboutProposal) -> Card:
    with app.reading() as moment:
        return cards.of(moment, named.proposal_id)
