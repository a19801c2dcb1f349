"""Amounts as people write them: tokens, or USD."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from policy import texts
from policy.units import MicroTokens, NanoUSD

if TYPE_CHECKING:
    from policy.value.valuation import TokenValue

WRITE = "Write an amount such as 5,000, 20k or USD 50."
_SIZES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "mio": 1_000_000, "million": 1_000_000}
_USD = frozenset({"usd", "$", "us$"})
_AMOUNT = re.compile(
    r"(?P<before>usd|us\$|\$)? ?(?P<number>[0-9][0-9., _'\u2019]*|\.[0-9]+) ?(?P<size>thousand|million|mio|k|m)?\.? ?"
    r"(?P<after>usd|us\$|\$|tokens?)?",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[0-9]*(?:\.[0-9]+)?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([, _'\u2019])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_POINTS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+")
_COMMAS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_DECIMAL_COMMA = re.compile(r"(?P<whole>[0-9]+|[0-9]{1,3}(?:[. '\u2019][0-9]{3})+),(?P<part>[0-9]+)")
_SEPARATORS = re.compile(r"[,_ '\u2019]")


def parse(text: str, value: TokenValue) -> MicroTokens:
    """The tokens that `5,000`, `5 000 tokens`, `20k`, `1.5M`, `USD 50` or `$50` mean at a value.

    ValueError says what is wrong, and what to write instead of what can be read in two ways.
    """
    words = texts.plain(text)
    found = _AMOUNT.fullmatch(words)
    units = [] if found is None else [one.lower() for one in (found["before"], found["after"]) if one]
    if found is None or len(units) > 1:
        raise ValueError(f"{texts.quoted(text)} is no amount to me. {WRITE}")
    number, size = found["number"].strip(), _SIZES.get((found["size"] or "").lower(), 1)
    if wrong := _unreadable(number, size):
        raise ValueError(f"{texts.quoted(text)} {wrong}")
    amount = Decimal(_SEPARATORS.sub("", number)) * size
    try:
        return value.debit(NanoUSD.parse(amount)) if _USD.intersection(units) else MicroTokens.parse(amount)
    except ValueError as error:
        raise ValueError(f"{error}.") from error


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
        shown = meant if size == 1 else (meant * size).normalize()
        return f"has a comma where I read a point. Write {shown:,f}."
    return f"is no number to me. {WRITE}"


def _read_in_two_ways(number: str, mark: str, size: int) -> str:
    whole = int(number.replace(mark, "")) * size
    if number.count(mark) > 1:
        return f"has points where I read commas. Write {whole:,}."
    part = (Decimal(number.replace(mark, ".")) * size).normalize()
    return f"can be read in two ways. Write {whole:,} or {part:,f}."
