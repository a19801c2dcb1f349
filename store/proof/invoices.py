"""Whether bills add up: lines to their totals, usage and shares to the lines, postings to the shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.bills import ATTO_PER_NANO, ENTRIES, NOT_POSTED, SOURCE, Place, Sum, owed
from policy.kinds import EntryKind
from policy.metering import BILLED
from policy.units import MICRO_PER_TOKEN, divide_half_even
from store.proof.adjustments import NEAREST
from store.tables.invoices import bill_lines, bill_postings, bill_shares, bills
from store.tables.ledger import entries, postings
from store.tables.usage import usage_events
from store.tables.value import token_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

ROWS_AT_A_TIME = 10_000
_b, _l, _s, _p, _e = bills.c, bill_lines.c, bill_shares.c, bill_postings.c, usage_events.c


def bills_as_told(session: Session) -> Iterator[str]:
    """A bill's rows and total are those of its lines; what tags name is owed as usage, unless it is a credit."""
    query = (
        sa.select(_b.id, _b.rows, _b.nano_usd, sa.func.sum(_l.rows), sa.func.sum(_l.nano_usd), sa.func.sum(_l.rest))
        .outerjoin_from(bills, bill_lines)
        .group_by(_b.id, _b.rows, _b.nano_usd)
    )
    for id_, rows, total, told, nano, rest in session.execute(query):
        whole = Sum(int(told or 0), int(nano or 0) * ATTO_PER_NANO + int(rest or 0))
        if (rows, total) != (whole.rows, whole.nano_usd):
            yield f"bill {id_}: {rows} rows of {total} nano-USD, its lines say {whole.rows} of {whole.nano_usd}"
    lines = sa.select(_l.bill_id, _l.bears, _l.service, _l.day, _l.rows, _l.nano_usd, _l.rest, _l.owed_nano_usd)
    for bill_id, bears, service, day, rows, nano, rest, owes in session.execute(
        lines.execution_options(yield_per=ROWS_AT_A_TIME)
    ):
        expected = owed(Place(bears, service, day), Sum(rows, nano * ATTO_PER_NANO + rest))
        if owes != expected:
            yield f"bill {bill_id}, {service} on {day}: {owes} nano-USD are owed, its line says {expected}"


def bills_as_used(session: Session) -> Iterator[str]:
    """What was reported of a line as usage is what its event counts; a bill that is done has nothing left to post."""
    undone = sa.select(_l.bill_id, sa.func.count()).join_from(bill_lines, bills)
    undone = undone.where(_b.posted_at.is_not(None), _l.owed_nano_usd != _l.posted_nano_usd).group_by(_l.bill_id)
    for bill_id, count in session.execute(undone):
        yield f"bill {bill_id}: it is said to be posted, and {count} lines are not"
    posted: dict[tuple[str, str], int] = {}
    lines = sa.select(_b.account, _b.period, _l.day, _l.key, _l.posted_nano_usd).join_from(bill_lines, bills)
    for account, period, day, key, nano in session.execute(lines.where(_l.posted_nano_usd > 0)):
        posted[f"{SOURCE}{account}", f"{period:%Y-%m-%d}/{day:%d}/{bytes(key).hex()}"] = nano
    events = sa.select(_e.source, _e.event_id, _e.meters).where(_e.source.startswith(SOURCE))
    for source, event_id, meters in session.execute(events.execution_options(yield_per=ROWS_AT_A_TIME)):
        expected = posted.pop((source, event_id), None)
        if expected is not None and meters.get(BILLED) != expected:
            yield f"event {source}/{event_id}: {meters.get(BILLED)} nano-USD, its bill says {expected}"
    for source, event_id in posted:
        yield f"event {source}/{event_id}: its bill says that it was reported, and it is not there"


def bills_as_shared(session: Session) -> Iterator[str]:
    """What is shared of a bill that is done is everything that is neither usage nor left alone, to the nano-USD."""
    exact = (sa.func.sum(_l.nano_usd), sa.func.sum(_l.rest), sa.func.sum(_l.owed_nano_usd))
    lines = sa.select(_l.bill_id, *exact).join_from(bill_lines, bills)
    lines = lines.where(_b.posted_at.is_not(None), _l.bears.not_in(NOT_POSTED)).group_by(_l.bill_id)
    shared = sa.select(_s.bill_id, sa.func.sum(_s.nano_usd)).join_from(bill_shares, bills)
    found = dict(tuple(row) for row in session.execute(shared.where(_b.posted_at.is_not(None)).group_by(_s.bill_id)))
    for bill_id, nano, rest, usage in session.execute(lines):
        rightly = divide_half_even(int(nano) * ATTO_PER_NANO + int(rest), ATTO_PER_NANO) - int(usage)
        if (total := int(found.pop(bill_id, 0))) != rightly:
            yield f"bill {bill_id}: {total} nano-USD are shared, its lines say {rightly}"
    for bill_id, total in found.items():
        if total:
            yield f"bill {bill_id}: {total} nano-USD are shared, and it has no lines for them"


def shares_as_posted(session: Session) -> Iterator[str]:
    """A share is the sum of its postings, and is worth its tokens at the value of the last of them."""
    total = (sa.func.sum(_p.nano_usd), sa.func.sum(_p.micro_tokens), sa.func.max(_p.id))
    sums = sa.select(_p.share_id, *total).group_by(_p.share_id).subquery()
    _, nano, tokens, last = sums.c
    latest = sa.select(_p.id, token_values.c.nano_usd_per_token)
    latest_value = latest.join(token_values, token_values.c.version == _p.value_version).subquery()
    query = (
        sa.select(_s.id, _s.nano_usd, _s.micro_tokens, nano, tokens, latest_value.c.nano_usd_per_token)
        .outerjoin_from(bill_shares, sums, sums.c.share_id == _s.id)
        .outerjoin(latest_value, latest_value.c.id == last)
    )
    for id_, usd, micro, posted_usd, posted_micro, per_token in session.execute(query):
        posted = (int(posted_usd or 0), int(posted_micro or 0))
        if (usd, micro) != posted:
            yield f"share {id_}: {usd} nano-USD and {micro} micro-tokens, its postings say {posted[0]} and {posted[1]}"
        elif per_token and abs(usd - micro * per_token // MICRO_PER_TOKEN) > NEAREST:
            yield f"share {id_}: {micro} micro-tokens are not worth {usd} nano-USD"


def shares_as_entered(session: Session) -> Iterator[str]:
    """Each adjustment for a bill takes from the account of its share what its posting says, and each has one."""
    of_share = sa.and_(postings.c.entry_id == entries.c.id, postings.c.account_id == _s.account_id)
    query = (
        sa.select(entries.c.id, entries.c.kind, _p.micro_tokens, postings.c.amount)
        .select_from(bill_postings)
        .join(bill_shares, _s.id == _p.share_id)
        .join(entries, entries.c.id == _p.entry_id)
        .outerjoin(postings, of_share)
    )
    known = set()
    for entry_id, kind, tokens, amount in session.execute(query):
        known.add(entry_id)
        if kind != EntryKind.ADJUSTMENT or amount != -tokens:
            yield f"entry {entry_id} ({kind}): it takes {amount} of the share's account, its bill says {-tokens}"
    lost = sa.select(_p.id).where(_p.entry_id.is_(None), _p.micro_tokens != 0)
    for id_ in session.execute(lost).scalars():
        yield f"posting {id_} of a bill has tokens and no entry"
    told = sa.select(entries.c.id).where(entries.c.idempotency_key.startswith(ENTRIES))
    for entry_id in session.execute(told).scalars():
        if entry_id not in known:
            yield f"entry {entry_id}: it is for a bill, and no share has it"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    bills_as_told,
    bills_as_used,
    bills_as_shared,
    shares_as_posted,
    shares_as_entered,
)
