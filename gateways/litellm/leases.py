"""A lease: a small part of a wallet that this process may spend for a while without asking.

Money is integer nano-USD. Nothing here waits, reads a clock or speaks to anybody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .estimates import Estimate

NANO = 1_000_000_000
GENEROUS = 4
"""Where worst cases do not fit, one of more than so many times the usual counts as that."""
LOW = 4
"""A lease of which less than the fourth part is left is renewed before it is needed."""
EARLY_SECONDS = 10


class Model(NamedTuple):
    """A model by its provider's name for it."""

    provider: str
    name: str


@dataclass(frozen=True)
class Prices:
    """USD per unit of each meter, and what a call's output usually is at most."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    usual_output: int | None = None

    @classmethod
    def of(cls, told: Mapping[str, str], usual_output: int | None) -> Prices:
        """From what the bot says of a model; what has no price of its own costs what input does."""
        plain = Decimal(told.get("input_uncached", "0"))
        return cls(
            input=plain,
            output=Decimal(told.get("output", "0")),
            cache_read=Decimal(told.get("cache_read", plain)),
            cache_write=Decimal(told.get("cache_write_5m", plain)),
            usual_output=usual_output,
        )

    def worst(self, estimate: Estimate) -> int:
        return self._cost(estimate.input_tokens, estimate.output(self.usual_output))

    def usual(self, estimate: Estimate) -> int:
        return self._cost(estimate.input_tokens, estimate.usual_output(self.usual_output))

    def likely(self, estimate: Estimate) -> int:
        """What a call counts as where worst cases do not fit: the usual, if the worst case is far above it."""
        worst, usual = self.worst(estimate), self.usual(estimate)
        return usual if worst > GENEROUS * usual else worst

    def used(self, use: Use) -> int:
        """What a finished call cost, to know how much of a lease is left; the bot works it out anew."""
        plain = max(use.input_tokens - use.cache_read - use.cache_write, 0)
        cached = use.cache_read * self.cache_read + use.cache_write * self.cache_write
        return math.ceil((plain * self.input + cached + use.output_tokens * self.output) * NANO)

    def _cost(self, input_tokens: int, output_tokens: int) -> int:
        # The dearest kind of input: nobody knows yet what will be read from a cache.
        dearest = max(self.input, self.cache_write)
        return math.ceil((input_tokens * dearest + output_tokens * self.output) * NANO)


@dataclass(frozen=True)
class Use:
    """What a finished call used; the input includes what was cached."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0


class Reserved(NamedTuple):
    """What a running call may cost at most, and is likely to."""

    most: int
    likely: int


@dataclass
class Lease:
    """What is left of a lease is what was neither used nor is reserved by calls that still run."""

    id: str
    person: str
    size: int
    expires_at: float
    prices: Mapping[Model, Prices]
    used: int = 0
    reserved: dict[str, Reserved] = field(default_factory=dict)
    replaced: bool = False

    @property
    def left(self) -> int:
        return self.size - self.used - sum(one.most for one in self.reserved.values())

    @property
    def likely_left(self) -> int:
        """The same, if what runs costs as much as such calls usually do."""
        return self.size - self.used - sum(one.likely for one in self.reserved.values())

    def usable(self, now: float) -> bool:
        return not self.replaced and now < self.expires_at

    def runs_low(self, now: float) -> bool:
        """Time to ask for the next one, while this one still serves."""
        return self.left * LOW < self.size or now + EARLY_SECONDS >= self.expires_at

    def take(self, call: str, models: tuple[Model, ...], estimate: Estimate) -> bool:
        """Reserve what a call may cost; False where it does not fit, or a model has no price here.

        Where worst cases do not fit, what is usual is counted, as the bot does (docs/decisions/0053).
        """
        prices = [self.prices.get(model) for model in models]
        known = [one for one in prices if one is not None]
        if not known or len(known) < len(prices):
            return False
        worst = max(one.worst(estimate) for one in known)
        likely = max(one.likely(estimate) for one in known)
        if worst <= self.left:
            self.reserved[call] = Reserved(worst, likely)
        elif likely <= self.likely_left:
            self.reserved[call] = Reserved(likely, likely)
        else:
            return False
        return True

    def settle(self, call: str, amount: int | None) -> None:
        """The end of a call: `amount` was used; None is the whole of what it had reserved."""
        reserved = self.reserved.pop(call, Reserved(0, 0))
        self.used += reserved.most if amount is None else amount

    def release(self, call: str) -> None:
        """The end of a call that used nothing."""
        self.reserved.pop(call, None)
