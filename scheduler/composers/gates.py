"""The messages about a gate between phases, written from what holds when they go out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.parameters.grants import BOARD
from programme.gates import asking, calendar, cards
from templates import gates
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


@dataclass(frozen=True, slots=True)
class AboutGate:
    """What a row of the outbox keeps: which gate, and what became of it."""

    gate: str
    occasion: str = ""


def compose_card(app: App, view: object) -> Message:
    with app.reading() as moment:
        return gates.card(cards.of(moment, codec.read(AboutGate, view).gate))


def compose_unasked(app: App, view: object) -> Message | None:
    """That the board is too small to be asked; None where it no longer is, or nothing is to be decided any more."""
    named = codec.read(AboutGate, view)
    with app.reading() as moment:
        book = moment.handbook
        for phase, month in calendar.unasked(moment):
            if asking.gate_id(phase, month) == named.gate:
                needed, stays = book.exceptions.standard.members, book.rollout.gates == BOARD
                return gates.unasked(phase, month, needed, stands_still=stays)
    return None


def compose_note(app: App, view: object) -> Message:
    named = codec.read(AboutGate, view)
    with app.reading() as moment:
        return gates.note(cards.of(moment, named.gate), named.occasion)
