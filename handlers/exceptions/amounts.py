"""Amounts as people write them: tokens, or USD."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from handlers import numbers
from policy import texts
from policy.units import MicroTokens, NanoUSD
from programme.exceptions.asking import AT_MOST, LARGEST_ASK

if TYPE_CHECKING:
    from policy.value.valuation import TokenValue

WRITE = "Write an amount such as 5,000, 20k or USD 50."
_USD = frozenset({"usd", "$", "us$"})
_AMOUNT = re.compile(
    rf"(?P<before>usd|us\$|\$)? ?{numbers.NUMBER}\.? ?(?P<after>usd|us\$|\$|tokens?)?",
    re.IGNORECASE,
)
_MINUS = re.compile(r"^((?:usd|us\$|\$)? ?)[-\u2212\u2012\u2013\u2014] ?", re.IGNORECASE)
_POWER = re.compile(r"[0-9]+(?:\.[0-9]+)?e\+?[0-9]{1,2}", re.IGNORECASE)


def parse(text: str, value: TokenValue) -> MicroTokens:
    """The tokens that `5,000`, `5 000 tokens`, `20k`, `1.5M`, `USD 50` or `$50` mean at a value.

    ValueError says what is wrong, and what to write instead of what can be read in two ways.
    """
    if wrong := numbers.unfit(text):
        raise ValueError(f"{texts.quoted(text)} {wrong}")
    words = numbers.western(text)
    found = _AMOUNT.fullmatch(words)
    units = [] if found is None else [one.lower() for one in (found["before"], found["after"]) if one]
    if found is None or len(units) > 1:
        raise ValueError(f"{texts.quoted(text)} {_no_amount(words)}")
    amount = _number(text, found)
    try:
        return value.debit(NanoUSD.parse(amount)) if _USD.intersection(units) else MicroTokens.parse(amount)
    except ValueError:
        # Within the range of both units: what is left is that it is finer than they are.
        raise ValueError(
            f"{texts.quoted(text)} has too many decimals. Write a whole number, for example 2,500."
        ) from None


def _number(text: str, found: re.Match[str]) -> Decimal:
    try:
        amount = numbers.read(found)
    except ValueError as error:
        raise ValueError(f"{texts.quoted(text)} {str(error) or f'is no number to me. {WRITE}'}") from error
    if amount > LARGEST_ASK.decimal:
        raise ValueError(f"{texts.quoted(text)} is too much. {AT_MOST}")
    return amount


def _no_amount(words: str) -> str:
    if (unsigned := _MINUS.sub(r"\1", words)) != words and _AMOUNT.fullmatch(unsigned):
        return "is less than 0. Write an amount above 0, for example 2,500."
    if _POWER.fullmatch(words) and 1 <= (meant := Decimal(words)) <= LARGEST_ASK.decimal:
        return f"is written with a power of ten. Write {numbers.shown(meant)}."
    return f"is no amount to me. {WRITE}"
