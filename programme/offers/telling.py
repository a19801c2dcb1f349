"""What a recruiter is owed of an offer: the answer with its picture, and the page as a file.

(The types of what a row keeps are imported at run time: msgspec reads the annotations.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from programme.offers import making
from store.outbox import messages
from store.outbox.messages import NewMessage
from views import codec

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.people.directory import Person
    from views.offers import GivenOffer, Offer

ANSWER, PAGE = "offers/offer", "offers/page"


@dataclass(frozen=True, slots=True)
class WhichOffer:
    """What a row of the outbox keeps of an offer: its figures are deleted with the offer."""

    offer: str


def make(moment: Moment, person: Person, given: GivenOffer, *, key: str) -> Offer:
    """Work an offer out for a recruiter, and owe them the answer at once: they are waiting for it."""
    making.require_recruiter(moment, person.id)
    made = making.make(moment, given, actor=person.id, key=f"offer:{key}")
    _owe(moment, person, made.id, ANSWER, f"offer:{made.id}")
    return made


def owe_page(moment: Moment, person: Person, offer_id: str, *, key: str) -> None:
    """Owe someone an offer's page as a file."""
    making.require_recruiter(moment, person.id)
    _owe(moment, person, making.require(moment, offer_id).id, PAGE, f"offer-page:{key}")


def _owe(moment: Moment, person: Person, offer_id: str, template: str, key: str) -> None:
    if not messages.is_owed(moment.session, key):
        view = codec.written(WhichOffer(offer_id))
        row = NewMessage(key, template, view, person.id, None, moment.now, at_once=True)
        messages.owe(moment.session, [row], now=moment.now)
