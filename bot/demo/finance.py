"""What finance at the invented company sees: a vendor's report with something planted, and a closed month with a file.

It happens on some mornings of a month, between two looks of the story; what somebody at the page has done stands.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from bot.demo import company
from handlers.finance import focus_writing
from policy.period import Month
from policy.reasons import Refusal
from policy.units import NanoUSD
from policy.vendors import COST, USAGE, Line, Place
from programme import anchors
from programme.closings import closing
from programme.finance import month_charges
from programme.finance.months import Months
from programme.reconciliation import comparing, gathering
from programme.vendors import taking
from store.closings import records
from store.handbook import reference
from store.vendors import lines as vendor_lines
from store.vendors.lines import Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from pathlib import Path

    from policy.reconciliation.books import Posted
    from programme.app import App
    from programme.moment import Moment

VENDOR = "anthropic"
ACTOR = "demo"
REPORTED_ON, CLOSED_ON = 2, 6
"""Days of the next month: the vendor's report is there, and a month on which both sides agree is closed."""
LOST_ON = 11
"""On the first working day from this one on the gateway lost a part of its reports."""
LOST = 2
"""The vendor counted so much more: a half of what the gateway reported."""


def happen(app: App, instant: datetime, folder: Path) -> None:
    """Whatever an instant has for finance; what happened before does not happen again."""
    local = instant.astimezone(app.zone)
    if local.hour >= 3 or local.day not in {REPORTED_ON, CLOSED_ON}:  # noqa: PLR2004 - the first look of the day
        return
    month = Month.containing(local.date()).previous()
    with app.reading(instant) as moment:
        begun = reference.fact(moment.session, company.BEGINS_ON) or ""
    if str(month.first_day) <= begun:
        # It was not lived through as a whole.
        return
    if local.day == REPORTED_ON:
        _compare(app, instant, month, is_first=str(month.previous().first_day) <= begun)
    else:
        _close(app, instant, month, folder)


def _compare(app: App, instant: datetime, month: Month, *, is_first: bool) -> None:
    """The vendor's report of a month is taken in and compared, once; of the first one both sides agree."""
    with app.transaction(instant) as moment:
        window = Window(VENDOR, month.first_day, max(month.days()))
        if vendor_lines.synced_within(moment.session, window):
            return
        lost_on = None if is_first else next(day for day in _working_days(month) if day.day >= LOST_ON)
        taking.take(moment, window, _report(moment, window, lost_on), actor=ACTOR)
        comparing.reconcile(moment, VENDOR, month)


def _working_days(month: Month) -> Iterator[date]:
    return (day for day in month.days() if day.weekday() in company.MONDAY_TO_FRIDAY)


def _report(moment: Moment, window: Window, lost_on: date | None) -> Iterator[Line]:
    """What the vendor counted and charged: what the gateway reported, and of one day what it lost as well."""
    meters: defaultdict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    calls: Counter[tuple[date, str]] = Counter()
    costs: Counter[tuple[date, str]] = Counter()
    for one in _posted(moment, window):
        place = (one.hour.date(), one.model)
        meters[place].update(one.meters)
        calls[place] += one.calls
        costs[place] += one.cost
    for (day, model), counts in sorted(meters.items()):
        more = 1 if day == lost_on else 0
        said = {meter: count + more * count // LOST for meter, count in counts.items()}
        number, cost = (some[day, model] for some in (calls, costs))
        yield Line(Place(USAGE, day, "", "", model, "", ""), said, number + more * number // LOST, None)  # type: ignore[arg-type]  # meters' names
        usd = NanoUSD(cost + more * cost // LOST)
        yield Line(Place(COST, day, "", "", model, "", "tokens"), {}, None, usd)


def _posted(moment: Moment, window: Window) -> Iterator[Posted]:
    """What the ledger has of the days, without the hours around them."""
    book = moment.handbooks.on(window.last)
    posted = gathering.books(moment, window, book).posted
    return (one for one in posted if window.first <= one.hour.date() <= window.last and not one.waits)


def _close(app: App, instant: datetime, month: Month, folder: Path) -> None:
    """A month of which nothing is open is closed, and its file lies beside the ledger."""
    try:
        with app.transaction(instant) as moment:
            if records.get(moment.session, str(month)) is None:
                closing.close(moment, month, actor=ACTOR)
                _write(moment, month, folder / f"focus-{month}.csv")
    except Refusal:
        # Finance has not decided about every difference yet.
        return


def _write(moment: Moment, month: Month, path: Path) -> None:
    told = Months(moment, month)
    with path.open("wb") as out:
        lines = focus_writing.write(out, told, month_charges.of(told), "1.4", "csv")
    anchors.note_export(moment, "export.focus", actor=ACTOR, lines=lines)
