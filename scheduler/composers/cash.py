"""What the board is told and asked about a cash cap, written from what holds when it goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.period import Month
from programme.cash import calendar, cards, questions, spending
from templates import cash as shown
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


def compose_card(app: App, view: object) -> Message | None:
    """The board's card; one that calls its reader only as long as it waits for them."""
    named = codec.read(dict[str, str], view)
    with app.reading() as moment:
        question = questions.require(moment, named["question_id"])
        reader, step = named.get("reader"), named.get("step", "")
        if reader is not None and step != "new" and not cards.awaits(moment, question, reader):
            return None
        return shown.card(cards.of(moment, question.id), step)


def compose_face(app: App, view: object) -> Message:
    """The same for a card that was posted already."""
    with app.reading() as moment:
        return shown.card(cards.of(moment, codec.read(dict[str, str], view)["question_id"]))


def compose_share(app: App, view: object) -> Message | None:
    """How much of the month's cash is used; None where the month is over, or the cap is another by now."""
    named = codec.read(dict[str, str], view)
    month = Month.parse(named["month"])
    with app.reading() as moment:
        cap = next((one for one in spending.caps(moment) if one.rule.name == named["cap"]), None)
        if cap is None or month != Month.containing(moment.today):
            return None
        spend = spending.of(moment, cap.now, month)
    return None if spend.used >= spend.limit else shown.share(spend)


def compose_unasked(app: App, view: object) -> Message | None:
    """That the board is too small to be asked; None where it no longer is, or nothing is to be decided any more."""
    named = codec.read(dict[str, str], view)
    month = Month.parse(named["month"])
    with app.reading() as moment:
        cap = next((one for one in calendar.unasked(moment) if one.rule.name == named["cap"]), None)
        if cap is None or month != Month.containing(moment.today):
            return None
        return shown.unasked(spending.of(moment, cap.now, month), moment.handbook.exceptions.standard.members)
