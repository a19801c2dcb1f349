"""Where an entry is booked: in its own month, and in the running one once that is closed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from store.closings import records

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Month
    from programme.moment import Moment


def instant(moment: Moment, month: Month) -> datetime:
    """When something about a whole month took effect: at its last instant; now while it runs, and once it is closed."""
    end = month.bounds(moment.zone)[1]
    is_closed = str(month) in records.closed_months(moment.session)
    return moment.now if is_closed or moment.now < end else end - timedelta(microseconds=1)
