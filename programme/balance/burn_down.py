"""How a person's tokens went down in a month, day by day, and how they will go on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import day_of, first_instant
from policy.units import MicroTokens
from programme.balance import outlook
from store.ledger import wallets
from views.balance import BurnDown

if TYPE_CHECKING:
    from datetime import date

    from policy.forecast import Forecast
    from programme.balance.outlook import Past
    from programme.moment import Moment
    from views.balance import BalanceCard


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
