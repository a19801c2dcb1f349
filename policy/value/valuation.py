"""What a token is worth: the value of a quarter, and the only conversions between tokens and USD."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.reasons import Reason
from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD, divide_half_even

if TYPE_CHECKING:
    from policy.handbook import Handbook
    from policy.period import Quarter


@dataclass(frozen=True, slots=True)
class TokenValue:
    """Nano-USD per token, frozen for a quarter. `version` tells two values of one quarter apart: `2026-Q4.1`."""

    quarter: Quarter
    version: str
    nano_usd_per_token: int
    because: tuple[Reason, ...] = ()
    price_index: Decimal = Decimal(1)
    buffer_permille: int = 0
    """Of the entitlement, held back against price rises."""
    on_top: bool = False
    """The buffer is paid beside the entitlement, not out of it."""

    def __post_init__(self) -> None:
        if self.nano_usd_per_token <= 0:
            raise ValueError(f"the value of a token must be positive, not {self.nano_usd_per_token} nano-USD")

    @property
    def per_token(self) -> NanoUSD:
        return NanoUSD(self.nano_usd_per_token)

    @property
    def issue_buffer_permille(self) -> int:
        """What the buffer takes from an entitlement at issue."""
        return 0 if self.on_top else self.buffer_permille

    def debit(self, cost: NanoUSD) -> MicroTokens:
        """Tokens that a cost takes from a wallet: cost ÷ value, to the nearest micro-token (half to even)."""
        return MicroTokens(self.micro_tokens(int(cost)))

    def micro_tokens(self, nano_usd: int) -> int:
        """The same in bare numbers, for batches of many."""
        return divide_half_even(nano_usd * MICRO_PER_TOKEN, self.nano_usd_per_token)

    def worth(self, tokens: MicroTokens) -> NanoUSD:
        """USD that an amount of tokens buys: tokens × value."""
        return worth(tokens, self.per_token)


def worth(tokens: MicroTokens, per_token: NanoUSD) -> NanoUSD:
    """USD that an amount of tokens buys at a price for one, to the nearest nano-USD (half to even)."""
    return NanoUSD(divide_half_even(int(tokens) * int(per_token), MICRO_PER_TOKEN))


def fixed_value(quarter: Quarter, handbook: Handbook) -> TokenValue:
    """The handbook's own figure, when `value.method = "fixed"`."""
    usd = handbook.value.usd_per_token
    reason = Reason(
        "value_fixed",
        f"handbook {handbook.version} fixes a token at USD {usd.decimal.normalize():f}",
        {"usd_per_token": f"{usd.decimal.normalize():f}"},
    )
    return TokenValue(quarter, f"{quarter}.1", int(usd), (reason,))
