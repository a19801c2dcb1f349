"""What the tests of the plugin share: people, models, and a gate whose clock is set by hand."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateways.litellm.estimates import Estimate
from gateways.litellm.gate import Gate
from gateways.litellm.journal import Journal
from gateways.litellm.leases import Model, Prices
from gateways.litellm.outage import Outage
from gateways.litellm.sender import Post
from gateways.litellm.settings import Settings
from gateways.litellm.wire import Ask, Bot, Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateways.litellm.settings import OnOutage
    from tests.support import holding

ADA = Person("ada@example.com")
GPT = Model("openai", "gpt-5")
PRICES = Prices.of({"input_uncached": "0.00000125", "cache_read": "0.000000125", "output": "0.00001"}, 300)
CENT = 10_000_000
"""Nano-USD."""
NOWHERE = "http://127.0.0.1:9"


class Clock:
    """Begins now, because a lease says when it ends, and then goes as it is told."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def ask(output: int | None = 1_000, *, input_tokens: int = 0, person: Person = ADA) -> Ask:
    """A call of GPT-5, whose output costs a cent a thousand tokens."""
    return Ask(person, (GPT,), "", Estimate(input_tokens, output))


@dataclass
class Gateway:
    """One worker of a proxy."""

    gate: Gate
    journal: Journal
    clock: Clock
    post: Post

    async def take(self, output: int | None = 1_000) -> str:
        """Admit a call; its id."""
        return (await self.gate.admit(ask(output))).id


@contextmanager
def gateway(
    bot: holding.Bot | str,
    folder: Path,
    *,
    leases: bool = True,
    grace: float = 600,
    on_outage: OnOutage = "pass",
    clock: Clock | None = None,
    key: str = "tb_key",
) -> Iterator[Gateway]:
    url = bot if isinstance(bot, str) else bot.url
    chosen = Settings(url, key, folder / "journal.db", grace=grace, on_outage=on_outage, leases=leases, patience=20)
    clock = clock or Clock()
    journal = Journal(chosen.journal)
    client = Bot(chosen)
    outage = Outage(chosen, client, journal, clock, {GPT: PRICES}.get)
    post = Post(chosen, journal, clock)
    try:
        yield Gateway(Gate(chosen, client, journal, outage, clock), journal, clock, post)
    finally:
        post.close()
        journal.close()
