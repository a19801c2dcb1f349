"""What follows from a review that is adopted: from when it holds, and a word to everyone whose grant changes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.hours import next_opening
from policy.period import day_of, first_instant
from policy.reasons import Refusal
from policy.reviews import dates
from programme import notify
from programme.reviews import grounds
from store import time_zones
from store.people import directory as people_store
from store.reviews import drafts as store
from store.reviews.votes import CLOSE, EFFECT
from views.reviews import ADOPTED, Changed

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from policy.handbook import Handbook
    from policy.period import Month, Quarter
    from programme.moment import Moment
    from views.reviews import Review, ReviewedCase

TEMPLATE = "reviews/notice"
A_DAY = timedelta(days=1)


def is_cut(kept: ReviewedCase) -> bool:
    return kept.factor < kept.case.factor_before


def effect_month(moment: Moment, quarter: Quarter) -> Month:
    """From when a review holds that is adopted now: everyone who is affected is told early enough before.

    Never before an earlier one on top of which it was drafted.
    """
    today = moment.today
    book = moment.handbooks.on(today)
    told = [
        noticed_on(time_zones.zone(zone, moment.zone), book, moment.now)
        for zone in store.zones_of_affected(moment.session, quarter, today)
    ]
    month = dates.effect_month(max([*told, today]), book.messages.holidays, notice_days=book.reviews.notice_days)
    before = store.last_adopted(moment.session, before=quarter)
    return month if before is None or before.holds_from is None else max(month, before.holds_from)


def noticed_on(zone: ZoneInfo, book: Handbook, adopted_at: datetime) -> date:
    """The day in a person's time zone on which they are told of what is adopted at an instant."""
    return day_of(next_opening(adopted_at, zone, book.messages), zone)


def appeal_until(zone: ZoneInfo, book: Handbook, adopted_at: datetime) -> date:
    """The last day in a person's time zone on which they can appeal."""
    day = noticed_on(zone, book, adopted_at)
    return dates.last_appeal_day(day, book.messages.holidays, appeal_days=book.appeals.appeal_days)


def milestones(moment: Moment, kept: Review) -> list[tuple[str, datetime]]:
    """(step, instant) of what comes after a review is adopted, in order: it holds; no one can appeal against a cut.

    The second follows from where those who are cut live now, and so may move when they do.
    """
    assert kept.decided_at is not None  # noqa: S101 - it is adopted
    assert kept.holds_from is not None  # noqa: S101 - as above
    day = day_of(kept.decided_at, moment.zone)
    book = moment.handbooks.on(day)
    affected = store.zones_of_affected(moment.session, kept.quarter, day, cut=True)
    zones = [time_zones.zone(zone, moment.zone) for zone in affected]
    ends = [first_instant(appeal_until(zone, book, kept.decided_at) + A_DAY, zone) for zone in zones]
    found = [(EFFECT, first_instant(kept.holds_from.first_day, moment.zone))]
    found += [(CLOSE, max(ends))] if ends else []
    return sorted(found, key=lambda one: (one[1], one[0]))


def owe(moment: Moment, quarter: Quarter) -> int:
    """Owe a notice to everyone whose grant an adopted review changes; how many.

    To be called in the transaction that adopts the review, after its state is changed. The rows only name the case:
    a vote that had to write thousands of notices would keep Slack, and all other writers, waiting.
    """
    kept = store.get(moment.session, quarter)
    if kept is None or kept.state != ADOPTED:
        raise Refusal("not_adopted", f"The review of {quarter} is not adopted, so there is nothing to tell.")
    today = moment.today
    book = moment.handbooks.on(today)
    rows = [
        (f"review_notice:{quarter}:{id_}", TEMPLATE, json.dumps({"quarter": str(quarter), "person_id": id_}), id_)
        for id_ in store.affected(moment.session, quarter, today)
    ]
    return notify.to_people(moment, rows, book=book, earliest=moment.now)


def notice(moment: Moment, quarter: Quarter, person_id: str) -> Changed:
    """What is told to someone whose grant an adopted review changes, as it is known now."""
    kept, one = store.get(moment.session, quarter), store.case(moment.session, quarter, person_id)
    person = people_store.by_id(moment.session, person_id)
    assert kept is not None  # noqa: S101 - it was adopted when this was owed, and reviews are never deleted
    assert one is not None  # noqa: S101 - nor are cases
    assert person is not None  # noqa: S101 - a foreign key
    return of(moment, kept, one)


def of(moment: Moment, kept: Review, one: ReviewedCase) -> Changed:
    """What a case of an adopted review tells its person; with the handbook of the day on which it was adopted."""
    case = one.case
    assert kept.holds_from is not None  # noqa: S101 - as above
    assert kept.decided_at is not None  # noqa: S101 - it is adopted
    book = moment.handbooks.on(day_of(kept.decided_at, moment.zone))
    grant = grounds.grant_of(moment, kept, one)
    return Changed(
        quarter=kept.quarter,
        holds_from=kept.holds_from,
        delta_thousandths=one.delta_thousandths,
        factor_before=case.factor_before,
        factor_after=one.factor,
        sized_for=kept.basis.month,
        grant_before=case.grant_before,
        grant_after=grant.amount,
        bound=grant.bound,
        decision=one.decision,
        decision_reason=one.decision_reason or "",
        ground=grounds.of(moment, kept, one),
        peers_size=case.peers_size,
        unit=case.unit,
        state=case.state_after,
        because=case.reasons,
        would_change=case.would_change,
        appeal_until=appeal_until(moment.zone, book, kept.decided_at) if is_cut(one) else None,
        contact=book.contact,
    )
