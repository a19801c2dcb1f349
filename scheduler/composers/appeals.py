"""What people are told of an adopted review, and the messages about appeals, written from what holds when they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.period import Quarter
from programme import letters
from programme.appeals import appeals, notices
from programme.reviews import effects
from templates import appeals as shown
from templates import reviews

if TYPE_CHECKING:
    from programme.app import Desk
    from programme.appeals.appeals import Card
    from templates.render import Message


def compose_notice(desk: Desk, view: object) -> Message:
    """What becomes of a person's grant, and why."""
    named = letters.read(dict[str, str], view)
    with desk.reading() as session:
        changed = effects.notice(session, Quarter.parse(named["quarter"]), named["person_id"], desk=desk)
    return reviews.notice(changed)


def compose_card(desk: Desk, view: object) -> Message | None:
    """The board's card; a reminder only as long as its reader can decide."""
    named = letters.read(dict[str, str], view)
    reminds = named.get("step") == notices.REMINDER
    if reminds and named["reader"] not in (_awaits(desk, named["appeal_id"]) or ()):
        return None
    return shown.card(_card(desk, view), reminds=reminds)


def compose_face(desk: Desk, view: object) -> Message:
    """The same for a card that was posted already."""
    return shown.card(_card(desk, view))


def compose_nobody(desk: Desk, view: object) -> Message | None:
    """That no one on the board can decide, as long as that is so."""
    if _awaits(desk, letters.read(dict[str, str], view)["appeal_id"]) != frozenset():
        return None
    return shown.nobody(_card(desk, view))


def compose_mine(desk: Desk, view: object) -> Message:
    """Where an appeal stands, for the person."""
    return shown.mine(_card(desk, view))


def compose_note(desk: Desk, view: object) -> Message:
    """What became of it, for the person."""
    return shown.note(_card(desk, view))


def _awaits(desk: Desk, appeal_id: str) -> frozenset[str] | None:
    with desk.reading() as session:
        return appeals.awaits(session, appeal_id, desk=desk, now=desk.clock())


def _card(desk: Desk, view: object) -> Card:
    appeal_id = letters.read(dict[str, str], view)["appeal_id"]
    with desk.reading() as session:
        return appeals.card(session, appeal_id, desk=desk, now=desk.clock())
