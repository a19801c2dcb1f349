"""A review that waits for its board, as a member finds it beside the requests that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.reviews import token_value, voting
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews import votes as store
from views.people import PersonName
from views.reviews import Call, OwnVote

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.reviews.votes import StoredVote


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


def _own(moment: Moment, vote: StoredVote, reader: str, *, counts: bool) -> OwnVote:
    told = {
        id_: PersonName(*name)
        for id_, name in people_store.names(moment.session, {vote.cast_by, vote.seat} - {reader}).items()
    }
    return OwnVote(vote.adopts, vote.reason, counts, by=told.get(vote.cast_by), stands_for=told.get(vote.seat))
