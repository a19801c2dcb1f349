"""Where the programme stands, for its board: entitled, funded, consumed; its phase; how much of grants is used."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy import disclosure, rollout
from policy.period import Month, is_working_day
from policy.units import MicroTokens
from policy.value import reserve
from programme.value import valuation
from store.grants import monthly
from store.handbook import reference
from views.value import Histogram, ProgrammeFigures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from policy.handbook import Handbook
    from programme.moment import Moment

RECENT = timedelta(minutes=1)
MEDIAN, NEARLY_ALL = 50, 95


def of(moment: Moment) -> ProgrammeFigures:
    """The programme as it stands."""
    today = moment.today
    month, books = Month.containing(today), moment.handbooks
    book, value = books.on(today), valuation.expected(moment, month.quarter, books)
    used = _used(moment, month, book.reserve.months)
    worst_case = value.worth(MicroTokens(max(reference.outstanding(moment.session), 0)))
    # What few people used is not told by the reserve either.
    least = max(book.disclosure.least_people, reserve.FEWEST)
    permille = reserve.share(used if len(used) >= least else (), book.reserve)
    launched = book.rollout.launched_on
    return ProgrammeFigures(
        month=month,
        entitled=monthly.totals(moment.session, month).entitled,
        funded=reserve.funded(worst_case, permille),
        worst_case=worst_case,
        reserve_permille=permille,
        consumed=monthly.cost(moment.session, month),
        phase=rollout.phase(month, book.rollout),
        months_since_launch=rollout.months_since_launch(month, launched) if launched else None,
        next_review=next_review(today, book),
        utilisation=histogram(used, book, month),
    )


def _used(moment: Moment, month: Month, months: int) -> list[int]:
    """The share of their regular grants that people burnt in the last full months, in thousandths."""
    begin, end = month.plus(-months).bounds(moment.zone)[0], month.bounds(moment.zone)[0]
    shares = monthly.utilisation(moment.session, begin, end).values()
    return [burnt * reserve.WHOLE // granted for burnt, granted in shares]


def histogram(used: Sequence[int], book: Handbook, month: Month) -> Histogram:
    """How many people used how much, as far as it may be told."""
    least = book.disclosure.least_people
    enough = len(used) >= least
    told = disclosure.counts(reserve.bins(used), least) if enough else (None,) * (reserve.BINS + 1)
    edges = [(low * 10, low * 10 + 10 if low < reserve.BINS else None) for low in range(reserve.BINS + 1)]
    return Histogram(
        people=len(used),
        bins=tuple((low, high, count) for (low, high), count in zip(edges, told, strict=True)),
        median_permille=reserve.percentile(used, MEDIAN) if enough else None,
        p95_permille=reserve.percentile(used, NEARLY_ALL) if len(used) >= max(least, reserve.FEWEST) else None,
        months=named_months(month.plus(-book.reserve.months), month.previous()),
        least=least,
    )


def named_months(first: Month, last: Month) -> str:
    """`August to October 2026`."""
    begin = first.first_day
    if first == last:
        return f"{begin:%B %Y}"
    return (
        f"{begin:%B} to {last.first_day:%B %Y}"
        if first.year == last.year
        else f"{begin:%B %Y} to {last.first_day:%B %Y}"
    )


def next_review(today: date, book: Handbook) -> date:
    """The first working day of the next quarter."""
    day = Month.containing(today).quarter.next().first_day
    while not is_working_day(day, book.messages.holidays):
        day += timedelta(days=1)
    return day


class RecentFigures:
    """The standing as it was at most a minute ago: it goes through the whole programme's grants and months of use."""

    def __init__(self) -> None:
        self._kept: tuple[datetime, ProgrammeFigures] | None = None

    def get(self, moment: Moment) -> ProgrammeFigures:
        if self._kept is None or not timedelta(0) <= moment.now - self._kept[0] < RECENT:
            self._kept = (moment.now, of(moment))
        return self._kept[1]
