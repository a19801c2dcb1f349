"""What a job listing says of the allowance: in every form the same, no salary, and valid in schema.org's vocabulary."""

from __future__ import annotations

import dataclasses
import html
import json
from pathlib import Path
from typing import Any

import pytest

from templates import listings, words
from tests.support.letters import HOSTILE
from tests.support.offered import EVERY_POST, FACTS

VOCABULARY: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "schema_org" / "types.json").read_text("utf-8")
)
JSON_OF = {"Text": str}
"""Types of values that a listing uses, in JSON."""


def faults(thing: dict[str, Any]) -> list[str]:
    """What of an object is not in schema.org's vocabulary: properties, and the types of their values."""
    kind = thing["@type"]
    known = VOCABULARY["Thing"]["properties"] | VOCABULARY[kind]["properties"]
    found = []
    for name, value in thing.items():
        if name in {"@type", "@context"}:
            continue
        expected = known.get(name)
        if expected is None:
            found.append(f"{kind} has no {name}")
        elif isinstance(value, dict):
            found += faults(value) if value["@type"] in expected else [f"{name} is no {value['@type']}"]
        elif not any(isinstance(value, JSON_OF[one]) for one in expected if one in JSON_OF):
            found.append(f"{name} is none of {expected}")
    return found


@pytest.mark.parametrize("language", listings.languages())
def test_the_job_posting_is_in_the_vocabulary(language: str) -> None:
    """Every property belongs to its type and has a value of a type that it takes; the context is schema.org's."""
    posting = json.loads(listings.written(FACTS, language, listings.JSON_LD))
    assert (posting["@context"], posting["@type"]) == ("https://schema.org", "JobPosting")
    assert faults(posting) == []
    assert posting["jobBenefits"] == " ".join(listings.sentences(FACTS, language))


def test_what_is_not_in_the_vocabulary_is_found() -> None:
    """The check is one: an invented property, a wrong type of value, a wrong kind of thing."""
    wrong = {"@type": "JobPosting", "allowance": "x", "title": 3, "jobBenefits": {"@type": "Organization"}}
    said = ["JobPosting has no allowance", "title is none of ['Text']", "jobBenefits is no Organization"]
    assert faults(wrong) == said


def test_no_salary_is_told() -> None:
    """The allowance is a benefit: nothing of what schema.org has for pay is there, and no amount of money."""
    posting = listings.job_posting(FACTS, "en")
    assert not {"baseSalary", "estimatedSalary", "incentiveCompensation", "salaryCurrency"} & posting.keys()
    for language in listings.languages():
        text = listings.written(FACTS, language, listings.TEXT)
        assert not any(sign in text for sign in ("USD", "EUR", "$", "€"))


@pytest.mark.parametrize("form", listings.FORMATS)
@pytest.mark.parametrize("language", listings.languages())
def test_every_form_says_what_it_is_not(language: str, form: str) -> None:
    """Cash, range, transfer, end and review are in each of them, and so are the days where they may be told."""
    text = html.unescape(listings.written(FACTS, language, form))
    said = words.of(listings.FOLDER, language)
    assert said.say("is_not", months="3") in text
    assert said.say("worth", days="90") in text
    assert said.say("worth", days="90") not in listings.written(EVERY_POST, language, form)


def test_a_company_s_name_is_only_text() -> None:
    """It makes no element in HTML, no link in Markdown, and JSON stays JSON."""
    facts = dataclasses.replace(FACTS, company=f"<b>[x](https://e.org)</b>{HOSTILE}")
    assert "<b>" not in listings.written(facts, "en", listings.HTML)
    assert "\\[x\\](https" in listings.written(facts, "en", listings.MARKDOWN)
    assert json.loads(listings.written(facts, "en", listings.JSON_LD))["hiringOrganization"]["name"] == " ".join(
        facts.company.split()
    )


@pytest.mark.parametrize("language", listings.languages())
def test_its_words_are_whole(language: str) -> None:
    """Each language has all that English has, with the same to fill in."""
    assert words.read(listings.FOLDER, words.source(listings.FOLDER, language))["language"] == language
