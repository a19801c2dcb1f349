"""The one ground of a case as everyone reads it, and the grant that the board's decision makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from policy.reviews import ground
from policy.reviews.proposal import AMENDED, HELD, PROPOSED, sized
from store.reviews import drafts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.period import Quarter
    from policy.reviews.ground import Ground
    from policy.units import MicroTokens
    from programme.moment import Moment
    from views.reviews import Review, ReviewedCase


class Grant(NamedTuple):
    """A grant within its limits and the budget, None where there is none, and the limit at which it is."""

    amount: MicroTokens | None
    bound: str


NO_GRANT = Grant(None, "")


def of(moment: Moment, kept: Review, one: ReviewedCase) -> Ground:
    """Why a grant changes, with the figures of both quarters, and what would undo it."""
    rules = moment.handbooks.named(kept.basis.handbook).adjustment
    found = drafts.inputs(moment.session, kept.quarter, one.case.person_id)
    own = next(part for part in found if part.is_case)
    return ground.of(one.case, own.utilisation, rules.first_edition if kept.basis.above is None else rules)


def of_quarter(moment: Moment, quarter: Quarter, one: ReviewedCase) -> Ground:
    kept = drafts.get(moment.session, quarter)
    assert kept is not None  # noqa: S101 - a foreign key of its cases
    return of(moment, kept, one)


def grant_of(moment: Moment, kept: Review, one: ReviewedCase) -> Grant:
    """What a person's grant of the review's month becomes with what was decided."""
    if one.decision == HELD:
        return Grant(one.case.grant_before, one.case.bound if one.case.delta_thousandths == 0 else "")
    if one.decision != AMENDED:
        return Grant(one.case.grant_after, one.case.bound)
    # Few cases are amended, so nobody keeps what their grants become.
    return grants_as_decided(moment, kept).get(one.case.person_id, NO_GRANT)


def grants(moment: Moment, kept: Review, cases: Iterable[ReviewedCase]) -> dict[str, Grant]:
    """Everyone's grant with what was decided by now; as it was drafted where nothing was decided otherwise."""
    some = list(cases)
    decided = {}
    if any(one.decision != PROPOSED for one in some):
        decided = grants_as_decided(moment, kept)
    as_drafted = {one.case.person_id: Grant(one.case.grant_after, one.case.bound) for one in some}
    return as_drafted | decided


def grants_as_decided(moment: Moment, kept: Review) -> dict[str, Grant]:
    """Everyone's grant of the review's month with what was decided: the budget is everyone's, so all are sized."""
    factors = drafts.factors(moment.session, kept.quarter)
    claims = [one.claim for one in drafts.inputs(moment.session, kept.quarter) if one.claim is not None]
    claims = [replace(claim, adjustment=factors.get(claim.person_id, claim.adjustment)) for claim in claims]
    found = sized(claims, kept.basis, moment.handbooks.named(kept.basis.sized_by).sizing)
    return {person_id: Grant(one.amount, one.bound) for person_id, one in found.grants.items()}
