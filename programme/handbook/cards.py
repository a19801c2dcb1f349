"""What is shown of a proposed handbook: what it changes, who proposed it, and how it would have treated the review."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy import handbook
from policy.changes import Difference, differences
from programme import decisions
from programme.decisions import Topic
from programme.people.named import Named
from programme.reviews import backtests
from store.handbook import proposals as store
from store.handbook import reference
from store.handbook.proposals import CONFIRMED, DECLINED, LAPSED, OPEN, WITHDRAWN, Proposal
from store.people import directory as people_store
from store.reviews import drafts

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Quarter
    from programme.moment import Moment
    from programme.reviews.backtests import BackTest

PROPOSAL = Topic(
    "proposal",
    undecided=frozenset({OPEN}),
    said={
        CONFIRMED: "was confirmed",
        DECLINED: "was declined",
        WITHDRAWN: "was withdrawn",
        LAPSED: "has lapsed",
    },
    see="`/tokens policy` shows what is in force.",
)
OPEN_FOR = timedelta(days=30)
"""Closes by time what no person decided."""
THRESHOLDS = "adjustment."
"""What keys of the review's thresholds begin with."""


class Tried(NamedTuple):
    """A review's quarter, and how its cases would have come out."""

    quarter: Quarter
    test: BackTest


@dataclass(frozen=True, slots=True)
class Card:
    """A proposal with all that a decision needs; `base` is the version that it would follow.

    `tried` is what other thresholds would have made of the latest review, as long as the proposal is open.
    """

    proposal: Proposal
    base: str
    changes: tuple[Difference, ...]
    proposer: Named
    decided_by: Named | None
    lapse_at: datetime
    tried: Tried | None = None

    @property
    def moves_thresholds(self) -> bool:
        return any(one.key.startswith(THRESHOLDS) for one in self.changes)

    @property
    def mark(self) -> str:
        """Stands for `base` in buttons: what was compared with another version is not what is confirmed."""
        return hashlib.sha256(self.base.encode()).hexdigest()[:12]


def of(moment: Moment, proposal_id: str) -> Card:
    """A proposal as it stands."""
    proposal = decisions.require_known(store.get(moment.session, proposal_id), PROPOSAL, proposal_id)
    card = untried(moment, proposal)
    return replace(card, tried=_tried(moment, card)) if proposal.is_open and card.moves_thresholds else card


def all_open(moment: Moment) -> list[Card]:
    """What waits for a second person, in the order in which it would hold."""
    return [untried(moment, proposal) for proposal in store.all_open(moment.session)]


def untried(moment: Moment, proposal: Proposal) -> Card:
    """Without the try on the latest review, which goes through everyone's case."""
    base = _base(moment, proposal)
    old = reference.handbook_body(moment.session, base)
    assert old is not None  # noqa: S101 - a version that was applied
    named = people_store.names(moment.session, {proposal.proposed_by, proposal.decided_by or ""})
    by = named.get(proposal.decided_by or "")
    return Card(
        proposal=proposal,
        base=base,
        changes=differences(old, proposal.body),
        proposer=Named(*named[proposal.proposed_by]),
        decided_by=Named(*by) if by else None,
        lapse_at=lapse_at(proposal),
    )


def lapse_at(proposal: Proposal) -> datetime:
    return proposal.proposed_at + OPEN_FOR


def _base(moment: Moment, proposal: Proposal) -> str:
    """The version that a proposal follows, or would follow: what it is compared with."""
    versions = [book.version for book in moment.handbooks.versions]
    if proposal.state == CONFIRMED and proposal.version in versions[1:]:
        return versions[versions.index(proposal.version) - 1]
    return versions[-1]


def _tried(moment: Moment, card: Card) -> Tried | None:
    kept = drafts.latest(moment.session)
    if kept is None:
        return None
    rules = handbook.parse(card.proposal.body).adjustment
    return Tried(kept.quarter, backtests.of(moment, kept, rules))
