"""An offer, from what is on record of it when it goes out; nothing where it was deleted meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.offers import making
from programme.offers.telling import WhichOffer
from scheduler.composers.drawing import drawn
from templates import charts, offer_page, offers, render
from templates.documents import Document
from views import codec
from views.offers import OutdatedListings

if TYPE_CHECKING:
    from programme.app import App
    from templates.charts import Picture
    from templates.render import Message
    from views.offers import Offer


def compose(app: App, view: object) -> tuple[Message, Picture | None] | None:
    """The answer, in English as all that recruiters read here."""
    if (made := _offer(app, view)) is None:
        return None
    text = offers.text_of(made, offers.english())
    return render.message("offers/offer", offer=made, text=text), drawn(lambda: charts.packages(text))


def compose_page(app: App, view: object) -> tuple[Message, Document] | None:
    """The page in the candidate's language, and what stands below it."""
    if (made := _offer(app, view)) is None:
        return None
    text = offers.text_of(made)
    page = Document(f"{offers.file_name(made)}.html", text.title, offer_page.page(text).encode())
    return render.message("offers/page", text=text, language=offers.language_name(made)), page


def compose_outdated(view: object) -> tuple[Message, Picture | None]:
    """Listings that no longer say what the policy does."""
    return render.message("offers/outdated", outdated=codec.read(OutdatedListings, view)), None


def _offer(app: App, view: object) -> Offer | None:
    with app.reading() as moment:
        return making.get(moment, codec.read(WhichOffer, view).offer)
