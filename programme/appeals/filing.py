"""Filing an appeal: by the person whom the review cuts, once, and within some days."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from policy import texts
from policy.business_time import Span
from policy.deadlines import business_hours
from policy.period import day_of
from policy.reasons import Refusal
from programme.appeals import appeals, notices
from programme.appeals.appeals import APPEAL
from programme.reviews import effects
from store import locks
from store.appeals import records as store
from store.locks import Lock
from store.people import directory as people_store
from store.reviews import drafts
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Quarter
    from programme.moment import Moment
    from store.people.directory import Person
    from views.appeals import Appeal
    from views.reviews import ReviewedCase


def require_open_to_appeal(moment: Moment, person: Person, quarter: Quarter) -> ReviewedCase:
    """A person's case that can be appealed now; a Refusal says why there is none."""
    kept, case = drafts.get(moment.session, quarter), drafts.case(moment.session, quarter, person.id)
    if kept is None or case is None or kept.state != ADOPTED or kept.decided_at is None:
        raise _nothing_to_appeal(quarter)
    if not effects.is_cut(case):
        raise Refusal("no_cut", f"The review of {quarter} does not cut your grant, so there is nothing to undo.")
    if (before := store.get(moment.session, quarter, person.id)) is not None:
        raise Refusal(
            "appealed",
            f"You have already appealed against this, and your appeal {APPEAL.said[before.state]}.",
            next_step="`/tokens review` shows where it stands.",
        )
    zone, book = people_store.zone_of(person, moment.zone), moment.handbooks.on(day_of(kept.decided_at, moment.zone))
    last_day = effects.appeal_until(zone, book, kept.decided_at)
    if day_of(moment.now, zone) > last_day:
        raise Refusal(
            "too_late",
            f"You could appeal against the review of {quarter} until the end of {last_day.day} {last_day:%b %Y}.",
            next_step="The next review starts afresh. If you need more before that, ask with `/tokens request`.",
        )
    return case


def _nothing_to_appeal(quarter: Quarter) -> Refusal:
    return Refusal("nothing_to_appeal", f"No decision about you was made for {quarter}.")


def file(moment: Moment, person: Person, quarter: Quarter, reason: str) -> Appeal:
    """Appeal against a cut; the same form sent again is the same appeal."""
    locks.hold(moment.session, Lock.GRANTS)
    if not store.lock_case(moment.session, quarter, person.id):
        raise _nothing_to_appeal(quarter)
    before = store.get(moment.session, quarter, person.id)
    if before is not None and before.reason == reason.strip():
        return before
    require_open_to_appeal(moment, person, quarter)
    said = texts.require(
        "reason", reason, 'Write in a sentence what is wrong, for example "I was on leave in May". The board reads it.'
    )
    moment = appeals.after_grants(moment, person.id)
    store.insert(moment.session, quarter, person.id, said, **times(moment)._asdict(), now=moment.now)
    appeal = appeals.require(moment, quarter, person.id)
    notices.tell_of_new(moment, appeal, appeals.deciders(moment, appeal))
    appeals.note(moment, appeal, person.id, store.FILED)
    return appeal


class Times(NamedTuple):
    """When those who can decide an appeal are reminded, and when it lapses."""

    remind_at: datetime
    decide_by: datetime


def times(moment: Moment) -> Times:
    """Of an appeal that is filed now."""
    book = moment.handbook
    hours = business_hours(book, moment.zone)
    days = (book.appeals.remind_days, book.appeals.decide_days)
    return Times(*(hours.after(moment.now, Span(count, "day", is_business=True)) for count in days))
