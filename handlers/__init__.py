"""Where people and programs talk to us: slash commands and HTTP intake."""

from __future__ import annotations

import secrets
import traceback
from typing import TYPE_CHECKING

from policy.period import Month

if TYPE_CHECKING:
    import logging

    from programme.moment import Moment


FIRST_YEAR, LAST_YEAR = 2000, 2100
"""The years that a programme can have, as for usage events; the calendar's own ends have no month beside them."""


def month_named(text: str) -> Month:
    """The month that someone wrote, such as `2026-11`; a ValueError shows what is none."""
    month = Month.parse(text)
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise ValueError(f"{text!r} is not in the years {FIRST_YEAR} to {LAST_YEAR}")
    return month


def contact_of(moment: Moment) -> str:
    """Whom a person should ask, as the handbook says."""
    return moment.recent_handbooks.versions[-1].contact


def note_failure(logger: logging.Logger, what: str, error: Exception) -> str:
    """Log an unforeseen failure, and return the number under which it is found there.

    Only its kind and its place: a database's error says with which names and amounts a statement ran.
    """
    failure_id = secrets.token_hex(4)
    where = "".join(traceback.format_tb(error.__traceback__))
    # A path or a command may hold line breaks, with lines that were never logged behind them.
    logger.error("%s failed (%s): %s\n%s", repr(what)[1:-1], failure_id, type(error).__qualname__, where)
    return failure_id
