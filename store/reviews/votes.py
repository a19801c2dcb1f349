"""Who votes on a quarter's review, how they voted, and what the calendar has to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.exceptions import STAGE_OF, Electorate, Seat, Vote
from policy.period import Quarter
from store.tables.reviews import review_panels, review_seats, review_votes, reviews
from views.reviews import DRAFT

if TYPE_CHECKING:
    from datetime import datetime

    from policy.reviews.votes import Times
    from store.engine import Session

CONVENE, REMIND, LAPSE = "convene", "remind", "lapse"
EFFECT, CLOSE = "effect", "close"
"""Of a review that is adopted: the month from which it holds begins; no one can appeal any more."""
ASKED, VOTED, DECIDED_CASE = "review.convene", "review.vote", "review.case"
ADOPTED_BY, LAPSED_BY = "review.adopt", "review.lapse"
"""The actions by which the audit log tells what the board was asked, did, and let pass."""

_p, _s, _v, _r = review_panels.c, review_seats.c, review_votes.c, reviews.c


@dataclass(frozen=True, slots=True)
class Panel:
    """Who decides a review. `package` changes with every case that is held, amended or put back."""

    quarter: Quarter
    package: int
    stage: int
    electorate: Electorate
    convened_at: datetime
    remind_at: datetime
    next_step: str | None
    next_at: datetime | None


class StoredVote(NamedTuple):
    """A vote as it was cast."""

    seat: str
    cast_by: str
    package: int
    adopts: bool
    reason: str | None
    cast_at: datetime

    @property
    def vote(self) -> Vote:
        return Vote(self.seat, self.adopts)


def lock_open(session: Session) -> None:
    """Hold every review that is not decided until the transaction ends: votes under way are counted before."""
    session.execute(sa.select(_r.quarter).where(_r.state == DRAFT).order_by(_r.quarter).with_for_update()).all()


def later(session: Session, quarter: Quarter) -> Quarter | None:
    """The review that was drafted after one, as if that changed nothing."""
    query = sa.select(sa.func.min(_r.quarter)).where(_r.quarter > str(quarter))
    found = session.execute(query).scalar_one()
    return None if found is None else Quarter.parse(found)


def convene(session: Session, quarter: Quarter, electorate: Electorate, times: Times, *, now: datetime) -> None:
    """Keep who is asked about a review, and by when they are reminded."""
    session.execute(
        sa.insert(review_panels).values(
            quarter=str(quarter),
            package=1,
            needed=electorate.needed,
            stage=electorate.stage,
            convened_at=now,
            remind_at=times.remind_at,
            next_step=REMIND,
            next_at=times.remind_at,
        )
    )
    seats = [
        {
            "quarter": str(quarter),
            "person_id": seat.person_id,
            "kind": seat.kind,
            "is_chair": seat.is_chair,
            "is_finance": seat.is_finance,
        }
        for seat in electorate.seats
    ]
    session.execute(sa.insert(review_seats), seats)


def plain_seats(electorate: Electorate) -> list[list[object]]:
    """Who was asked, as the audit log keeps it."""
    return sorted([seat.person_id, seat.kind, seat.is_chair, seat.is_finance] for seat in electorate.seats)


def panel(session: Session, quarter: Quarter) -> Panel | None:
    """Who decides a review; None where no one was asked yet."""
    row = session.execute(sa.select(review_panels).where(_p.quarter == str(quarter))).one_or_none()
    if row is None:
        return None
    query = sa.select(_s.person_id, _s.kind, _s.is_chair, _s.is_finance).where(_s.quarter == str(quarter))
    seats = sorted((Seat(*of) for of in session.execute(query)), key=lambda seat: (STAGE_OF[seat.kind], seat.person_id))
    electorate = Electorate(tuple(seats), row.needed, needs_finance=True, stage=row.stage)
    return Panel(
        quarter, row.package, row.stage, electorate, row.convened_at, row.remind_at, row.next_step, row.next_at
    )


def votes(session: Session, quarter: Quarter) -> list[StoredVote]:
    """The votes on a review, whatever package they are about, in the order in which they were cast."""
    query = sa.select(*(_v[name] for name in StoredVote._fields)).where(_v.quarter == str(quarter))
    return [StoredVote._make(row) for row in session.execute(query.order_by(_v.cast_at, _v.seat))]


def cast(session: Session, quarter: Quarter, vote: StoredVote) -> None:
    """Keep the vote of a seat, in place of the one it had."""
    session.execute(sa.delete(review_votes).where(_v.quarter == str(quarter), _v.seat == vote.seat))
    session.execute(sa.insert(review_votes).values(quarter=str(quarter), **vote._asdict()))


def next_package(session: Session, panel: Panel) -> None:
    """The package is another one now: votes on the one before do not count."""
    changed = sa.update(review_panels).where(_p.quarter == str(panel.quarter), _p.package == panel.package)
    session.execute(changed.values(package=panel.package + 1))


def step(session: Session, quarter: Quarter, name: str | None, at: datetime | None) -> None:
    """What the calendar has to do next about a review, if anything."""
    session.execute(sa.update(review_panels).where(_p.quarter == str(quarter)).values(next_step=name, next_at=at))


def due(session: Session, now: datetime) -> list[tuple[str, str, datetime]]:
    """(quarter, step, instant) of what the calendar has to do about reviews, the longest due first.

    A draft about which no one was asked is due at once: also one that was made by hand, or before there was a board.
    One that a later review has overtaken lapses at once, asked about or not.
    """
    newer = reviews.alias()
    overtaken = sa.select(newer.c.quarter).where(newer.c.quarter > _r.quarter).exists()
    superseded = (
        sa.select(_r.quarter, sa.literal(LAPSE), sa.func.min(newer.c.drafted_at))
        .join(newer, newer.c.quarter > _r.quarter)
        .where(_r.state == DRAFT)
        .group_by(_r.quarter)
    )
    unasked = (
        sa.select(_r.quarter, sa.literal(CONVENE), _r.drafted_at)
        .outerjoin(review_panels, _p.quarter == _r.quarter)
        .where(_r.state == DRAFT, _p.quarter.is_(None), _r.drafted_at <= now, ~overtaken)
    )
    query = (
        sa.select(_p.quarter, _p.next_step, _p.next_at)
        .join(reviews, _r.quarter == _p.quarter)
        .where(_p.next_at.is_not(None), _p.next_at <= now, sa.or_(_r.state != DRAFT, ~overtaken))
    )
    rows = [(quarter, name, at) for some in (superseded, unasked, query) for quarter, name, at in session.execute(some)]
    return sorted(rows, key=lambda row: (row[2], row[0]))
