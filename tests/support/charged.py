"""Statements of cost centres: owners of the offices' centres, and the messages that they get."""

from __future__ import annotations

import dataclasses
import io
from functools import partial
from typing import TYPE_CHECKING

from policy.units import MicroTokens, NanoUSD
from programme.people import cost_centres
from templates import finance
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from tests.support.offices import FEW, PLATFORM, RESEARCH
from views.finance import EARLIER, NOT_APART, SHARED, USAGE, CentreMonth, OwnersMonth, Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from templates.render import Message

OWNERS = {"CC-10": PLATFORM[0], "CC-20": RESEARCH[0], "CC-30": FEW[0]}


def name_owners(app: App, owners: dict[str, str] | None = None) -> None:
    """Let people own the offices' cost centres: one each, or as is said."""
    names = {"CC-10": "Platform", "CC-20": "Research", "CC-30": "Few"}
    owned = OWNERS if owners is None else owners
    lines = "".join(f"{key},{name},{owned.get(key, '')}\n" for key, name in names.items())
    with app.transaction() as moment:
        cost_centres.import_csv(moment, io.StringIO(f"cost_centre,name,owner_email\n{lines}"), actor="test")


def part(key: str, usd: str, name: str = "") -> Part:
    """A part of a cost centre's month; a token is a cent."""
    amount = NanoUSD.parse(usd)
    return Part(key, name, amount, MicroTokens(int(amount) // 10))


def centre(key: str, name: str, usd: str, **more: object) -> CentreMonth:
    whole = part(key, usd)
    told = CentreMonth(key, name, "2026-10", whole.spent, whole.debited, people=17)
    return dataclasses.replace(told, **more)  # type: ignore[arg-type]  # fields of it


PLAIN = centre(
    "CC-20",
    "Research",
    "1234.5",
    services=(part("anthropic", "934.2", "Anthropic API"), part("openai", "300.3", "OpenAI API")),
    projects=(part("", "1234.5", "No project"),),
    kinds=(part(USAGE, "1234.5"),),
    before=NanoUSD.parse("1101"),
)
FULL = centre(
    "CC-10",
    "Platform",
    "2710.08",
    services=(
        part("anthropic", "2100", "Anthropic API"),
        part("gpu-cluster", "580.08", "GPU cluster"),
        part(NOT_APART, "30"),
    ),
    projects=(part("apollo", "2000", "Apollo"), part("", "700.08", "No project"), part(NOT_APART, "10")),
    kinds=(part(USAGE, "2672.08"), part(SHARED, "50"), part(EARLIER, "-12")),
    before=NanoUSD.parse("3100"),
)
HIDDEN = CentreMonth("CC-30", "Few", "2026-10", hidden=True)


def told(*centres: CentreMonth, contact: str = CONTACT) -> Message:
    return finance.statement(OwnersMonth("per_1", "2026-10", centres, contact))


def hostile(said: str) -> Message:
    parts = tuple(part(f"{said}{number}", "12.5", said) for number in range(20))
    one = dataclasses.replace(FULL, name=said, services=parts, projects=parts)
    return told(*(dataclasses.replace(one, key=f"{number}") for number in range(20)), contact=said)


CASES: dict[str, Callable[[], Message]] = {
    "costs": partial(told, PLAIN),
    "costs_of_several": partial(told, HIDDEN, PLAIN, FULL),
    "costs_not_compared": partial(told, dataclasses.replace(PLAIN, before=None)),
    "costs_hostile": partial(hostile, HOSTILE),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {"costs": partial(hostile, ENDLESS)}
