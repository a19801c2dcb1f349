"""Whether grants have the factor that the handbook has for the group which finance imported."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import handbook
from policy.period import Month
from policy.sizing import Factors
from store.handbook import reference
from store.reviews import annual
from store.tables.grants import grants
from views import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal

    from store.engine import Session
    from store.reviews.annual import AnnualRow

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


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (annual_as_imported,)
