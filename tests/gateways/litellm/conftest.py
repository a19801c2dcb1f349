from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import holding

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bot() -> Iterator[holding.Bot]:
    """A bot at which Ada has 10 USD."""
    bot = holding.Bot()
    bot.wallets["ada@example.com"] = 10 * holding.NANO
    with holding.listening(bot) as running:
        yield running
