"""A review that waits for its board, as a member finds it beside the requests that wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.people.named import Named
from programme.reviews import token_value, voting
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews import votes as store

if TYPE_CHECKING:
    from policy.exceptions import Tally
    from programme.moment import Moment
    from programme.reviews.token_value import Standing
    from store.reviews.drafts import Review
    from store.reviews.votes import Cast


@dataclass(frozen=True, slots=True)
class OwnVote:
    """How the seat of a reader voted: `by` whom and for whom it `stands_for` where that is someone else.

    It `counts` as long as no case changed since.
    """

    adopts: bool
    reason: str | None
    counts: bool
    by: Named | None = None
    stands_for: Named | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A review that is open, for someone who may vote on it, with their own vote, None where there was none."""

    review: Review
    package: int
    tally: Tally
    vote: OwnVote | None
    value: Standing

    @property
    def awaits_reader(self) -> bool:
        """Whether their vote on the package as it stands is missing."""
        return self.vote is None or not self.vote.counts

    @property
    def is_open(self) -> bool:
        return True


def of(moment: Moment, person_id: str) -> Call | None:
    """The review on which someone may vote now; None for everyone else, and when there is none."""
    kept = drafts.latest(moment.session)
    panel = None if kept is None else store.panel(moment.session, kept.quarter)
    if kept is None or panel is None:
        return None
    votes = store.votes(moment.session, kept.quarter)
    try:
        voting.require_undecided(moment, kept)
        seat = voting.seat_of(moment, panel, person_id, votes=votes)
    except Refusal:
        return None
    own = next((one for one in votes if one.seat == seat.person_id), None)
    return Call(
        review=kept,
        package=panel.package,
        tally=voting.tally_of(panel, votes),
        vote=None if own is None else _own(moment, own, person_id, counts=own.package == panel.package),
        value=token_value.standing(moment, kept),
    )


def _own(moment: Moment, vote: Cast, reader: str, *, counts: bool) -> OwnVote:
    told = {
        id_: Named(*name)
        for id_, name in people_store.names(moment.session, {vote.cast_by, vote.seat} - {reader}).items()
    }
    return OwnVote(vote.adopts, vote.reason, counts, by=told.get(vote.cast_by), stands_for=told.get(vote.seat))
