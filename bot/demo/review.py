"""What the company's board makes of a quarter's review, and who appeals: a few days of every quarter, always the same.

Whatever a person at the page has done before stands, and the story goes on from there.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.demo import company
from policy.appeals import OPEN
from policy.period import day_of
from policy.reasons import Refusal
from policy.reviews.proposal import PROPOSED
from programme.appeals import deciding, filing
from programme.reviews import single_cases, voting
from programme.reviews.voting import Ballot
from store.appeals import records as appeals_store
from store.people import directory
from store.reviews import drafts, votes
from views.reviews import ADOPTED, DRAFT

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session
    from store.people.directory import Person
    from views.reviews import Review

TUESDAY, WEDNESDAY, THURSDAY = 1, 2, 3
MORNING, AFTERNOON = 9, 15
"""Hours of the programme's zone at which the story looks around."""
TIME_TO_LOOK = timedelta(days=3)
"""For so long a person who watches has the pack to themselves."""
TIME_TO_APPEAL = timedelta(days=7)
HOLDS, HELD, WHY_HELD = "omar", "rosa", "Back from parental leave a month ago: too early to tell"
ADOPT = ("omar", "ada")
APPEALS, WHY_APPEALED = "finn", "I was lent to support for half of the quarter, and they use their own account"
DECIDES, WHY_UPHELD = "iris", "Support's roster shows it: six weeks of the quarter"


def happen(app: App, instant: datetime) -> None:
    """Whatever the story has for an instant; what happened before does not happen again."""
    local = instant.astimezone(app.zone)
    if (step := _STEPS.get((local.weekday(), local.hour))) is None:
        return
    with app.database.reading() as session:
        kept = drafts.latest(session)
    if kept is not None:
        step(app, kept, instant)


def _hold(app: App, kept: Review, now: datetime) -> None:
    """Finance holds a case, unless it was decided about already, or the package voted on as it is."""
    if kept.state != DRAFT or now < kept.drafted_at + TIME_TO_LOOK:
        return
    with app.database.reading() as session:
        case = drafts.case(session, kept.quarter, _person(session, HELD).id)
        has_votes = bool(votes.votes(session, kept.quarter))
    if has_votes or case is None or case.decision != PROPOSED or not case.delta_thousandths:
        return

    def hold(moment: Moment) -> None:
        single_cases.hold(
            moment.at(now),
            _person(moment.session, HOLDS),
            kept.quarter,
            case.case.person_id,
            reason=WHY_HELD,
            seen=single_cases.mark(case),
        )

    _attempt(app, hold)


def _adopt(app: App, kept: Review, now: datetime) -> None:
    for who in ADOPT:
        if kept.state == DRAFT and now >= kept.drafted_at + TIME_TO_LOOK:
            _attempt(app, partial(_vote, who=who, kept=kept))


def _vote(moment: Moment, *, who: str, kept: Review) -> None:
    panel = votes.panel(moment.session, kept.quarter)
    if panel is not None:
        ballot = Ballot(panel.package, adopts=True)
        voting.vote(moment, _person(moment.session, who), kept.quarter, ballot)


def _appeal(app: App, kept: Review, now: datetime) -> None:
    if kept.state == ADOPTED and kept.decided_at is not None and now >= kept.decided_at + TIME_TO_APPEAL:
        _attempt(
            app,
            lambda moment: filing.file(moment.at(now), _person(moment.session, APPEALS), kept.quarter, WHY_APPEALED),
        )


def _decide(app: App, kept: Review, now: datetime) -> None:
    with app.database.reading() as session:
        appeal = appeals_store.get(session, kept.quarter, _person(session, APPEALS).id)
    if appeal is None or appeal.state != OPEN or day_of(appeal.filed_at, app.zone) == day_of(now, app.zone):
        return
    _attempt(
        app,
        lambda moment: deciding.decide(
            moment.at(now), _person(moment.session, DECIDES), appeal.id, upheld=True, reason=WHY_UPHELD
        ),
    )


def _attempt(app: App, act: Callable[[Moment], object]) -> None:
    """Do what one of the company would do; what is refused, such as holding a case without a cut, does not happen."""
    try:
        with app.transaction() as moment:
            act(moment)
    except Refusal:
        return


def _person(session: Session, handle: str) -> Person:
    person = directory.by_email(session, f"{handle}@{company.DOMAIN}")
    assert person is not None  # noqa: S101 - the story's people are the company's
    return person


_STEPS: dict[tuple[int, int], Callable[[App, Review, datetime], None]] = {
    (TUESDAY, MORNING): _appeal,
    (WEDNESDAY, MORNING): _hold,
    (WEDNESDAY, AFTERNOON): _adopt,
    (THURSDAY, AFTERNOON): _decide,
}
