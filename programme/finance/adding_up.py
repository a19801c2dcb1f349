"""A day of a settled month is added up for good: from then on files read some lines instead of its events."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import Month
from programme.finance import lines
from programme.finance.lines import COST, DEBIT
from programme.finance.months import Months
from store.finance import days as store
from store.finance.days import KeptDay

if TYPE_CHECKING:
    from datetime import date

    from programme.finance.lines import Lines
    from programme.moment import Moment
    from store.finance.charges import Instants

UNDER_WAY = timedelta(hours=1)
"""What was posted before a month was settled is committed by then."""


def add_up(moment: Moment, day: date) -> bool:
    """Keep what a day bears, with a month's first day also what was corrected in that month; whether it was time.

    A day that is kept already stays as it is.
    """
    told = Months(moment, Month.containing(day))
    if moment.now < told.settled_at(told.month) + UNDER_WAY:
        return False
    if day not in store.of_month(moment.session, str(told.month)):
        reader = lines.reader(told)
        if day == told.month.first_day:
            for earlier, posted in reader.corrected():
                _keep(reader, earlier, posted)
        _keep(reader, day, reader.posted)
    return True


def _keep(reader: Lines, day: date, posted: Instants) -> None:
    moment = reader.told.moment
    found = sorted(reader.added_up(day, posted).items())
    cost, debit = (sum(figures[place] for _, figures in found) for place in (COST, DEBIT))
    bounds = (*reader.bounds(day), *posted)
    kept = KeptDay(str(reader.told.month), day, *bounds, len(found), cost, debit, moment.now)
    store.keep(moment.session, kept, reader.meters, found)
