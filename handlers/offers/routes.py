"""`GET /v1/listing`: what job listings say of the allowance, for careers pages; public where the handbook says so.

(No postponed annotations here: FastAPI reads those of the routes.)
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Header, HTTPException, Response

from programme.app import App
from programme.offers import listing
from templates import listings, words
from views.offers import ListingFacts

RECENT = timedelta(minutes=1)
"""Nobody has to say who they are, so the policy is read once a minute at most, and last quarter's use once a day."""
MEDIA = {
    listings.TEXT: "text/plain; charset=utf-8",
    listings.MARKDOWN: "text/markdown; charset=utf-8",
    listings.HTML: "text/html; charset=utf-8",
    listings.JSON_LD: "application/ld+json",
}
HEADERS = {
    "cache-control": "public, max-age=3600",
    "access-control-allow-origin": "*",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
ANSWERS: dict[int | str, dict[str, str]] = {
    304: {"description": "It still is what the ETag says"},
    404: {"description": "The company shows no listing, or has none in this language"},
}
Format = Literal["text", "markdown", "html", "json-ld"]


@dataclass(slots=True)
class Recent:
    """The facts of at most a minute ago; None where the company shows none."""

    facts: ListingFacts | None = None
    at: datetime | None = None
    days: tuple[date, int | None] | None = None

    def get(self, app: App) -> ListingFacts | None:
        now = app.clock()
        if self.at is None or not timedelta(0) <= now - self.at < RECENT:
            with app.reading(now) as moment:
                if self.days is None or self.days[0] != moment.today:
                    self.days = (moment.today, listing.days_of_use(moment))
                self.facts = listing.in_public(moment, self.days[1])
            self.at = now
        return self.facts


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["listing"])
    recent = Recent()

    @router.get("/v1/listing", summary="What job listings say of the allowance", responses=ANSWERS)
    def public_listing(
        lang: str = words.ENGLISH,
        format: Format = "json-ld",  # noqa: A002 - the parameter's name
        if_none_match: Annotated[str, Header()] = "",
    ) -> Response:
        """For every post, by the policy in force: no key is needed, and there is no figure of a person or a budget."""
        facts = recent.get(app)
        if facts is None or lang not in listings.languages():
            raise HTTPException(404, "There is no such listing.", {"cache-control": "no-store"})
        body = listings.written(facts, lang, format)
        etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
        headers = HEADERS | {"etag": etag, "content-language": lang}
        if is_known(if_none_match, etag):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=MEDIA[format])

    return router


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether whoever asks has it already: RFC 9110's weak comparison, because caches may have made it weak."""
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return bool(named & {etag, "*"})
