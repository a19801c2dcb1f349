"""Whoever has left: their wallet is closed, and every command, button and form tells them so, as Home does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers import contact_of
from policy.period import day_of
from policy.reasons import Refusal
from templates import formats

if TYPE_CHECKING:
    from datetime import date, datetime

    from programme.app import App
    from programme.moment import Moment


def require_here(moment: Moment, left_on: date | None) -> None:
    """A Refusal for somebody whose last day is past."""
    if left_on is not None and left_on < moment.today:
        raise Refusal(
            "left",
            f"You left on {formats.day(left_on)}, so your wallet is closed and what was left lapses.",
            next_step=f"You don't have to do anything. If this is a mistake, please tell {contact_of(moment)}.",
        )


def require_here_at(app: App, now: datetime, left_on: date | None) -> None:
    """The same outside of a transaction; nothing is read of somebody who is here."""
    if left_on is not None and left_on < day_of(now, app.zone):
        with app.reading(now) as moment:
            require_here(moment, left_on)
