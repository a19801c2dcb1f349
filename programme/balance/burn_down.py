"""How a person's tokens went down in a month, day by day, and how they will go on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import day_of, first_instant
from policy.units import MicroTokens
from programme.balance import outlook
from store.ledger import wallets

if TYPE_CHECKING:
    from datetime import date

    from policy.forecast import Forecast
    from policy.period import Month
    from programme.balance.balance import BalanceCard
    from programme.balance.outlook import Past
    from programme.moment import Moment


@dataclass(frozen=True, slots=True)
class BurnDown:
    """What could be spent at the end of each day of a month so far, and what will be left at the end of those to come.

    `start` is what was there at the month's first instant plus what was granted in it so far. `ahead` is (day, low,
    middle, high), empty while it is too early to tell. Less than nothing is debt. `runs_out` is the last day with
    tokens left in a usual course; None where it is farther than one should look, or nothing can be told.
    """

    month: Month
    today: date
    left: tuple[tuple[date, MicroTokens], ...]
    start: MicroTokens
    ahead: tuple[tuple[date, MicroTokens, MicroTokens, MicroTokens], ...]
    runs_out: date | None


def of(moment: Moment, card: BalanceCard) -> BurnDown | None:
    """The month of the person whose balance a card says; None for anyone who has no wallet yet.

    It is worked out backwards from that balance, and so ends with it: usage counts on the day of its use, also when it
    came late.
    """
    if card.account_id is None:
        return None
    today = moment.today
    past = outlook.past(moment, card.account_id, today=today)
    came, went = _flows(moment, card, card.account_id, past)
    left: list[tuple[date, MicroTokens]] = []
    at_end, day = int(card.available), today
    while day >= card.month.first_day:
        left.append((day, MicroTokens(at_end)))
        at_end += went[day] - came[day]
        day -= timedelta(days=1)
    spent, available = int(card.spent_this_month), int(card.available)
    ahead = outlook.ahead(past, month=card.month, today=today, spent=spent, left=available)
    return BurnDown(
        month=card.month,
        today=today,
        left=tuple(reversed(left)),
        start=MicroTokens(at_end + sum(came.values())),
        ahead=_ahead(ahead, today, spent + available) if ahead else (),
        runs_out=ahead.runs_out[1] if ahead else None,
    )


def _flows(moment: Moment, card: BalanceCard, account_id: int, past: Past) -> tuple[Counter[date], Counter[date]]:
    """(what came, what went) on each day of the month; what ended or lapsed in its first instant went before it."""
    begin = first_instant(card.month.first_day, moment.zone)
    came: Counter[date] = Counter()
    went = Counter({day: spent for day, spent in past.days.items() if card.month.contains(day)})
    for flow in wallets.flows_since(moment.session, account_id, begin):
        if flow.is_lot and begin <= flow.at <= moment.now:
            came[day_of(flow.at, moment.zone)] += flow.amount
        elif not flow.is_lot and begin < flow.at <= moment.now:
            went[day_of(flow.at, moment.zone)] -= flow.amount
    for lot in card.ended:
        if begin < lot.expires_at:
            went[day_of(lot.expires_at, moment.zone)] += int(lot.remaining)
    return came, went


def _ahead(
    forecast: Forecast, today: date, whole: int
) -> tuple[tuple[date, MicroTokens, MicroTokens, MicroTokens], ...]:
    """What is left is `whole` less what will have been spent: most where least is spent."""
    return tuple(
        (today + timedelta(days=i), MicroTokens(whole - high), MicroTokens(whole - middle), MicroTokens(whole - low))
        for i, (low, middle, high) in enumerate(forecast.course, start=1)
    )
