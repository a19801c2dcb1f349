"""What a wallet has for calls to come: its balance less what is held, and how far it may go below zero."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policy import caps
from policy.period import Month
from policy.units import MicroTokens
from programme.balance import lapse
from store.grants import monthly as grants_store
from store.holds import records
from store.ledger import wallets
from store.people import directory

if TYPE_CHECKING:
    from policy.caps import Purse as Caps
    from policy.value.valuation import TokenValue
    from programme.holds.pricing import Buyer
    from programme.moment import Moment


@dataclass(frozen=True, slots=True)
class Purse:
    """A wallet as calls meet it; `kept_back` stands in its balance, but cannot be spent now."""

    caps: Caps
    likely: MicroTokens
    kept_back: int

    def holding(self, held: MicroTokens) -> Purse:
        """The same if so much were held of it."""
        return replace(self, caps=replace(self.caps, held=held))


def locked(moment: Moment, buyer: Buyer, value: TokenValue) -> Purse:
    """A wallet under lock, until the transaction ends."""
    standing = records.wallet(moment.session, buyer.account_id, moment.now)
    return _purse(moment, buyer.person_id, standing, value)


def seen(moment: Moment, buyer: Buyer, value: TokenValue) -> Purse:
    """The same for who only looks."""
    return _purse(moment, buyer.person_id, records.wallet_seen(moment.session, buyer.account_id, moment.now), value)


def _purse(moment: Moment, person_id: str, standing: records.Standing, value: TokenValue) -> Purse:
    grant = grants_store.latest_amount(moment.session, person_id, Month.containing(moment.today))
    kept_back = standing.unspendable + _lapsed(moment, person_id)
    overdraft = caps.overdraft(moment.handbook.holds, grant, value.per_token)
    balance = MicroTokens(standing.balance - kept_back)
    purse = caps.Purse(balance, MicroTokens(standing.held.most), overdraft)
    return Purse(purse, MicroTokens(standing.held.likely), kept_back)


def _lapsed(moment: Moment, person_id: str) -> int:
    """What lapsed on the first of the month and is not taken yet; asked for in its first days alone."""
    if moment.today.day > moment.handbook.lots.settle_days + 1:
        return 0
    person = directory.by_id(moment.session, person_id)
    wallet = person and wallets.of_email(moment.session, person.email, moment.today)
    found = lapse.of(moment, wallet) if wallet else None
    return int(found[0].amount) if found is not None and found[0].is_past else 0
