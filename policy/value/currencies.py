"""Other currencies than USD: what a unit is worth in a quarter, and the two conversions that follow from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from policy.units import NANO_PER_USD, NanoUSD, divide_half_even

if TYPE_CHECKING:
    from decimal import Decimal

USD = "USD"
NANO = NANO_PER_USD
"""Billionths of a unit, of any currency."""
_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in some currency, in billionths of its unit."""

    currency: str
    nano: int

    @property
    def decimal(self) -> Decimal:
        return NanoUSD(self.nano).decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """What a unit of a currency is worth in USD throughout a quarter."""

    currency: str
    per_unit: NanoUSD

    def in_usd(self, amount: Money) -> NanoUSD:
        """To the nearest nano-USD, halves to the even one."""
        if amount.currency != self.currency:
            raise ValueError(f"a rate of {self.currency} doesn't convert {amount.currency}")
        return NanoUSD(divide_half_even(amount.nano * int(self.per_unit), NANO))

    def of_usd(self, amount: NanoUSD) -> Money:
        """The same amount in the currency, to the nearest billionth, halves to the even one."""
        return Money(self.currency, divide_half_even(int(amount) * NANO, int(self.per_unit)))


PAR = Rate(USD, NanoUSD(NANO))


def is_code(text: str) -> bool:
    """Whether a text looks like the code of a currency."""
    return _CODE.fullmatch(text) is not None


def require_code(text: str) -> str:
    """A currency's three letters, in capitals; a Refusal for anything else."""
    code = text.strip().upper()
    if not is_code(code):
        raise Refusal("currency", f"currency = {text!r}: expected three letters such as EUR.")
    return code
