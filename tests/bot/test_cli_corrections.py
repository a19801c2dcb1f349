"""`usage show|correct|withdraw|reassign|reprice`: what an administrator puts right by name, and on record."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from bot.cli import main
from policy.units import MicroTokens
from programme.app import App
from programme.people import directory
from programme.usage import rerating
from store.engine import open_database
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    Run = Callable[..., Result]

WHY = ("--reason", "wrong key")
SPAN = ("--from", "2026-11-01", "--until", "2026-11-30")


@pytest.fixture
def book(sqlite_url: str) -> Iterator[App]:
    app = App(open_database(sqlite_url), ZoneInfo("Europe/Berlin"), Clock())
    yield app
    app.database.close()


@pytest.fixture
def run(sqlite_url: str) -> Run:
    def invoke(*arguments: str, code: int = 0) -> Result:
        env = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, ("usage", *arguments), env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return invoke


def test_a_dry_run_tells_before_and_after_and_changes_nothing(book: App, run: Run) -> None:
    """What would change is shown field by field; then it is done, and can be looked up with who and why."""
    books.take_in(book, cast.event("1", at=NOON, meters={"output": 10_000_000}))
    wrong = ("correct", "gateway/1", "--count", "output=100000", *WHY)
    told = run(*wrong, "--dry-run").stdout
    assert "15,000 tokens" in told
    assert "-150 tokens" in told
    assert "Nothing was changed. It would be: accepted" in told
    assert books.wallet(book, ADA) == MicroTokens.parse("-15000")
    done: dict[str, Any] = json.loads(run(*wrong, "--json").stdout)
    assert (done["status"], done["before"]["debit_tokens"], done["after"]["debit_tokens"]) == (
        "accepted",
        "15000.000000",
        "150.000000",
    )
    assert books.wallet(book, ADA) == MicroTokens.parse("-150")
    shown = json.loads(run("show", "1", "--source", "gateway", "--json").stdout)
    assert [(one["revision"], one["reason"]) for one in shown["versions"]] == [(0, ""), (1, "wrong key")]
    assert [one["debit_tokens"] for one in shown["reversals"]] == ["15000.000000"]
    assert "wrong key" in run("show", "gateway/1").stdout
    assert books.findings(book) == {}


def test_an_event_is_withdrawn_and_brought_back(book: App, run: Run) -> None:
    """A later revision holds, also over a withdrawal."""
    books.take_in(book, cast.event("a/b", at=NOON, source="gateway/eu"))
    run("withdraw", "gateway/eu/a/b", *WHY)
    assert books.wallet(book, ADA) == 0
    assert "withdrawn" in run("show", "gateway/eu/a/b").stdout
    assert "gateway/eu/a/b is withdrawn already." in run("withdraw", "gateway/eu/a/b", *WHY, code=1).stderr
    run("correct", "gateway/eu/a/b", "--project", "apollo", *WHY)
    assert books.wallet(book, ADA) == MicroTokens.parse("-0.54")
    assert books.findings(book) == {}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("show", "gateway/none"), 1, "No event is known"),
        (("correct", "gateway/1", *WHY), 1, "Nothing was named that differs"),
        (("correct", "gateway/1", "--project", "x", "--reason", " "), 2, "say why"),
        (("correct", "gateway/1", "--count", "words=1", *WHY), 2, "is no meter"),
        (("correct", "gateway/1", "--model", " ", *WHY), 1, "model: expected a text that is not empty"),
        (("correct", "gateway/1", "--provider", "", *WHY), 1, "provider: expected a text that is not empty"),
        (("correct", "gateway/1", "--user", "", *WHY), 1, "user: expected a name that is not empty"),
        (("correct", "gateway/1", "--user", "ben@example", *WHY), 1, "'example' has no dot"),
        (("correct", "gateway/1", "--model", "gpt-5\u200b", *WHY), 1, "U+200B ZERO WIDTH SPACE"),
        (("correct", "gateway/1", "--at", "2099-01-01T00:00:00Z", *WHY), 1, "--at: expected at most 15 minutes ahead"),
        (("withdraw", "gateway/1"), 2, "--reason"),
        (("reassign", "--identity", "user:x", *SPAN, "--to", BEN, *WHY), 1, "No use of these days"),
        (("reprice", "--provider", "antropic", *SPAN, *WHY), 1, "No use of these days"),
        (("reassign", "--identity", "nick:x", *SPAN, "--to", BEN, *WHY), 2, "KIND:NAME"),
        (("reassign", "--identity", "user:x", *SPAN, "--to", "no@example.com", *WHY), 1, "no@example.com"),
        (("reprice", "--provider", "x", "--from", "2026-11-02", "--until", "2026-11-01", *WHY), 2, "is before"),
    ],
)
def test_what_cannot_be_is_refused_with_why(
    book: App, run: Run, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """1 for what the books refuse, 2 for what was typed wrongly; nothing is changed."""
    books.take_in(book, cast.event("1", at=NOON))
    result = run(*arguments, code=code)
    assert told in result.stderr
    assert books.wallet(book, ADA) == MicroTokens.parse("-0.54")


def mapped(book: App) -> None:
    """A key that is Ben's was mapped to Ada; of its use some still waits for a price."""
    with book.transaction() as moment:
        directory.map_identity(moment, source="*", kind="user", value="team-key", email=ADA, actor="test")
    days = [NOON - timedelta(days=day) for day in (0, 1, 30)]
    books.take_in(book, *(cast.event(str(i), at=at, who="team-key") for i, at in enumerate(days)))
    books.take_in(book, cast.event("other", at=NOON), cast.event("gone", at=NOON, who="team-key"))
    assert books.wallet(book, ADA) == MicroTokens.parse("-2.7")


def test_use_under_a_wrong_name_goes_to_who_it_was(book: App, run: Run) -> None:
    """The days that are named move, once; other days and other names stay. What is withdrawn stays so."""
    mapped(book)
    run("withdraw", "gateway/gone", *WHY)
    command = ("reassign", "--identity", "user:team-key", *SPAN, "--to", BEN, *WHY)
    assert "Nothing was changed. It would be: 2 of 2 events changed" in run(*command, "--dry-run").stdout
    assert books.wallet(book, BEN) == 0
    assert json.loads(run(*command, "--json").stdout)["changed"] == 2
    assert json.loads(run(*command, "--json").stdout)["changed"] == 0
    assert (books.wallet(book, ADA), books.wallet(book, BEN)) == (
        MicroTokens.parse("-1.08"),
        MicroTokens.parse("-1.08"),
    )
    [row] = books.audited(book, "usage.reassign")
    assert row["after"] == {
        "identity": ["user", "team-key"],
        "source": None,
        "from": "2026-11-01",
        "until": "2026-11-30",
        "events": 2,
        "reason": "wrong key",
    }
    run("correct", "gateway/0", "--project", "apollo", *WHY)
    assert books.wallet(book, BEN) == MicroTokens.parse("-1.08")
    assert books.findings(book) == {}


def test_a_corrected_price_list_reprices_what_was_bought(book: App, run: Run) -> None:
    """The days and models that are named are debited by the list as it is now, at the value they had; each once."""
    gpt = cast.event("gpt", at=NOON, model=cast.GPT, meters={"output": 1_000})
    days = (NOON, NOON - timedelta(days=1))
    books.take_in(book, gpt, *(cast.event(str(i), at=at, meters={"output": 1_000}) for i, at in enumerate(days)))
    books.apply_handbook(book, "2026.2", date(2026, 11, 1), more=books.OWN_PRICE)
    command = ("reprice", "--provider", "anthropic", *SPAN, *WHY)
    assert "It would be: 2 of 2 events changed: USD 0.03 → 0.02, " in run(*command, "--dry-run").stdout
    assert books.wallet(book, ADA) == MicroTokens.parse("-4")
    assert "2 of 2 events changed" in run(*command).stdout
    assert "0 of 2 events changed" in run(*command).stdout
    assert books.wallet(book, ADA) == MicroTokens.parse("-3")
    assert books.findings(book) == {}


def test_what_was_interrupted_is_done_again(book: App, run: Run) -> None:
    """Batches that were committed stay; the command does the rest, and nothing twice."""
    mapped(book)
    with book.transaction() as moment:
        person = directory.require(moment, BEN)
        days = rerating.Days(date(2026, 11, 1), date(2026, 11, 30))
        change = rerating.Reassignment(("user", "team-key"), None, days, person.id, "wrong key", "test")
        assert rerating.next_batch(moment, change, after=None, limit=1).changed == 1
    run("reassign", "--identity", "user:team-key", *SPAN, "--to", BEN, *WHY)
    assert books.wallet(book, BEN) == MicroTokens.parse("-1.62")
    assert books.findings(book) == {}
