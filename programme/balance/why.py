"""`/tokens why`: the arithmetic behind a balance, down to counts, prices and roundings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.metering import BILLED, METERS
from policy.units import MicroTokens, NanoUSD
from store.handbook import reference
from store.ledger import wallets
from store.usage import events as usage_store
from views.balance import CallLine, DebitLine, Explanation, MeterLine

if TYPE_CHECKING:
    from policy.kinds import EntryKind
    from policy.metering import Meter, Price
    from programme.moment import Moment
    from views.balance import BalanceCard

RECENT_DEBITS = 3
CALLS_PER_DEBIT = 2


def explain(moment: Moment, card: BalanceCard) -> Explanation:
    """The totals that make up the balance, and the latest debits call by call."""
    account_id = wallets.account_of(moment.session, card.person_id)
    company_id = wallets.company_account_of(moment.session, card.person_id)
    totals = _totals(moment, account_id)
    balance = sum(totals.values(), MicroTokens(0))
    debits = [*_debits(moment, account_id), *_debits(moment, company_id, by_company=True)]
    return Explanation(
        card=card,
        totals=totals,
        balance=balance,
        # Lots that expired but are not closed yet, and lots that have not started.
        waiting=balance - card.available,
        grant=card.grant,
        debits=tuple(sorted(debits, key=lambda debit: debit.effective_at, reverse=True)[:RECENT_DEBITS]),
        paid_by_company=-sum(_totals(moment, company_id).values(), MicroTokens(0)),
    )


def _totals(moment: Moment, account_id: int | None) -> dict[EntryKind, MicroTokens]:
    return wallets.totals(moment.session, account_id) if account_id else {}


def _debits(moment: Moment, account_id: int | None, *, by_company: bool = False) -> list[DebitLine]:
    if account_id is None:
        return []
    recent = wallets.latest_debits(moment.session, account_id, limit=RECENT_DEBITS)
    values = reference.values_by_version(moment.session)
    lines: list[DebitLine] = []
    for movement in recent:
        assert movement.value_version is not None  # noqa: S101 - every usage entry has its value
        calls = usage_store.events_of_entry(moment.session, movement.entry_id, limit=CALLS_PER_DEBIT)
        prices = reference.load_prices(moment.session, [call.price_id for call in calls])
        lines.append(
            DebitLine(
                service_key=movement.memo,
                effective_at=movement.effective_at,
                amount=-movement.amount,
                calls_in_all=usage_store.count_events_of_entry(moment.session, movement.entry_id),
                value=values[movement.value_version],
                calls=tuple(
                    CallLine(
                        model=call.model,
                        tier=call.tier,
                        occurred_at=call.occurred_at,
                        price_source=prices[call.price_id].source,
                        meters=_meter_lines(prices[call.price_id], call.meters),
                        cost=NanoUSD(call.cost_nano_usd),
                        debit=MicroTokens(call.debit_micro_tokens),
                    )
                    for call in calls
                ),
                by_company=by_company,
            )
        )
    return lines


def _meter_lines(price: Price, meters: dict[Meter, int]) -> tuple[MeterLine, ...]:
    # PostgreSQL keeps the keys of JSON in an order of its own.
    lines = sorted(price.lines(meters), key=lambda line: (*METERS, BILLED).index(line[0]))
    return tuple(MeterLine(meter, count, NanoUSD(usd), per) for meter, count, usd, per in lines)
