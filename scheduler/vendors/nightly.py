"""Each night vendors are asked for their last days, and the open months are compared with what they say."""

from __future__ import annotations

import logging
import time
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import Month
from policy.reasons import Refusal
from programme.reconciliation import comparing, deciding
from programme.vendors import taking
from scheduler.vendors import syncing
from store import audit, runs
from store.closings import records
from store.vendors import lines as store
from store.vendors.lines import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from programme.app import App
    from programme.moment import Moment
    from scheduler.vendors.client import Access

logger = logging.getLogger(__name__)

SECONDS = 600
"""How often it is looked whether a night's work is still to be done."""
FROM_HOUR = 2
"""In UTC: counts of a day are in by then, and costs of most."""
MOST_BATCHES = 20
"""So many batches of calls are corrected in one go; the next goes on."""


def job_of(access: Access) -> str:
    return f"vendors.{access.vendor}"


def work(app: App, accesses: Sequence[Access], *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Ask every vendor that was not asked today, and compare. It never raises: a vendor that is away stops no other.

    What failed is on record as a failed run, which the doctor tells of, until a later try succeeds.
    """
    for access in accesses:
        try:
            _ask(app, access, sleep)
        except Refusal as refusal:
            logger.warning("vendors: %s is refused: %s", access.vendor, refusal.code)
            _note(app, access, str(refusal))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is on record, and the next try begins anew
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("vendors: %s failed: %s\n%s", access.vendor, type(error).__qualname__, where)  # noqa: TRY400
            _note(app, access, f"{type(error).__qualname__}; see the log")


def _note(app: App, access: Access, reason: str) -> None:
    now = app.clock()
    with app.database.transaction() as session:
        runs.note_failure(session, job_of(access), str(now.date()), reason=reason, now=now)


def _ask(app: App, access: Access, sleep: Callable[[float], None]) -> None:
    with app.reading() as moment:
        today = moment.now.date()
        if moment.now.hour < FROM_HOUR or runs.is_done(moment.session, job_of(access), str(today)):
            return
        window = Window(access.vendor, _first(moment, access.vendor, today), today - timedelta(days=1))
    lines = syncing.fetch(access, window.first, window.last, sleep=sleep)
    with app.transaction() as moment:
        if not runs.claim(moment.session, job_of(access), str(today), now=moment.now):
            return
        taking.take(moment, window, lines, actor=audit.POLICY)
        closed = records.closed_months(moment.session)
        for vendor, month in comparing.due_months(moment.session, Month.containing(today), closed):
            if vendor == access.vendor:
                comparing.reconcile(moment, vendor, month)


def _first(moment: Moment, vendor: str, today: date) -> date:
    """Some days back, as far as the last sync if that was longer ago; at first, last month as well."""
    until = store.synced_until(moment.session, vendor)
    if until is None:
        return Month.containing(today).previous().first_day
    return min(until, today - timedelta(days=moment.handbook.reconciliation.resync_days))


def mend(app: App) -> None:
    """Correct calls of what finance decided to have corrected."""
    for _ in range(MOST_BATCHES):
        with app.transaction() as moment:
            if not deciding.mend_some(moment):
                return
