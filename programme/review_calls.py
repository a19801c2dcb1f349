"""A review that waits for its board, as a member finds it beside the requests that wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme import review_decisions, review_value
from store import review_votes as store
from store import reviews

if TYPE_CHECKING:
    from datetime import datetime

    from policy.quorum import Tally
    from programme.desk import Desk
    from programme.review_value import Standing
    from store.engine import Session
    from store.reviews import Review


@dataclass(frozen=True, slots=True)
class Call:
    """A review that is open, for somebody who may vote on it; `awaits_reader` says that their own vote is missing."""

    review: Review
    package: int
    tally: Tally
    awaits_reader: bool
    value: Standing

    @property
    def is_open(self) -> bool:
        return True


def of(session: Session, person_id: str, *, desk: Desk, now: datetime) -> Call | None:
    """The review on which somebody may vote now; None for everybody else, and when there is none."""
    kept = reviews.latest(session)
    panel = None if kept is None else store.panel(session, kept.quarter)
    if kept is None or panel is None:
        return None
    votes = store.votes(session, kept.quarter)
    try:
        review_decisions.require_undecided(session, kept, now)
        seat = review_decisions.seat_of(session, panel, person_id, votes=votes, desk=desk, now=now)
    except Refusal:
        return None
    return Call(
        review=kept,
        package=panel.package,
        tally=review_decisions.tally_of(panel, votes),
        awaits_reader=seat.person_id not in {one.seat for one in votes if one.package == panel.package},
        value=review_value.standing(session, kept, desk=desk, now=now),
    )
