"""Whether grants have the factor that the handbook has for the group which finance imported, and what appeals undo."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import handbook
from policy.appeals import UPHELD, taken
from policy.period import Month
from policy.sizing import Factors
from store.appeals import annual as appeals
from store.handbook import reference
from store.reviews import annual
from store.tables.annual import annual_appeals
from store.tables.grants import grants
from store.tables.ledger import accounts, entries, lots
from views import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal

    from policy.parameters.grants import SizingRules
    from policy.units import MicroTokens
    from store.engine import Session
    from store.reviews.annual import AnnualRow
    from views.appeals import AnnualAppeal

ROWS_AT_A_TIME = 10_000


def annual_as_imported(session: Session) -> Iterator[str]:
    """A factor that a grant has is that of the person's group in the month, by the grant's own handbook."""

    @cache
    def factors_of(version: str) -> Mapping[str, Decimal]:
        body = reference.handbook_body(session, version)
        return {} if body is None else {one.name: one.factor for one in handbook.parse(body).sizing.annual}

    @cache
    def groups_of(month: str) -> Mapping[str, AnnualRow]:
        return annual.on(session, Month.parse(month))

    g = grants.c
    query = sa.select(g.month, g.person_id, g.factors, g.handbook_version)
    for month, person_id, kept, version in session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)):
        if kept.get("annual"):
            factors = codec.read(Factors, kept)
            if wrong := _wrong(factors, groups_of(month).get(person_id), factors_of(version)):
                yield f"grant {month} of {person_id}: {wrong}"


def _wrong(factors: Factors, row: AnnualRow | None, factor_of: Mapping[str, Decimal]) -> str:
    assert factors.annual is not None  # noqa: S101 - asked before
    told = (factors.annual.year, factors.annual.group)
    if row is None or told != (row.year, row.group_name):
        return f"its annual review says {told}, the import {(row.year, row.group_name) if row else 'nothing'}"
    if factors.annual.factor != factor_of.get(row.group_name):
        return f"its annual factor is {factors.annual.factor}, the handbook says {factor_of.get(row.group_name)}"
    return ""


def appeals_suspend(session: Session) -> Iterator[str]:
    """No grant has the factor of a year against which its person had an appeal when it was posted, unless rejected."""
    g, a = grants.c, annual_appeals.c
    query = (
        sa.select(g.month, g.person_id, g.factors, a.year, a.counts_from)
        .join(entries, entries.c.id == g.entry_id)
        .join(annual_appeals, a.person_id == g.person_id)
        .where(a.filed_at < entries.c.posted_at)
    )
    for month, person_id, kept, year, counts_from in session.execute(query):
        is_counted = kept.get("annual") and kept["annual"]["year"] == year
        if is_counted and (counts_from is None or month < counts_from):
            yield f"grant {month} of {person_id}: it has the factor of {year}, against which they appealed"


def appeals_gave_back(session: Session) -> Iterator[str]:
    """What an upheld appeal gave back is what the year's factor took, to its person, and nothing else was given."""
    known = {f"{appeals.KEY}{one.id}": one for one in appeals.everything(session)}
    e = entries.c
    query = (
        sa.select(e.id, e.idempotency_key, lots.c.amount, accounts.c.person_id)
        .outerjoin(lots, lots.c.entry_id == e.id)
        .outerjoin(accounts, accounts.c.id == lots.c.account_id)
        .where(e.idempotency_key.like(f"{appeals.KEY}%"))
    )
    given = {row.idempotency_key: row for row in session.execute(query)}
    for key in sorted(known.keys() | given.keys()):
        appeal, row = known.get(key), given.get(key)
        if appeal is None or (row is not None and (appeal.state, appeal.entry_id) != (UPHELD, row.id)):
            yield f"entry {key}: it is of no appeal that was upheld"
        elif appeal.entry_id is not None and row is None:
            yield f"appeal {appeal.id}: its entry is gone"
        elif row is not None and (row.person_id, row.amount) != (appeal.person_id, int(_taken(session, appeal))):
            owed = int(_taken(session, appeal))
            yield f"appeal {appeal.id}: {row.amount} went to {row.person_id}, what the review took is {owed}"


def _taken(session: Session, appeal: AnnualAppeal) -> MicroTokens:
    def rules_of(version: str) -> SizingRules:
        return handbook.parse(reference.handbook_body(session, version) or handbook.packaged()).sizing

    assert appeal.decided_at is not None  # noqa: S101 - a constraint
    return taken(appeals.reviewed_months(session, appeal, at=appeal.decided_at, rules_of=rules_of))


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (annual_as_imported, appeals_suspend, appeals_gave_back)
