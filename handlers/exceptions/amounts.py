"""Amounts as people write them: tokens, or USD."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handlers import numbers
from policy import texts
from policy.units import MicroTokens, NanoUSD

if TYPE_CHECKING:
    from policy.value.valuation import TokenValue

WRITE = "Write an amount such as 5,000, 20k or USD 50."
_USD = frozenset({"usd", "$", "us$"})
_AMOUNT = re.compile(
    rf"(?P<before>usd|us\$|\$)? ?{numbers.NUMBER}\.? ?(?P<after>usd|us\$|\$|tokens?)?",
    re.IGNORECASE,
)


def parse(text: str, value: TokenValue) -> MicroTokens:
    """The tokens that `5,000`, `5 000 tokens`, `20k`, `1.5M`, `USD 50` or `$50` mean at a value.

    ValueError says what is wrong, and what to write instead of what can be read in two ways.
    """
    words = texts.plain(text)
    found = _AMOUNT.fullmatch(words)
    units = [] if found is None else [one.lower() for one in (found["before"], found["after"]) if one]
    if found is None or len(units) > 1:
        raise ValueError(f"{texts.quoted(text)} is no amount to me. {WRITE}")
    try:
        amount = numbers.read(found)
    except ValueError as error:
        raise ValueError(f"{texts.quoted(text)} {str(error) or f'is no number to me. {WRITE}'}") from error
    try:
        return value.debit(NanoUSD.parse(amount)) if _USD.intersection(units) else MicroTokens.parse(amount)
    except ValueError as error:
        raise ValueError(f"{error}.") from error
