"""Days are added up, so that files read some lines instead of events.

Of a settled month for good. Of a month that runs each night: the file then reads what was posted since beside it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import Month, first_instant
from programme.finance import lines
from programme.finance.lines import COST, DEBIT
from programme.finance.months import Months
from store import locks
from store.finance import days as store
from store.finance.days import KeptDay
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from programme.finance.lines import Figures, Lines
    from programme.moment import Moment
    from store.finance.charges import Instants
    from store.finance.days import Borne

UNDER_WAY = timedelta(hours=1)
"""What was posted before an instant is committed by then."""


def add_up(moment: Moment, day: date) -> bool:
    """Keep what a day bears for good; whether it was time.

    With a month's first day goes what was corrected in that month. A day that is kept already stays as it is.
    """
    told = Months(moment, Month.containing(day))
    if moment.now < told.settled_at(told.month) + UNDER_WAY:
        return False
    kept = store.of_month(moment.session, str(told.month)).get(day)
    if kept is None or kept.bearers is not None:
        reader = lines.reader(told)
        if day == told.month.first_day:
            for earlier, posted in reader.corrected():
                _keep(reader, earlier, posted, reader.of(earlier, posted).items())
        _keep(reader, day, reader.posted, reader.of(day, reader.posted).items())
        store.forget_changes(moment.session, day)
    return True


def is_owed(moment: Moment) -> bool:
    """Whether it is night, and there are days to be added up of months that run."""
    night = first_instant(moment.today, moment.zone) + UNDER_WAY
    return moment.now >= night and any(True for _ in _running(moment))


def advance(moment: Moment, at: datetime) -> bool:
    """Add up one day of a month that runs, as of an hour ago; whether none is left that was not since an instant."""
    locks.hold(moment.session, Lock.CHARGES)
    for told, days in _running(moment):
        kept = store.of_month(moment.session, str(told.month))
        reader = lines.reader(told)
        for day in days:
            is_done = day in kept and kept[day].added_up_at >= at
            if not is_done and not reader.is_fresh(day):
                posted = (reader.posted[0], min(moment.now - UNDER_WAY, reader.posted[1]))
                summed = reader.summed(day, posted)
                _keep(reader, day, posted, summed.lines.items(), summed.groups)
                return False
    return True


def _running(moment: Moment) -> Iterator[tuple[Months, list[date]]]:
    """The months that are not settled, each with the days before today on which anything was used."""
    month = Month.containing(moment.today)
    while True:
        told = Months(moment, month)
        if told.is_final:
            return
        days = store.used(moment.session, (month.first_day, min(month.next().first_day, moment.today)))
        if days:
            yield told, days
        month = month.previous()


def _keep(
    reader: Lines, day: date, posted: Instants, some: Iterable[tuple[Borne, Figures]], bearers: str | None = None
) -> None:
    moment = reader.told.moment
    found = sorted((borne, figures) for borne, figures in some if any(figures))
    cost, debit = (sum(figures[place] for _, figures in found) for place in (COST, DEBIT))
    bounds = (*reader.bounds(day), *posted)
    kept = KeptDay(str(reader.told.month), day, *bounds, len(found), cost, debit, moment.now, bearers)
    store.keep(moment.session, kept, reader.meters, found)
