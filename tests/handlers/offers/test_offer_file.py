"""An offer in a TOML file: read whole, or refused with every mistake by its key."""

from __future__ import annotations

from datetime import date

import pytest

from handlers.offers import offer_file
from policy.reasons import Refusal
from tests.support.offered import money

LANGUAGES = ("en", "de")
FILE = """
label = "Offer 17"
level = "senior"
band = "P3"
base = 180000
currency = "EUR"
bonus = 18000.5
start = 2027-03-01
language = "de"

[[rivals]]
base = 240000
currency = "usd"
million_tokens_a_month = 1.5
[[rivals.seats]]
name = "Copilot"
count = 2
a_month = 39
[[rivals.seats]]
a_month = 20

[[rivals]]
label = "Northwind"
base = 200000
credits = 5000
"""


def test_a_file_is_read() -> None:
    """Amounts are in the file's currency, or the table's own; other offers have letters where they have no label."""
    given = offer_file.parse(FILE, LANGUAGES)
    assert (given.label, given.level, given.band, given.language) == ("Offer 17", "senior", "P3", "de")
    assert (given.base, given.equity, given.start) == (money(180_000, "EUR"), money(0, "EUR"), date(2027, 3, 1))
    assert given.bonus.nano == 18_000_500_000_000
    first, second = given.rivals
    assert (first.label, first.base, first.model_tokens_a_month) == ("Offer B", money(240_000), 1_500_000)
    assert first.seats_a_month == money(98)
    assert (second.label, second.credits) == ("Northwind", money(5_000, "EUR"))


def test_every_mistake_is_named() -> None:
    """Each key that is wrong, missing or unknown, in one answer."""
    text = """
levl = "senior"
base = "much"
currency = "euros"
language = "fr"
[[rivals]]
bonus = -1
[[rivals.seats]]
count = 0
"""
    with pytest.raises(Refusal) as refused:
        offer_file.parse(text, LANGUAGES)
    said = str(refused.value)
    for words in (
        "label: missing",
        "levl = 'senior': there is no such key; did you mean 'level'?",
        "base = 'much': expected a number",
        "currency = 'euros': expected three letters such as EUR",
        "language = 'fr': expected one of en, de",
        "rivals[1].base: missing",
        "rivals[1].bonus = -1: expected a number from 0",
        "rivals[1].seats[1].count = 0: expected a whole number from 1",
        "rivals[1].seats[1].a_month: missing",
    ):
        assert words in said, words


def test_a_fourth_other_offer_is_refused() -> None:
    """A page has room for three beside ours."""
    text = 'label = "x"\nbase = 1\n' + "[[rivals]]\nbase = 1\n" * 4
    with pytest.raises(Refusal, match="expected at most 3 of them"):
        offer_file.parse(text, LANGUAGES)


def test_what_is_not_toml_is_refused() -> None:
    """With what the parser says."""
    with pytest.raises(Refusal, match="not TOML"):
        offer_file.parse("label = ", LANGUAGES)
