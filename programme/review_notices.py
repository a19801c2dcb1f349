"""What follows from a review that is adopted: from when it holds, and a word to everybody whose grant changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import review_dates
from policy.hours import next_opening
from policy.period import day_of
from policy.reasons import Refusal
from policy.review import PROPOSED
from programme import handbooks, letters, post
from programme.letters import Changed
from store import people as people_store
from store import reviews as store
from store.reviews import ADOPTED

if TYPE_CHECKING:
    from datetime import date, datetime

    from policy.handbook import Handbook
    from policy.period import Month, Quarter
    from programme.desk import Desk
    from store.engine import Session
    from store.people import Person
    from store.reviews import Kept, Review

TEMPLATE = "reviews/review_notice"


def is_affected(kept: Kept) -> bool:
    """Whether a review makes any difference to somebody's grant."""
    return kept.factor != kept.case.factor_before


def is_cut(kept: Kept) -> bool:
    return kept.factor < kept.case.factor_before


def effect_month(session: Session, quarter: Quarter, *, desk: Desk, now: datetime) -> Month:
    """From when a review holds that is adopted now: everybody who is affected is told early enough before."""
    book = handbooks.load(session).on(day_of(now, desk.zone))
    told = [noticed_on(person, book, now) for person, _ in _affected(session, quarter)]
    return review_dates.effect_month(
        max([*told, day_of(now, desk.zone)]), book.messages.holidays, notice_days=book.appeals.notice_days
    )  # fmt: skip


def noticed_on(person: Person, book: Handbook, adopted_at: datetime) -> date:
    """The day, the person's own, on which they are told of what is adopted at an instant."""
    zone = people_store.zone_of(person)
    return day_of(next_opening(adopted_at, zone, book.messages), zone)


def appeal_until(person: Person, book: Handbook, adopted_at: datetime) -> date:
    """The last day, in the person's own time zone, on which they can appeal."""
    day = noticed_on(person, book, adopted_at)
    return review_dates.last_appeal_day(day, book.messages.holidays, appeal_days=book.appeals.appeal_days)


def owe(session: Session, quarter: Quarter, *, desk: Desk, now: datetime) -> int:
    """Owe a notice to everybody whose grant an adopted review changes; how many.

    To be called in the transaction that adopts the review, after its state is changed.
    """
    kept = store.get(session, quarter)
    if kept is None or kept.state != ADOPTED:
        raise Refusal("not_adopted", f"The review of {quarter} is not adopted: there is nothing to tell.")
    book = handbooks.load(session).on(day_of(now, desk.zone))
    rows = [
        (
            f"review_notice:{quarter}:{person.id}",
            TEMPLATE,
            letters.written(_view(kept, person, one, book, now)),
            person.id,
        )
        for person, one in _affected(session, quarter)
    ]
    return post.to_people(session, rows, book=book, earliest=now, now=now)


def _affected(session: Session, quarter: Quarter) -> list[tuple[Person, Kept]]:
    found = []
    for one in store.cases(session, quarter):
        if is_affected(one):
            person = people_store.by_id(session, one.case.person_id)
            assert person is not None  # noqa: S101 - a foreign key
            found.append((person, one))
    return found


def _view(kept: Review, person: Person, one: Kept, book: Handbook, now: datetime) -> Changed:
    case = one.case
    assert kept.holds_from is not None  # noqa: S101 - it is adopted
    as_proposed = one.decision == PROPOSED
    return Changed(
        quarter=kept.quarter,
        holds_from=kept.holds_from,
        delta_thousandths=one.delta_thousandths,
        factor_before=case.factor_before,
        factor_after=one.factor,
        sized_for=kept.basis.month,
        grant_before=case.grant_before if as_proposed else None,
        grant_after=case.grant_after if as_proposed else None,
        decision=one.decision,
        decision_reason=one.decision_reason or "",
        peers_size=case.peers_size,
        unit=case.unit,
        state=case.state_after,
        because=case.reasons,
        would_change=case.would_change,
        appeal_until=appeal_until(person, book, now) if is_cut(one) else None,
        contact=book.contact,
    )
