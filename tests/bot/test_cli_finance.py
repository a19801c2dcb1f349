"""`tokens-bot vendors`, `reconcile` and `close`: from a vendor's bill to a closed month."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.settings import load
from policy.reasons import Refusal
from scheduler.vendors import client
from tests.support import books, months, reconciled
from tests.support import vendors as trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from programme.app import App
    from tests.support.vendors import Trial

    Run = Callable[..., Result]

DAYS = ("--from", "2026-10-01", "--until", "2026-10-31")
CALLS = months.calls(hours=12)


@pytest.fixture
def trial() -> Iterator[Trial]:
    with trials.serving() as serving:
        reconciled.bill(serving, CALLS)
        yield serving


@pytest.fixture
def run(sqlite_url: str, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    monkeypatch.setenv("ANTHROPIC_ADMIN_URL", trial.access("anthropic").url)
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", trial.access("anthropic").key)
    monkeypatch.setattr(client, "SECONDS_APART", 0.0)
    return lambda *words: CliRunner().invoke(main, list(words))


def test_from_a_bill_to_a_closed_month(run: Run, sqlite_app: App) -> None:
    """Sync, compare, settle, close: each step says what it did, and the journal balances to the cent."""
    lost = months.between(CALLS, months.EU, 12, 13)
    reconciled.post(sqlite_app, [one for one in CALLS if one not in lost])
    tried = run("vendors", "sync", "anthropic", *DAYS, "--dry-run")
    assert (tried.exit_code, "lines;" in tried.output) == (0, True)
    assert run("vendors", "list").output.startswith("No vendor was asked yet.")
    said = json.loads(run("vendors", "sync", "anthropic", *DAYS, "--json").output)
    assert (said["changed"], said["gone"], said["lines"]) == (0, 0, said["added"])
    assert "1 difference is open." in run("reconcile", "run", "anthropic", "--month", "2026-10").output
    shown = json.loads(run("reconcile", "show", "--month", "2026-10", "--json").output)
    [finding] = shown[0]["findings"]
    assert finding["cause"] == "lost_events"
    charged, posted = (Decimal(shown[0][name]) for name in ("charged_usd", "posted_usd"))
    assert charged - posted == Decimal(finding["amount_usd"]) + Decimal(shown[0]["small_usd"])
    assert (shown[0]["differences_usd"], shown[0]["pending_usd"]) == (finding["amount_usd"], "0.000000000")
    told = run("reconcile", "show", "--month", "2026-10").output
    assert re.search(rf"^differences +{Decimal(finding['amount_usd']):.2f}$", told, re.MULTILINE)
    refused = run("close", "month", "2026-10", "--dry-run")
    assert (refused.exit_code, f"{finding['id']} is open" in refused.output) == (1, True)
    words = ("--by", reconciled.OMAR, "--reason", "The gateway was down")
    settled = run("reconcile", "correct", finding["id"], "--by-way-of", "company", *words)
    assert settled.output == f"{finding['id']} is corrected.\n"
    assert run("close", "month", "2026-10", "--dry-run").exit_code == 0
    assert "No month is closed yet." in run("close", "list").output
    assert "2026-10 is closed." in run("close", "month", "2026-10").output
    rows = list(csv.DictReader(io.StringIO(run("close", "journal", "2026-10").output)))
    debits, credits_ = (sum(Decimal(row[side] or 0) for row in rows) for side in ("debit", "credit"))
    assert debits == credits_ > 0
    assert run("verify").exit_code == 0
    assert books.findings(sqlite_app) == {}


def test_without_a_key_a_vendor_is_not_asked(run: Run) -> None:
    """A missing key, days ahead and days in reverse are refused with what to do."""
    missing = run("vendors", "sync", "openai", *DAYS)
    assert (missing.exit_code, "OPENAI_ADMIN_KEY is not set" in missing.output) == (1, True)
    reverse = run("vendors", "sync", "anthropic", "--from", "2026-10-02", "--until", "2026-10-01")
    assert (reverse.exit_code, "2026-10-01 is before 2026-10-02" in reverse.output) == (1, True)
    ahead = run("vendors", "sync", "anthropic", "--from", "2026-10-02", "--until", "2099-10-01")
    assert (ahead.exit_code, "2099-10-01 is not over" in ahead.output) == (1, True)
    never = run("reconcile", "run", "anthropic", "--month", "2026-10")
    assert "was not asked for 2026-10 yet" in never.output


def test_admin_keys_travel_encrypted_alone() -> None:
    """An address without encryption is refused, but on the own machine; the key stands in no text."""
    for url, fits in (("http://example.com/v1", False), ("ftp://example.com", False), ("http://127.0.0.1:1/v1", True)):
        environ = {"OPENAI_ADMIN_KEY": "sk-admin-secret", "OPENAI_ADMIN_URL": url}
        if fits:
            assert "secret" not in repr(load(environ).vendors)
        else:
            with pytest.raises(Refusal, match="OPENAI_ADMIN_URL"):
                load(environ)
