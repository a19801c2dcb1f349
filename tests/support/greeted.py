"""Greetings of people who join, usual and unusual."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from policy.kinds import LotKind
from policy.period import Month, Quarter
from policy.units import MicroTokens
from policy.value.valuation import TokenValue
from programme.grants.greetings import Greeting
from scheduler.composers import grants
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from views.balance import BalanceCard, LotLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
GRANT = LotLine(
    LotKind.MONTHLY,
    "Grant for November 2026",
    MicroTokens.parse("37500"),
    MicroTokens.parse("37500"),
    datetime(2026, 10, 31, 23, tzinfo=UTC),
    datetime(2027, 1, 31, 23, tzinfo=UTC),
)
PILOT = dataclasses.replace(
    GRANT,
    kind=LotKind.MANUAL,
    reason="Pilot grant",
    amount=MicroTokens.parse("1500"),
    remaining=MicroTokens.parse("120.35"),
    expires_at=datetime(2026, 11, 30, 23, tzinfo=UTC),
)
CARD = BalanceCard(
    person_id="per_1",
    name="Ada Lovelace",
    zone=BERLIN,
    value=TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_000_000),
    available=MicroTokens.parse("37500"),
    granted=MicroTokens.parse("37500"),
    debt=MicroTokens(0),
    lots=(GRANT,),
    coming=(),
    month=Month(2026, 11),
    spent_this_month=MicroTokens(0),
    services=(),
    outlook=None,
    used_before=False,
    now=NOW,
)
SERVICES = ("Anthropic API", "OpenAI API", "GPU cluster")
MORE = (*SERVICES, "Vertex AI", "Bedrock", "Mistral API")


def greeting(card: BalanceCard = CARD, services: tuple[str, ...] = SERVICES, contact: str = CONTACT) -> Message:
    return grants.greeting(Greeting(card, services, contact))


COMING = dataclasses.replace(
    CARD,
    available=MicroTokens(0),
    lots=(),
    coming=(dataclasses.replace(GRANT, starts_at=NOW + timedelta(days=14)),),
)
CASES: dict[str, Callable[[], Message]] = {
    "greeting": greeting,
    "greeting_of_many_services": lambda: greeting(services=MORE),
    "greeting_of_two_lots": lambda: greeting(
        dataclasses.replace(CARD, lots=(PILOT, GRANT), available=MicroTokens.parse("37620.35"))
    ),
    "greeting_before_it_begins": lambda: greeting(COMING),
    "greeting_once_it_is_used_up": lambda: greeting(
        dataclasses.replace(CARD, available=MicroTokens(0), lots=(), used_before=True)
    ),
    "greeting_hostile": lambda: greeting(services=(HOSTILE,) * 6, contact=HOSTILE),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "greeting": lambda: greeting(services=(ENDLESS,) * 200, contact=ENDLESS),
}
