"""What waits for one member of the board beside requests and reviews: cash caps, appeals, handbooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from programme.appeals import duties
from programme.cash import cards as cash_cards
from programme.handbook import cards as proposal_cards
from programme.handbook import deciding
from store.handbook import proposals as proposals_store

if TYPE_CHECKING:
    from programme.moment import Moment
    from views.appeals import AnnualDuty, Duty
    from views.cash import CashCard
    from views.handbook import Card as ProposalCard

MOST = 3
"""So many appeals of both kinds together, and so many proposals: Home has place for no more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What someone may decide now, the nearest deadline first, and how much more there is."""

    appeals: tuple[Duty, ...] = ()
    proposals: tuple[ProposalCard, ...] = ()
    more: int = 0
    cash: tuple[CashCard, ...] = ()
    annual_appeals: tuple[AnnualDuty, ...] = ()

    @property
    def count(self) -> int:
        shown = (self.appeals, self.annual_appeals, self.proposals, self.cash)
        return sum(map(len, shown)) + self.more


NOTHING = Waiting()


def of(moment: Moment, person_id: str) -> Waiting:
    """Only what this person may press: nobody is shown a button that would be refused."""
    filed, annual = duties.against_cuts(moment, person_id), duties.against_annual_reviews(moment, person_id)
    by_deadline = sorted((one.appeal.decide_by, one.id) for some in (filed, annual) for one in some)
    nearest = {id_ for _, id_ in by_deadline[:MOST]}
    proposed = [
        one
        for one in proposals_store.all_open(moment.session)
        if moment.now < proposal_cards.lapse_at(one) and deciding.may_decide(moment, one, person_id)
    ]
    return Waiting(
        tuple(one for one in filed if one.id in nearest),
        tuple(proposal_cards.untried(moment, one) for one in proposed[:MOST]),
        len(filed) + len(annual) - len(nearest) + max(len(proposed) - MOST, 0),
        tuple(cash_cards.waiting(moment, person_id)),
        tuple(one for one in annual if one.id in nearest),
    )
