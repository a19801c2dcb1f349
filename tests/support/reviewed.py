"""A company at the end of 2026: seven teams with two quarters of grants, use and outcomes, before its review."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.exceptions import MEMBER, Electorate, Seat
from policy.outcomes import OutcomeReport
from policy.period import Month, Quarter, first_instant
from policy.reviews.proposal import PROPOSED, weeks_of
from policy.reviews.votes import Times
from policy.units import MicroTokens, NanoUSD
from programme.grants import by_hand as programme_grants
from programme.grants import monthly
from programme.outcomes import intake as outcomes_intake
from programme.people import directory, terms
from programme.reviews import drafting
from programme.usage import intake as usage_intake
from store import audit
from store.audit import POLICY
from store.people import directory as people_store
from store.reviews import drafts as store
from store.reviews import votes
from store.tables.grants import grants
from tests.support import cast, played, rollout, teams
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from programme.app import App
    from programme.moment import Moment
    from programme.reviews.drafting import DraftOutcome
    from store.engine import Session
    from tests.support.clock import Clock
    from views.reviews import ReviewedCase

Q3, Q4 = Quarter(2026, 3), Quarter(2026, 4)
MORNING = datetime(2027, 1, 4, 9, tzinfo=UTC)
"""The first working day of 2027 in Berlin."""
BUDGET = NanoUSD.parse("78000")
LARGE, SMALL = 5, 3
SIZES = (LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, SMALL)
OUTPUT = (9, 2, 3, 4, 3, 2, 3)
"""What each team brings about in a week: the first delivers far more for the same use."""
IDLE, BUSY, STOPPED = "t1p1@example.com", "t2p1@example.com", "t3p1@example.com"
GIFTED = "t4p1@example.com"
"""Was given tokens beside the grants, and spent those first."""
GIFT = 20_000
UNPAID = "unpaid@example.com"
"""No pay band, so no grants: nothing is known of them."""
USUAL_USE = 0.6
WEDNESDAY = 2
USE: Mapping[str, tuple[float, float]] = {IDLE: (0.2, 0.25), BUSY: (0.7, 0.97), STOPPED: (0.6, 0.3)}
"""The shares of their grants of Q3 and Q4 that those use who are not like the others."""


def members(team: int) -> list[str]:
    return [f"t{team}p{i}@example.com" for i in range(SIZES[team])]


def everybody() -> list[str]:
    return [who for team in range(len(SIZES)) for who in members(team)]


def settle(app: App, clock: Clock) -> None:
    """Hire, launch, grant, use and deliver; it is the first working day after the quarter."""

    def play() -> None:
        rollout.launch(app)
        settle_people(app, clock)

    played.once(app, "reviewed", play)
    clock.now = MORNING


def settle_people(app: App, clock: Clock) -> None:
    """The same for a company that is launched already."""
    teams.hire(app, *(_manager(team) for team in range(len(SIZES))))
    teams.hire(app, *(_engineer(who, team) for team in range(len(SIZES)) for who in members(team)))
    teams.hire(app, teams.person(UNPAID, "m0@example.com").replace(",P3,", ",,"))
    clock.now = MORNING
    with app.transaction(MORNING) as moment:
        terms.set_budget(moment, Month(2026, 7), BUDGET, actor="test")
    for number in range(7, 13):
        month = Month(2026, number)
        with app.transaction(first_instant(month.first_day, app.zone)) as moment:
            monthly.run(moment, month)
        if month == Q4.first_month:
            _give(app, first_instant(month.first_day, app.zone))
        place = int(month.quarter == Q4)
        _use(app, month, {who: USE.get(who, (USUAL_USE, USUAL_USE))[place] for who in everybody()})
    with app.transaction(MORNING) as moment:
        for team in range(len(SIZES)):
            directory.map_identity(
                moment, source="tracker", kind="user", value=f"team{team}", email=members(team)[0], actor="test"
            )
        outcomes_intake.take_in(moment, _delivered())


def _manager(team: int) -> str:
    return teams.person(f"m{team}@example.com", "").replace(",engineering,", ",management,")


def _engineer(who: str, team: int) -> str:
    return teams.person(who, f"m{team}@example.com")


def _give(app: App, at: datetime) -> None:
    with app.transaction(at) as moment:
        programme_grants.give(
            moment,
            email=GIFTED,
            amount=MicroTokens.parse(str(GIFT)),
            reason="A prize",
            actor="test",
            expires_at=at + timedelta(days=20),
        )


def _use(app: App, month: Month, shares: Mapping[str, float]) -> None:
    """Everyone uses a share of the month's grant, on Wednesdays, as it is told on the same day."""
    granted = rollout.granted(app, str(month))
    days = [day for day in month.days() if day.weekday() == WEDNESDAY]
    for day in days:
        a_day = {who: int(granted[who].decimal * Decimal(str(share))) // len(days) for who, share in shares.items()}
        events = [teams.used(day, who, tokens) for who, tokens in a_day.items()]
        with app.transaction(datetime.combine(day, time(15), UTC)) as moment:
            taken = usage_intake.take_in(moment, events)
        assert {one.status for one in taken} == {"accepted"}


def _delivered() -> list[OutcomeReport]:
    return [
        outcome(f"t{team}-{monday}", team, monday + timedelta(days=1), OUTPUT[team] * 1_000 + 50 * (i % 3))
        for team in range(len(SIZES))
        for i, monday in enumerate(weeks_of(Q4))
    ]


def outcome(outcome_id: str, team: int, day: date, thousandths: int, *, as_of: datetime | None = None) -> OutcomeReport:
    at = datetime.combine(day, time(10), UTC)
    return OutcomeReport("tracker", outcome_id, "task", at, f"team{team}", "shop", figure=thousandths, as_of=as_of)


def draft(moment: Moment, quarter: Quarter = Q4, *, now: datetime = MORNING) -> DraftOutcome:
    drafted = drafting.draft(moment.at(now), quarter)
    assert drafted is not None
    return drafted


def adopt(moment: Moment, quarter: Quarter, holds_from: Month, *, now: datetime = MORNING) -> None:
    """What a board of two writes that adopts the cases as they stand, from a month. No one of the cast sits on it."""
    kept = drafting.require(moment, quarter)
    decided = [one for one in store.cases(moment.session, quarter) if one.decision != PROPOSED]
    package = 1 + len(decided)
    chair, finance = (_lead(moment.session, team) for team in (4, 5))
    seats = (Seat(chair, MEMBER, is_chair=True), Seat(finance, MEMBER, is_finance=True))
    panel = Electorate(seats, needed=2, needs_finance=True, stage=0)
    votes.convene(moment.session, quarter, panel, Times(now, now + timedelta(days=14)), now=now)
    votes.step(moment.session, quarter, None, None)
    for number in range(1, package):
        votes.next_package(moment.session, votes.Panel(quarter, number, 0, panel, now, now, None, None))
    for who in (chair, finance):
        votes.cast(moment.session, quarter, votes.StoredVote(who, who, package, adopts=True, reason=None, cast_at=now))
    month = str(holds_from)
    assert store.change(moment.session, kept, state=ADOPTED, decided_at=now, decided_by=finance, holds_from=month)
    told = [
        (POLICY, votes.ASKED, {"needed": 2, "stage": 0, "seats": votes.plain_seats(panel)}),
        *((str(one.decided_by), votes.DECIDED_CASE, _told(one)) for one in decided),
        *((who, votes.VOTED, {"seat": who, "adopts": True, "package": package}) for who in (chair, finance)),
        (finance, votes.ADOPTED_BY, {"package": package, "holds_from": month}),
    ]
    audit.append(
        moment.session,
        *(
            audit.Record(at=now, actor=actor, action=action, subject=str(quarter), after=after)
            for actor, action, after in told
        ),
    )


def _told(one: ReviewedCase) -> dict[str, object]:
    return {"person": one.case.person_id, "decision": one.decision, "delta_thousandths": one.delta_thousandths}


def _lead(session: Session, team: int) -> str:
    lead = people_store.by_email(session, f"m{team}@example.com")
    assert lead is not None
    return lead.id


def cases(session: Session, app: App, quarter: Quarter = Q4) -> Callable[[str], ReviewedCase]:
    """Cases by e-mail."""
    found = {one.case.person_id: one for one in store.cases(session, quarter)}
    return lambda who: found[cast.person_id(app, who)]


def granted_with(moment: Moment, month: Month) -> dict[str, tuple[Decimal, MicroTokens]]:
    """Run a month's grants: each person's factor and tokens, by id."""
    monthly.run(moment, month)
    query = sa.select(grants.c.person_id, grants.c.factors, grants.c.amount).where(grants.c.month == str(month))
    return {
        id_: (Decimal(factors["adjustment"]), MicroTokens(amount))
        for id_, factors, amount in moment.session.execute(query)
    }
