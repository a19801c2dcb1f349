"""The messages about a review's vote, written from what holds when they go out; None where nothing is left to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.period import Quarter
from programme.reviews import calendar, drafting, file, notices, packs, summaries
from scheduler.composers.drawing import drawn
from templates import charts, render, review_page, reviews
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from templates.charts import Picture
    from templates.documents import Document
    from templates.render import Message


@dataclass(frozen=True, slots=True)
class AboutReview:
    """What a row of the outbox keeps of a message about a review: which, for whom, and at which step."""

    quarter: str
    reader: str | None = None
    step: str = notices.NEW

    @property
    def which(self) -> Quarter:
        return Quarter.parse(self.quarter)


def compose_pack(app: App, view: object) -> Message | None:
    """The board's pack; a reminder only as long as its reader's vote is awaited."""
    named = codec.read(AboutReview, view)
    now = app.clock()
    with app.reading(now) as moment:
        reminds = named.step == notices.REMINDER and named.reader is not None
        if reminds and not packs.awaits(moment, named.which, named.reader or ""):
            return None
        pack = packs.of(moment, named.which)
    return reviews.pack(pack)


def compose_face(app: App, view: object) -> Message:
    """The same for a message that was posted already."""
    with app.reading() as moment:
        return reviews.pack(packs.of(moment, codec.read(AboutReview, view).which))


def compose_unasked(app: App, view: object) -> Message | None:
    """That the board is too small to be asked; None where it no longer is, or nothing is to be decided any more."""
    named = codec.read(AboutReview, view)
    with app.reading() as moment:
        if named.which not in calendar.unasked(moment):
            return None
        return reviews.unasked(named.which, moment.handbook.exceptions.standard.members)


def compose_outcome(app: App, view: object) -> Message:
    """What became of a review: a message of its own, for new faces notify no one."""
    with app.reading() as moment:
        pack = packs.of(moment, codec.read(AboutReview, view).which)
    return reviews.outcome(pack)


def compose_milestone(app: App, view: object) -> Message:
    """That a review holds from now, or that no one can appeal against it any more."""
    named = codec.read(AboutReview, view)
    with app.reading() as moment:
        kept = drafting.require(moment, named.which)
        appealed = summaries.appealed_against(moment, named.which)
    return reviews.milestone(kept, named.step, appealed)


def compose_page(app: App, view: object) -> tuple[Message, Document] | None:
    """All of the pack as a page, unless the review has moved on since it was owed: then another one is."""
    named = codec.read(AboutReview, view)
    with app.reading() as moment:
        found = file.of(moment, named.which)
    review = found.pack.review
    if review.state != named.step:
        return None
    return render.message("reviews/page", review=review), review_page.document(found)


def compose_page_with_cases(app: App, view: object) -> tuple[Message, Document] | None:
    """The same with the cases, for the member of the board who asked for it."""
    named = codec.read(AboutReview, view)
    with app.reading() as moment:
        found = file.for_reader(moment, named.reader or "", named.which)
    if found is None or found.cases is None:
        return None
    message = render.message("reviews/page_with_cases", review=found.pack.review, cases=len(found.cases.rows))
    return message, review_page.document(found)


def compose_use(app: App, view: object) -> tuple[Message, Picture | None]:
    """How much of their grants people used, below the pack."""
    named = codec.read(AboutReview, view)
    with app.reading() as moment:
        use = packs.use(moment, named.which)
    return render.message("reviews/use", use=use, quarter=named.quarter), drawn(lambda: charts.utilisation(use))


def compose_money(app: App, view: object) -> tuple[Message, Picture | None]:
    """What the quarter came to in USD, below the pack."""
    named = codec.read(AboutReview, view)
    with app.reading() as moment:
        money = packs.money(moment, named.which)
    return render.message("reviews/money", quarter=named.quarter), drawn(lambda: charts.funds(money, named.quarter))
