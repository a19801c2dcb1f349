"""Whether corrections can be proved: chains of versions, what was undone of each, and what lots got back."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.metering import UnpricedMeterError
from store.handbook import reference
from store.tables.ledger import accounts, entries, lot_movements, lots, postings
from store.tables.usage import usage_events, usage_reversals, usage_versions
from store.usage import events, ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.metering import Price
    from policy.value.valuation import TokenValue
    from store.engine import Session

_e, _v, _r = usage_events.c, usage_versions.c, usage_reversals.c


def entries_that_correct(session: Session) -> Iterator[str]:
    """A reversal corrects an entry of usage that came before it; nothing else but the debit in its place does."""
    corrected = entries.alias("corrected")
    query = sa.select(entries.c.id, entries.c.kind, entries.c.corrects_entry_id, corrected.c.kind.label("of"))
    query = query.outerjoin(corrected, corrected.c.id == entries.c.corrects_entry_id)
    either = sa.or_(entries.c.corrects_entry_id.is_not(None), entries.c.kind == EntryKind.REVERSAL)
    for row in session.execute(query.where(either)):
        if row.of != EntryKind.USAGE or row.kind not in {EntryKind.USAGE, EntryKind.REVERSAL}:
            yield f"entry {row.id} ({row.kind}) corrects entry {row.corrects_entry_id} ({row.of})"
        elif row.corrects_entry_id >= row.id:
            yield f"entry {row.id} corrects the later entry {row.corrects_entry_id}"


def reversals_as_noted(session: Session) -> Iterator[str]:
    """A reversal gives back to the wallet that had paid exactly what the versions that it undoes had been debited."""
    undone = (
        sa.select(_r.reversal_entry_id, _r.account_id, _r.entry_id, sa.func.sum(_r.debit_micro_tokens).label("total"))
        .group_by(_r.reversal_entry_id, _r.account_id, _r.entry_id)
        .subquery()
    )
    service = sa.exists().where(accounts.c.id == postings.c.account_id, accounts.c.code.startswith("service:"))
    given = (
        sa.select(postings.c.entry_id, postings.c.account_id, postings.c.amount, entries.c.corrects_entry_id)
        .join_from(postings, entries)
        .where(entries.c.kind == EntryKind.REVERSAL, ~service)
        .subquery()
    )
    query = sa.select(
        sa.func.coalesce(given.c.entry_id, undone.c.reversal_entry_id),
        given.c.account_id,
        given.c.corrects_entry_id,
        given.c.amount,
        undone.c.account_id,
        undone.c.entry_id,
        undone.c.total,
    ).join_from(given, undone, undone.c.reversal_entry_id == given.c.entry_id, full=True)
    for id_, *paid, account_id, corrected, total in session.execute(query):
        if paid != [account_id, corrected, total if total is None else int(total)]:
            yield f"reversal {id_}: it gives back {paid[2]} of entry {paid[1]}, its events say {total} of {corrected}"


def reversed_amounts(session: Session) -> Iterator[str]:
    """What a version had been debited follows from its meters, its price and its value, as what stands does."""
    prices, values = reference.load_prices(session), reference.values_by_version(session)
    kept = _v.content
    query = sa.select(usage_reversals, entries.c.value_version, kept).join(entries, entries.c.id == _r.entry_id)
    same = sa.and_(_v.source == _r.source, _v.event_id == _r.event_id, _v.revision == _r.revision)
    for row in session.execute(query.outerjoin(usage_versions, same).execution_options(yield_per=10_000)):
        yield from _wrong(row, prices.get(row.price_id), values.get(row.value_version))
        if row.content is not None and row.content["meters"] != row.meters:
            yield f"event {row.source}/{row.event_id}: what was undone of revision {row.revision} is not what it says"


def _wrong(row: Any, price: Price | None, value: TokenValue | None) -> Iterator[str]:  # noqa: ANN401 - a row
    what = f"event {row.source}/{row.event_id}, undone by entry {row.reversal_entry_id}"
    if price is None or value is None:
        yield f"{what}: its price or value is gone"
        return
    try:
        cost = price.cost(row.meters)
    except UnpricedMeterError as error:
        yield f"{what}: cost {row.cost_nano_usd}, but {error}"
        return
    if (cost, value.debit(cost)) != (row.cost_nano_usd, row.debit_micro_tokens):
        yield f"{what}: cost {row.cost_nano_usd} and debit {row.debit_micro_tokens} do not follow from its meters"


def versions_as_they_hold(session: Session) -> Iterator[str]:
    """An event says what the highest of its versions says, and has no debit where that withdraws it."""
    chains: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    columns = (_v.source, _v.event_id, _v.revision, _v.action, _v.content)
    for row in session.execute(sa.select(*columns).order_by(_v.source, _v.event_id, _v.revision)):
        chains[row.source, row.event_id].append(row)
    corrected = sa.or_(_e.revision > 0, ids.named_in(usage_versions))
    for row in session.execute(sa.select(usage_events).where(corrected)):
        chain = chains[row.source, row.event_id]
        yield from (f"event {row.source}/{row.event_id}: {fault}" for fault in _faults(row, chain))


def _faults(row: Any, chain: list[Any]) -> Iterator[str]:  # noqa: ANN401 - rows
    if not chain or chain[-1].revision != row.revision:
        yield f"revision {row.revision} holds, the last that is kept is {chain[-1].revision if chain else None}"
        return
    last = chain[-1]
    if last.action == "withdraw":
        if row.cost_nano_usd is not None:
            yield "it was withdrawn, and is debited"
    elif events.content(events.event_of(row)) != last.content | {"identities": _pairs(last.content["identities"])}:
        yield f"it is not what revision {last.revision} says"


def _pairs(names: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((kind, name) for kind, name in names)


def returned_to_lots(session: Session) -> Iterator[str]:
    """Only reversals give back to lots, of the wallet that they credit, and no more than its credit."""
    credit = (
        sa.select(postings.c.entry_id, postings.c.account_id, postings.c.amount)
        .join_from(postings, entries)
        .where(entries.c.kind == EntryKind.REVERSAL, postings.c.amount > 0)
        .subquery()
    )
    m = lot_movements.c
    back = (
        sa.select(m.entry_id, lots.c.account_id, sa.func.sum(-m.amount).label("total"))
        .join_from(lot_movements, lots)
        .where(m.amount < 0)
        .group_by(m.entry_id, lots.c.account_id)
        .subquery()
    )
    same = sa.and_(credit.c.entry_id == back.c.entry_id, credit.c.account_id == back.c.account_id)
    query = sa.select(back.c.entry_id, back.c.total, credit.c.amount).outerjoin_from(back, credit, same)
    for row in session.execute(query.where(back.c.total > sa.func.coalesce(credit.c.amount, 0))):
        yield f"entry {row.entry_id}: {row.total} came back to lots, it gave back {row.amount}"


CHECKS = (entries_that_correct, reversals_as_noted, reversed_amounts, versions_as_they_hold, returned_to_lots)
