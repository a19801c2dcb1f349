"""Amounts: integer micro-tokens and integer nano-USD, which never mix, and the roundings by name.

A token is the programme's unit of account; 1 token = 1,000,000 micro-tokens. 1 USD = 1,000,000,000 nano-USD.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

MICRO_PER_TOKEN = 1_000_000
NANO_PER_USD = 1_000_000_000
LARGEST_AMOUNT = 2**63 - 1
"""What a BIGINT column holds."""
_EXACT = Context(traps=[Inexact])
"""More digits than an amount has, and no silent rounding to them."""

Permille = int | Decimal
"""A share in thousandths: an int where it is whole, as all were once, so that what was frozen reads as it did."""


def as_permille(thousandths: Decimal) -> Permille:
    return int(thousandths) if thousandths == int(thousandths) else thousandths


class Amount(int):
    """A whole number of one unit: adding another unit, or a bare number, is a `TypeError`.

    The overrides narrow int's signatures on purpose (hence the ignores): mypy then refuses the mixture too.
    """

    __slots__ = ()
    scale: int

    def __add__(self, other: Self, /) -> Self:  # type: ignore[override]
        return type(self)(int(self) + self._same_unit(other))

    def __sub__(self, other: Self, /) -> Self:  # type: ignore[override]
        return type(self)(int(self) - self._same_unit(other))

    def __radd__(self, other: Self, /) -> Self:  # type: ignore[override]
        return self + other

    def __rsub__(self, other: Self, /) -> Self:  # type: ignore[override]
        return type(self)(self._same_unit(other) - int(self))

    def __neg__(self) -> Self:
        return type(self)(-int(self))

    def _same_unit(self, other: object) -> int:
        if type(other) is not type(self):
            raise TypeError(f"cannot combine {type(self).__name__} with {type(other).__name__}")
        return int(other)

    @property
    def decimal(self) -> Decimal:
        """The amount in whole units (tokens or USD), exact."""
        return Decimal(int(self)) / self.scale

    @classmethod
    def parse(cls, text: str | Decimal) -> Self:
        """The amount written in whole units, such as `4120.35`; ValueError when it is finer than the unit."""
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError(f"{text!r} is not a number") from None
        if not number.is_finite() or not -LARGEST_AMOUNT <= number <= LARGEST_AMOUNT:
            raise ValueError(f"{text!r} is out of range")
        try:
            scaled = _EXACT.to_integral_exact(_EXACT.multiply(number, Decimal(cls.scale)))
        except Inexact:
            raise ValueError(f"{text!r} has more decimals than the {cls.__name__} unit holds") from None
        if not -LARGEST_AMOUNT <= scaled <= LARGEST_AMOUNT:
            raise ValueError(f"{text!r} is out of range")
        return cls(int(scaled))


class MicroTokens(Amount):
    """Millionths of a token."""

    __slots__ = ()
    scale = MICRO_PER_TOKEN


class NanoUSD(Amount):
    """Billionths of a US dollar."""

    __slots__ = ()
    scale = NANO_PER_USD


def divide_half_even(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest whole number, halves to the even one (banker's rounding)."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def split_by_largest_remainder(total: int, weights: Sequence[int], *, step: int = 1) -> list[int]:
    """Split `total` in proportion to `weights` into multiples of `step` whose sum is exactly `total`.

    Ties go to the earlier weight, so that a caller who sorts by id gets the same split every time. A total
    that is no multiple of `step`, a negative weight, or weights that are all zero is a ValueError.
    """
    if total < 0 or total % step:
        raise ValueError(f"cannot split {total} into multiples of {step}")
    if any(weight < 0 for weight in weights) or not sum(weights):
        raise ValueError("weights must not be negative, and at least one must be positive")
    steps, whole = total // step, sum(weights)
    shares = [steps * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(steps * weights[i] % whole), i))
    for i in by_remainder[: steps - sum(shares)]:
        shares[i] += 1
    return [share * step for share in shares]
