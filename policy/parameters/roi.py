"""What the return is worked out from beside what is measured: assumptions with their ranges, costs, small numbers."""

# ruff: noqa: TC001, TC003 - the types of fields are read at run time

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, Factor, OneOf, Share
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterator

PER = ("once", "month")
MOST_RAMP = 60


@dataclass(frozen=True, slots=True)
class Assumed:
    """One value of each assumption: of a dollar of pay, the share realised, what comes on top of pay, months."""

    value_per_dollar: Factor
    realised_share: Share
    loaded_factor: Factor
    ramp_months: Annotated[int, Between(0, MOST_RAMP)]


@dataclass(frozen=True, slots=True)
class Cost:
    """What the programme costs beside tokens, once or in each month between two dates."""

    name: str
    usd: NanoUSD
    per: Annotated[str, OneOf(PER)]
    from_: date
    until: date | None = None

    def in_month(self, first: date, end: date) -> bool:
        """Whether it falls into the days from one until before another."""
        if self.per == "once":
            return first <= self.from_ < end
        return self.from_ < end and (self.until is None or self.until >= first)


@dataclass(frozen=True, slots=True)
class RoiRules:
    """The assumptions, each with its range; `treated_share` of its posts make a team one that takes part."""

    value_per_dollar: Factor
    realised_share: Share
    loaded_factor: Factor
    ramp_months: Annotated[int, Between(0, MOST_RAMP)]
    discount_rate: Share
    horizon_months: Annotated[int, Between(1, 120)]
    baseline_months: Annotated[int, Between(1, 36)]
    treated_share: Share
    directional_below: Annotated[int, Between(0, 1_000)]
    percentage_from: Annotated[int, Between(0, 1_000)]
    low: Assumed
    high: Assumed
    costs: tuple[Cost, ...]

    def range_of(self, name: str) -> tuple[Decimal, Decimal]:
        return Decimal(getattr(self.low, name)), Decimal(getattr(self.high, name))


def roi_contradictions(roi: RoiRules) -> Iterator[str]:
    for name in Assumed.__dataclass_fields__:
        low, high = roi.range_of(name)
        if not low <= (value := getattr(roi, name)) <= high:
            yield f"roi.{name} = {value}: not from roi.low.{name} = {low} to roi.high.{name} = {high}"
    if roi.percentage_from < roi.directional_below:
        yield f"roi.percentage_from = {roi.percentage_from}: below roi.directional_below"
    if not roi.treated_share:
        yield "roi.treated_share = 0: every team would always take part"
    for cost in roi.costs:
        if cost.until is not None and (cost.per == "once" or cost.until < cost.from_):
            yield f"roi.costs.{cost.name}.until = {cost.until}: only of what is paid monthly, and not before from"
