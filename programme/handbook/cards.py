"""What is shown of a proposed handbook: what it changes, who proposed it, and how it would have treated the review."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from policy import handbook
from policy.changes import differences
from programme import decisions
from programme.decisions import Topic
from programme.reviews import backtests
from store.handbook import proposals as store
from store.handbook import reference
from store.people import directory as people_store
from store.reviews import drafts
from views.handbook import CONFIRMED, DECLINED, LAPSED, OPEN, WITHDRAWN, Card, Proposal, Trial
from views.people import PersonName

if TYPE_CHECKING:
    from datetime import datetime

    from programme.moment import Moment

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
        proposer=PersonName(*named[proposal.proposed_by]),
        decided_by=PersonName(*by) if by else None,
        lapse_at=lapse_at(proposal),
        is_overdue=proposal.is_open and moment.now >= lapse_at(proposal),
    )


def lapse_at(proposal: Proposal) -> datetime:
    return proposal.proposed_at + OPEN_FOR


def _base(moment: Moment, proposal: Proposal) -> str:
    """The version that a proposal follows, or would follow: what it is compared with."""
    versions = [book.version for book in moment.handbooks.versions]
    if proposal.state == CONFIRMED and proposal.version in versions[1:]:
        return versions[versions.index(proposal.version) - 1]
    return versions[-1]


def _tried(moment: Moment, card: Card) -> Trial | None:
    kept = drafts.latest(moment.session)
    if kept is None:
        return None
    rules = handbook.parse(card.proposal.body).adjustment
    return Trial(kept.quarter, backtests.of(moment, kept, rules))
