"""Every command: what changes something says beforehand what it will do, and what doesn't leaves no trace."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest
from click.testing import CliRunner

from bot.cli import common, main
from scheduler.vendors import client
from tests.support import administered, offices, slack
from tests.support import vendors as trials
from tests.support.administered import GONE, TWIN, Name
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from click.testing import Result

    from programme.app import App
    from tests.support.clock import Clock

    Run = Callable[..., Result]

OMAR = "omar@example.com"
WHY = ("--reason", "A slip")
OCTOBER = ("--month", "2026-10")
DAYS = ("--from", "2026-11-01", "--until", "2026-11-30")


class Case(NamedTuple):
    """A command as it is typed, in which company, after which others."""

    words: Name
    company: str = "usual"
    before: tuple[Name, ...] = ()


def words(text: str, *more: str) -> Name:
    return (*text.split(), *more)


ACCEPTED = tuple(words(f"reconcile accept {{{one}}} --by {OMAR}", *WHY) for one in ("lost", "doubled"))
CLOSED = words("close month 2026-10")
INVOICED = words("invoices import bill.csv")
BEFORE: Mapping[str, tuple[Name, ...]] = {"billed": (INVOICED,), "finance": (*ACCEPTED, CLOSED)}
"""What reading needs to have been done."""
MENDED = words("reconcile correct {doubled} --by-way-of calls --by", OMAR, *WHY)
CHANGES = (
    Case(words("bands set P4 165k")),
    Case(words("budgets set 2026-12 160,000")),
    Case(CLOSED, "finance", ACCEPTED),
    Case(words("cost-centres import centres.csv")),
    Case(words("deliver --retry {parked}")),
    Case(words("grants give", BEN, "1.5k", *WHY, "--expires", "2027-01-31")),
    Case(words("grants revoke {lot}", *WHY)),
    Case(words("grants run --month 2026-12 --yes")),
    Case(words("handbook apply handbook.toml"), before=(words("people import noboard.csv"),)),
    Case(words("handbook propose handbook.toml --by", BEN)),
    Case(words("identities add", BEN, "ben-ci", "--kind", "key_alias")),
    Case(words("identities remove ben-laptop")),
    Case(INVOICED, "billed"),
    Case(words("job cancel train-1 --why", "Wrong data")),
    Case(words("keys create codex --scope usage:write --scope holds:write")),
    Case(words("keys revoke litellm-eu")),
    Case(words("keys rotate litellm-eu --keep 2")),
    Case(words("offer --from offer.toml"), "finance"),
    Case(words("outcomes attribute")),
    Case(words("outcomes import outcomes.csv"), "finance"),
    Case(words("people erase", GONE)),
    Case(words("people import people.csv")),
    Case(words("people leave", ADA, "--from", "2026-11-01", "--until", "2027-02-28")),
    Case(words("people merge", TWIN, ADA)),
    Case(words("people opt-out", ADA)),
    Case(words("people relink", ADA, slack.GUEST)),
    Case(words("people rename", ADA, "ada.lovelace@example.com")),
    Case(words("people retention")),
    Case(words("projects import projects.csv"), "finance"),
    Case(words("quarantine discard --all user:ci-runner --why", "A load test")),
    Case(words("quarantine fix --all user:ci-runner --person", BEN, "--why", "Ben's runner")),
    Case(words("quarantine retry")),
    Case(words("rates adopt 2027-Q1")),
    Case(words("rates set 2027-Q1 GBP 1.27")),
    Case(ACCEPTED[0], "finance"),
    Case(MENDED, "finance"),
    Case(words("reconcile correct {lost} --by-way-of company --by", OMAR, *WHY), "finance"),
    Case(words("reconcile run anthropic", *OCTOBER), "finance", (MENDED,)),
    Case(words("review draft --quarter 2026-Q3")),
    Case(words("reviews annual import groups.csv --year 2026 --from 2027-01 --by", OMAR)),
    Case(words("roi report"), "returned"),
    Case(words("rollout draw --seed lot")),
    Case(words("usage correct gateway/chat-1 --count output=900", *WHY)),
    Case(words("usage import usage.csv")),
    Case(words("usage reassign --identity", f"email:{ADA}", *DAYS, "--to", BEN, *WHY)),
    Case(words("usage reprice --provider anthropic", *DAYS, *WHY)),
    Case(words("usage withdraw gateway/chat-1", *WHY)),
    Case(words("value adopt --quarter 2027-Q1")),
    Case(words("value propose --quarter 2027-Q2")),
    Case(words("vendors sync anthropic --from 2026-10-01 --until 2026-10-31")),
)
READS: Mapping[str, tuple[Name, ...]] = {
    "billed": (
        words("cost-centres list"),
        words("cost-centres list --owner", offices.PLATFORM[0]),
        words("cost-centres statement CC-10 --month 2026-11"),
        words("invoices list"),
        words("invoices show 1"),
    ),
    "usual": (
        words("audit list --what grant"),
        words("audit show 1"),
        words("balance", ADA),
        words("bands list"),
        words("budgets list"),
        words("caps show --person", ADA),
        words("caps try --person", ADA, "--service", "anthropic", "--usd", "1,500"),
        words("doctor --fail-on never"),
        words("due"),
        words("exceptions list --all"),
        words("grants list"),
        words("handbook proposals"),
        words("handbook show"),
        words("identities list"),
        words("job list"),
        words("job show train-1"),
        words("keys list"),
        words("offers list"),
        words("outbox list"),
        words("outbox show {parked}"),
        words("outcomes list"),
        words("outcomes weekly"),
        words("people list"),
        words("people show", ADA),
        words("projects list"),
        words("quarantine list --events"),
        words("quarantine show gateway/ci-1"),
        words("rates list"),
        words("requests list --all"),
        words("roles list"),
        words("rollout show"),
        words("statement", ADA),
        words("usage conflicts list"),
        words("usage differences"),
        words("usage rejected list"),
        words("usage show gateway/chat-1"),
        words("value show"),
        words("verify"),
    ),
    "charts": (
        words("chart burn-down", ADA, "--out", "ada.png"),
        words("chart team mara@example.com --out team.png"),
        words("chart utilisation --out use.png"),
    ),
    "finance": (
        words("close list"),
        words("reconcile show", *OCTOBER),
        words("vendors list"),
    ),
    "adopted": (
        words("review backtest --handbook handbook.toml"),
        words("review recompute"),
        words("review show"),
        words("reviews annual draft --year 2026 --from 2027-03 --out next.toml"),
    ),
}
ON_RECORD: Mapping[str, tuple[Name, ...]] = {
    "billed": (words("export chargeback --month 2026-11"),),
    "finance": (
        words("close journal 2026-10"),
        words("export archive --until 2026-10 --to archive"),
        words("export focus", *OCTOBER),
    ),
    "usual": (
        words("exceptions export"),
        words("export spend"),
        words("people export", ADA),
        words("requests export"),
    ),
    "adopted": (
        words("export review --year 2026 --by", OMAR),
        words("review pack --cases --out pack.html --by", OMAR),
    ),
}
"""What leaves the ledger, on which the audit log has a line."""
OTHERS = {
    ("backup",): "writes a file of its own; of the ledger it notes when that was",
    ("demo",): "opens a workspace of its own",
    ("job", "run"): "runs somebody's program, on another machine",
    ("job", "send"): "delivers reports that are kept on another machine",
    ("listing",): "prints what recruiters copy, and keeps what it was to tell them when it no longer holds",
    ("migrate",): "has a dry run of its own: tests/bot/test_cli_upkeep.py",
    ("reconcile", "confirm"): "is a second person's: tests/bot/test_cli_second_person.py",
    ("reconcile", "decline"): "is a second person's: tests/bot/test_cli_second_person.py",
    ("report", "years"): "opens no ledger",
    ("restore",): "has a dry run of its own: tests/bot/test_cli_upkeep.py",
    ("manifest",): "opens no ledger",
    ("offers", "words"): "opens no ledger",
    ("roi", "estimate"): "opens no ledger",
    ("roi", "example"): "opens no ledger",
    ("run",): "runs until it is stopped",
    ("setup",): "says `--check`: tests/bot/test_cli_setup.py",
    ("tick",): "is what `due` lists",
}
LISTS = {
    ("due",),
    ("handbook", "proposals"),
    ("outcomes", "weekly"),
    ("usage", "differences"),
    ("value", "show"),
}
"""Lists by another name."""


@pytest.fixture
def run(sqlite_url: str) -> Run:
    def invoke(*arguments: str, code: int | None = 0) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, arguments, env=env)
        assert code in {None, result.exit_code}, (arguments, result.output, result.exception)
        return result

    return invoke


@pytest.fixture
def place(
    run: Run, sqlite_app: App, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Case], list[str]]]:
    """Puts a case's company in place, with what it needs outside of the ledger; the case's words as they are typed."""
    administered.write_files(tmp_path)
    with ExitStack() as stack:

        def put(case: Case) -> list[str]:
            administered.settle(case.company, sqlite_app, clock, run, monkeypatch)
            if case.words[:1] == ("vendors",):
                trial = stack.enter_context(trials.serving())
                administered.bill(trial)
                monkeypatch.setattr(client, "SECONDS_APART", 0.0)
                monkeypatch.setenv("ANTHROPIC_ADMIN_URL", trial.access("anthropic").url)
                monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", trial.access("anthropic").key)
            if "relink" in case.words:
                sandbox = stack.enter_context(slack.workspace(clock=clock))
                sandbox.workspace.change_member(slack.GUEST, is_restricted=False)
                for name, value in slack.environment(sandbox, "").items():
                    monkeypatch.setenv(name, value)
            for words in case.before:
                run(*administered.named(run, words))
            return administered.named(run, case.words)

        yield put


def name_of(words: Name) -> Name:
    """Those that name the command."""
    names = {name for name, _ in administered.commands()}
    return next(words[:n] for n in range(4, 0, -1) if words[:n] in names)


def test_every_command_is_shown_to_do_what_it_says() -> None:
    """What changes something takes --dry-run and is tried below, as is all that only reads; a list says what is not."""
    tried = {name_of(case.words) for case in CHANGES}
    takes = {name for name, command in administered.commands() if "--dry-run" in administered.options(command)}
    assert tried - takes == set()
    assert takes - tried - OTHERS.keys() == {("export", "review")}
    read = {name_of(words) for case in (READS, ON_RECORD) for some in case.values() for words in some}
    assert {name for name, _ in administered.commands()} - tried - read == OTHERS.keys()


def test_every_list_is_for_programs_too_and_can_be_narrowed() -> None:
    """Each takes --json, and at least one option besides."""
    lists = [(name, command) for name, command in administered.commands() if name[-1] == "list" or name in LISTS]
    assert len(lists) > len(LISTS)
    for name, command in lists:
        narrowing = administered.options(command) - {"--json", "--limit"}
        assert "--json" in administered.options(command), name
        assert narrowing, name


def typed(case: Case) -> str:
    return " ".join(case.words)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.deep] * (case.company == "returned"), id=typed(case)) for case in CHANGES],
)
def test_a_dry_run_says_what_the_command_then_does(
    case: Case, place: Callable[[Case], list[str]], run: Run, sqlite_app: App
) -> None:
    """It leaves every row of every table as it was, and all that the command itself says is in it."""
    words = place(case)
    before = administered.content(sqlite_app)
    said = lines(run(*words, "--dry-run"))
    assert list(administered.differing(before, administered.content(sqlite_app))) == []
    done = lines(run(*words))
    assert any(administered.differing(before, administered.content(sqlite_app)))
    assert any(line.startswith(common.TRIED) for line in said)
    assert not any(line.startswith(common.TRIED) for line in done)
    # The working of a value is an index to nine decimals.
    assert "propose" in words or unreadable(done) == []
    told = [line.removeprefix(common.TRIED) for line in said]
    assert [line for line in done if line not in told] == []


_MADE_UP = re.compile(r"\b(off_|key_)[0-9a-f]+| \(lot \d+\)|^tb_.*")
"""What is drawn by lot, or numbered by the database."""


_FOR_PROGRAMS = re.compile(r"\.\d{4,}0\b|\b\d{5,}(\.\d+)? tokens|USD -?\d{4}")


def unreadable(said: list[str]) -> list[str]:
    """Lines with an amount that people would not write so: with zeros behind it, or its thousands in one."""
    return [line for line in said if _FOR_PROGRAMS.search(line)]


def lines(result: Result) -> list[str]:
    """What a command said to people, without secrets and ids that are new each time."""
    said = (_MADE_UP.sub("", line).strip() for line in result.output.splitlines())
    return [line for line in said if line]


@pytest.mark.parametrize(
    "company",
    ["usual", "billed", "finance", *(pytest.param(name, marks=pytest.mark.deep) for name in ("adopted", "charts"))],
)
def test_what_only_reads_leaves_no_trace(
    company: str, place: Callable[[Case], list[str]], run: Run, sqlite_app: App
) -> None:
    """No row of any table changes, but for the audit log's where a command takes figures out of the ledger."""
    place(Case((), company, BEFORE.get(company, ())))
    for case, left in ((READS, []), (ON_RECORD, ["audit_log"])):
        for words in case.get(company, ()):
            before = administered.content(sqlite_app)
            said = lines(run(*administered.named(run, words)))
            assert case is ON_RECORD or unreadable(said) == [], words
            assert list(administered.differing(before, administered.content(sqlite_app))) == left, words
