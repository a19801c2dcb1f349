"""A basket's lines as a calculation keeps them, as plain values, and back."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from policy.value.basket import Item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policy.value.basket import Id, Line

Calculation = dict[str, Any]
"""Everything that a value follows from, as plain values: decimals as text, prices as [nano-USD, per so many units]."""


def written(line: Line) -> dict[str, Any]:
    provider, model, tier, meter = line.item.key
    slot = {"slot": line.item.slot} if line.item.slot else {}
    return {
        **slot,
        "provider": provider,
        "model": model,
        "tier": tier,
        "meter": meter,
        "class": line.item.class_,
        "share": str(line.item.share),
        "link_price": fraction(line.item.link_price),
        "price": fraction(line.price),
        "relative": fraction(line.relative),
        "contribution": str(line.contribution),
        "imputed": line.imputed,
    }


def fraction(value: Fraction | None) -> list[int] | None:
    return None if value is None else [value.numerator, value.denominator]


def text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def items(calculation: Mapping[str, Any]) -> list[Item]:
    return [
        Item(
            (item["provider"], item["model"], item["tier"], item["meter"]),
            item["class"],
            Decimal(item["share"]),
            Fraction(*item["link_price"]) if item["link_price"] else None,
            item.get("slot", ""),
        )
        for item in calculation["items"]
    ]


def prices(calculation: Mapping[str, Any]) -> dict[Id, Fraction | None]:
    """The prices that its index follows from."""
    return {
        item.id: Fraction(*line["price"]) if line["price"] else None
        for item, line in zip(items(calculation), calculation["items"], strict=True)
    }


def relatives(calculation: Mapping[str, Any]) -> Sequence[Fraction]:
    """How each line stood to its link, in their order."""
    return [Fraction(*line["relative"]) for line in calculation["items"]]
