"""Whether what the programme brings about pays: return, payback, present value, and the uplift at which it breaks even.

    benefit of a month  b = L·m·r·λ·payroll/12 × min(1, t/ramp)
    cost of a month     c, and F before the first
    ROI = (Σb − Σc − F) ÷ (Σc + F)          break-even L* = (Σc + F) ÷ (Σb/L)

L: uplift of output, m: value of a dollar of loaded pay, r: the share of gained time that becomes output, λ: pay with
all that comes on top. Payroll is posts at the midpoints of their bands, never salaries. Nothing here is a float.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from policy.period import MONTHS_PER_YEAR
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Verdict = Literal["pays", "does_not_pay", "not_established"]
Factor = Literal["uplift", "value", "realised", "loaded", "ramp"]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is assumed, and not measured; months of ramp may be 0."""

    value: Decimal
    realised: Decimal
    loaded: Decimal
    ramp_months: int
    discount: Decimal
    """Of a year."""


class MonthOfPay(NamedTuple):
    """A month's payroll (that of a year) of those who take part, and all that the programme cost in it."""

    payroll: NanoUSD
    cost: NanoUSD


@dataclass(frozen=True, slots=True)
class Uplift:
    """The measured uplift with its interval; an end is None where it is not known."""

    estimate: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Returns:
    """What follows from one uplift. `cumulative` begins with the one-off cost, at month 0."""

    benefit: NanoUSD
    cost: NanoUSD
    """Of all months, and the one-off cost."""
    roi: Decimal | None
    """None without any cost."""
    payback: Decimal | None
    """Months; None where it is not reached."""
    present_value: NanoUSD
    cumulative: tuple[NanoUSD, ...]

    @property
    def net(self) -> NanoUSD:
        return self.benefit - self.cost


@dataclass(frozen=True, slots=True)
class Judged:
    """The returns of the estimate and of both ends of its interval, beside the uplift at which it breaks even."""

    verdict: Verdict
    break_even: Decimal | None
    """None where no uplift pays, because there is no payroll."""
    middle: Returns
    low: Returns | None
    high: Returns | None


class Swing(NamedTuple):
    """What the net result would be at either end of one assumption's range, the others being as they are."""

    factor: Factor
    low: Decimal
    high: Decimal
    net_low: NanoUSD
    net_high: NanoUSD

    @property
    def width(self) -> int:
        return abs(int(self.net_high) - int(self.net_low))


def judge(uplift: Uplift, months: Sequence[MonthOfPay], one_off: NanoUSD, assumed: Assumptions) -> Judged:
    """Not established where the interval holds the break-even point, or has no end on its side of it."""
    middle = returns(uplift.estimate, assumed, months, one_off)
    per_uplift = sum(_per_uplift(months, assumed))
    break_even = Decimal(middle.cost) / per_uplift if per_uplift else None
    low, high = (None if end is None else returns(end, assumed, months, one_off) for end in (uplift.low, uplift.high))
    return Judged(_verdict(uplift, break_even), break_even, middle, low, high)


def _verdict(uplift: Uplift, break_even: Decimal | None) -> Verdict:
    if break_even is None:
        return "does_not_pay"
    if uplift.low is not None and uplift.low > break_even:
        return "pays"
    return "does_not_pay" if uplift.high is not None and uplift.high < break_even else "not_established"


def returns(uplift: Decimal, assumed: Assumptions, months: Sequence[MonthOfPay], one_off: NanoUSD) -> Returns:
    """What some months bring at an uplift; the first of them is month 1 of the ramp."""
    benefits = [_whole(uplift * per) for per in _per_uplift(months, assumed)]
    flows = [-one_off, *(b - month.cost for b, month in zip(benefits, months, strict=True))]
    cumulative = [flows[0]]
    for flow in flows[1:]:
        cumulative.append(cumulative[-1] + flow)
    benefit = sum(benefits, NanoUSD(0))
    cost = sum((month.cost for month in months), one_off)
    roi = Decimal(benefit - cost) / Decimal(cost) if cost else None
    present = present_value(flows, assumed.discount)
    return Returns(benefit, cost, roi, payback(cumulative), present, tuple(cumulative))


def _per_uplift(months: Sequence[MonthOfPay], assumed: Assumptions) -> list[Decimal]:
    """Each month's benefit for an uplift of 1."""
    factor = assumed.value * assumed.realised * assumed.loaded / MONTHS_PER_YEAR
    return [
        factor * Decimal(month.payroll) * _ramped(place, assumed.ramp_months)
        for place, month in enumerate(months, start=1)
    ]


def _ramped(place: int, ramp_months: int) -> Decimal:
    return Decimal(1) if place >= ramp_months else Decimal(place) / ramp_months


def _whole(amount: Decimal) -> NanoUSD:
    return NanoUSD(int(amount.to_integral_value(rounding=ROUND_HALF_EVEN)))


def payback(cumulative: Sequence[NanoUSD]) -> Decimal | None:
    """When what came in first covers what went out, in months, interpolated within the month in which it does."""
    for place in range(1, len(cumulative)):
        before, after = cumulative[place - 1], cumulative[place]
        if after >= 0:
            missing = Decimal(max(0, -int(before)))
            return place - 1 + (missing / Decimal(int(after) + int(missing)) if missing else Decimal(0))
    return None


def present_value(flows: Sequence[NanoUSD], discount: Decimal) -> NanoUSD:
    """What flows at the ends of months are worth at month 0, at a rate of a year that compounds month by month."""
    monthly = (1 + discount) ** (Decimal(1) / MONTHS_PER_YEAR)
    return _whole(sum((Decimal(flow) / monthly**place for place, flow in enumerate(flows)), Decimal(0)))


def tornado(
    uplift: Uplift,
    months: Sequence[MonthOfPay],
    one_off: NanoUSD,
    assumed: Assumptions,
    ranges: Mapping[Factor, tuple[Decimal, Decimal]],
) -> tuple[Swing, ...]:
    """How much hangs on each assumption, the widest first. The uplift's range is its interval, where it has one."""
    given = dict(ranges)
    if uplift.low is not None and uplift.high is not None:
        given["uplift"] = (uplift.low, uplift.high)
    swings = []
    for factor, (low, high) in given.items():
        nets = [returns(*_moved(factor, end, uplift.estimate, assumed), months, one_off).net for end in (low, high)]
        swings.append(Swing(factor, low, high, *nets))
    return tuple(sorted(swings, key=lambda swing: (-swing.width, swing.factor)))


def _moved(factor: Factor, to: Decimal, uplift: Decimal, assumed: Assumptions) -> tuple[Decimal, Assumptions]:
    match factor:
        case "uplift":
            return to, assumed
        case "value":
            return uplift, replace(assumed, value=to)
        case "realised":
            return uplift, replace(assumed, realised=to)
        case "loaded":
            return uplift, replace(assumed, loaded=to)
        case "ramp":
            return uplift, replace(assumed, ramp_months=int(to))
