"""What people are told before tokens lapse: what their balance says from a day on, and the notices to some of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.kinds import LotKind
from policy.pace import PACE_DAYS, days_observed
from policy.period import Month, first_instant, is_working_day
from policy.units import MICRO_PER_TOKEN, MicroTokens
from programme import carry_over, notify
from programme.grants import lapses, sizing
from store.grants import lapses as store
from store.grants import leavers, monthly
from store.ledger.wallets import Announced
from views import codec
from views.grants import Ending, LapseNotice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from policy.handbook import Handbook
    from programme.moment import Moment
    from store.grants.monthly import Holding

TEN_THOUSAND = 10_000


def announce(moment: Moment, day: date) -> int:
    """Announce what lapses on the next first, and owe the notices of a day; how many people get one.

    A notice goes out on the last working morning that is so many days before. One that comes too late to be of use is
    left out: when the lapse is past, or when its later notice is due too.
    """
    if day == moment.today:
        record(moment)
    rules = moment.handbooks.on(day).messages.holidays
    owed = 0
    for days in moment.handbooks.on(day).lots.notice_days:
        sooner = [d for d in moment.handbooks.on(day).lots.notice_days if d < days]
        for target in _told_on(day, days, rules):
            later = last_working_day(target - timedelta(days=max(sooner)), rules) if sooner else target
            if moment.today < min(later, target):
                owed += _notify(moment, target, day, days=days)
    return owed


def record(moment: Moment) -> None:
    """Keep what will lapse on the next first, from the handbook's day of the month on.

    Use lowers it at once wherever it is shown. Kept is what raises it, or another carry limit.
    """
    month = Month.containing(moment.today).next()
    if not carry_over.is_announced(moment, month):
        return
    book = moment.handbooks.on(month.first_day)
    lots = _holdings(moment)
    grants = sizing.foreseen(moment, month, book, lots)
    over = carry_over.due(lots, grants, book, first_instant(month.first_day, moment.zone))
    kept = store.announced(moment.session, month)
    now = {
        id_: Announced(_whole(over[id_].amount if id_ in over else 0), carry_over.carry_limit(grants.get(id_, 0), book))
        for id_ in over.keys() | kept.keys()
    }
    store.announce(moment.session, month, moment.today, _changed(kept, now))


def _changed(kept: Mapping[str, Announced], now: Mapping[str, Announced]) -> Iterator[tuple[str, Announced]]:
    for person_id, one in sorted(now.items()):
        before = kept.get(person_id, Announced(0, one.carried_at_most))
        if one.amount > before.amount or one.carried_at_most != before.carried_at_most:
            yield person_id, one


def _whole(amount: int) -> int:
    """Less than a token is not worth a word, and does not lapse."""
    return amount if amount >= MICRO_PER_TOKEN else 0


def last_working_day(day: date, holidays: Sequence[date]) -> date:
    """A day itself, or the working day before it."""
    while not is_working_day(day, holidays):
        day -= timedelta(days=1)
    return day


def _told_on(day: date, days: int, holidays: Sequence[date]) -> Iterator[date]:
    """The days so many `days` before which, or on the working day before that, it is `day`."""
    target = day + timedelta(days=days)
    while last_working_day(target - timedelta(days=days), holidays) == day:
        yield target
        target += timedelta(days=1)


def _notify(moment: Moment, target: date, day: date, *, days: int) -> int:
    book = moment.handbooks.on(day)
    lots = _holdings(moment)
    notices = of(moment, target, lots)
    able = _able_to_use(moment, notices, lots, book, (target - day).days)
    gone = leavers.left_before(moment.session, target)
    rows = [
        (f"notice:{target}:{days}:{person_id}", "grants/lapse_notice", codec.written(notice), person_id)
        for person_id, notice in notices.items()
        if person_id in able and person_id not in gone
    ]
    return notify.to_people(moment, rows, book=book, earliest=moment.now)


def of(moment: Moment, target: date, lots: Mapping[str, Sequence[Holding]] | None = None) -> dict[str, LapseNotice]:
    """What each person loses on a day to come, as things stand; those who lose less than a token are left out."""
    lots = _holdings(moment) if lots is None else lots
    begin, end = first_instant(target, moment.zone), first_instant(target + timedelta(days=1), moment.zone)
    over = _over_limit(moment, target, lots)
    days, contact = (target - moment.today).days, moment.handbook.contact
    found = {}
    for person_id, held in sorted(lots.items()):
        ending = tuple(
            Ending(MicroTokens(h.remaining), target)
            for h in held
            # Of an exception its own notice tells, which offers to ask for more time.
            if begin <= h.expires_at < end and h.remaining >= MICRO_PER_TOKEN and h.kind != LotKind.EXCEPTION
        )
        lapsing = _whole(over.get(person_id, 0))
        if ending or lapsing:
            found[person_id] = LapseNotice(target, days, MicroTokens(lapsing), ending, contact, person_id)
    return found


def as_it_stands(moment: Moment, kept: LapseNotice) -> LapseNotice | None:
    """A notice as it is true now; None once there is nothing to lose any more, or it is lost."""
    if moment.today >= kept.on:
        return None
    if not kept.person_id:  # Owed by a release that did not say whose it is.
        return replace(kept, days=(kept.on - moment.today).days)
    own = [h for h in monthly.holdings(moment.session) if h.person_id == kept.person_id]
    return of(moment, kept.on, {kept.person_id: own}).get(kept.person_id)


def _over_limit(moment: Moment, target: date, lots: Mapping[str, Sequence[Holding]]) -> dict[str, int]:
    month = Month.containing(target)
    if target != month.first_day:
        return {}
    over = lapses.foreseen(moment, month, lots, moment.handbooks.on(target))
    if carry_over.is_announced(moment, month):
        told = store.announced(moment.session, month)
        over = {id_: one.at_most(told[id_].amount if id_ in told else 0) for id_, one in over.items()}
    return {person_id: one.amount for person_id, one in over.items()}


def _able_to_use(
    moment: Moment, notices: Mapping[str, LapseNotice], lots: Mapping[str, Sequence[Holding]], book: Handbook, days: int
) -> set[str]:
    """Who could use the handbook's share of what lapses in some days, at their own pace of the last four weeks."""
    if book.lots.notice_share is None:
        return set(notices)
    account_of = {person_id: lots[person_id][0].account_id for person_id in notices}
    today, least = moment.today, int(book.lots.notice_share * TEN_THOUSAND)
    paces = store.paces(moment.session, account_of.values(), first_day=today - timedelta(days=PACE_DAYS - 1))
    able = set()
    for person_id, notice in notices.items():
        pace = paces.get(account_of[person_id])
        lapsing = int(notice.over_limit) + sum(int(one.amount) for one in notice.endings)
        if pace and pace.spent * days * TEN_THOUSAND >= least * lapsing * days_observed(pace.first_day, today):
            able.add(person_id)
    return able


def _holdings(moment: Moment) -> dict[str, list[Holding]]:
    by_person: defaultdict[str, list[Holding]] = defaultdict(list)
    for holding in monthly.holdings(moment.session):
        by_person[holding.person_id].append(holding)
    return by_person
