"""What the allowance was worth in a year: every token is in one line, at its quarter's value, for its owner alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from policy import handbook, offers
from policy.units import MicroTokens, NanoUSD
from programme.balance import balance
from programme.grants import lapses
from programme.offers import worth
from tests.support import books, cast

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock
    from views.offers import YearsWorth

ADA = "U0ADA"
RULES = handbook.parse(handbook.packaged()).offers


def of(app: App, year: int | None = None, user: str = ADA) -> YearsWorth:
    with app.reading() as moment:
        found = worth.of_slack_user(moment, user, year)
    assert found is not None
    return found


def tokens(found: YearsWorth) -> dict[str, str]:
    return {one.name: f"{one.tokens.decimal:f}" for one in found.lines}


@pytest.fixture
def played(sqlite_app: App, clock: Clock) -> App:
    """Ada gets 1,500 for ten days and 5,000 for a year in November, uses 108 of them, and lets the first end."""
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    cast.give(sqlite_app, "ada@example.com", "1500", days=10)
    cast.give(sqlite_app, "ada@example.com", "5000", days=365)
    books.take_in(sqlite_app, cast.event("1", at=clock.now, meters={"output": 72_000}))
    clock.now += timedelta(days=20)
    with sqlite_app.transaction() as moment:
        lapses.close_ended(moment, moment.today)
    return sqlite_app


def test_a_year_adds_up(played: App) -> None:
    """Granted − used − ended is what is left; the worth of what was used is what it cost."""
    found = of(played)
    assert tokens(found) == {"granted": "6500", "used": "-108", "lapsed": "-1392"}
    assert found.opening.tokens == 0
    assert found.closing.tokens == MicroTokens.parse("5000")
    with played.reading() as moment:
        card = balance.of_slack_user(moment, ADA)
    assert card is not None
    assert card.available == found.closing.tokens
    assert found.used == NanoUSD.parse("1.08")
    assert not found.is_over


def test_the_next_year_begins_with_what_was_left(played: App, clock: Clock) -> None:
    """What was left is carried into the year after; the year before reads as it did, and is over."""
    clock.now = datetime(2027, 2, 1, 12, tzinfo=UTC)
    this, last = of(played), of(played, 2026)
    assert (this.year, this.opening.tokens) == (2027, last.closing.tokens)
    assert this.lines == ()
    assert (last.is_over, this.is_over) == (True, False)
    assert tokens(last)["granted"] == "6500"


def test_a_year_before_there_were_tokens_is_empty(played: App) -> None:
    """Nothing is made up for it."""
    found = of(played, 2025)
    assert (found.lines, found.closing.tokens, found.used) == ((), MicroTokens(0), NanoUSD(0))


def test_use_as_money_is_a_range_within_its_cost(played: App) -> None:
    """At the least nothing, at the most half of it: what an offer takes off, but for what is known by now."""
    found = of(played)
    assert found.used_as_cash == offers.used_as_cash(NanoUSD.parse("1.08"), RULES)
    assert (found.used_as_cash.low, found.used_as_cash.high) == (NanoUSD(0), NanoUSD.parse("0.54"))


def test_someone_without_a_wallet_reads_nothing_but_zeros(sqlite_app: App) -> None:
    """And someone we do not know reads nothing at all."""
    assert of(sqlite_app, user="U0BEN").lines == ()
    with sqlite_app.reading() as moment:
        assert worth.of_slack_user(moment, "U0STRANGER") is None
