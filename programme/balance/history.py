"""`/tokens history`: a month's usage of one person, by service and model; and the statement behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.units import MicroTokens, NanoUSD
from store.ledger import wallets
from store.usage import events as usage_store

if TYPE_CHECKING:
    from policy.period import Month
    from programme.moment import Moment
    from store.ledger.wallets import Movement
    from store.usage.events import Line


@dataclass(frozen=True, slots=True)
class History:
    """A month's lines, the most expensive first, with their totals and what was granted meanwhile.

    `paid` are the lines of what the company paid for, outside the programme; they are in no total but their own.
    """

    month: Month
    lines: tuple[Line, ...]
    calls: int
    cost: NanoUSD
    debit: MicroTokens
    granted: MicroTokens
    paid: tuple[Line, ...] = ()

    @property
    def paid_cost(self) -> NanoUSD:
        return sum((line.cost for line in self.paid), NanoUSD(0))

    @property
    def paid_debit(self) -> MicroTokens:
        return sum((line.debit for line in self.paid), MicroTokens(0))

    @property
    def paid_calls(self) -> int:
        return sum(line.calls for line in self.paid)


@dataclass(frozen=True, slots=True)
class Statement:
    """Every line of a wallet that was posted in a month, oldest first, between an opening and a closing balance."""

    month: Month
    opening: MicroTokens
    closing: MicroTokens
    movements: tuple[Movement, ...]


def of_month(moment: Moment, person_id: str, month: Month) -> History:
    """What a person used in a month of the programme's calendar."""
    account_id = wallets.account_of(moment.session, person_id)
    lines = _lines(moment, account_id, month)
    begin, end = month.bounds(moment.zone)
    return History(
        month=month,
        lines=tuple(lines),
        calls=sum(line.calls for line in lines),
        cost=sum((line.cost for line in lines), NanoUSD(0)),
        debit=sum((line.debit for line in lines), MicroTokens(0)),
        granted=wallets.granted_between(moment.session, account_id, begin, end) if account_id else MicroTokens(0),
        paid=tuple(_lines(moment, wallets.company_account_of(moment.session, person_id), month)),
    )


def _lines(moment: Moment, account_id: int | None, month: Month) -> list[Line]:
    return usage_store.lines_of_days(moment.session, account_id, list(month.days())) if account_id else []


def statement(moment: Moment, person_id: str, month: Month) -> Statement:
    """The wallet's lines of a month, each with the balance after it."""
    account_id = wallets.account_of(moment.session, person_id)
    begin, end = month.bounds(moment.zone)
    if account_id is None:
        return Statement(month, MicroTokens(0), MicroTokens(0), ())
    lines = list(reversed(wallets.movements(moment.session, account_id, begin=begin, end=end)))
    if lines:
        return Statement(month, lines[0].balance - lines[0].amount, lines[-1].balance, tuple(lines))
    balance = wallets.balance_before(moment.session, account_id, begin)
    return Statement(month, balance, balance, ())
