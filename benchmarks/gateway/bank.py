"""Our bot as the plugin's trial needs it: its HTTP side alone, two people, and what is in their wallets."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot import serving, settings, wiring
from programme.usage import intake, keys
from store.tables.holds import holds
from store.tables.usage import usage_events
from tests.support import books, cast, held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from programme.app import App

OVERDRAFT = 300_000_000
"""Nano-USD: thirty cents. The packaged handbook's five dollars would take the trial an hour."""
NANO_PER_OUTPUT = 15_000
"""Of Claude Sonnet 4.5."""
NANO_PER_MICRO_TOKEN = 10
"""A token is a cent in the packaged handbook."""


@dataclass
class Bank:
    """Where the bot is, the gateway's key, and what its books say."""

    app: App
    url: str
    key: str

    def give(self, email: str, tokens: int) -> int:
        """Grant so many tokens; what is there then, in nano-USD."""
        cast.give(self.app, email, str(tokens), reason="Plugin trial")
        return self.left(email)

    def empty(self, email: str) -> None:
        """Let somebody use whatever they have, and the overdraft."""
        output = (max(self.left(email), 0) + OVERDRAFT) // NANO_PER_OUTPUT + 1
        with self.app.transaction() as moment:
            used = cast.event("emptied", at=moment.now, who=email, meters={"output": output}, source="trial")
            [outcome] = intake.take_in(moment, [used])
        assert outcome.status == "accepted"

    def left(self, email: str) -> int:
        return int(books.wallet(self.app, email)) * NANO_PER_MICRO_TOKEN

    def events(self) -> int:
        return books.count(self.app, usage_events)

    def held_for_calls(self) -> int:
        return len(books.rows(self.app, sa.select(holds.c.id).where(holds.c.status == "held", holds.c.kind == "call")))

    def findings(self) -> dict[str, list[str]]:
        return books.findings(self.app)


@contextmanager
def open_for_calls(folder: Path) -> Iterator[Bank]:
    loaded = settings.load({"TOKENS_DATABASE_URL": f"sqlite:///{folder / 'tokens.db'}", "TOKENS_HTTP_PORT": "0"})
    app = wiring.new_app(loaded)
    cast.settle(app)
    usual = "overdraft_least_usd = 5"
    text = held.stopping_text(overdraft=True)
    assert usual in text
    books.apply_text(app, text.replace(usual, "overdraft_least_usd = 0.30"))
    with app.transaction() as moment:
        key = keys.create(moment, name="plugin", source="plugin", scopes=["holds:write"], actor="trial").secret
    try:
        with serving.serving(loaded, app, parts=["http"]) as url:
            yield Bank(app, url, key)
    finally:
        app.database.close()
