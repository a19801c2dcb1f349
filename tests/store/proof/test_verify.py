"""`verify` proves a ledger that no one touched, and finds every figure that someone did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from programme.usage import quarantine
from programme.usage.quarantine import Correction, Wanted
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.cast import GPT
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App

pytestmark = pytest.mark.every_database


@pytest.fixture(scope="module")
def kept(shared_app: App) -> App:
    """A ledger with everything in it: lots, debt, free use, late use, conflicts, and quarantine with every way out."""
    app = shared_app
    cast.give(app, ADA, "100")
    cast.give(app, ADA, "50", days=10)
    late = NOON - timedelta(days=60)
    books.take_in(
        app,
        cast.event("1", at=NOON),
        cast.event("2", at=NOON, model=GPT, project="apollo"),
        cast.event("3", at=late),
        cast.event("free", at=NOON, meters={}),
        cast.event("debt", at=NOON, who=BEN, meters={"output": 1_000_000}),
        cast.event("held", at=NOON, who="stranger@example.com"),
    )
    books.take_in(app, cast.event("1", at=NOON), cast.event("2", at=NOON, meters={"output": 7}))
    newcomer = "email,name,level,role_family,time_zone,hired_on\nnew@example.com,N,mid,engineering,UTC,2026-01-01\n"
    books.take_in(app, cast.event("released", at=late, who="new@example.com"))
    cast.hire(app, newcomer)
    assert books.retry(app) == (1, 1)
    odd, test, first = (
        cast.event(one, at=NOON, model=("anthropic", "odd")) for one in ("fixed", "discarded", "replaced")
    )
    books.take_in(app, odd, test, first)
    books.take_in(app, cast.event("replaced", at=NOON))
    with app.transaction() as moment:
        right = Correction(model="claude-sonnet-4-5")
        quarantine.fix(moment, Wanted(key=("gateway", "fixed")), right, actor="cli:mara", why="A typing error")
        quarantine.discard(moment, Wanted(key=("gateway", "discarded")), actor="cli:mara", why="A load test")
    return app


def test_what_nobody_touched_is_proved(kept: App) -> None:
    """Every figure of a ledger that went through everything it can go through follows from its entries."""
    assert books.findings(kept) == {}


def test_an_empty_ledger_is_proved(app: App) -> None:
    """With no entry at all there is nothing to find."""
    assert books.findings(app) == {}


SHORT = {
    "PAID": "(SELECT min(id) FROM entries WHERE kind = 'usage')",
    "ADAS": "(SELECT id FROM accounts WHERE person_id = (SELECT id FROM people WHERE email = 'ada@example.com'))",
    "TREASURY": "(SELECT id FROM accounts WHERE code = 'treasury')",
}
"""What the statements below say for a sub-query."""

TAMPERINGS = {
    "the amount of a posting": (
        "UPDATE postings SET amount = amount + 1 WHERE entry_id = PAID AND amount < 0",
        "balanced_entries",
    ),
    "both amounts of an entry": (
        "UPDATE postings SET amount = amount * 2 WHERE entry_id = PAID",
        "usage_entries",
    ),
    "a posting is gone": ("DELETE FROM postings WHERE entry_id = PAID AND amount < 0", "balanced_entries"),
    "the balance after a posting": (
        "UPDATE postings SET balance = balance + 1 WHERE entry_id = PAID AND amount < 0",
        "running_balances",
    ),
    "the version of a posting": (
        "UPDATE postings SET version = version + 100 WHERE entry_id = PAID AND amount < 0",
        "running_balances",
    ),
    "the balance of an account": ("UPDATE accounts SET balance = balance + 1 WHERE id = ADAS", "account_balances"),
    "the balance of the treasury": (
        "UPDATE accounts SET balance = balance - 1 WHERE code = 'treasury'",
        "account_balances",
    ),
    "the version of an account": ("UPDATE accounts SET version = version + 1 WHERE id = ADAS", "account_balances"),
    "what remains of a lot": (
        "UPDATE lots SET remaining = remaining - 1 WHERE id = (SELECT min(id) FROM lots)",
        "lots_remaining",
    ),
    "the amount of a lot": (
        "UPDATE lots SET amount = amount + 1 WHERE id = (SELECT min(id) FROM lots)",
        "lots_remaining",
    ),
    "the size of a lot": (
        "UPDATE lots SET amount = amount + 5, remaining = remaining + 5 WHERE id = (SELECT min(id) FROM lots)",
        "lots_as_granted",
    ),
    "a lot movement is gone": (
        "DELETE FROM lot_movements WHERE entry_id = (SELECT min(entry_id) FROM lot_movements)",
        "lots_remaining",
    ),
    "the cost of an event": (
        "UPDATE usage_events SET cost_nano_usd = cost_nano_usd + 1 WHERE event_id = '1'",
        "costs_and_days",
    ),
    "the debit of an event": (
        "UPDATE usage_events SET debit_micro_tokens = debit_micro_tokens - 1 WHERE event_id = '1'",
        "usage_entries",
    ),
    "the meters of an event": (
        """UPDATE usage_events SET meters = '{"output": 1}' WHERE event_id = '1'""",
        "costs_and_days",
    ),
    "the time of an event": (
        "UPDATE usage_events SET occurred_at = '2026-11-02 12:00:00' WHERE event_id = '1'",
        "costs_and_days",
    ),
    "an event is another wallet's": (
        "UPDATE usage_events SET account_id = TREASURY WHERE event_id = '1'",
        "costs_and_days",
    ),
    "the price that was kept": (
        """UPDATE prices SET meters = '{"input_uncached": [1, 1, []], "cache_read": [1, 1, []], "output": [1, 1, []]}'
        """,
        "costs_and_days",
    ),
    "a meter of the price that was kept": (
        """UPDATE prices SET meters = '{"output": [15000000000, 1000000, []]}'""",
        "costs_and_days",
    ),
    "the wallet of an event": (
        "UPDATE usage_events SET account_id = TREASURY WHERE event_id = '1'",
        "events_of_wallets",
    ),
    "the wallet of a free event": (
        "UPDATE usage_events SET account_id = 987654 WHERE cost_nano_usd = 0",
        "events_of_wallets",
    ),
    "the entry of an event": ("UPDATE usage_events SET entry_id = 987654 WHERE event_id = '1'", "events_of_entries"),
    "an event is gone": ("DELETE FROM usage_events WHERE event_id = '1'", "events_by_digest"),
    "the id of an event": ("UPDATE usage_events SET event_id = 'other' WHERE event_id = '1'", "events_by_digest"),
    "what an event is known by is gone": (
        "DELETE FROM usage_ids WHERE event = (SELECT id FROM usage_events WHERE event_id = '1')",
        "events_by_digest",
    ),
    "what an event is known by leads elsewhere": ("UPDATE usage_ids SET event = event + 1", "events_by_digest"),
    "quarantine is of no event": (
        "UPDATE quarantine SET event_id = 'other' WHERE event_id = 'discarded'",
        "rows_of_events",
    ),
    "the content of a kept price": ("UPDATE prices SET provider = 'elsewhere'", "prices_as_kept"),
    "a kept price is gone": ("DELETE FROM prices", "prices_as_kept"),
    "the value of a token": ("UPDATE token_values SET nano_usd_per_token = 20000000", "costs_and_days"),
    "a debit of the roll-up": ("UPDATE usage_days SET debit_micro_tokens = debit_micro_tokens + 1", "costs_and_days"),
    "the calls of the roll-up": ("UPDATE usage_days SET calls = calls + 1", "costs_and_days"),
    "the input tokens of the roll-up": ("UPDATE usage_days SET input_tokens = input_tokens + 1", "costs_and_days"),
    "the output tokens of the roll-up": ("UPDATE usage_days SET output_tokens = output_tokens + 1", "costs_and_days"),
    "the service of the roll-up": (
        "UPDATE usage_days SET service_key = 'mistral' WHERE service_key = 'openai'",
        "services_paid",
    ),
    "a day of the roll-up is gone": ("DELETE FROM usage_days WHERE project = 'apollo'", "costs_and_days"),
    "a debit of the wallets' roll-up": (
        "UPDATE wallet_days SET debit_micro_tokens = debit_micro_tokens + 1",
        "days_of_wallets",
    ),
    "a day of the wallets' roll-up is gone": ("DELETE FROM wallet_days", "days_of_wallets"),
    "a wallet of the wallets' roll-up is another": (
        "UPDATE wallet_days SET account_id = account_id + 100000",
        "days_of_wallets",
    ),
    "a row of quarantine is gone": ("DELETE FROM quarantine WHERE event_id = 'held'", "quarantined_events"),
    "an event was let out of quarantine": (
        "UPDATE quarantine SET released_at = since WHERE event_id = 'held'",
        "quarantined_events",
    ),
    "an event was put back into quarantine": (
        "UPDATE quarantine SET released_at = NULL WHERE event_id = 'released'",
        "quarantined_events",
    ),
    "a discarded event was put back": (
        "UPDATE quarantine SET released_at = NULL WHERE event_id = 'discarded'",
        "quarantined_events",
    ),
    "a discarded event was debited": (
        "UPDATE usage_events SET cost_nano_usd = 0, debit_micro_tokens = 0 WHERE event_id = 'discarded'",
        "quarantined_events",
    ),
    "an event was discarded by no one": (
        "UPDATE quarantine SET released_at = since, discarded_at = since WHERE event_id = 'held'",
        "quarantine_as_audited",
    ),
    "who discarded an event": (
        "UPDATE quarantine_steps SET actor = 'somebody' WHERE step = 'discarded'",
        "quarantine_as_audited",
    ),
    "a correction is gone": ("DELETE FROM quarantine_steps WHERE step = 'fixed'", "quarantine_as_audited"),
    "a row of the audit log": ("UPDATE audit_log SET actor = 'somebody' WHERE seq = 2", "audit_chain"),
    "a row of the audit log is gone": ("DELETE FROM audit_log WHERE seq = 2", "audit_chain"),
}


@pytest.mark.parametrize(("statement", "check"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(kept: App, statement: str, check: str) -> None:
    """One statement behind the ledger's back, and the check whose figure it is says so."""
    for name, meaning in SHORT.items():
        statement = statement.replace(name, meaning)
    with books.rolled_back(kept) as moment:
        assert moment.session.exec_driver_sql(statement).rowcount > 0
        assert books.found_by(moment, check)


def test_a_finding_names_what_does_not_hold(kept: App) -> None:
    """Whoever reads a finding knows the account, the figure that stands there and the one that should."""
    with books.rolled_back(kept) as moment:
        moment.session.exec_driver_sql("UPDATE accounts SET balance = -7 WHERE code = 'treasury'")
        [sentence] = books.found_by(moment, "account_balances")
    assert sentence == "account treasury: balance -7 at version 2, the postings say -150000000 at 2"


def test_days_are_cut_in_the_programmes_zone(app: App) -> None:
    """Half past eleven in the evening in UTC is the next day in Berlin, for the roll-up and for its proof."""
    books.take_in(app, cast.event("night", at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC)))
    assert books.findings(app) == {}
