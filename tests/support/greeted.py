"""Greetings of people who join, usual and unusual."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from policy import handbook
from policy.kinds import LotKind
from policy.offered import Offered, beside
from policy.period import Month, Quarter
from policy.sizing import Claim, size
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import TokenValue
from programme.grants.greetings import Greeting
from programme.offers.joining import KeptOffer
from scheduler.composers import grants
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from views.balance import BalanceCard, LotLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

BOOK = handbook.parse(handbook.packaged())
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


def offered_before(share_then: str = "0.25", *, cost: int, days_active: int = 30) -> KeptOffer:
    """A grant beside an offer of so many USD a year at cost, made some weeks before."""
    claim = Claim("per_1", "staff", NanoUSD.parse("180000"), 1_000, days_active, 30)
    rules = BOOK.sizing
    grant = size([claim], rules, CARD.value, budget=None).grants["per_1"]
    then = Decimal(share_then)
    said = Offered(then, 0, NanoUSD.parse(str(cost)), NanoUSD.parse(str(cost)))
    kept = beside(said, grant, share=rules.share_of_compensation, round_to_tokens=rules.round_to_tokens)
    return KeptOffer(date(2026, 9, 20), kept, grant, then, rules.share_of_compensation)


CASES: dict[str, Callable[[], Message]] = {
    "greeting": greeting,
    "greeting_as_offered": lambda: grants.greeting(Greeting(CARD, SERVICES, CONTACT), offered_before(cost=49_500)),
    "greeting_of_another_amount_than_offered": lambda: grants.greeting(
        Greeting(CARD, SERVICES, CONTACT), offered_before("0.30", cost=54_000, days_active=12)
    ),
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
