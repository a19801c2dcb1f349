"""Warnings, usual and unusual, and the form in which people say when they want them."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from typing import TYPE_CHECKING, Any

from policy.period import Month
from policy.units import MicroTokens, NanoUSD
from scheduler.composers import warnings
from templates import render
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from views import codec
from views.codec import written
from views.warnings import SpendWarning

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

USUAL = SpendWarning(
    percent=85,
    month=Month(2026, 11),
    spent=MicroTokens.parse("79645"),
    left=MicroTokens.parse("14055.25"),
    debt=MicroTokens(0),
    per_token=NanoUSD.parse("0.0102"),
    can_tell=True,
    earliest=date(2026, 11, 25),
    lasts_until=date(2026, 11, 27),
    next_grant_on=date(2026, 12, 1),
    contact=CONTACT,
)
NOTHING_LEFT = dataclasses.replace(USUAL, percent=100, left=MicroTokens(0))


def told(warned: SpendWarning) -> Message:
    """The message as it comes out of the outbox."""
    return warnings.warning(codec.read(SpendWarning, json.loads(written(warned))))


CASES: dict[str, Callable[[], Message]] = {
    "warning": lambda: told(USUAL),
    "warning_at_half": lambda: told(dataclasses.replace(USUAL, percent=50, can_tell=False, next_grant_on=None)),
    "warning_that_is_certain": lambda: told(dataclasses.replace(USUAL, earliest=USUAL.lasts_until)),
    "warning_of_months": lambda: told(dataclasses.replace(USUAL, lasts_until=None)),
    "warning_nothing_left": lambda: told(NOTHING_LEFT),
    "warning_in_debt": lambda: told(dataclasses.replace(NOTHING_LEFT, debt=MicroTokens.parse("312.5"))),
    "warning_hostile": lambda: told(dataclasses.replace(USUAL, contact=HOSTILE)),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "warning": lambda: told(dataclasses.replace(USUAL, contact=ENDLESS)),
}


def form() -> dict[str, Any]:
    hours = [(str(hour), f"{hour:02}:00") for hour in range(24)]
    return render.modal(
        "warnings/choose",
        options=[(str(p), f"{p} %") for p in (50, 70, 85, 95)],
        chosen=["85", "95"],
        hours=hours,
        quiet_from="20",
        quiet_until="8",
    )


MODALS: dict[str, Callable[[], dict[str, Any]]] = {"choose_warnings": form}
