"""What follows from a review that is adopted: from when it holds, and a word to everybody whose grant changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from policy import review_dates
from policy.hours import next_opening
from policy.period import day_of, first_instant
from policy.reasons import Refusal
from policy.review import PROPOSED
from programme import handbooks, letters, post
from programme.letters import Changed
from store import reviews as store
from store.review_votes import CLOSE, EFFECT
from store.reviews import ADOPTED

if TYPE_CHECKING:
    from datetime import date, datetime

    from policy.handbook import Handbook
    from policy.period import Month, Quarter
    from programme.desk import Desk
    from store.engine import Session
    from store.reviews import Kept, Review

TEMPLATE = "review/notice"
A_DAY = timedelta(days=1)


def is_cut(kept: Kept) -> bool:
    return kept.factor < kept.case.factor_before


def effect_month(session: Session, quarter: Quarter, *, desk: Desk, now: datetime) -> Month:
    """From when a review holds that is adopted now: everybody who is affected is told early enough before.

    Never before an earlier one on top of which it was drafted.
    """
    book = handbooks.load(session).on(day_of(now, desk.zone))
    told = [noticed_on(ZoneInfo(zone), book, now) for zone in store.zones_of_affected(session, quarter)]
    month = review_dates.effect_month(
        max([*told, day_of(now, desk.zone)]), book.messages.holidays, notice_days=book.reviews.notice_days
    )  # fmt: skip
    before = store.last_adopted(session, before=quarter)
    return month if before is None or before.holds_from is None else max(month, before.holds_from)


def noticed_on(zone: ZoneInfo, book: Handbook, adopted_at: datetime) -> date:
    """The day in a person's time zone on which they are told of what is adopted at an instant."""
    return day_of(next_opening(adopted_at, zone, book.messages), zone)


def appeal_until(zone: ZoneInfo, book: Handbook, adopted_at: datetime) -> date:
    """The last day in a person's time zone on which they can appeal."""
    day = noticed_on(zone, book, adopted_at)
    return review_dates.last_appeal_day(day, book.messages.holidays, appeal_days=book.appeals.appeal_days)


def milestones(session: Session, kept: Review, *, desk: Desk) -> list[tuple[str, datetime]]:
    """(step, instant) of what comes after a review is adopted, in order: it holds; nobody can appeal against a cut.

    The second follows from where those who are cut live now, and so may move when they do.
    """
    assert kept.decided_at is not None  # noqa: S101 - it is adopted
    assert kept.holds_from is not None  # noqa: S101 - as above
    book = handbooks.load(session).on(day_of(kept.decided_at, desk.zone))
    zones = [ZoneInfo(zone) for zone in store.zones_of_affected(session, kept.quarter, cut=True)]
    ends = [first_instant(appeal_until(zone, book, kept.decided_at) + A_DAY, zone) for zone in zones]
    found = [(EFFECT, first_instant(kept.holds_from.first_day, desk.zone))]
    found += [(CLOSE, max(ends))] if ends else []
    return sorted(found, key=lambda one: (one[1], one[0]))


def owe(session: Session, quarter: Quarter, *, desk: Desk, now: datetime) -> int:
    """Owe a notice to everybody whose grant an adopted review changes; how many.

    To be called in the transaction that adopts the review, after its state is changed.
    """
    kept = store.get(session, quarter)
    if kept is None or kept.state != ADOPTED:
        raise Refusal("not_adopted", f"The review of {quarter} is not adopted: there is nothing to tell.")
    book = handbooks.load(session).on(day_of(now, desk.zone))
    affected = store.affected(session, quarter)
    zones = post.zones(session, [one.case.person_id for one in affected])
    rows = []
    for one in affected:
        id_ = one.case.person_id
        view = of(kept, one, ZoneInfo(zones[id_]), book)
        rows.append((f"review_notice:{quarter}:{id_}", TEMPLATE, letters.written(view), id_))
    return post.to_people(session, rows, book=book, earliest=now, now=now)


def of(kept: Review, one: Kept, zone: ZoneInfo, book: Handbook) -> Changed:
    """What a case of an adopted review tells its person; with the handbook of the day on which it was adopted."""
    case = one.case
    assert kept.holds_from is not None  # noqa: S101 - it is adopted
    assert kept.decided_at is not None  # noqa: S101 - it is adopted
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
        appeal_until=appeal_until(zone, book, kept.decided_at) if is_cut(one) else None,
        contact=book.contact,
    )
