"""What of a month's cash is used, and until when it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy import cash, forecast
from policy.caps import SumKey, days_of
from policy.parameters.holds import PROGRAMME
from policy.period import Month
from policy.units import NanoUSD
from programme.holds import in_force
from programme.usage import cap_sums
from store.holds import sums
from views.cash import Spend

if TYPE_CHECKING:
    from datetime import date

    from policy.parameters.holds import CapRule
    from programme.moment import Moment
    from store.holds.sums import Sum


@dataclass(frozen=True, slots=True)
class CashCap:
    """A cash cap of today's handbook: `rule` as the handbook has it, `now` as the board left it."""

    rule: CapRule
    now: CapRule


def caps(moment: Moment) -> list[CashCap]:
    """The cash caps that hold today."""
    pairs = zip(moment.handbook.caps, in_force.caps(moment), strict=True)
    return [CashCap(rule, now) for rule, now in pairs if cash.is_cash(rule)]


def total(moment: Moment, month: Month) -> Sum:
    """What the whole programme used and holds of a month, in nano-USD."""
    key = SumKey(PROGRAMME, "", "month", month.first_day)
    return cap_sums.look(moment, [key])[key]


def of(moment: Moment, cap: CapRule, month: Month) -> Spend:
    """A cap's month as it stands; `cap` as it is in force."""
    standing = total(moment, month)
    used = NanoUSD(standing.used)
    return Spend(
        cap=cap.name,
        month=month,
        limit=cap.usd,
        used=used,
        held=NanoUSD(standing.held),
        runs_out=_runs_out(moment, month, used, NanoUSD(max(int(cap.usd - used), 0))),
        action=cap.action,
        services=tuple(service.name for service in moment.handbook.services if service.key in cap.services),
        at=moment.now,
        slow_to=cap.slow_to,
    )


def _runs_out(moment: Moment, month: Month, used: NanoUSD, left: NanoUSD) -> date | None:
    """The last day with cash left; None where it lasts the month, is used up, or it is too early to tell."""
    if not left or month != Month.containing(moment.today):
        return None
    days = {moment.today - timedelta(days=i): 0 for i in range(1, forecast.HISTORY_DAYS + 1)}
    spent = sums.by_day(moment.session, min(days))
    if not spent:
        return None
    ahead = forecast.forecast(
        days | {day: usd for day, usd in spent.items() if day in days},
        today=moment.today,
        first_day=min(spent),
        month_ends=month.next().first_day,
        spent=int(used),
        left=int(left),
    )
    last = ahead.runs_out[1] if ahead is not None else None
    return last if last is not None and last in days_of("month", month.first_day) else None
