"""What the calendar does about reviews: ask the board, remind it, let the review lapse, tell what follows.

One that a later review has overtaken lapses whatever its deadline is. A board that is too small to decide is told so
instead, and asked once it is large enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.exceptions import MAJOR
from policy.period import Quarter
from programme.people import small_board
from programme.reviews import effects, notices, voting
from store.reviews import votes as store
from store.reviews.votes import CONVENE, LAPSE, REMIND
from views.reviews import ADOPTED, DRAFT

if TYPE_CHECKING:
    from datetime import datetime

    from policy.exceptions import Seat
    from programme.moment import Moment
    from store.reviews.votes import Panel
    from views.reviews import Review

UNASKED = "unasked"


def due(moment: Moment) -> list[tuple[str, str, datetime]]:
    """(quarter, step, instant) of what is to be done about reviews; not what a board that is too small knows of."""
    waiting = {str(quarter) for quarter in unasked(moment)}
    return [one for one in store.due(moment.session, moment.now) if one[1] != CONVENE or one[0] not in waiting]


def unasked(moment: Moment) -> list[Quarter]:
    """The drafts about which the board should be asked, and can't, because it is too small."""
    drafts = [Quarter.parse(quarter) for quarter, step, _ in store.due(moment.session, moment.now) if step == CONVENE]
    return [one for one in drafts if small_board.waits(moment, notices.about(one), MAJOR)]


def advance(moment: Moment, quarter: Quarter) -> str | None:
    """Do what is due about a review, once; what was done, or None when someone else did it.

    After an outage the latest of the steps that are due is done, and those before it are left out.
    """
    kept = voting.locked(moment, quarter)
    if kept.state == DRAFT and store.later(moment.session, quarter) is not None:
        voting.lapse(moment, kept)
        return LAPSE
    panel = store.panel(moment.session, quarter)
    if panel is None:
        return _ask(moment, quarter)
    if panel.next_at is None or panel.next_at > moment.now or kept.vote_until is None:
        return None
    if kept.state == ADOPTED:
        return _tell_what_follows(moment, kept, panel)
    if moment.now >= kept.vote_until:
        voting.lapse(moment, kept)
        return LAPSE
    notices.remind(moment, kept, silent(moment, panel))
    store.step(moment.session, quarter, LAPSE, kept.vote_until)
    return REMIND


def _ask(moment: Moment, quarter: Quarter) -> str | None:
    if small_board.can_decide(moment, MAJOR):
        return CONVENE if voting.convene(moment, quarter) else None
    return UNASKED if notices.tell_unasked(moment, quarter) else None


def _tell_what_follows(moment: Moment, kept: Review, panel: Panel) -> str | None:
    """Tell the board that a review holds from now, or that no one can appeal any more; the next of what is untold."""
    told = notices.milestones_told(moment, kept.quarter)
    # Worked out again: since the step was set, people may have moved to where their last day ends later.
    ahead = [one for one in effects.milestones(moment, kept) if one[0] not in told]
    done = None
    if ahead and ahead[0][1] <= moment.now:
        done, _ = ahead.pop(0)
        notices.tell_of_milestone(moment, kept, panel.electorate, done)
    store.step(moment.session, kept.quarter, *(ahead[0] if ahead else (None, None)))
    return done


def silent(moment: Moment, panel: Panel) -> list[Seat]:
    """The seats that may vote and have not, on the package as it stands."""
    voted = {one.seat for one in store.votes(moment.session, panel.quarter) if one.package == panel.package}
    return [seat for seat in panel.electorate.voting(panel.stage) if seat.person_id not in voted]
