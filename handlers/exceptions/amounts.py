"""Amounts of requests: tokens, or USD at the value of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers import amounts
from handlers.amounts import Limit
from policy.units import MicroTokens, NanoUSD
from programme.exceptions.asking import AT_MOST
from programme.funding import LARGEST_LOT

if TYPE_CHECKING:
    from policy.value.valuation import TokenValue

_LIMIT = Limit(LARGEST_LOT.decimal, AT_MOST)


def parse(text: str, value: TokenValue) -> MicroTokens:
    """The tokens that `5,000`, `5 000 tokens`, `20k`, `1.5M`, `USD 50` or `$50` mean at a value.

    ValueError says what is wrong, and what to write instead of what can be read in two ways.
    """
    written = amounts.read(text, _LIMIT)
    try:
        return value.debit(NanoUSD.parse(written.number)) if written.is_usd else MicroTokens.parse(written.number)
    except ValueError:
        raise amounts.too_fine(text) from None
