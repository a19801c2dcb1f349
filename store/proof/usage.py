"""Whether usage was debited as it was metered: events, prices, days, and whose wallet paid."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.metering import OUTPUT_METERS, UnpricedMeterError, input_tokens
from policy.period import day_of
from store.digests import digest_of
from store.handbook import reference
from store.ledger import ledger
from store.tables.intake import quarantine_steps
from store.tables.ledger import accounts, entries, postings
from store.tables.people import people
from store.tables.usage import (
    quarantine,
    usage_conflicts,
    usage_days,
    usage_events,
    usage_ids,
    usage_quotes,
    usage_reversals,
    usage_versions,
    wallet_days,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from policy.metering import Price
    from policy.value.valuation import TokenValue
    from store.engine import Session

ROWS_AT_A_TIME = 10_000

_PAYS = sa.or_(
    accounts.c.person_id.is_not(None),
    accounts.c.code.startswith(ledger.COMPANY),
    accounts.c.code == ledger.THE_COMPANY,
)
"""Wallets, and the company outside the programme and for projects."""


def usage_entries(session: Session) -> Iterator[str]:
    """A usage entry debits who pays by exactly the sum of its events, those included that were undone since."""
    e, undone = usage_events.c, usage_reversals.c
    standing = sa.select(e.entry_id, e.debit_micro_tokens.label("debit")).where(e.entry_id.is_not(None))
    both = sa.union_all(standing, sa.select(undone.entry_id, undone.debit_micro_tokens)).subquery()
    used = sa.select(both.c.entry_id, sa.func.sum(both.c.debit).label("total")).group_by(both.c.entry_id).subquery()
    paid = (
        sa.select(entries.c.id, sa.func.sum(-postings.c.amount).label("total"))
        .select_from(entries.join(postings).join(accounts, accounts.c.id == postings.c.account_id))
        .where(entries.c.kind == EntryKind.USAGE, _PAYS)
        .group_by(entries.c.id)
        .subquery()
    )
    query = sa.select(paid.c.id, paid.c.total, used.c.total).outerjoin_from(paid, used, used.c.entry_id == paid.c.id)
    for row in session.execute(query.where(paid.c.total != sa.func.coalesce(used.c.total, 0))):
        yield f"entry {row[0]}: {row[1]} were paid, its events say {row[2]}"


def services_paid(session: Session) -> Iterator[str]:
    """What usage entries paid to a service, less what was undone, is what the days' roll-up says it took."""
    paid = (
        sa.select(accounts.c.code, sa.func.sum(postings.c.amount))
        .select_from(entries.join(postings).join(accounts, accounts.c.id == postings.c.account_id))
        .where(entries.c.kind.in_((EntryKind.USAGE, EntryKind.REVERSAL)), ~_PAYS)
        .group_by(accounts.c.code)
    )
    rolled_up = sa.select(usage_days.c.service_key, sa.func.sum(usage_days.c.debit_micro_tokens))
    ledgers = {code: int(total) for code, total in session.execute(paid)}
    days = {
        f"service:{key}": int(total) for key, total in session.execute(rolled_up.group_by(usage_days.c.service_key))
    }
    for code in sorted(ledgers.keys() | days.keys()):
        if ledgers.get(code, 0) != days.get(code, 0):
            yield f"account {code}: usage paid {ledgers.get(code, 0)}, the roll-up says {days.get(code, 0)}"


def days_of_wallets(session: Session) -> Iterator[str]:
    """The roll-up that begins with the wallet has the sums of the other; lines of days that were emptied stay in it."""
    d, w = usage_days.c, wallet_days.c
    key = (d.account_id, d.day, d.service_key)
    sums = sa.select(*key, sa.func.sum(d.debit_micro_tokens)).group_by(*key)
    lines = sa.select(w.account_id, w.day, w.service_key, w.debit_micro_tokens)
    paid = lines.where(w.debit_micro_tokens != 0)
    for some, others, whose in ((sums, lines, "the days' roll-up"), (paid, sums, "the wallets' roll-up")):
        for account_id, day, service, debit in session.execute(some.except_(others)):
            yield f"account {account_id} on {day}: only {whose} says that {service} took {int(debit)}"


def events_of_wallets(session: Session) -> Iterator[str]:
    """An event names the account that its entry debits; a free one names a payer that exists."""
    e = usage_events.c
    wallet = (
        sa.select(postings.c.entry_id, postings.c.account_id)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .where(_PAYS)
        .subquery()
    )
    elsewhere = sa.select(e.source, e.event_id).join_from(usage_events, wallet, wallet.c.entry_id == e.entry_id)
    nowhere = sa.select(e.source, e.event_id).outerjoin_from(usage_events, accounts, accounts.c.id == e.account_id)
    queries = (
        elsewhere.where(wallet.c.account_id.is_distinct_from(e.account_id)),
        nowhere.where(e.entry_id.is_(None), e.cost_nano_usd.is_not(None), sa.or_(accounts.c.id.is_(None), ~_PAYS)),
    )
    for query in queries:
        for source, event_id in session.execute(query):
            yield f"event {source}/{event_id}: its wallet is not the one that paid for it"


def events_of_entries(session: Session) -> Iterator[str]:
    """What debited an event is an entry of usage."""
    e = usage_events.c
    query = sa.select(e.source, e.event_id, e.entry_id).outerjoin_from(
        usage_events, entries, sa.and_(entries.c.id == e.entry_id, entries.c.kind == EntryKind.USAGE)
    )
    for row in session.execute(query.where(e.entry_id.is_not(None), entries.c.id.is_(None))):
        yield f"event {row.source}/{row.event_id}: entry {row.entry_id} is not one of usage"


def events_by_digest(session: Session) -> Iterator[str]:
    """Every event is known by the digest of its source and id, under its own number, and nothing else is known."""
    i, e = usage_ids.c, usage_events.c
    own = digest_of(e.source, e.event_id) == i.digest
    kept = sa.select(e.source, e.event_id).outerjoin_from(usage_events, usage_ids, own)
    for source, event_id in session.execute(kept.where(i.event.is_distinct_from(e.id))):
        yield f"event {source}/{event_id}: its digest does not lead to it"
    lost = sa.select(i.event).outerjoin_from(usage_ids, usage_events, i.event == e.id)
    for number in session.execute(lost.where(e.id.is_(None))).scalars():
        yield f"event {number}: its digest is kept, and it is not there"


def rows_of_events(session: Session) -> Iterator[str]:
    """What tells of an event tells of one that is there."""
    for table in (quarantine, quarantine_steps, usage_conflicts, usage_versions, usage_reversals, usage_quotes):
        t = table.c
        query = sa.select(t.source, t.event_id).outerjoin_from(
            table, usage_ids, usage_ids.c.digest == digest_of(t.source, t.event_id)
        )
        for source, event_id in session.execute(query.where(usage_ids.c.digest.is_(None)).distinct()):
            yield f"{table.name}: there is no event {source}/{event_id}"


def company_pays(session: Session) -> Iterator[str]:
    """The company's account has parts for people who exist, and for no one else."""
    known = sa.select(people.c.id).where(ledger.COMPANY + people.c.id == accounts.c.code).exists()
    ours = accounts.c.code.startswith(ledger.COMPANY)
    for code in session.execute(sa.select(accounts.c.code).where(ours, ~known)).scalars():
        yield f"account {code}: no such person"


def prices_as_kept(session: Session) -> Iterator[str]:
    """A kept price is known by the digest of its content, and every priced event names one."""
    kept = reference.load_prices(session)
    for id_, price in sorted(kept.items()):
        if reference.price_id(price) != id_:
            yield f"price {id_} of {price.provider}/{price.model} is not what it was"
    used = sa.select(usage_events.c.price_id).where(usage_events.c.price_id.is_not(None)).distinct()
    for id_ in session.execute(used).scalars():
        if id_ not in kept:
            yield f"price {id_} is gone, and events name it"


def costs_and_days(session: Session, zone: ZoneInfo, tick: Callable[[int], None]) -> Iterator[str]:
    """Costs and debits follow from meters, kept prices and values; every day's roll-up from its events."""
    prices = reference.load_prices(session)
    values = reference.values_by_version(session)
    totals: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0] * 5)
    for row in _rated_events(session):
        tick(1)
        if row.price_id in prices:
            yield from _wrong_amounts(row, prices[row.price_id], values.get(row.value_version))
        figures = totals[day_of(row.occurred_at, zone), row.account_id, row.model, row.project]
        figures[0] += 1
        figures[1] += input_tokens(row.meters)
        figures[2] += sum(count for meter, count in row.meters.items() if meter in OUTPUT_METERS)
        figures[3] += row.cost_nano_usd
        figures[4] += row.debit_micro_tokens
    yield from _days_that_differ(session, totals)


def _wrong_amounts(row: Any, price: Price, value: TokenValue | None) -> Iterator[str]:  # noqa: ANN401 - a row
    try:
        cost = price.cost(row.meters)
    except UnpricedMeterError as error:
        yield f"event {row.source}/{row.event_id}: cost {row.cost_nano_usd}, but {error}"
        return
    if cost != row.cost_nano_usd:
        yield f"event {row.source}/{row.event_id}: cost {row.cost_nano_usd}, its price says {int(cost)}"
    if value and value.debit(cost) != row.debit_micro_tokens:
        yield f"event {row.source}/{row.event_id}: debit {row.debit_micro_tokens} does not follow from its cost"


def _rated_events(session: Session) -> Iterator[Any]:
    e = usage_events.c
    query = (
        sa.select(
            e.source,
            e.event_id,
            e.occurred_at,
            e.model,
            e.project,
            e.meters,
            e.account_id,
            e.price_id,
            e.cost_nano_usd,
            e.debit_micro_tokens,
            entries.c.value_version,
        )
        .outerjoin_from(usage_events, entries, entries.c.id == e.entry_id)
        .where(e.cost_nano_usd.is_not(None))
    )
    return iter(session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)))


def _days_that_differ(session: Session, totals: dict[tuple[object, ...], list[int]]) -> Iterator[str]:
    d = usage_days.c
    columns = (d.calls, d.input_tokens, d.output_tokens, d.cost_nano_usd, d.debit_micro_tokens)
    sums = [sa.func.sum(column) for column in columns]
    query = sa.select(d.day, d.account_id, d.model, d.project, *sums)
    for row in session.execute(query.group_by(d.day, d.account_id, d.model, d.project)):
        key, figures = tuple(row[:4]), [int(figure) for figure in row[4:]]
        expected = totals.pop(key, [0] * 5)
        if figures != expected:
            yield f"usage of {key}: the day's roll-up says {figures}, its events say {expected}"
    for key, figures in totals.items():
        yield f"usage of {key}: no roll-up, its events say {figures}"


def count_events(session: Session) -> int:
    return session.execute(sa.select(sa.func.count()).select_from(usage_events)).scalar_one()


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    usage_entries,
    services_paid,
    days_of_wallets,
    events_of_wallets,
    events_of_entries,
    events_by_digest,
    rows_of_events,
    company_pays,
    prices_as_kept,
)
