"""`/tokens listing`: what a job listing may say of the allowance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack.commands import RECRUITING, Command
from policy.parameters.grants import LEVELS
from policy.reasons import Refusal
from programme.offers import listing, making
from store.people import directory as people_store
from templates import listings, render, words

if TYPE_CHECKING:
    from handlers.slack.commands import Request
    from programme.app import App
    from templates.render import Message

MOST_WORDS = 3


def show_listing(app: App, request: Request) -> Message | None:
    """`/tokens listing [level] [band] [language]`, in any order."""
    level, band, language = _named(request.arguments)
    with app.transaction(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        making.require_recruiter(moment, person.id)
        facts = listing.of(moment, level=level, band=band)
        listing.hand_out(moment, facts, language, actor=person.id)
    return render.message(
        "offers/listing",
        facts=facts,
        post=", ".join(filter(None, (level, band))),
        text=listings.written(facts, language, listings.TEXT).replace("`", "'"),
        json_ld=listings.written(facts, language, listings.JSON_LD).replace("`", "'"),
    )


def _named(arguments: str) -> tuple[str, str, str]:
    """(level, band, language) of what was typed; what is neither level nor language is a band."""
    level, band, language = "", "", words.ENGLISH
    typed = arguments.split()
    for word in typed:
        if word.casefold() in LEVELS:
            level = word.casefold()
        elif word.casefold() in listings.languages():
            language = word.casefold()
        else:
            band = word
    if len(typed) > MOST_WORDS:
        raise Refusal("listing", "That's more than a level, a band and a language.", next_step=EXAMPLE)
    return level, band, language


EXAMPLE = "Try `/tokens listing senior P3 de`."
COMMANDS = (
    Command(
        "listing",
        "[level] [band] [language]",
        "what a job listing may say of the allowance",
        show_listing,
        topic=RECRUITING,
    ),
)
