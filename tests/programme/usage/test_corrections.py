"""Usage that was posted wrongly is put right: reversed, and debited anew, by the version of the event that holds."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.units import MicroTokens
from policy.versions import Version
from programme.balance import balance
from programme.usage import corrections
from store.tables.intake import usage_refusals
from store.tables.ledger import entries, lots
from store.tables.usage import usage_conflicts, usage_days, usage_versions
from store.usage import events as usage_store
from tests.support import books, cast
from tests.support.books import ADA
from tests.support.clock import NOON

if TYPE_CHECKING:
    from policy.metering import Meters, UsageEvent
    from programme.app import App
    from programme.usage.intake import Status
    from tests.support.clock import Clock

NEWCOMER = "email,name,level,role_family,time_zone,hired_on\nnew@example.com,N,mid,engineering,UTC,2026-01-01\n"
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


def test_lots_get_back_in_reverse_what_the_wrong_debit_burnt(sqlite_app: App) -> None:
    """The lot that burnt last gets back first, and none of them more than it gave."""
    cast.give(sqlite_app, ADA, "1", days=10, reason="soon")
    cast.give(sqlite_app, ADA, "1", days=20, reason="later")
    books.take_in(sqlite_app, cast.event("1", at=NOON, meters=OUTPUT))
    put_right(sqlite_app, corrected(cast.event("1", at=NOON, meters={"output": 200})))
    assert books.remaining(sqlite_app) == {"soon": MicroTokens.parse("0.7"), "later": MicroTokens.parse("1")}
    assert books.findings(sqlite_app) == {}


def test_debt_goes_first(sqlite_app: App) -> None:
    """What comes back settles what is owed, before any lot is filled again."""
    cast.give(sqlite_app, ADA, "1")
    books.take_in(sqlite_app, cast.event("wrong", at=NOON, meters=OUTPUT))
    books.take_in(sqlite_app, cast.event("right", at=NOON, meters={"output": 400}))
    assert books.wallet(sqlite_app, ADA) == MicroTokens.parse("-1.1")
    put_right(sqlite_app, withdrawn("wrong"))
    assert books.remaining(sqlite_app) == {"Pilot grant": MicroTokens.parse("0.4")}
    assert books.wallet(sqlite_app, ADA) == MicroTokens.parse("0.4")
    assert books.findings(sqlite_app) == {}


def test_a_lot_that_had_to_pay_the_debt_gets_it_back(sqlite_app: App) -> None:
    """The next grant went into a debt that never should have been: it is whole again, with its own end."""
    cast.give(sqlite_app, ADA, "1", reason="first")
    books.take_in(sqlite_app, cast.event("wrong", at=NOON, meters={"output": 100_000}))
    cast.give(sqlite_app, ADA, "5", reason="second")
    assert books.remaining(sqlite_app) == {"first": 0, "second": 0}
    put_right(sqlite_app, withdrawn("wrong"))
    assert books.remaining(sqlite_app) == {"first": MicroTokens.parse("1"), "second": MicroTokens.parse("5")}
    assert books.findings(sqlite_app) == {}


def test_what_has_ended_comes_back_for_thirty_days(sqlite_app: App, clock: Clock) -> None:
    """Tokens of a lot that is over would be lost at once: they come as a lot of their own."""
    cast.give(sqlite_app, ADA, "5", days=10, reason="over")
    books.take_in(sqlite_app, cast.event("wrong", at=NOON, meters=OUTPUT))
    clock.move(days=12)
    put_right(sqlite_app, withdrawn("wrong"))
    kept = books.rows(sqlite_app, sa.select(lots.c.kind, lots.c.remaining, lots.c.expires_at).order_by(lots.c.id))
    assert kept[1] == ("returned", 1_500_000, clock() + timedelta(days=30))
    with sqlite_app.reading() as moment:
        card = balance.of_email(moment, ADA)
    assert card is not None
    assert card.available == MicroTokens.parse("1.5")
    assert books.findings(sqlite_app) == {}


def test_an_older_version_changes_nothing_and_is_kept(sqlite_app: App) -> None:
    """The highest revision holds; the same again is a duplicate, another content under a revision a conflict."""
    books.take_in(sqlite_app, cast.event("1", at=NOON))
    third = corrected(cast.event("1", at=NOON, meters=OUTPUT), 3)
    second = corrected(cast.event("1", at=NOON, meters={"output": 7}), 2)
    assert put_right(sqlite_app, third) == ["accepted"]
    assert put_right(sqlite_app, second, third, withdrawn("1", 2)) == ["accepted", "duplicate", "conflict"]
    assert put_right(sqlite_app, second._replace(reason="another")) == ["duplicate"]
    assert books.wallet(sqlite_app, ADA) == MicroTokens.parse("-1.5")
    chain = books.rows(sqlite_app, sa.select(usage_versions.c.revision, usage_versions.c.action))
    assert sorted(chain) == [(0, "report"), (2, "correct"), (3, "correct")]
    assert books.rows(sqlite_app, sa.select(usage_conflicts.c.offered)) == [({"withdrawn": True, "revision": 2},)]
    counted = sa.select(usage_refusals.c.status, usage_refusals.c.reason, usage_refusals.c.events)
    assert books.rows(sqlite_app, counted) == [("conflict", "revision", 1)]
    assert books.findings(sqlite_app) == {}


def test_a_correction_that_comes_first_wins(sqlite_app: App) -> None:
    """The event that comes late is kept and debits no one; once more it is no news, nor is what says what holds."""
    right = cast.event("1", at=NOON, meters=OUTPUT)
    assert put_right(sqlite_app, corrected(right), withdrawn("2")) == ["accepted", "accepted"]
    late = (cast.event("1", at=NOON), cast.event("2", at=NOON))
    assert books.take_in(sqlite_app, *late, *late) == ["accepted", "accepted", "duplicate", "duplicate"]
    assert books.take_in(sqlite_app, *late, right) == ["duplicate"] * 3
    other = cast.event("1", at=NOON, meters={"output": 9})
    assert books.take_in(sqlite_app, other) == ["conflict"]
    assert books.wallet(sqlite_app, ADA) == MicroTokens.parse("-1.5")
    assert books.findings(sqlite_app) == {}


def test_what_waits_is_replaced_and_tried_at_once(sqlite_app: App) -> None:
    """A correction of an event in quarantine takes it out if it can; a withdrawal always does."""
    unknown = ("anthropic", "claude-of-tomorrow")
    events = [cast.event(name, at=NOON, model=unknown) for name in ("mended", "still", "gone")]
    assert books.take_in(sqlite_app, *events) == ["quarantined"] * 3
    outcomes = put_right(
        sqlite_app,
        corrected(cast.event("mended", at=NOON, meters=OUTPUT)),
        corrected(cast.event("still", at=NOON, who="stranger@example.com")),
        withdrawn("gone"),
    )
    assert outcomes == ["accepted", "quarantined", "accepted"]
    with sqlite_app.database.reading() as session:
        held = usage_store.held_events(session, limit=10)
    assert [(one.event.event_id, one.reason) for one in held] == [("still", "unknown_person")]
    assert books.retry(sqlite_app) == (0, 1)
    assert books.findings(sqlite_app) == {}


def test_a_correction_that_cannot_be_priced_waits(sqlite_app: App) -> None:
    """What was wrong is undone at once; what is right waits in quarantine, and is debited once it can be."""
    books.take_in(sqlite_app, cast.event("1", at=NOON))
    assert put_right(sqlite_app, corrected(cast.event("1", at=NOON, who="new@example.com"))) == ["quarantined"]
    assert books.wallet(sqlite_app, ADA) == 0
    assert books.findings(sqlite_app) == {}
    cast.hire(
        sqlite_app,
        "email,name,level,role_family,time_zone,hired_on\nnew@example.com,N,mid,engineering,UTC,2026-01-01\n",
    )
    assert books.retry(sqlite_app) == (1, 0)
    assert books.wallet(sqlite_app, "new@example.com") == MicroTokens.parse("-0.54")
    assert books.findings(sqlite_app) == {}


def test_a_correction_keeps_the_value_and_the_price_of_its_event(sqlite_app: App) -> None:
    """A handbook with another price that is applied since does not reprice what is only corrected."""
    books.take_in(sqlite_app, cast.event("1", at=NOON, meters={"output": 2_000}))
    books.apply_handbook(sqlite_app, "2026.2", date(2026, 11, 1), more=books.OWN_PRICE)
    put_right(sqlite_app, corrected(cast.event("1", at=NOON, meters=OUTPUT)))
    assert books.wallet(sqlite_app, ADA) == MicroTokens.parse("-1.5")
    assert books.take_in(sqlite_app, cast.event("2", at=NOON, meters=OUTPUT)) == ["accepted"]
    assert books.wallet(sqlite_app, ADA) == MicroTokens.parse("-2.5")
    assert books.findings(sqlite_app) == {}


def test_the_audit_log_tells_who_and_why(sqlite_app: App) -> None:
    """Each version has a row with its reason, and no amount."""
    books.take_in(sqlite_app, cast.event("1", at=NOON))
    put_right(sqlite_app, corrected(cast.event("1", at=NOON, meters=OUTPUT)), withdrawn("1", 2))
    told = [*books.audited(sqlite_app, "usage.correct"), *books.audited(sqlite_app, "usage.withdraw")]
    assert [(row["actor"], row["subject"], row["after"]) for row in told] == [
        ("test", "gateway/1", {"revision": 1, "reason": "counted twice"}),
        ("test", "gateway/1", {"revision": 2, "reason": "never happened"}),
    ]
