"""What is said in a reader's language on pages for people outside the company: words from a file, and how they are set.

A language is a file of words (templates/pages/…/en.toml); any other one is a copy of it, with the same placeholders.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from importlib import resources
from string import Formatter
from typing import TYPE_CHECKING, Any

from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from policy.units import NanoUSD
    from policy.value.currencies import Rate

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    said: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a text, or what the file has under a name
        return self.said[name]

    def say(self, name: str, **parts: str) -> str:
        return str(self.said[name]).format_map(parts)

    def number(self, value: Decimal) -> str:
        """A number with this language's marks: `242,400`, `5,1`."""
        marks = str.maketrans({",": self.said["thousands"], ".": self.said["decimal"]})
        return f"{value:,f}".translate(marks)

    def money(self, amount: NanoUSD, rate: Rate) -> str:
        """Whole units of a rate's currency, with its name: `USD 242,400`."""
        return self.say("money", currency=rate.currency, amount=self.amount(amount, rate))

    def amount(self, amount: NanoUSD, rate: Rate) -> str:
        """Whole units of a rate's currency, without its name."""
        return self.number(rate.of_usd(amount).decimal.quantize(Decimal(1), ROUND_HALF_EVEN))

    def cents(self, amount: NanoUSD, rate: Rate) -> str:
        """A small amount, to the hundredth of a rate's currency, with its name."""
        number = self.number(rate.of_usd(amount).decimal.quantize(Decimal("0.01"), ROUND_HALF_EVEN))
        return self.say("money", currency=rate.currency, amount=number)

    def percent(self, share: Decimal) -> str:
        """To a tenth of a percent, without a zero at the end."""
        tenths = (share * 100).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
        return self.say("percent", number=self.number(tenths.to_integral() if tenths == int(tenths) else tenths))

    def day(self, day: date) -> str:
        return self.say("day", day=str(day.day), month=self.said["months"][day.month - 1], year=str(day.year))


def languages(folder: str) -> tuple[str, ...]:
    """The languages that come with the bot, English first."""
    names = (one.name for one in _files(folder).iterdir())
    found = sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))
    return (ENGLISH, *(one for one in found if one != ENGLISH))


@cache
def of(folder: str, language: str) -> Words:
    """The words of a language that comes with the bot."""
    if language not in languages(folder):
        known = ", ".join(languages(folder))
        raise Refusal("language", f"There are no words in {language!r}; there are {known}.")
    return Words(_parsed(source(folder, language)))


def source(folder: str, language: str) -> str:
    """The file of a language that comes with the bot, to be copied for another one."""
    return str(_files(folder).joinpath(f"{language}.toml").read_text("utf-8"))


def read(folder: str, text: str) -> Words:
    """The words of a file of one's own; a Refusal names what it lacks beside the English one."""
    try:
        given = _parsed(text)
    except tomllib.TOMLDecodeError as error:
        raise Refusal("words_file", f"The words are not TOML: {error}.") from error
    if problems := list(_problems(of(folder, ENGLISH).said, given)):
        raise Refusal("words_file", "\n".join(problems))
    return Words(given)


def _problems(english: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    for name, said in english.items():
        found: Any = given.get(name)
        if type(found) is not type(said):
            yield f"{name}: missing, or not of the kind that it has in English"
        elif isinstance(said, str):
            if placeholders(found) - placeholders(said):
                known = ", ".join(f"{{{one}}}" for one in sorted(placeholders(said))) or "nothing"
                yield f"{name}: only {known} can be filled in"
        elif len(found) != len(said) or (isinstance(said, dict) and found.keys() != said.keys()):
            yield f"{name}: other entries than in English"
    yield from (f"{name}: there is no such text" for name in given if name not in english)


def placeholders(text: str) -> set[str]:
    """What is filled into a text; what is no text to be filled in is not there in English either."""
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return {text}


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _files(folder: str) -> Any:  # noqa: ANN401 - a folder of the package, wherever it is installed
    return resources.files("templates").joinpath("pages", folder)
