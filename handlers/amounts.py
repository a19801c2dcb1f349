"""Amounts as people write them, wherever they do: in forms, in commands and on the command line."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple, TypeVar

from handlers import numbers
from policy import texts
from policy.units import LARGEST_AMOUNT, Amount, MicroTokens, NanoUSD

A = TypeVar("A", bound=Amount)

WRITE = "Write an amount such as 5,000, 20k or USD 50."
_USD = frozenset({"usd", "$", "us$"})
_AMOUNT = re.compile(
    rf"(?P<before>usd|us\$|\$)? ?{numbers.NUMBER}\.? ?(?P<after>usd|us\$|\$|tokens?)?",
    re.IGNORECASE,
)
_MINUS = re.compile(r"^((?:usd|us\$|\$)? ?)[-\u2212\u2012\u2013\u2014] ?", re.IGNORECASE)
_POWER = re.compile(r"[0-9]+(?:\.[0-9]+)?e\+?[0-9]{1,2}", re.IGNORECASE)


class Written(NamedTuple):
    """A number that somebody wrote, and whether USD stood beside it."""

    number: Decimal
    is_usd: bool


class Limit(NamedTuple):
    """The largest number that may be written, and the sentence for whoever writes a larger one."""

    largest: Decimal
    sentence: str


def read(text: str, limit: Limit) -> Written:
    """The number that `5,000`, `5 000 tokens`, `20k`, `1.5M`, `USD 50` or `$50` mean.

    ValueError says what is wrong, and what to write instead of what can be read in two ways.
    """
    if wrong := numbers.unfit(text):
        raise ValueError(f"{texts.quoted(text)} {wrong}")
    words = numbers.western(text)
    found = _AMOUNT.fullmatch(words)
    units = [] if found is None else [one.lower() for one in (found["before"], found["after"]) if one]
    if found is None or len(units) > 1:
        raise ValueError(f"{texts.quoted(text)} {_no_amount(words, limit)}")
    return Written(_number(text, found, limit), bool(_USD.intersection(units)))


def too_fine(text: str) -> ValueError:
    """Of a number within the range of its unit: it has more decimals than that holds."""
    return ValueError(f"{texts.quoted(text)} has too many decimals. Write a whole number, for example 2,500.")


def tokens(text: str) -> MicroTokens:
    """Tokens as people write them; ValueError says what to write instead."""
    written = read(text, _limit(MicroTokens))
    if written.is_usd:
        raise ValueError(f"{text!r} is in USD. Write tokens, for example 125k.")
    return _exact(MicroTokens, text, written.number)


def usd(text: str) -> NanoUSD:
    """USD as people write them; ValueError says what to write instead."""
    written = read(text, _limit(NanoUSD))
    if "token" in text.lower():
        raise ValueError(f"{text!r} is in tokens. Write USD, for example 160,000.")
    return _exact(NanoUSD, text, written.number)


def _limit(unit: type[Amount]) -> Limit:
    largest = Decimal(LARGEST_AMOUNT) // unit.scale
    return Limit(largest, f"At most {largest:,f} can be written down.")


def _exact(unit: type[A], text: str, number: Decimal) -> A:
    try:
        return unit.parse(number)
    except ValueError:
        raise too_fine(text) from None


def _number(text: str, found: re.Match[str], limit: Limit) -> Decimal:
    try:
        number = numbers.read(found)
    except ValueError as error:
        raise ValueError(f"{texts.quoted(text)} {str(error) or f'is no number to me. {WRITE}'}") from error
    if number > limit.largest:
        raise ValueError(f"{texts.quoted(text)} is too much. {limit.sentence}")
    return number


def _no_amount(words: str, limit: Limit) -> str:
    if (unsigned := _MINUS.sub(r"\1", words)) != words and _AMOUNT.fullmatch(unsigned):
        return "is less than 0. Write an amount above 0, for example 2,500."
    if _POWER.fullmatch(words) and 1 <= (meant := Decimal(words)) <= limit.largest:
        return f"is written with a power of ten. Write {numbers.shown(meant)}."
    return f"is no amount to me. {WRITE}"
