"""When the tokens run out if spending goes on as it did."""

from __future__ import annotations

from datetime import date, timedelta

PACE_DAYS = 28
"""Four whole weeks, so that every weekday counts equally often."""
FURTHEST_DAYS = 366
"""Beyond a year a run-out date says nothing."""


def run_out_on(available: int, spent: int, days_observed: int, today: date) -> date | None:
    """The day on which `available` is used up at the mean daily pace; None when that is more than a year away.

    `spent` is what the last `days_observed` days took (at most PACE_DAYS). Nothing spent, no date.
    """
    if available <= 0:
        return today
    if spent <= 0 or days_observed <= 0:
        return None
    days = available * days_observed // spent
    return today + timedelta(days=days) if days <= FURTHEST_DAYS else None
