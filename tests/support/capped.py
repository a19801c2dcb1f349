"""Caps and denials, usual and unusual, as gateways and people are told of them."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.caps import CHEAPER_ONLY, STOPPED, WALLET_EMPTY
from policy.units import MicroTokens, NanoUSD
from templates import holds as words
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from views import codec
from views.codec import written
from views.holds import CapTold, Denial, Limits, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
NOTHING = NanoUSD(0)


def usd(text: str) -> NanoUSD:
    return NanoUSD.parse(text)


WALLET = CapTold(
    *("wallet", "wallet", "balance", "stop"),
    *(usd("1.25"), NOTHING, usd("0.75"), None),
    room_tokens=MicroTokens.parse("50"),
)
BELOW = MicroTokens.parse("368")
OVERDRAWN = dataclasses.replace(WALLET, held=NOTHING, room_tokens=-BELOW)
DAY = CapTold("Care", "person", "day", "stop", usd("100"), usd("98"), usd("1.5"), MIDNIGHT)
OVERRUN = dataclasses.replace(DAY, used=usd("101.5"), held=NOTHING)
PROJECT = CapTold("Apollo", "project", "month", "warn", usd("900"), usd("120"), NOTHING, MIDNIGHT, subject="apollo")
CASH = CapTold("Cash", "programme", "month", "stop", usd("60000"), usd("59998.5"), usd("1"), MIDNIGHT)
EMPTY = Denial(WALLET_EMPTY, WALLET, usd("2"), "claude-sonnet-4-5", "", "call", CONTACT)
CAPPED = dataclasses.replace(EMPTY, code=STOPPED, cap=DAY)
SLOWED = dataclasses.replace(
    CAPPED, code=CHEAPER_ONLY, cap=dataclasses.replace(DAY, action="slow"), cheaper="gpt-5-mini"
)
SHOWN = Limits(
    person_id="per_1",
    balance=MicroTokens.parse("4120.35"),
    held=MicroTokens.parse("120"),
    overdraft=MicroTokens.parse("500"),
    caps=(
        DAY,
        PROJECT,
        dataclasses.replace(CASH, services=("gpu-cluster",)),
        dataclasses.replace(WALLET, room_tokens=MicroTokens.parse("4500.35")),
    ),
    stops=True,
    near_share=Decimal("0.8"),
    contact=CONTACT,
)


def hostile(denial: Denial) -> Denial:
    cap = dataclasses.replace(denial.cap, name=HOSTILE, subject=HOSTILE, scope="project", room_tokens=None)
    return dataclasses.replace(denial, cap=cap, model=HOSTILE, cheaper=HOSTILE, contact=HOSTILE)


def told(denial: Denial, at_once: str = "0") -> Message:
    """The message as it comes out of the outbox."""
    stopped = codec.read(Stopped, json.loads(written(Stopped(denial, NOW, "per_1"))))
    return words.stopped(stopped, MicroTokens.parse(at_once))


def endless() -> Limits:
    caps = tuple(dataclasses.replace(DAY, name=ENDLESS, subject=ENDLESS) for _ in range(50))
    return dataclasses.replace(SHOWN, caps=caps, contact=ENDLESS)


CASES: dict[str, Callable[[], Message]] = {
    "stopped_wallet": lambda: told(EMPTY),
    "stopped_wallet_below_zero": lambda: told(dataclasses.replace(EMPTY, cap=OVERDRAWN)),
    "stopped_wallet_with_break_glass": lambda: told(EMPTY, "25000"),
    "stopped_cash": lambda: told(dataclasses.replace(CAPPED, cap=CASH), "25000"),
    "stopped_project": lambda: told(dataclasses.replace(CAPPED, cap=PROJECT)),
    "stopped_cap": lambda: told(CAPPED),
    "stopped_slow": lambda: told(SLOWED),
    "stopped_hostile": lambda: told(hostile(SLOWED)),
    "caps": lambda: words.caps(SHOWN),
    "caps_wallet_first": lambda: words.caps(dataclasses.replace(SHOWN, caps=(WALLET, PROJECT), stops=False)),
    "caps_overrun": lambda: words.caps(
        dataclasses.replace(SHOWN, balance=-BELOW, held=MicroTokens(0), caps=(OVERDRAWN, OVERRUN))
    ),
    "caps_company": lambda: words.caps(dataclasses.replace(SHOWN, balance=None, caps=())),
    "caps_hostile": lambda: words.caps(
        dataclasses.replace(SHOWN, caps=(hostile(SLOWED).cap, *SHOWN.caps), contact=HOSTILE)
    ),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "stopped": lambda: told(
        dataclasses.replace(
            CAPPED, cap=dataclasses.replace(DAY, name=ENDLESS, subject=ENDLESS), model=ENDLESS, contact=ENDLESS
        )
    ),
    "caps": lambda: words.caps(endless()),
}
