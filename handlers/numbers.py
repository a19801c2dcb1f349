"""Numbers as people write them: `5,000`, `5 000`, `20k`, `1.5M`; what can be read in two ways is no number."""

from __future__ import annotations

import re
from decimal import Decimal

SIZES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "mio": 1_000_000, "million": 1_000_000}
NUMBER = r"(?P<number>[0-9][0-9., _'\u2019]*|\.[0-9]+) ?(?P<size>thousand|million|mio|k|m)?"
"""Part of a pattern: what `read` reads of a match of it."""
_PLAIN = re.compile(r"[0-9]*(?:\.[0-9]+)?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([, _'\u2019])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_POINTS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+")
_COMMAS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_DECIMAL_COMMA = re.compile(r"(?P<whole>[0-9]+|[0-9]{1,3}(?:[. '\u2019][0-9]{3})+),(?P<part>[0-9]+)")
_SEPARATORS = re.compile(r"[,_ '\u2019]")


def read(found: re.Match[str]) -> Decimal:
    """The number of a match of NUMBER; ValueError says what to write instead, or nothing where it is none at all."""
    number, size = found["number"].strip(), SIZES.get((found["size"] or "").lower(), 1)
    if (wrong := _unreadable(number, size)) is not None:
        raise ValueError(wrong)
    return Decimal(_SEPARATORS.sub("", number)) * size


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
        shown = meant if size == 1 else (meant * size).normalize()
        return f"has a comma where I read a point. Write {shown:,f}."
    return ""


def _read_in_two_ways(number: str, mark: str, size: int) -> str:
    whole = int(number.replace(mark, "")) * size
    if number.count(mark) > 1:
        return f"has points where I read commas. Write {whole:,}."
    part = (Decimal(number.replace(mark, ".")) * size).normalize()
    return f"can be read in two ways. Write {whole:,} or {part:,f}."
