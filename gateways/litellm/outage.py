"""While the bot is away: what was last known of wallets goes on holding for a while; then as the operator says."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import denials

if TYPE_CHECKING:
    from collections.abc import Callable

    from .journal import Journal
    from .leases import Model, Prices
    from .settings import Settings
    from .wire import Ask, Away, Bot

log = logging.getLogger("tokens_bot")

PROBE_SECONDS = 1
TOUCH_SECONDS = 1
UNPRICED_NANO = 50_000_000
"""What a call counts as while the bot is away, and not even the proxy has a price for its model: five cents."""


@dataclass
class Outage:
    """Whether the bot is away, and what may be spent meanwhile, by all workers of the proxy together."""

    settings: Settings
    bot: Bot
    journal: Journal
    clock: Callable[[], float]
    quote: Callable[[Model], Prices | None] = lambda _: None
    """The proxy's own prices, for models of which the bot has told none yet."""
    prices: dict[Model, Prices] = field(default_factory=dict)
    away: bool = False
    probing: bool = False
    _touched_at: float = 0

    def begin(self, reason: Away) -> None:
        """The bot is away: nobody waits for it any more."""
        if not self.away:
            log.warning("tokens-bot is away (%s): calls go on within what was last known", reason)
        self.away = True

    def met(self) -> None:
        """The bot answered. The end of an outage is noted however short that was: grace is counted from its begin."""
        now = self.clock()
        if self.away or now - self._touched_at >= TOUCH_SECONDS:
            self._touched_at = now
            self.journal.touch(now=now)
        self.away = False

    async def probe(self) -> None:
        """Ask every second, until the bot is back."""
        try:
            while self.away:
                await asyncio.sleep(PROBE_SECONDS)
                if await self.bot.is_there():
                    log.warning("tokens-bot is back")
                    self.met()
        finally:
            self.probing = False

    def admit(self, ask: Ask) -> int:
        """What is counted for a call against what was known, in nano-USD; Denial where it may not be made."""
        known, since = self.journal.known(ask.person.name), self.journal.miss(now=self.clock())
        if known is not None and self.clock() - since <= self.settings.grace:
            prices = [one for model in ask.models if (one := self.prices.get(model) or self.quote(model))]
            # As the bot counts where it is tight: worst cases would stop calls that fit.
            amount = max((one.likely(ask.estimate) for one in prices), default=UNPRICED_NANO)
            if self.journal.spend(ask.person.name, amount):
                return amount
            raise denials.spent_while_away()
        if self.settings.on_outage == "stop":
            raise denials.away()
        return 0
