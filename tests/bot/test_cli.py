"""The command line: exit 0 done, 1 refused with the reason, 2 wrong usage; and what programs read of it."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner

from bot.cli import COMMANDS, _first_sentence, main
from policy import handbook
from policy.metering import Remarks
from policy.period import Month, day_of
from tests.support import books, cast
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]

ADA = "ada@example.com"
HEADER = (
    "source,event_id,occurred_at,user,provider,model,input_tokens,cache_read_tokens,cache_write_tokens,output_tokens,"
    "project"
)
SUMMARY = ["read", "accepted", "duplicate", "conflict", "quarantined", "rejected"]


TOO_MANY = "9" * 20
"""More than a database counts to."""


@pytest.fixture
def run(sqlite_url: str) -> Run:
    """`tokens-bot …` on a database with the cast in it, as the environment would name it."""

    def invoke(*arguments: str, code: int = 0, database: str = sqlite_url, **environ: str) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": database, "TOKENS_TIME_ZONE": "Europe/Berlin", **environ}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


def line(event_id: str, *, user: str = ADA, output: object = 300, model: str = "claude-sonnet-4-5") -> str:
    """Usage of 0.54 tokens."""
    return f"gateway,{event_id},2026-11-20T09:30:00Z,{user},anthropic,{model},1200,1000,,{output},"


def csv_file(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "usage.csv"
    path.write_text("\n".join((HEADER, *lines)) + "\n", "utf-8")
    return str(path)


def counts(result: Result) -> dict[str, int]:
    summary: dict[str, int] = json.loads(result.stdout)
    assert list(summary) == SUMMARY
    return summary


def balance_of(run: Run, email: str = ADA) -> str:
    return str(json.loads(run("balance", email, "--json").stdout)["balance_tokens"])


def test_every_command_explains_itself() -> None:
    """`--help` of each command and the version need no settings and no database."""
    listed = CliRunner().invoke(main, ["--help"])
    assert listed.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in listed.stdout
        helped = CliRunner().invoke(main, [name, "--help"])
        assert (helped.exit_code, helped.stderr) == (0, "")
    assert CliRunner().invoke(main, ["--version"]).exit_code == 0


def test_help_imports_no_command() -> None:
    """The list of commands is there at once: it needs neither the database's library nor Slack's."""
    code = "import sys; from bot.cli import main; main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "Show what a person has left." in told
    assert not any(f"'{library}'" in told for library in ("sqlalchemy", "slack_bolt", "numpy", "bot.cli.common"))


def test_a_command_imports_what_it_needs() -> None:
    """To ask for a balance needs the ledger, and nothing of Slack, of a server, of migrations or of statistics."""
    code = "import sys; import bot.cli.accounts; print(sorted(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'sqlalchemy'" in told
    heavy = ("slack_bolt", "slack_sdk", "fastapi", "uvicorn", "alembic", "numpy", "matplotlib", "jinja2")
    assert [library for library in heavy if f"'{library}'" in told] == []


def test_the_list_of_commands_says_what_each_says_itself() -> None:
    """What is read of a file without importing it is the first sentence of the command's own help."""
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        told = " ".join(str(command.help).split()).partition(". ")[0].removesuffix(".")
        assert _first_sentence(name) == f"{told}."


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("balance",),
        ("balance", ADA, "more"),
        ("statement", ADA, "--month", "2026-13"),
        ("statement", ADA, "--month", "9999-12"),
        ("usage", "import", "missing.csv", "--format", "csv"),
        ("usage", "import", "/", "--format", "csv"),
        ("usage", "import", "--format", "csv"),
        ("usage", "import", "--format", "xml", "/dev/null"),
        ("people", "import", "missing.csv"),
        ("grants", "give", ADA, "lots", "--reason", "x", "--expires", "2099-01-01"),
        ("grants", "give", ADA, "0.0000001", "--reason", "x", "--expires", "2099-01-01"),
        ("grants", "give", ADA, "1", "--reason", "x", "--expires", "tomorrow"),
        ("grants", "give", ADA, "1", "--expires", "2099-01-01"),
        ("handbook", "apply", "missing.toml"),
        ("grants", "give", ADA, "1", "--reason", "x", "--expires", "9999-12-31"),
        ("keys", "create", "x", "--expires", "9999-12-31"),
        ("audit", "list", "--since", "0001-01-01"),
        ("due", "--at", "9999-12-31T23:59:59Z"),
        ("due", "--at", "0001-01-01T00:00:00+14:00"),
        ("audit", "show", TOO_MANY),
        ("grants", "revoke", TOO_MANY, "--reason", "x"),
        ("invoices", "show", TOO_MANY),
        ("quarantine", "list", "--limit", TOO_MANY),
        ("quarantine", "list", "--limit", "0"),
        ("keys", "create"),
        ("keys", "create", "half\udcff"),
    ],
)
def test_wrong_usage_is_exit_2(run: Run, arguments: tuple[str, ...]) -> None:
    """What cannot be meant is answered with how it is written, and with a code of its own."""
    assert "Usage: " in run(*arguments, code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("balance", "no@example.com"), "No one has the e-mail 'no@example.com'. See `tokens-bot people import`."),
        (("statement", "nobody@example.com"), "No one has the e-mail 'nobody@example.com'."),
        (("identities", "add", "nobody@example.com", "x"), "No one has the e-mail 'nobody@example.com'."),
        (("keys", "revoke", "nothing"), "No key in force is named 'nothing'. See `tokens-bot keys list`."),
        (("keys", "create", "x", "--scope", "all"), "scope 'all' does not exist. Scopes are usage:write, "),
        (("keys", "create", "\u200b"), "name = '': expected a text that shows something."),
        (("keys", "create", "x" * 201), "expected at most 200 characters."),
        (("bands", "set", "\u3164", "1"), "band = '': expected a text that shows something."),
        (("identities", "add", ADA, "x" * 201), "expected at most 200 characters."),
        (("grants", "give", ADA, "1", "--reason", "\u2800", "--expires", "2099-01-01"), "reason is empty"),
        (("grants", "give", ADA, "0", "--reason", "x", "--expires", "2099-01-01"), "must be above zero"),
        (("grants", "give", ADA, "1", "--reason", " ", "--expires", "2099-01-01"), "reason is empty"),
        (("grants", "give", ADA, "1,000,000,001", "--reason", "x", "--expires", "2099-01-01"), "at most 1,000,000,000"),
        (("grants", "give", ADA, "1", "--reason", "x", "--expires", "2020-01-01"), "must be in the future"),
    ],
)
def test_a_refusal_is_exit_1_with_the_reason(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    """An expected "no" is a sentence on the error output with what to do next, and nothing on the other."""
    result = run(*arguments, code=1)
    assert reason in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("keys", "create", "x", "--expires", "24.12.2026"), "; write 2026-12-24"),
        (("keys", "create", "x", "--expires", "01.12.2026"), "; write 2026-01-12 or 2026-12-01"),
        (("keys", "create", "x", "--expires", "2026-12-01T09:00"), "; write 2026-12-01, without a time"),
        (("rates", "set", "2026-Q4", "EUR", "1,085"), "has a comma where I read a point. Write 1.085."),
    ],
)
def test_what_is_written_in_another_way_is_told_with_how_to_write_it(
    run: Run, arguments: tuple[str, ...], meant: str
) -> None:
    """A day and a rate as other countries write them are refused with what they may mean, as in files."""
    assert meant in run(*arguments, code=2).stderr


def test_a_group_of_one_list_lists(run: Run) -> None:
    """`usage conflicts` and `usage rejected` alone are their lists, with the same options."""
    for group, nothing in (("conflicts", "0 conflicts."), ("rejected", "0 rejected.")):
        assert run("usage", group).stdout.strip() == nothing
        assert run("usage", group, "--json").stdout == run("usage", group, "list", "--json").stdout
        assert "Commands:" in run("usage", group, "--help").stdout


# --- Settings and database -----------------------------------------------------------------------------------------


def test_migrate_makes_a_database(run: Run, tmp_path: Path) -> None:
    """A new database gets its tables, its handbook and its zone; migrating again changes nothing."""
    url = f"sqlite:///{tmp_path / 'new' / 'tokens.db'}"
    refused = run("balance", ADA, code=1, database=url)
    assert "The database has no tables. Run `tokens-bot migrate`." in refused.stderr
    for _ in range(2):
        assert run("migrate", database=url).stdout == "The database is up to date.\n"
    assert run("handbook", "show", database=url).stdout == handbook.packaged()
    assert "Every figure holds." in run("verify", database=url).stdout
    other_zone = run("balance", ADA, code=1, database=url, TOKENS_TIME_ZONE="UTC")
    assert "Set TOKENS_TIME_ZONE=Europe/Berlin: past days cannot be counted again." in other_zone.stderr


def test_migrate_applies_the_named_handbook(run: Run, tmp_path: Path) -> None:
    """TOKENS_HANDBOOK is a new ledger's first handbook; a file that is missing or wrong is told, not traced."""
    body = handbook.packaged().replace('version = "2026.1"', 'version = "ours.1"')
    (tmp_path / "ours.toml").write_text(body)
    (tmp_path / "bad.toml").write_text("version = 1")
    (tmp_path / "latin.toml").write_bytes("# Größe".encode("latin-1"))
    url = f"sqlite:///{tmp_path / 'ours.db'}"
    for name, reason in (("none", "cannot be read"), ("latin", "cannot be read"), ("bad", "version = 1")):
        refused = run("migrate", code=1, database=url, TOKENS_HANDBOOK=str(tmp_path / f"{name}.toml"))
        assert reason in refused.stderr
    run("migrate", database=url, TOKENS_HANDBOOK=str(tmp_path / "ours.toml"))
    assert run("handbook", "show", database=url).stdout == body


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://db/tokens", "is of mysql; use SQLite or PostgreSQL. Correct TOKENS_DATABASE_URL."),
        ("nonsense", "is not a URL such as"),
        ("sqlite://", "must name a file"),
        ("postgresql://127.0.0.1:1/tokens", "The database does not answer: "),
        ("sqlite:////proc/tokens.db", "The database does not answer: unable to open database file"),
    ],
)
def test_a_database_that_is_none_is_a_reason(run: Run, url: str, reason: str) -> None:
    """A wrong URL and a server that is away are told in a sentence, for every command alike."""
    for arguments in (("balance", ADA), ("migrate",), ("verify",)):
        assert reason in run(*arguments, code=1, database=url).stderr


def test_mistakes_in_the_environment_are_named(run: Run) -> None:
    """A command with wrong settings says which, and does nothing."""
    refused = run("keys", "list", code=1, TOKENS_HTTP_PORT="high")
    assert "TOKENS_HTTP_PORT = 'high': expected a port number" in refused.stderr


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "SLACK_BOT_TOKEN is not set."),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "Neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is"),
    ],
)
def test_run_needs_slacks_tokens(run: Run, environ: dict[str, str], reason: str) -> None:
    """The bot does not start half: what is missing is named."""
    assert reason in run("run", code=1, **environ).stderr


# --- People --------------------------------------------------------------------------------------------------------


def test_people_are_imported(run: Run, tmp_path: Path) -> None:
    """A file adds and changes people, and imported again it changes nothing."""
    path = tmp_path / "people.csv"
    path.write_text(cast.PEOPLE + "new@example.com,New One,,,mid,engineering,,1,Europe/Paris,2026-01-01,,,\n")
    assert json.loads(run("people", "import", str(path), "--json").stdout) == {
        "added": 1,
        "changed": 0,
        "unchanged": 6,
        "dry_run": False,
    }
    assert run("people", "import", str(path)).stdout == "0 added, 0 changed, 7 unchanged.\n"


def test_a_bad_people_file_changes_nothing(run: Run, tmp_path: Path) -> None:
    """Every bad line is named with its number, column and value, and the good ones are not imported either."""
    path = tmp_path / "people.csv"
    path.write_text(
        "email,name,level,role_family,time_zone,hired_on\n"
        "good@example.com,Good,mid,engineering,Europe/Paris,2026-01-01\n"
        "bad,Bad,mid,engineering,Europe/Paris,2026-01-01\n"
        "worse@example.com,Worse,boss,engineering,Mars/Olympus,soon\n"
    )
    refused = run("people", "import", str(path), code=1)
    assert "Nothing was imported" in refused.stderr
    assert "line 3: email = 'bad': expected an e-mail address" in refused.stderr
    for column, value in (("level", "boss"), ("time_zone", "Mars/Olympus"), ("hired_on", "soon")):
        assert f"line 4: {column} = '{value}': expected " in refused.stderr
    run("balance", "good@example.com", code=1)


def test_a_people_file_is_utf8(run: Run, tmp_path: Path) -> None:
    """A file in another encoding is refused rather than read as nonsense."""
    path = tmp_path / "people.csv"
    path.write_bytes("email,name\nö".encode("latin-1"))
    assert "is not UTF-8 text" in run("people", "import", str(path), code=1).stderr


# --- Usage ---------------------------------------------------------------------------------------------------------


def test_csv_usage_is_imported(run: Run, tmp_path: Path) -> None:
    """The summary for programs has exactly the documented keys, and a second import finds only duplicates."""
    path = csv_file(tmp_path, line("e1"), line("e2"), line("e3", user="nobody@example.com"))
    first = run("usage", "import", path, "--format", "csv", "--json")
    assert counts(first) == dict(zip(SUMMARY, (3, 2, 0, 0, 1, 0), strict=True))
    again = run("usage", "import", path, "--format", "csv", "--json")
    assert counts(again) == dict(zip(SUMMARY, (3, 0, 3, 0, 0, 0), strict=True))
    assert balance_of(run) == "-1.080000"
    assert balance_of(run) == "-1.080000"


def test_conflicts_of_a_file_are_told_by_line(run: Run, tmp_path: Path) -> None:
    """An id with other content stays what it was: its line is named, the rest is imported, and the exit code is 1."""
    run("usage", "import", csv_file(tmp_path, line("e1")), "--format", "csv")
    changed = csv_file(tmp_path, line("e0"), line("e1", output=301), line("e2"), line("e2", output=7))
    refused = run("usage", "import", changed, "--format", "csv", "--json", code=1)
    assert counts(refused) == dict(zip(SUMMARY, (4, 2, 0, 2, 0, 0), strict=True))
    told = [text for text in refused.stderr.splitlines() if text.startswith("line ")]
    assert [text.partition(": another event")[0] for text in told] == [
        "line 3: conflict: 'e1' of 'gateway'",
        "line 5: conflict: 'e2' of 'gateway'",
    ]
    assert "2 lines were not taken: something else stands under the same id." in refused.stderr
    assert balance_of(run) == "-1.620000"
    listed = json.loads(run("usage", "conflicts", "list", "--json").stdout)
    assert listed["total"] == 2
    one = next(conflict for conflict in listed["conflicts"] if conflict["event_id"] == "e1")
    assert (one["state"], one["differs_in"], one["times"]) == ("posted", ["meters"], 1)
    assert (one["stands"]["meters"]["output"], one["offered"]["meters"]["output"]) == (300, 301)
    text = run("usage", "conflicts", "list", "--limit", "2").stdout
    assert "gateway/e1 (posted): offered once on " in text
    stands = "1,000 cache_read, 200 input_uncached, 300 output stands"
    assert f"  meters: {stands}, 1,000 cache_read, 200 input_uncached, 301 output was offered" in text


def test_json_lines_are_imported(run: Run, tmp_path: Path) -> None:
    """CloudEvents, one a line, count like the same events in a CSV file."""
    path = tmp_path / "usage.jsonl"
    event: dict[str, Any] = {
        "specversion": "1.0",
        "source": "gateway",
        "type": "gen_ai.usage",
        "time": "2026-11-20T09:30:00Z",
        "data": {
            "user.email": ADA,
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.input_tokens": 1200,
            "gen_ai.usage.cache_read.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 300,
        },
    }
    path.write_text("".join(json.dumps(event | {"id": f"e{i}"}) + "\n" for i in range(3)))
    result = run("usage", "import", str(path), "--format", "jsonl", "--json")
    assert counts(result) == dict(zip(SUMMARY, (3, 3, 0, 0, 0, 0), strict=True))
    assert balance_of(run) == "-1.620000"


def test_a_bad_line_stops_everything(run: Run, tmp_path: Path) -> None:
    """Every bad line is named with its number, nothing is imported, and the summary still says how many there were."""
    path = csv_file(tmp_path, line("e1"), line("e2", output=-3), line("e3"), "too,short")
    refused = run("usage", "import", path, "--format", "csv", "--json", code=1)
    assert counts(refused) == dict(zip(SUMMARY, (4, 0, 0, 0, 0, 2), strict=True))
    assert "line 3: output_tokens: expected " in refused.stderr
    assert "line 5: " in refused.stderr
    assert "2 bad lines, so nothing was imported." in refused.stderr
    assert balance_of(run) == "0.000000"


def test_bad_lines_can_be_left_out(run: Run, tmp_path: Path) -> None:
    """With --skip-bad-lines the others are imported, and the bad ones are named all the same."""
    path = csv_file(tmp_path, line("e1"), line("e2", output=-3), line("e3"))
    done = run("usage", "import", path, "--format", "csv", "--json", "--skip-bad-lines")
    assert counts(done) == dict(zip(SUMMARY, (3, 2, 0, 0, 0, 1), strict=True))
    assert "line 3: output_tokens" in done.stderr
    assert balance_of(run) == "-1.080000"


def test_a_file_with_other_columns_is_refused(run: Run, tmp_path: Path) -> None:
    """A header that is not ours is named before any line is read."""
    path = tmp_path / "usage.csv"
    path.write_text("who,what\nada,much\n")
    refused = run("usage", "import", str(path), "--format", "csv", code=1)
    assert str(path) in refused.stderr
    assert "columns" in refused.stderr


def test_a_pipe_is_not_read(run: Run) -> None:
    """A file is read twice, so a pipe is refused with what to do instead of a traceback."""
    reading, writing = os.pipe()
    os.close(writing)
    try:
        refused = run("usage", "import", f"/dev/fd/{reading}", "--format", "csv", code=1)
    finally:
        os.close(reading)
    assert "cannot be read twice. Save it to a file first." in refused.stderr


def test_differences_are_listed(run: Run, sqlite_app: App) -> None:
    """Where a gateway reckons with another price, both figures are there, by model and by event."""
    assert run("usage", "differences").stdout == "0 events differ.\n"
    event = cast.event("e1", at=NOON)._replace(remarks=Remarks(quoted=6_000_000))
    assert books.take_in(sqlite_app, event) == ["accepted"]
    told = json.loads(run("usage", "differences", "--json").stdout)
    figures = {"provider": "anthropic", "model": "claude-sonnet-4-5", "tier": "", "source": "gateway"}
    figures |= {"cost_usd": "0.005400000", "quoted_usd": "0.006000000"}
    assert told["by_model"] == [figures | {"events": 1}]
    assert told["events"] == [figures | {"event_id": "e1", "occurred_at": NOON.isoformat()}]
    shown = run("usage", "differences").stdout
    assert "anthropic/claude-sonnet-4-5 1 0.0054 0.006 90.0%" in " ".join(shown.split())
    assert shown.endswith("1 event differs.\n")


def test_quarantine_is_listed_and_retried(run: Run, tmp_path: Path) -> None:
    """What waits is listed with its reason, and once the name is known it is posted."""
    run("usage", "import", csv_file(tmp_path, line("e1", user="ada-laptop"), line("e2")), "--format", "csv")
    listed = json.loads(run("quarantine", "list", "--json").stdout)
    assert listed["counts"] == {"unknown_person": 1}
    [held] = listed["events"]
    assert (held["source"], held["event_id"], held["reason"]) == ("gateway", "e1", "unknown_person")
    assert held["detail"] == "no person is known for user 'ada-laptop'"
    assert "1 waiting: 1 unknown_person." in run("quarantine", "list").stdout
    assert json.loads(run("quarantine", "retry", "--json").stdout) == {
        "released": 0,
        "held": 1,
        "dry_run": False,
    }
    added = run("identities", "add", ADA, "ada-laptop", "--source", "gateway")
    assert "user 'ada-laptop' of gateway is Ada Lovelace (per_" in added.stdout
    assert run("quarantine", "retry").stdout == "1 released, 0 still waiting.\n"
    assert run("quarantine", "list").stdout == "0 waiting.\n"
    assert balance_of(run) == "-1.080000"


# --- Accounts ------------------------------------------------------------------------------------------------------


def strings_of_amounts(content: Any) -> list[str]:  # noqa: ANN401 - any part of an answer
    """Every value whose key says that it is tokens or USD."""
    found = []
    for key, value in content.items():
        if key.endswith(("_tokens", "_usd")) or key == "usd_per_token":
            found.append(value)
        for inner in value if isinstance(value, list) else []:
            found += strings_of_amounts(inner)
    return found


def test_amounts_are_decimal_strings(run: Run, tmp_path: Path) -> None:
    """Programs read tokens with six decimals and USD with nine, as strings, and no number is a float."""
    give(run, "4120.35")
    run("usage", "import", csv_file(tmp_path, line("e1")), "--format", "csv")
    texts = [run("balance", ADA.upper(), "--json").stdout, run("statement", ADA, "--json").stdout]
    for text in texts:
        content = json.loads(text, parse_float=lambda number: pytest.fail(f"a float: {number}"))
        amounts = strings_of_amounts(content)
        assert len(amounts) >= 6
        for amount in amounts:
            assert isinstance(amount, str)
            assert len(amount.partition(".")[2]) in (6, 9)
    card = json.loads(texts[0])
    assert (card["email"], card["balance_tokens"], card["balance_usd"]) == (ADA, "4119.810000", "41.198100000")
    assert (card["granted_tokens"], card["debt_tokens"]) == ("4120.350000", "0.000000")
    assert card["lots"][0]["remaining_tokens"] == "4119.810000"
    assert "Ada Lovelace: 4,119.81 tokens, USD 41.1981" in run("balance", ADA).stdout


def test_a_statement_adds_up(run: Run, tmp_path: Path) -> None:
    """Opening balance and lines lead to each balance and to the closing one; another month opens with nothing."""
    give(run, "100")
    run("usage", "import", csv_file(tmp_path, line("e1"), line("e2")), "--format", "csv")
    month = Month.containing(day_of(datetime.now(UTC), ZoneInfo("Europe/Berlin")))
    statement = json.loads(run("statement", ADA, "--month", str(month), "--json").stdout)
    assert (statement["opening_tokens"], statement["closing_tokens"]) == ("0.000000", "98.920000")
    assert [one["amount_tokens"] for one in statement["lines"]] == ["100.000000", "-1.080000"]
    assert [one["balance_tokens"] for one in statement["lines"]] == ["100.000000", "98.920000"]
    before = json.loads(run("statement", ADA, "--month", str(month.previous()), "--json").stdout)
    assert (before["opening_tokens"], before["closing_tokens"], before["lines"]) == ("0.000000", "0.000000", [])
    after = json.loads(run("statement", ADA, "--month", str(month.next()), "--json").stdout)
    assert (after["opening_tokens"], after["lines"]) == ("98.920000", [])
    assert "closing balance 98.92" in run("statement", ADA).stdout


def give(run: Run, amount: str, *more: str) -> Result:
    return run("grants", "give", ADA, amount, "--reason", "Pilot grant", "--expires", "2099-12-31", *more)


def test_a_key_gives_once(run: Run) -> None:
    """The same key with the same grant gives nothing twice, and with another grant it is refused."""
    first = json.loads(give(run, "10", "--key", "k1", "--json").stdout)
    again = json.loads(give(run, "10", "--key", "k1", "--json").stdout)
    assert (first["amount_tokens"], first["again"], again["again"]) == ("10.000000", False, True)
    assert first["entry_id"] == again["entry_id"]
    assert first["expires_at"] == "2099-12-31T23:00:00+00:00"
    refused = run("grants", "give", ADA, "11", "--reason", "x", "--expires", "2099-12-31", "--key", "k1", code=1)
    assert "key = 'k1' was used for another grant. Choose another key." in refused.stderr
    assert "10 tokens had already been given under this key to ada@example.com" in give(run, "10", "--key", "k1").stdout
    assert balance_of(run) == "10.000000"


# --- Keys, handbook, verify ----------------------------------------------------------------------------------------


def database_bytes(url: str) -> bytes:
    path = Path(url.removeprefix("sqlite:///"))
    return b"".join(file.read_bytes() for file in (path, *path.parent.glob(f"{path.name}-*")))


def test_a_key_is_shown_once_and_kept_as_a_hash(run: Run, sqlite_url: str) -> None:
    """Only the secret is on the output, to be piped; the database has its hash, and the list has neither."""
    created = run("keys", "create", "gateway")
    secret = created.stdout.strip()
    assert secret.startswith("tb_")
    assert "It is shown only this once." in created.stderr
    kept = database_bytes(sqlite_url)
    assert secret.encode() not in kept
    assert hashlib.sha256(secret.encode()).digest() in kept
    assert secret not in run("keys", "list").stdout
    [listed] = json.loads(run("keys", "list", "--json").stdout)
    assert (listed["name"], listed["source"], listed["scopes"], listed["state"]) == (
        "gateway",
        "gateway",
        "usage:write",
        "",
    )
    assert (
        "There is already a key named 'gateway'. Choose another name."
        in run("keys", "create", "gateway", code=1).stderr
    )
    run("keys", "revoke", "gateway")
    assert json.loads(run("keys", "list", "--json").stdout)[0]["state"] == "revoked"
    run("keys", "revoke", "gateway", code=1)
    with_source = json.loads(run("keys", "create", "eu", "--source", "gateway/eu", "--json").stdout)
    assert with_source["source"] == "gateway/eu"


def test_a_key_is_rotated_and_ends(run: Run) -> None:
    """The new secret alone is on the output; the list says until which day a key opens and when it was used."""
    old = run("keys", "create", "gateway", "--expires", "2030-01-31").stdout.strip()
    new = run("keys", "rotate", "gateway", "--keep", "1")
    assert new.stdout.strip().startswith("tb_")
    assert new.stdout.strip() != old
    assert "opens for 1 more hour." in new.stderr
    [listed] = json.loads(run("keys", "list", "--json").stdout)
    assert (listed["expires"], listed["last_used"], listed["state"]) == ("2030-01-31", "", "")
    assert "still opens" in run("keys", "rotate", "gateway", code=1).stderr
    assert "would be expired already" in run("keys", "create", "late", "--expires", "2020-01-31", code=1).stderr


def test_verify_finds_a_missing_anchor(run: Run, sqlite_url: str) -> None:
    """A hash that was told before and is gone makes exit code 1; one that is there holds; what is no hash is misuse."""
    run("keys", "create", "gateway")
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as file:
        [(known,)] = file.execute("SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1").fetchall()
    assert run("verify", "--anchor", known.upper()).stdout == "Every figure holds.\n"
    gone = "0" * 64
    found = json.loads(run("verify", "--anchor", known, "--anchor", gone, "--json", code=1).stdout)
    assert found == {
        "holds": False,
        "findings": [f"anchor {gone} is not in the audit log: rows up to it are missing, or were written anew"],
    }
    assert "64 digits" in run("verify", "--anchor", "abc", code=2).stderr


def test_a_handbook_is_shown_and_applied(run: Run, tmp_path: Path) -> None:
    """The shown text is the applied one; a new version holds from its date, and a changed old one is refused."""
    shown = run("handbook", "show").stdout
    assert shown == run("handbook", "show", "--packaged").stdout == handbook.packaged()
    path = tmp_path / "handbook.toml"
    path.write_text(shown.replace('version = "2026.1"', 'version = "2099.1"').replace("2026-01-01", "2099-01-01"))
    assert run("handbook", "apply", str(path)).stdout == "Handbook 2099.1 applies from 2099-01-01.\n"
    run("handbook", "apply", str(path))
    assert run("handbook", "show").stdout == shown
    path.write_text(path.read_text() + "\n# changed")
    assert (
        "Version '2099.1' was already applied with a different text."
        in run("handbook", "apply", str(path), code=1).stderr
    )
    path.write_text("version = 3\nsurprise = true")
    refused = run("handbook", "apply", str(path), code=1)
    for mistake in ("version = 3: expected a text", "contact: missing", "surprise = True: there is no such key"):
        assert mistake in refused.stderr
    assert tomllib.loads(shown)["version"] == "2026.1"


def test_verify_finds_what_was_tampered_with(run: Run, tmp_path: Path, sqlite_url: str) -> None:
    """A ledger as we wrote it holds; one with a changed balance does not, and exit 1 says so to the caller."""
    give(run, "100")
    run("usage", "import", csv_file(tmp_path, line("e1")), "--format", "csv")
    assert json.loads(run("verify", "--json").stdout) == {"holds": True, "findings": []}
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    connection.execute("UPDATE accounts SET balance = balance + 1 WHERE code LIKE 'wallet:%'")
    connection.commit()
    connection.close()
    found = json.loads(run("verify", "--json", code=1).stdout)
    assert found["holds"] is False
    assert any("balance 99460001" in finding for finding in found["findings"])
    assert "figures do not hold." in run("verify", code=1).stdout


def test_verify_goes_on_where_a_line_of_the_log_was_mutilated(run: Run, sqlite_url: str) -> None:
    """A check that cannot read what somebody wrote into the audit log says so; the broken chain is found as well."""
    give(run, "100")
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    connection.execute("UPDATE audit_log SET action = 'request.vote', after = '{}' WHERE seq = 1")
    connection.commit()
    connection.close()
    found = json.loads(run("verify", "--json", code=1).stdout)["findings"]
    assert "votes_as_audited: what stands there was not written by the bot (KeyError: 'approves')" in found
    assert any(finding.startswith("audit row 1 does not follow") for finding in found)


def test_progress_stays_off_the_output(run: Run, tmp_path: Path) -> None:
    """What a program reads is not mixed with what a person watches."""
    path = csv_file(tmp_path, line("e1"))
    assert json.loads(run("usage", "import", path, "--format", "csv", "--json").stdout)["accepted"] == 1
    assert run("verify").stdout == "Every figure holds.\n"


def test_what_people_do_is_audited_with_their_name(run: Run, sqlite_app: App) -> None:
    """The audit log names who sat at the command line."""
    give(run, "1")
    with sqlite_app.database.reading() as session:
        actors = set(session.exec_driver_sql("SELECT actor FROM audit_log WHERE action = 'grant.give'").scalars())
    assert len(actors) == 1
    assert actors.pop().startswith("cli:")
