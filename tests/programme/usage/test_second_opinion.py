"""What a gateway reckons that a call cost is compared with what was posted, and never posted itself."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from policy.metering import Remarks
from policy.units import NanoUSD
from programme.people import directory
from programme.usage import intake, second_opinion
from store.tables.usage import usage_quotes
from tests.support import books, cast
from tests.support.books import ADA
from tests.support.clock import NOON

if TYPE_CHECKING:
    from policy.metering import UsageEvent
    from programme.app import App
    from store.usage.quotes import Apart

OURS = 5_400_000
"""Nano-USD: what an event of the cast costs."""


def quoted(event_id: str, nano_usd: int, *, who: str = ADA) -> UsageEvent:
    return cast.event(event_id, at=NOON, who=who)._replace(remarks=Remarks(quoted=nano_usd))


def by_model(app: App) -> list[Apart]:
    with app.reading() as moment:
        found, latest = second_opinion.differences(moment, limit=10)
    assert sum(one.events for one in found) == len(latest)
    return found


def test_what_differs_is_posted_at_our_price_and_listed(app: App) -> None:
    """The wallet pays what we reckon; the gateway is told both figures, and they are summed up by model."""
    with app.transaction() as moment:
        outcomes = intake.take_in(moment, [quoted("a", 2 * OURS), quoted("b", OURS), quoted("c", 3 * OURS)])
    assert [outcome.detail for outcome in outcomes] == [
        "posted at USD 0.0054; the gateway reckons USD 0.0108",
        "",
        "posted at USD 0.0054; the gateway reckons USD 0.0162",
    ]
    assert {outcome.status for outcome in outcomes} == {"accepted"}
    assert -books.wallet(app, ADA).decimal / 100 == 3 * NanoUSD(OURS).decimal
    [one] = by_model(app)
    assert one == ("gateway", "anthropic", "claude-sonnet-4-5", "", 2, NanoUSD(2 * OURS), NanoUSD(5 * OURS))


@pytest.mark.parametrize(
    ("quote", "listed"),
    [(0, 0), (OURS, 0), (OURS * 100 // 98, 0), (OURS * 100 // 97, 1), (OURS * 100 // 101, 0), (OURS * 100 // 103, 1)],
)
def test_two_per_cent_of_the_quote_are_tolerated(sqlite_app: App, quote: int, listed: int) -> None:
    """Both ways; a gateway that knows no price says 0, and that is no opinion."""
    books.take_in(sqlite_app, quoted("a", quote))
    assert books.count(sqlite_app, usage_quotes) == listed
    assert len(by_model(sqlite_app)) == listed


def test_the_handbook_says_what_is_tolerated(sqlite_app: App) -> None:
    """A company whose gateway has prices of its own may ask to hear of less."""
    text = books.handbook_text("2026.2", date(2026, 1, 1)).replace("quote_tolerance = 0.02", "quote_tolerance = 0.5")
    books.apply_text(sqlite_app, text)
    with sqlite_app.reading() as moment:
        assert second_opinion.tolerance(moment) == Fraction(1, 2)
    books.take_in(sqlite_app, quoted("a", OURS * 15 // 10), quoted("b", OURS * 3))
    assert [one.events for one in by_model(sqlite_app)] == [1]


def test_what_waits_is_compared_once_it_is_posted(app: App) -> None:
    """An event of nobody we know keeps its quote until somebody pays it."""
    books.take_in(app, quoted("a", 2 * OURS, who="u17"), quoted("b", OURS, who="u17"))
    assert by_model(app) == []
    with app.transaction() as moment:
        directory.map_identity(moment, source="*", kind="user", value="u17", email=ADA, actor="test")
    assert books.retry(app) == (2, 0)
    assert [(one.events, one.quoted) for one in by_model(app)] == [(1, NanoUSD(2 * OURS))]


def test_the_same_event_again_is_listed_once(sqlite_app: App) -> None:
    """A journal that is sent again adds no opinions, and a free call has none."""
    free = cast.event("free", at=NOON, meters={})._replace(remarks=Remarks(quoted=OURS))
    for _ in range(2):
        books.take_in(sqlite_app, quoted("a", 2 * OURS), free)
    assert [one.events for one in by_model(sqlite_app)] == [1]
