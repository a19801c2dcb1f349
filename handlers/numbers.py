"""Numbers as people write them: `5,000`, `5 000`, `20k`, `1.5M`; what can be read in two ways is no number."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from policy import texts

SIZES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "mio": 1_000_000, "million": 1_000_000}
NUMBER = r"(?P<number>[0-9][0-9., _'\u2019]*|\.[0-9]+) ?(?P<size>thousand|million|mio|k|m)?"
"""Part of a pattern: what `read` reads of a match of it."""
_ENDS = re.compile(r" ?[.,]? ?$")
"""What a sentence puts behind a number."""
_PLAIN = re.compile(r"[0-9]*(?:\.[0-9]+)?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([, _'\u2019])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_POINTS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+")
_COMMAS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_DECIMAL_COMMA = re.compile(r"(?P<whole>[0-9]+|[0-9]{1,3}(?:[. '\u2019][0-9]{3})+),(?P<part>[0-9]+)")
_SEPARATORS = re.compile(r"[,_ '\u2019]")
_OVERRIDES = frozenset("\u202d\u202e")
"""They show letters in another order than they stand in: no one could tell which of both was meant."""
_DIRECTIONS = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"))
"""Marks of the direction of writing, which come along when a number is copied."""
_ARABIC_POINTS = {0x066B: ".", 0x066C: ","}


def unfit(text: str) -> str:
    """What is wrong with the signs of a text, before anyone reads them as a number."""
    if _OVERRIDES.intersection(text):
        return "has marks in it that turn digits around. Type it anew, for example 2,500."
    if sum(any(map(str.isdecimal, line)) for line in text.splitlines()) > 1:
        return "stands on several lines. Write one amount on one line, for example 2,500."
    return ""


def western(text: str) -> str:
    """The text with plain spaces, without marks of direction, and with the digits 0 to 9 for those of other scripts."""
    plain = texts.plain(text.translate(_DIRECTIONS)).translate(_ARABIC_POINTS)
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in plain)


def read(found: re.Match[str]) -> Decimal:
    """The number of a match of NUMBER; ValueError says what to write instead, or nothing where it is none at all."""
    number, size = _ENDS.sub("", found["number"]), SIZES.get((found["size"] or "").lower(), 1)
    if (wrong := _unreadable(number, size)) is not None:
        raise ValueError(wrong)
    return Decimal(_SEPARATORS.sub("", number)) * size


def shown(number: Decimal) -> str:
    """Without the zeros behind a point."""
    return f"{number.normalize():,f}"


def _unreadable(number: str, size: int) -> str | None:
    """Why a number can't be read, and what to write, which is nothing for what is none; None when it can."""
    if _POINTS.fullmatch(number):
        # Five thousand in one country, five in another.
        return _read_in_two_ways(number, ".", size)
    if size > 1 and _COMMAS.fullmatch(number):
        return _read_in_two_ways(number, ",", size)
    if _PLAIN.fullmatch(number) or _GROUPED.fullmatch(number):
        return None
    if comma := _DECIMAL_COMMA.fullmatch(number):
        meant = Decimal(f"{_SEPARATORS.sub('', comma['whole']).replace('.', '')}.{comma['part']}")
        return f"has a comma where I read a point. Write {f'{meant:,f}' if size == 1 else shown(meant * size)}."
    return ""


def _read_in_two_ways(number: str, mark: str, size: int) -> str:
    whole = int(number.replace(mark, "")) * size
    if number.count(mark) > 1:
        return f"has points where I read commas. Write {whole:,}."
    part = shown(Decimal(number.replace(mark, ".")) * size)
    return f"can be read in two ways. Write {whole:,} or {part}."
