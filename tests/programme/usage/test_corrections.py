"""Usage that was posted wrongly is put right: reversed, and debited anew, by the version of the event that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.units import MicroTokens
from policy.versions import Version
from programme.usage import corrections
from store.tables.ledger import entries
from store.tables.usage import usage_days
from tests.support import books, cast
from tests.support.books import ADA
from tests.support.clock import NOON

if TYPE_CHECKING:
    from policy.metering import Meters, UsageEvent
    from programme.app import App
    from programme.usage.intake import Status

OUTPUT: Meters = {"output": 1_000}
"""USD 0.015 of Sonnet: 1.5 tokens."""


def corrected(event: UsageEvent, revision: int = 1) -> Version:
    return Version(event.source, event.event_id, revision, event, "counted twice")


def withdrawn(event_id: str, revision: int = 1, source: str = "gateway") -> Version:
    return Version(source, event_id, revision, None, "never happened")


def put_right(app: App, *versions: Version) -> list[Status]:
    with app.transaction() as moment:
        outcomes = corrections.take_in(moment, versions, actor="test")
    return [outcome.status for outcome in outcomes]


def days(app: App) -> list[tuple[object, ...]]:
    return books.rows(app, sa.select(usage_days).order_by(*usage_days.primary_key.columns))


def test_a_correction_takes_the_place_of_what_was_reported(app: App) -> None:
    """The wrong debit is reversed, the right one posted; both entries name the one that they correct."""
    cast.give(app, ADA, "10")
    books.take_in(app, cast.event("1", at=NOON, meters={"output": 2_000}), cast.event("2", at=NOON, meters=OUTPUT))
    assert put_right(app, corrected(cast.event("1", at=NOON, meters=OUTPUT))) == ["accepted"]
    assert books.wallet(app, ADA) == MicroTokens.parse("7")
    assert books.remaining(app) == {"Pilot grant": MicroTokens.parse("7")}
    chain = books.rows(app, sa.select(entries.c.kind, entries.c.corrects_entry_id).order_by(entries.c.id))
    assert chain == [("grant", None), ("usage", None), ("reversal", 2), ("usage", 2)]
    assert books.findings(app) == {}


def test_a_withdrawal_leaves_nothing_of_an_event(app: App) -> None:
    """Wallet, lots, service and roll-up are as if the event had never come."""
    cast.give(app, ADA, "10")
    books.take_in(app, cast.event("1", at=NOON))
    assert put_right(app, withdrawn("1")) == ["accepted"]
    assert books.wallet(app, ADA) == MicroTokens.parse("10")
    assert books.remaining(app) == {"Pilot grant": MicroTokens.parse("10")}
    assert books.account(app, "service:anthropic") == 0
    assert days(app) == []
    assert books.findings(app) == {}
