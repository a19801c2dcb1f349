"""What people are told of an adopted review, and the messages about appeals, written from what holds when they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.period import Quarter
from programme.appeals import annual, cards
from programme.reviews import effects
from store.appeals import records
from templates import appeals as shown
from templates import reviews
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message
    from views.appeals import AnnualCard, Card


def compose_notice(app: App, view: object) -> Message:
    """What becomes of a person's grant, and why; with the way to appeal as long as there is one."""
    named = codec.read(dict[str, str], view)
    quarter = Quarter.parse(named["quarter"])
    with app.reading() as moment:
        changed = effects.notice(moment, quarter, named["person_id"])
        has_appealed = records.get(moment.session, quarter, named["person_id"]) is not None
    return reviews.notice(changed, moment.today, has_appealed=has_appealed)


def compose_card(app: App, view: object) -> Message | None:
    """The board's card; one that calls its reader only as long as they can decide."""
    named = codec.read(dict[str, str], view)
    occasion = named.get("step", "")
    if occasion and named["reader"] not in (_awaits(app, named["appeal_id"]) or ()):
        return None
    return shown.card(_card(app, view), occasion)


def compose_face(app: App, view: object) -> Message:
    """The same for a card that was posted already."""
    return shown.card(_card(app, view))


def compose_nobody(app: App, view: object) -> Message | None:
    """That no one on the board can decide, as long as that is so."""
    if _awaits(app, codec.read(dict[str, str], view)["appeal_id"]) != frozenset():
        return None
    return shown.nobody(_card(app, view))


def compose_mine(app: App, view: object) -> Message:
    """Where an appeal stands, for the person."""
    return shown.mine(_card(app, view))


def compose_note(app: App, view: object) -> Message:
    """What became of it, for the person."""
    return shown.note(_card(app, view))


def _awaits(app: App, appeal_id: str) -> frozenset[str] | None:
    with app.reading() as moment:
        return cards.awaits(moment, appeal_id)


def _card(app: App, view: object) -> Card:
    appeal_id = codec.read(dict[str, str], view)["appeal_id"]
    with app.reading() as moment:
        return cards.of(moment, appeal_id)


# --- Against the annual review ---------------------------------------------------------------------------------------


def compose_annual_card(app: App, view: object) -> Message | None:
    """The board's card; a reminder only to someone who can still decide."""
    named = codec.read(dict[str, str], view)
    occasion = named.get("step", "")
    if occasion:
        with app.reading() as moment:
            if named["reader"] not in annual.awaits(moment, named["appeal_id"]):
                return None
    return shown.annual_card(_annual(app, view), occasion)


def compose_annual_face(app: App, view: object) -> Message:
    """The same for a card that was posted already."""
    return shown.annual_card(_annual(app, view))


def compose_annual_mine(app: App, view: object) -> Message:
    """Where it stands, for the person."""
    return shown.annual_mine(_annual(app, view))


def compose_annual_note(app: App, view: object) -> Message:
    """What became of it, for the person."""
    return shown.annual_note(_annual(app, view))


def _annual(app: App, view: object) -> AnnualCard:
    with app.reading() as moment:
        return annual.card(moment, codec.read(dict[str, str], view)["appeal_id"])
