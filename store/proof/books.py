"""Whether the ledger adds up: entries, balances, lots, grants and what was held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import worth
from store.tables.grants import grants
from store.tables.ledger import accounts, entries, lot_movements, lots, postings
from store.tables.value import token_values, usd_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

ROWS_AT_A_TIME = 10_000


def balanced_entries(session: Session) -> Iterator[str]:
    """Every entry has postings, and they sum to zero."""
    total = sa.func.sum(postings.c.amount)
    query = (
        sa.select(entries.c.id, entries.c.idempotency_key, total)
        .join_from(entries, postings, isouter=True)
        .group_by(entries.c.id, entries.c.idempotency_key)
        .having(sa.or_(total.is_(None), total != 0))
    )
    for row in session.execute(query):
        yield f"entry {row[0]} ({row[1]}): postings sum to {row[2]}"


def running_balances(session: Session) -> Iterator[str]:
    """Every posting carries its account's next version and the balance after it."""
    p = postings.c
    nth = sa.func.row_number().over(partition_by=p.account_id, order_by=p.version).label("nth")
    total = sa.func.sum(p.amount).over(partition_by=p.account_id, order_by=p.version).label("total")
    lines = sa.select(p.account_id, p.version, p.balance, nth, total).subquery()
    wrong = sa.or_(lines.c.version != lines.c.nth, lines.c.balance != lines.c.total)
    for row in session.execute(sa.select(lines).where(wrong)):
        yield (
            f"account {row.account_id} version {row.version}: balance {row.balance}, the postings say"
            f" {row.total} at version {row.nth}"
        )


def account_balances(session: Session) -> Iterator[str]:
    """Every account's balance and version are those of its postings."""
    sums = (
        sa.select(postings.c.account_id, sa.func.sum(postings.c.amount).label("total"), sa.func.count().label("lines"))
        .group_by(postings.c.account_id)
        .subquery()
    )
    total, lines = sa.func.coalesce(sums.c.total, 0), sa.func.coalesce(sums.c.lines, 0)
    query = sa.select(accounts.c.code, accounts.c.balance, accounts.c.version, total, lines).outerjoin_from(
        accounts, sums, sums.c.account_id == accounts.c.id
    )
    for row in session.execute(query.where(sa.or_(accounts.c.balance != total, accounts.c.version != lines))):
        yield f"account {row[0]}: balance {row[1]} at version {row[2]}, the postings say {row[3]} at {row[4]}"


def lots_remaining(session: Session) -> Iterator[str]:
    """What remains of a lot is its amount less what was taken and not given back."""
    taken = (
        sa.select(lot_movements.c.lot_id, sa.func.sum(lot_movements.c.amount).label("total"))
        .group_by(lot_movements.c.lot_id)
        .subquery()
    )
    expected = lots.c.amount - sa.func.coalesce(taken.c.total, 0)
    query = sa.select(lots.c.id, lots.c.remaining, expected).outerjoin_from(lots, taken, taken.c.lot_id == lots.c.id)
    for row in session.execute(query.where(lots.c.remaining != expected)):
        yield f"lot {row[0]}: {row[1]} remaining, its movements say {row[2]}"


def lots_as_granted(session: Session) -> Iterator[str]:
    """A lot is as large as what its entry put into its wallet, less what that gave back to other lots."""
    p, m = postings.c, lot_movements.c
    given = sa.select(sa.func.coalesce(sa.func.sum(p.amount), 0)).where(
        p.entry_id == lots.c.entry_id, p.account_id == lots.c.account_id
    )
    back = sa.select(sa.func.coalesce(sa.func.sum(m.amount), 0)).where(m.entry_id == lots.c.entry_id, m.amount < 0)
    put = given.scalar_subquery() + back.scalar_subquery()
    query = sa.select(lots.c.id, lots.c.amount, put.label("given")).subquery()
    for row in session.execute(sa.select(query).where(query.c.amount != query.c.given)):
        yield f"lot {row.id}: its amount is {row.amount}, its entry put {row.given} into the wallet"


def wallets_covered(session: Session) -> Iterator[str]:
    """No wallet's balance exceeds what remains of its lots: every token in it came with a lot."""
    remaining = (
        sa.select(lots.c.account_id, sa.func.sum(lots.c.remaining).label("total"))
        .group_by(lots.c.account_id)
        .subquery()
    )
    held = sa.func.coalesce(remaining.c.total, 0)
    query = sa.select(accounts.c.code, accounts.c.balance, held).outerjoin_from(
        accounts, remaining, remaining.c.account_id == accounts.c.id
    )
    for row in session.execute(query.where(accounts.c.person_id.is_not(None), accounts.c.balance > held)):
        yield f"account {row[0]}: balance {row[1]} is more than the {row[2]} in its lots"


def grants_as_sized(session: Session) -> Iterator[str]:
    """A monthly grant is what its entry put into its person's wallet, and what its factors say."""
    wallet = sa.select(postings.c.entry_id, postings.c.amount, accounts.c.person_id).join_from(
        postings, accounts, accounts.c.id == postings.c.account_id
    )
    paid = wallet.where(accounts.c.person_id.is_not(None)).subquery()
    g = grants.c
    query = sa.select(g.month, g.person_id, g.amount, g.factors, paid.c.amount, paid.c.person_id).outerjoin_from(
        grants, paid, paid.c.entry_id == g.entry_id
    )
    for row in session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)):
        month, person_id, amount, factors, entered, owner = row
        if (amount, person_id) != (entered, owner):
            yield f"grant {month} of {person_id}: {amount}, its entry put {entered} into the wallet of {owner}"
        if factors["amount"] != amount:
            yield f"grant {month} of {person_id}: {amount}, its factors say {factors['amount']}"


def buffers_book(session: Session) -> Iterator[str]:
    """What each month's issue held back is tokens x value x buffer, each grant for itself."""
    g, v = grants.c, token_values.c
    query = sa.select(g.amount, v.nano_usd_per_token, v.buffer_permille).join_from(
        grants, token_values, v.version == g.value_version
    )
    held = sum(
        int(worth(MicroTokens(amount), NanoUSD(nano_usd))) * permille // 1_000
        for amount, nano_usd, permille in session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME))
    )
    total = sa.select(sa.func.coalesce(sa.func.sum(usd_entries.c.amount_nano_usd), 0))
    booked = int(session.execute(total.where(usd_entries.c.kind == "held_back")).scalar_one())
    if booked != held:
        yield f"the buffer's book: {booked} nano-USD were held back, the grants say {held}"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    balanced_entries,
    running_balances,
    account_balances,
    lots_remaining,
    lots_as_granted,
    wallets_covered,
    grants_as_sized,
    buffers_book,
)
