"""Amounts as people write them, wherever they do: in forms, in commands and on the command line."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple, TypeVar

from policy import texts
from policy.units import LARGEST_AMOUNT, Amount, MicroTokens, NanoUSD

A = TypeVar("A", bound=Amount)

WRITE = "Write an amount such as 5,000, 20k or USD 50."
_SIZES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "mio": 1_000_000, "million": 1_000_000}
_USD = frozenset({"usd", "$", "us$"})
_AMOUNT = re.compile(
    r"(?P<before>usd|us\$|\$)? ?(?P<number>[0-9][0-9., _'\u2019]*|\.[0-9]+) ?(?P<size>thousand|million|mio|k|m)?\.? ?"
    r"(?P<after>usd|us\$|\$|tokens?)?",
    re.IGNORECASE,
)
_ENDS = re.compile(r" ?[.,]? ?$")
"""What a sentence puts behind a number."""
_PLAIN = re.compile(r"[0-9]*(?:\.[0-9]+)?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([, _'\u2019])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_POINTS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+")
_COMMAS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_DECIMAL_COMMA = re.compile(r"(?P<whole>[0-9]+|[0-9]{1,3}(?:[. '\u2019][0-9]{3})+),(?P<part>[0-9]+)")
_SEPARATORS = re.compile(r"[,_ '\u2019]")
_MINUS = re.compile(r"^((?:usd|us\$|\$)? ?)[-\u2212\u2012\u2013\u2014] ?", re.IGNORECASE)
_POWER = re.compile(r"[0-9]+(?:\.[0-9]+)?e\+?[0-9]{1,2}", re.IGNORECASE)
_OVERRIDES = frozenset("\u202d\u202e")
"""They show letters in another order than they stand in: no one could tell which of both was meant."""
_DIRECTIONS = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"))
"""Marks of the direction of writing, which come along when a number is copied."""
_ARABIC_POINTS = {0x066B: ".", 0x066C: ","}


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
    if wrong := _unfit(text):
        raise ValueError(f"{texts.quoted(text)} {wrong}")
    words = _western(text)
    found = _AMOUNT.fullmatch(words)
    units = [] if found is None else [one.lower() for one in (found["before"], found["after"]) if one]
    if found is None or len(units) > 1:
        raise ValueError(f"{texts.quoted(text)} {_no_amount(words, limit)}")
    number, size = _ENDS.sub("", found["number"]), _SIZES.get((found["size"] or "").lower(), 1)
    if wrong := _unreadable(number, size):
        raise ValueError(f"{texts.quoted(text)} {wrong}")
    amount = Decimal(_SEPARATORS.sub("", number)) * size
    if amount > limit.largest:
        raise ValueError(f"{texts.quoted(text)} is too much. {limit.sentence}")
    return Written(amount, bool(_USD.intersection(units)))


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


def _unfit(text: str) -> str:
    """What is wrong with the signs of a text, before anyone reads them as a number."""
    if _OVERRIDES.intersection(text):
        return "has marks in it that turn digits around. Type it anew, for example 2,500."
    if sum(any(map(str.isdecimal, line)) for line in text.splitlines()) > 1:
        return "stands on several lines. Write one amount on one line, for example 2,500."
    return ""


def _western(text: str) -> str:
    """The text with plain spaces, without marks of direction, and with the digits 0 to 9 for those of other scripts."""
    plain = texts.plain(text.translate(_DIRECTIONS)).translate(_ARABIC_POINTS)
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in plain)


def _no_amount(words: str, limit: Limit) -> str:
    if (unsigned := _MINUS.sub(r"\1", words)) != words and _AMOUNT.fullmatch(unsigned):
        return "is less than 0. Write an amount above 0, for example 2,500."
    if _POWER.fullmatch(words) and 1 <= (meant := Decimal(words)) <= limit.largest:
        return f"is written with a power of ten. Write {_shown(meant)}."
    return f"is no amount to me. {WRITE}"


def _shown(number: Decimal) -> str:
    """Without the zeros behind a point."""
    return f"{number.normalize():,f}"


def _unreadable(number: str, size: int) -> str:
    """Why a number can't be read, and what to write; nothing when it can."""
    if _POINTS.fullmatch(number):
        # Five thousand in one country, five in another.
        return _read_in_two_ways(number, ".", size)
    if size > 1 and _COMMAS.fullmatch(number):
        return _read_in_two_ways(number, ",", size)
    if _PLAIN.fullmatch(number) or _GROUPED.fullmatch(number):
        return ""
    if comma := _DECIMAL_COMMA.fullmatch(number):
        meant = Decimal(f"{_SEPARATORS.sub('', comma['whole']).replace('.', '')}.{comma['part']}")
        shown = f"{meant:,f}" if size == 1 else _shown(meant * size)
        return f"has a comma where I read a point. Write {shown}."
    return f"is no number to me. {WRITE}"


def _read_in_two_ways(number: str, mark: str, size: int) -> str:
    whole = int(number.replace(mark, "")) * size
    if number.count(mark) > 1:
        return f"has points where I read commas. Write {whole:,}."
    part = _shown(Decimal(number.replace(mark, ".")) * size)
    return f"can be read in two ways. Write {whole:,} or {part}."
