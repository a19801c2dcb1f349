"""Deciding a review: the board is asked, votes on the package, and adopts it; single cases are in `single_cases`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from policy import deadlines, exceptions, texts
from policy.reasons import Refusal
from policy.reviews import votes as reviews_votes
from programme import decisions
from programme.decisions import Topic
from programme.people import board
from programme.reviews import effects, notices, token_value
from store import audit
from store.audit import NOWHERE, POLICY, Place
from store.people import board as board_store
from store.reviews import drafts, standings
from store.reviews import votes as store
from store.reviews.votes import ADOPTED_BY, ASKED, LAPSED_BY, VOTED, StoredVote
from views.reviews import ADOPTED, DRAFT, LAPSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from policy.exceptions import Seat, Tally
    from policy.period import Quarter
    from programme.moment import Moment
    from store.people.directory import Person
    from store.reviews.votes import Panel
    from views.reviews import Review, ValueState

REVIEW = Topic(
    "review",
    undecided=frozenset({DRAFT}),
    said={ADOPTED: "was adopted", LAPSED: "has lapsed"},
    by="with the deciding vote of",
)


@dataclass(frozen=True, slots=True)
class Ballot:
    """What someone votes on which package; a vote against it has a reason."""

    package: int
    adopts: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class VoteReceipt:
    """A vote that counts; `again` when it was the same before. `seat` is the member whose vote it is.

    `value` is what became of the proposed token value where the vote adopted the package.
    """

    review: Review
    tally: Tally
    seat: str
    again: bool
    value: str = token_value.NONE


# --- Asking --------------------------------------------------------------------------------------------------------


def convene(moment: Moment, quarter: Quarter) -> bool:
    """Ask the board about a draft, once; whether this did it. A Refusal while the board is too small to decide."""
    kept = locked(moment, quarter)
    if kept.state != DRAFT or store.panel(moment.session, quarter) is not None:
        return False
    book = moment.handbook
    electorate = reviews_votes.panel_of(board.seats(moment), book.exceptions)
    times = reviews_votes.times(moment.now, book.reviews, deadlines.business_hours(book, moment.zone))
    store.convene(moment.session, quarter, electorate, times, now=moment.now)
    moved = move(moment, kept, vote_until=times.lapse_at)
    notices.tell_of_pack(moment, moved, electorate)
    after = {
        "needed": electorate.needed,
        "stage": electorate.stage,
        "seats": store.plain_seats(electorate),
        "vote_until": times.lapse_at.isoformat(),
    }
    note(moment, moved, POLICY, ASKED, after)
    return True


def locked(moment: Moment, quarter: Quarter) -> Review:
    """A review, held until the transaction ends."""
    return decisions.require_known(drafts.lock(moment.session, quarter), REVIEW, quarter)


def move(moment: Moment, kept: Review, **values: object) -> Review:
    """The review after a change; what was read is what is changed, or nothing is."""
    return decisions.require_first(drafts.change(moment.session, kept, **values))


def panel_of(moment: Moment, quarter: Quarter) -> Panel:
    panel = store.panel(moment.session, quarter)
    if panel is None:
        raise Refusal("not_asked", f"The board has not been asked about {quarter} yet.")
    return panel


# --- Votes ---------------------------------------------------------------------------------------------------------


def vote(moment: Moment, voter: Person, quarter: Quarter, ballot: Ballot, *, place: Place = NOWHERE) -> VoteReceipt:
    """Count a vote on the package, and adopt it if it is the deciding one.

    A Refusal says why someone cannot vote: not on the board, too late, decided already, another package by now.
    """
    kept = locked(moment, quarter)
    require_undecided(moment, kept)
    if not ballot.adopts:
        require_reason(ballot.reason)
    panel = panel_of(moment, quarter)
    before = {one.seat: one for one in store.votes(moment.session, quarter)}
    seat = seat_of(moment, panel, voter.id, votes=before.values())
    decisions.require_one_vote({one.cast_by: one.seat for one in before.values()}, voter.id, seat.person_id)
    require_current(panel, ballot.package)
    cast = StoredVote(seat.person_id, voter.id, panel.package, ballot.adopts, ballot.reason, moment.now)
    earlier = before.get(cast.seat)
    if earlier is not None and earlier._replace(cast_at=moment.now) == cast:
        return VoteReceipt(kept, tally_of(panel, before.values()), cast.seat, again=True)
    return _counted(moment, kept, panel, cast, earlier, place=place)


def _counted(
    moment: Moment, kept: Review, panel: Panel, cast: StoredVote, earlier: StoredVote | None, *, place: Place
) -> VoteReceipt:
    store.cast(moment.session, kept.quarter, cast)
    counting = tally_of(panel, store.votes(moment.session, kept.quarter))
    decides = counting.outcome == exceptions.APPROVED
    adopted = _adopt(moment, kept, cast.cast_by) if decides else None
    moved, value = adopted or (move(moment, kept), token_value.NONE)
    notices.tell_of_change(moment, moved)
    after = {"approvals": counting.approvals, "rejections": counting.rejections, **_plain(cast)}
    note(moment, moved, cast.cast_by, VOTED, after, before=_plain(earlier) if earlier else None, place=place)
    if decides:
        notices.tell_of_outcome(moment, moved, panel.electorate)
        note(moment, moved, cast.cast_by, ADOPTED_BY, _adopted(moment, moved, panel, value))
    return VoteReceipt(moved, counting, cast.seat, again=False, value=value)


def seat_of(moment: Moment, panel: Panel, person_id: str, *, votes: Iterable[StoredVote]) -> Seat:
    """The seat for which someone may decide now; a Refusal says why there is none."""
    sitting = [seat.person_id for seat in panel.electorate.seats]
    today = exceptions.Attendance(
        delegates=board.delegates(moment),
        left=board_store.left(moment.session, [person_id, *sitting], moment.today),
        bystanders=board_store.bystanders(moment.session),
        voted_for={one.cast_by: one.seat for one in votes},
    )
    return exceptions.seat_for(panel.electorate, panel.stage, person_id, reviews_votes.NOBODY, today)


def tally_of(panel: Panel, votes: Iterable[StoredVote]) -> Tally:
    """What the votes on the package as it stands come to; those on an earlier one do not count."""
    current = [one.vote for one in votes if one.package == panel.package]
    return exceptions.tally(panel.electorate, panel.stage, current)


def require_undecided(moment: Moment, kept: Review) -> None:
    """A Refusal that says what became of a review, where there is nothing left to decide."""
    decisions.require_open(moment, REVIEW, kept.state, kept.decided_by)
    if (newer := store.later(moment.session, kept.quarter)) is not None:
        raise Refusal(
            "superseded",
            f"The review of {newer} has been drafted without the one of {kept.quarter}, which therefore lapses; your"
            " click changed nothing.",
            next_step=f"Vote on the review of {newer}.",
        )
    decisions.require_in_time(moment, REVIEW, kept.vote_until)


def superseded_by(moment: Moment, kept: Review) -> Quarter | None:
    """The later review that ended the vote on one before its time was over."""
    in_time = kept.vote_until is None or (kept.decided_at is not None and kept.decided_at < kept.vote_until)
    return store.later(moment.session, kept.quarter) if kept.state == LAPSED and in_time else None


def require_current(panel: Panel, package: int) -> None:
    if package != panel.package:
        raise Refusal(
            "another_package",
            "A case has since changed, so your click was about an earlier package.",
            next_step="Look at the message again, and vote on what it says now.",
        )


def require_reason(reason: str | None) -> None:
    texts.require(
        "reason", reason, 'Write why in a sentence, for example "June is missing in the figures". It is kept on record.'
    )


def _adopt(moment: Moment, kept: Review, voter: str) -> tuple[Review, str]:
    """The review adopted, those told whose grant changes, and what became of the value that is proposed with it."""
    month = effects.effect_month(moment, kept.quarter)
    moved = move(moment, kept, state=ADOPTED, decided_at=moment.now, decided_by=voter, holds_from=str(month))
    store.step(moment.session, kept.quarter, *effects.milestones(moment, moved)[0])
    effects.owe(moment, kept.quarter)
    return moved, token_value.adopt(moment, moved, voter)


def _adopted(moment: Moment, kept: Review, panel: Panel, value: str) -> dict[str, object]:
    totals = standings.totals(moment.session, kept.quarter)
    return {
        "package": panel.package,
        "holds_from": str(kept.holds_from),
        "held": totals.held,
        "amended": totals.amended,
        "value": value,
        **asdict(totals.counted),
    }


def lapse(moment: Moment, kept: Review) -> Review:
    """Silence ends a review, or a later one does; no one's grant changes."""
    store.step(moment.session, kept.quarter, None, None)
    moved = move(moment, kept, state=LAPSED, decided_at=moment.now, decided_by=POLICY)
    notices.tell_of_change(moment, moved)
    panel = store.panel(moment.session, kept.quarter)
    if panel is not None:
        notices.tell_of_outcome(moment, moved, panel.electorate)
    newer = store.later(moment.session, kept.quarter)
    after: dict[str, object] = {} if newer is None else {"superseded_by": str(newer)}
    note(moment, moved, POLICY, LAPSED_BY, after)
    return moved


# --- The token value -----------------------------------------------------------------------------------------------


def confirm_value(moment: Moment, person: Person, quarter: Quarter) -> ValueState:
    """Adopt the value of an adopted package as the second person, where its change needs two.

    A Refusal for whoever is not on the panel, or had the deciding vote: for themselves, or for the seat that they hold.
    """
    kept = locked(moment, quarter)
    if kept.state != ADOPTED:
        raise Refusal("not_adopted", f"The review of {quarter} is not adopted, so no value is adopted with it.")
    panel, votes = panel_of(moment, quarter), store.votes(moment.session, quarter)
    seat = seat_of(moment, panel, person.id, votes=votes)
    if any(one.seat == seat.person_id and one.cast_by == kept.decided_by != person.id for one in votes):
        raise Refusal(
            "same_seat",
            "The deciding vote was that of the seat you decide for, so someone else has to be the second.",
            next_step="Ask another member of the board to confirm it.",
        )
    found = token_value.confirm(moment, kept, person.id)
    moved = move(moment, kept)
    notices.tell_of_change(moment, moved)
    after: dict[str, object] = {"value": found.state, "version": found.version}
    note(moment, moved, person.id, "review.value", after)
    return found


def _plain(cast: StoredVote) -> dict[str, object]:
    return {"seat": cast.seat, "adopts": cast.adopts, "package": cast.package}


def note(
    moment: Moment,
    kept: Review,
    actor: str,
    action: str,
    after: Mapping[str, object],
    *,
    before: Mapping[str, object] | None = None,
    place: Place = NOWHERE,
) -> None:
    """Record what was done about a review, with the state that it has by now."""
    audit.note(
        moment.session,
        actor,
        action,
        str(kept.quarter),
        at=moment.now,
        before=before,
        after={"state": kept.state, **after},
        handbook_version=moment.handbook.version,
        place=place,
    )
