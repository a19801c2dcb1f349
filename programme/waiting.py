"""What waits for one member of the board beside requests and reviews: cash caps, appeals, handbooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from programme.appeals import appeals
from programme.appeals import cards as appeal_cards
from programme.cash import cards as cash_cards
from programme.handbook import cards as proposal_cards
from programme.handbook import deciding
from store.appeals import records as appeals_store
from store.handbook import proposals as proposals_store

if TYPE_CHECKING:
    from programme.moment import Moment
    from views.appeals import Card as AppealCard
    from views.cash import CashCard
    from views.handbook import Card as ProposalCard

MOST = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """What someone may decide now, the nearest deadline first, and how much more there is."""

    appeals: tuple[AppealCard, ...] = ()
    proposals: tuple[ProposalCard, ...] = ()
    more: int = 0
    cash: tuple[CashCard, ...] = ()

    @property
    def count(self) -> int:
        return len(self.appeals) + len(self.proposals) + self.more + len(self.cash)


NOTHING = Waiting()


def of(moment: Moment, person_id: str) -> Waiting:
    """Only what this person may press: nobody is shown a button that would be refused."""
    filed = [
        one
        for one in appeals_store.all_open(moment.session)
        if moment.now < one.decide_by and person_id in appeals.deciders(moment, one)
    ]
    proposed = [
        one
        for one in proposals_store.all_open(moment.session)
        if moment.now < proposal_cards.lapse_at(one) and deciding.may_decide(moment, one, person_id)
    ]
    return Waiting(
        tuple(appeal_cards.of(moment, one.id) for one in filed[:MOST]),
        tuple(proposal_cards.untried(moment, one) for one in proposed[:MOST]),
        max(len(filed) - MOST, 0) + max(len(proposed) - MOST, 0),
        tuple(cash_cards.waiting(moment, person_id)),
    )
