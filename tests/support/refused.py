"""Notes of refused usage, usual and unusual."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from templates import usage
from tests.support.letters import ENDLESS, HOSTILE
from views.usage import RefusalNote, RefusedOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

FRIDAY, SUNDAY = date(2026, 11, 20), date(2026, 11, 22)
REJECTS = RefusedOf("litellm-eu", 412, ('data."gen_ai.usage.input_tokens"', "time"), 0, ())
BOTH = RefusedOf("gateway-us", 3, ("specversion",), 1, ("meters, model",))
CLASHES = RefusedOf("exporter", 0, (), 1_204, ("meters", "time", "user", "project", "model"))


def told(*gateways: RefusedOf, first: date = FRIDAY) -> Message:
    return usage.refusals(RefusalNote(first, SUNDAY, gateways))


CASES: dict[str, Callable[[], Message]] = {
    "refusals": lambda: told(REJECTS, BOTH, CLASHES),
    "refusals_of_a_day": lambda: told(REJECTS, first=SUNDAY),
    "refusals_of_ids": lambda: told(CLASHES),
    "refusals_hostile": lambda: told(RefusedOf(HOSTILE, 2, (HOSTILE,) * 5, 2, (HOSTILE,) * 5)),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "refusals": lambda: told(*[RefusedOf(ENDLESS, 10**12, (ENDLESS,) * 5, 10**12, (ENDLESS,) * 5)] * 40),
}
