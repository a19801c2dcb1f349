"""Whether grants that follow from merged pay bands moved nobody's entitlement by more than the handbook lets them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import handbook
from policy.sizing import Claim, Factors, entitlement
from store.handbook import reference
from store.tables.grants import grants
from views import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from policy.parameters.grants import SizingRules
    from store.engine import Session

ROWS_AT_A_TIME = 10_000


def bands_as_merged(session: Session) -> Iterator[str]:
    """An entitlement follows from its midpoint, which is near the band's own, and exactly that where few share it."""

    @cache
    def rules_of(version: str) -> SizingRules | None:
        body = reference.handbook_body(session, version)
        return None if body is None else handbook.parse(body).sizing

    g = grants.c
    query = sa.select(g.month, g.person_id, g.factors, g.handbook_version)
    for month, person_id, kept, version in session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)):
        if kept.get("band") and (rules := rules_of(version)) is not None:
            for wrong in _wrong(codec.read(Factors, kept), person_id, rules):
                yield f"grant {month} of {person_id}: {wrong}"


def _wrong(factors: Factors, person_id: str, rules: SizingRules) -> Iterator[str]:
    assert factors.band is not None  # noqa: S101 - asked before
    counts, own = int(factors.band.midpoint), int(factors.band.own)
    claim = Claim(
        person_id,
        factors.level,
        factors.band.midpoint,
        factors.fte_permille,
        factors.days_active,
        factors.days_in_month,
    )
    if (expected := entitlement(claim, rules)) != factors.entitlement:
        yield f"entitled to {factors.entitlement}, its midpoint says {expected}"
    if factors.band.is_small and counts != own:
        yield f"too few share its band, but {counts} counts instead of {own}"
    if rules.band_distance is not None and abs(counts - own) > own * rules.band_distance:
        yield f"its midpoint of {own} was moved to {counts}"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (bands_as_merged,)
