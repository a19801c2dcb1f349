"""`/tokens worth`: what the allowance was worth to someone in a year, reckoned as offers reckon."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from policy import offers
from policy.kinds import EntryKind
from policy.period import Quarter, day_of
from policy.units import MicroTokens, NanoUSD
from programme.balance import balance
from programme.value import valuation
from store.ledger import wallets
from store.offers import years
from views.offers import WorthLine, YearsWorth

if TYPE_CHECKING:
    from policy.value.valuation import TokenValue
    from programme.moment import Moment

GRANTED, EXCEPTIONS, USED, LAPSED, OTHER = LINES = ("granted", "exceptions", "used", "lapsed", "other")
QUARTERS = (1, 2, 3, 4)


def _line_of(kind: EntryKind) -> str:
    """Under which name a kind of entries is told."""
    match kind:
        case EntryKind.GRANT | EntryKind.APPEAL | EntryKind.REVOCATION:
            return GRANTED
        case EntryKind.EXCEPTION:
            return EXCEPTIONS
        case EntryKind.USAGE | EntryKind.REVERSAL:
            return USED
        case EntryKind.EXPIRY | EntryKind.LAPSE:
            return LAPSED
        case EntryKind.RETURN | EntryKind.NETTING | EntryKind.WRITE_OFF:
            return OTHER
        case _:
            assert_never(kind)


def of_slack_user(moment: Moment, slack_user_id: str, year: int | None = None) -> YearsWorth | None:
    """A person's year, this one when none is named; None for someone we do not know."""
    card = balance.of_slack_user(moment, slack_user_id)
    if card is None:
        return None
    account_id = wallets.account_of(moment.session, card.person_id)
    quarters = [Quarter(year or moment.today.year, number) for number in QUARTERS]
    begin, end = quarters[0].bounds(moment.zone)[0], quarters[-1].bounds(moment.zone)[1]
    begun = [one for one in quarters if one.bounds(moment.zone)[0] <= moment.now] or quarters[:1]
    values = {one: valuation.expected(moment, one, moment.handbooks) for one in begun}
    lines = _lines(moment, account_id, values)
    opening = years.balance_at(moment.session, account_id, begin) if account_id else MicroTokens(0)
    closing = opening + sum((line.tokens for line in lines), MicroTokens(0))
    rules = moment.handbook
    used = -next((line.worth for line in lines if line.name == USED), NanoUSD(0))
    return YearsWorth(
        year=quarters[0].year,
        is_over=end <= moment.now,
        opening=_line("opening", opening, values[begun[0]]),
        lines=lines,
        closing=_line("closing", closing, values[begun[-1]]),
        used=used,
        used_as_cash=offers.used_as_cash(used, rules.offers),
        least_restriction=rules.offers.least_restriction,
        most_restriction=rules.offers.most_restriction,
        lot_months=rules.lots.months,
        rate=card.rate,
        quarter=str(Quarter.containing(day_of(moment.now, moment.zone))),
    )


def _line(name: str, tokens: MicroTokens, value: TokenValue) -> WorthLine:
    return WorthLine(name, tokens, value.worth(tokens))


def _lines(moment: Moment, account_id: int | None, values: dict[Quarter, TokenValue]) -> tuple[WorthLine, ...]:
    """What happened, in the order of LINES, without what did not."""
    tokens = dict.fromkeys(LINES, MicroTokens(0))
    worth = dict.fromkeys(LINES, NanoUSD(0))
    for quarter, value in values.items():
        bounds = quarter.bounds(moment.zone)
        found = years.flows(moment.session, account_id, *bounds) if account_id else {}
        for kind, amount in found.items():
            name = _line_of(kind)
            tokens[name] += amount
            worth[name] += value.worth(amount)
    return tuple(WorthLine(name, tokens[name], worth[name]) for name in LINES if tokens[name] or worth[name])
