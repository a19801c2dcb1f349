"""Amounts as people write them: tokens, or USD."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from policy.units import MicroTokens, NanoUSD

if TYPE_CHECKING:
    from policy.value.valuation import TokenValue

_NUMBER = r"\d{1,3}(?:[, _]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_AMOUNT = re.compile(rf"(?:(usd|\$)\s*)?({_NUMBER})\s*(usd|\$|tokens?)?", re.IGNORECASE)
_POINTS = re.compile(r"\d{1,3}(\.\d{3})+")


def parse(text: str, value: TokenValue) -> MicroTokens:
    """The tokens that `5,000`, `5000 tokens`, `USD 50` or `$50` mean at a value; ValueError says what is wrong."""
    words = text.strip()
    found = _AMOUNT.fullmatch(words)
    if not found or (found[1] and found[3]):
        raise ValueError(f"{words!r}: write an amount such as 5,000 or USD 50.")
    if _POINTS.fullmatch(found[2]):
        # Five thousand in one country, five in another.
        raise ValueError(f"{words!r} can be read in two ways. Write {found[2].replace('.', ',')} or a plain number.")
    number = re.sub(r"[,_ ]", "", found[2])
    in_usd = found[1] or (found[3] or "").lower() in {"usd", "$"}
    try:
        return value.debit(NanoUSD.parse(number)) if in_usd else MicroTokens.parse(number)
    except ValueError as error:
        raise ValueError(f"{words!r}: {error}.") from error
