"""What a job listing says of the allowance: as text, Markdown, HTML, and JSON-LD of schema.org."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from templates import words

if TYPE_CHECKING:
    from views.offers import ListingFacts

FOLDER = "listing_words"
TEXT, MARKDOWN, HTML, JSON_LD = FORMATS = ("text", "markdown", "html", "json-ld")
_MARKED = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_{}[]<>#|"})


def languages() -> tuple[str, ...]:
    return words.languages(FOLDER)


def sentences(facts: ListingFacts, language: str) -> list[str]:
    """What a listing says, a sentence each."""
    w = words.of(FOLDER, language)
    said = [w.say("allowance", company=_company(facts)), w.say("size", share=w.percent(facts.share))]
    if facts.days is not None:
        said.append(w.say("worth", days=w.number(Decimal(facts.days))))
    return [*said, w.say("is_not", months=str(facts.lot_months))]


def written(facts: ListingFacts, language: str, form: str) -> str:
    """A listing's passage in one of FORMATS."""
    heading, said = words.of(FOLDER, language)["heading"], sentences(facts, language)
    if form == JSON_LD:
        return json.dumps(job_posting(facts, language), ensure_ascii=False, indent=2)
    if form == HTML:
        rows = Markup("\n").join(Markup("<p>{}</p>").format(one) for one in said)
        return Markup('<section lang="{}">\n<h2>{}</h2>\n{}\n</section>').format(language, heading, rows)
    if form == MARKDOWN:
        return "\n\n".join([f"## {heading}", *(one.translate(_MARKED) for one in said)])
    return "\n".join([heading, "", *said])


def job_posting(facts: ListingFacts, language: str) -> dict[str, Any]:
    """The part of a schema.org JobPosting that is about the allowance: a benefit, and no salary."""
    return {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "hiringOrganization": {"@type": "Organization", "name": _company(facts)},
        "jobBenefits": " ".join(sentences(facts, language)),
    }


def _company(facts: ListingFacts) -> str:
    """Its name, on one line."""
    return " ".join(facts.company.split())
