"""Large corrections on the command line: one person from finance asks, another says the same, and it is done then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main
from policy.units import MicroTokens, NanoUSD
from programme.finance import seconded
from programme.finance.seconded import Correction, Speaker
from tests.support import bills as trial
from tests.support import books, cast, reconciled
from tests.support import months as played
from tests.support.bills import Row, user
from tests.support.books import ADA, BEN
from tests.support.clock import NOON
from tests.support.vendors import serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from policy.metering import Meters
    from programme.app import App

    Run = Callable[..., Result]

FAY, OMAR = "fay@example.com", reconciled.OMAR
WHY = ("--reason", "counted twice")
NOVEMBER = ("--from", "2026-11-01", "--until", "2026-11-30")
LARGE: Meters = {"output": 100_000_000}
"""USD 1,500."""


@pytest.fixture
def app(sqlite_app: App) -> App:
    """Two people from finance, beside the company."""
    cast.hire(sqlite_app, reconciled.FINANCE)
    return sqlite_app


@pytest.fixture
def run(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    return lambda *words: CliRunner().invoke(main, list(words))


def actions(app: App) -> list[tuple[str, str]]:
    """What was asked and confirmed, by whom."""
    rows = [*books.audited(app, "correction.ask"), *books.audited(app, "correction.confirm")]
    return [(row["action"], row["actor"]) for row in rows]


def ids(app: App, *who: str) -> list[str]:
    with app.reading() as moment:
        return [cast.id_of(moment.session, one) for one in who]


@pytest.mark.parametrize(
    "words",
    [
        ("usage", "withdraw", "gateway/1", *WHY),
        ("usage", "correct", "gateway/1", "--count", "output=1000", *WHY),
        ("usage", "reassign", "--identity", f"email:{ADA}", *NOVEMBER, "--to", BEN, *WHY),
    ],
)
def test_usage_is_corrected_by_two(app: App, run: Run, words: tuple[str, ...]) -> None:
    """Nobody alone, no one from elsewhere, not the same person twice; both words and logins are on record."""
    books.take_in(app, cast.event("1", at=NOON, meters=LARGE))
    before = books.wallet(app, ADA)
    assert run(*words, "--dry-run").exit_code == 0
    for by, said in (
        ((), "takes two people from finance"),
        (("--by", ADA), f"and {ADA} is not"),
        (("--by", OMAR), "it waits for a second person from finance"),
        (("--by", OMAR), "it waits for a second person from finance"),
    ):
        refused = run(*words, *by)
        assert (refused.exit_code, said in refused.output) == (1, True), refused.output
    assert books.wallet(app, ADA) == before == MicroTokens.parse("-150000")
    assert run(*words, "--by", FAY).exit_code == 0
    assert books.wallet(app, ADA) > before
    omar, fay = ids(app, OMAR, FAY)
    assert actions(app) == [("correction.ask", omar)] * 2 + [("correction.confirm", fay)]
    assert all(row["after"]["login"] for row in books.audited(app, "correction.ask"))
    assert books.findings(app) == {}


def test_a_small_correction_is_one_s_own(app: App, run: Run) -> None:
    """Up to the handbook's limit nothing is asked."""
    books.take_in(app, cast.event("1", at=NOON))
    assert run("usage", "withdraw", "gateway/1", *WHY).exit_code == 0
    assert actions(app) == []


def test_a_word_is_for_what_was_read(app: App) -> None:
    """What comes to more by now is asked for anew; the first word does not count for it."""
    large, larger = (Correction("usage.reprice", "d", NanoUSD.parse(usd)) for usd in ("600", "900"))
    with app.transaction() as moment:
        told = [
            seconded.is_agreed(moment, one, Speaker("root", who))
            for one, who in ((large, OMAR), (larger, FAY), (larger, OMAR), (large, FAY))
        ]
    assert told == [False, False, True, False]


def test_a_bill_of_a_settled_month_is_changed_by_two(app: App, run: Run, tmp_path: Path) -> None:
    """A file that makes much of what stood something else waits until somebody else imports it as well."""
    trial.rule(app)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_bytes(trial.written([Row("1000", tags=user(ADA))]))
    second.write_bytes(trial.written([Row("2000", tags=user(ADA))]))
    assert run("invoices", "import", str(first)).exit_code == 0
    stood = books.wallet(app, ADA)
    assert run("invoices", "import", str(second)).exit_code == 1
    waits = run("invoices", "import", str(second), "--by", OMAR)
    assert (waits.exit_code, "waits until somebody else from finance" in waits.output) == (0, True)
    assert books.wallet(app, ADA) == stood
    assert run("invoices", "import", str(second), "--by", FAY).exit_code == 0
    assert books.wallet(app, ADA) == 2 * stood
    assert books.findings(app) == {}


def test_a_difference_is_confirmed_or_declined(app: App, run: Run) -> None:
    """On the command line as on the card: by someone else from finance, with the login on record."""
    reconciled.tell_of_cents(app, second_person_above="0.01")
    calls = played.calls(hours=12)
    with serving() as vendor:
        reconciled.bill(vendor, calls)
        reconciled.post(app, [one for one in calls if one not in played.between(calls, played.EU, 12, 13)])
        [found] = reconciled.compare(app, vendor)
    chosen = ("reconcile", "correct", found.id, "--by-way-of", "company", "--by", OMAR, *WHY)
    assert "`reconcile confirm`" in run(*chosen).output
    assert run("reconcile", "decline", found.id, "--by", FAY).output == f"{found.id} is open.\n"
    run(*chosen)
    assert run("reconcile", "confirm", found.id, "--by", OMAR).exit_code == 1
    assert run("reconcile", "confirm", found.id, "--by", FAY).output == f"{found.id} is corrected.\n"
    [noted] = books.audited(app, "finding.confirm")
    assert noted["after"]["login"]
    assert books.findings(app) == {}
