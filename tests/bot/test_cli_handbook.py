"""`tokens-bot handbook`: one person applies the company's first, afterwards one proposes and another confirms."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import common, main
from policy import handbook
from tests.support import books, cast, proposed
from tests.support.proposed import text
from tests.support.requests import TESS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from programme.app import App

    Run = Callable[..., Result]

FAR = date(2099, 1, 1)
"""The commands tell the time by themselves, so that their handbooks hold from a day that is far away."""
NOBODY = "email,name,level,role_family,time_zone,hired_on,roles\n" + "".join(
    f"{who}@example.com,,,,,,-\n" for who in ("iris", "omar", "tess")
)


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`tokens-bot handbook COMMAND [FILE with this text] …`."""
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    monkeypatch.setattr(common, "login", lambda: "ben")

    def invoke(command: str, *options: str, body: str = "", code: int = 0) -> Result:
        path = tmp_path / "handbook.toml"
        path.write_text(body, "utf-8")
        result = CliRunner().invoke(main, ["handbook", command, *([str(path)] if body else []), *options])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def test_the_first_is_applied_by_one_and_the_next_by_two(run: Run, sqlite_app: App) -> None:
    """The second is refused with what to do; the first may be applied again and again, as deployments do."""
    first, second = text("2099.1", FAR), text("2099.2", FAR)
    assert run("apply", body=first).stdout == "Handbook 2099.1 applies from 2099-01-01.\n"
    refused = run("apply", body=second, code=1).stderr
    assert "A change to the handbook takes two people." in refused
    assert "tokens-bot handbook propose FILE" in refused
    assert run("apply", body=first).stdout == "Handbook 2099.1 applies from 2099-01-01.\n"
    assert run("apply", body=handbook.packaged()).exit_code == 0
    assert (
        "Version '2099.1' was already applied with a different text."
        in run("apply", body=f"{first}# more", code=1).stderr
    )
    assert [row["after"].get("alone") for row in books.audited(sqlite_app, "handbook.apply")] == [None, "own_first"]
    assert books.findings(sqlite_app) == {}


def test_what_the_system_applied_may_be_the_companys_own(run: Run, sqlite_app: App) -> None:
    """Where `TOKENS_HANDBOOK` came first, the next one takes two people; of the packaged one remarks may differ."""
    with sqlite_app.database.transaction() as session:
        session.exec_driver_sql("UPDATE handbooks SET body = '# An older remark.' || char(10) || body")
    assert "two people" not in run("apply", body="version = 3", code=1).stderr
    run("apply", body=text("2099.1", FAR))
    with sqlite_app.database.transaction() as session:
        session.exec_driver_sql("DELETE FROM handbooks WHERE version = '2099.1'")
        session.exec_driver_sql("UPDATE handbooks SET body = replace(body, 'carry_over = 1.0', 'carry_over = 0.7')")
    assert "takes two people" in run("apply", body=text("2099.2", FAR), code=1).stderr


def test_without_a_board_one_person_is_enough(run: Run, sqlite_app: App) -> None:
    """In a set-up with no one to confirm, every version is applied by one, and the log says why."""
    cast.hire(sqlite_app, NOBODY)
    for number in (1, 2, 3):
        run("apply", body=text(f"2099.{number}", FAR))
    told = [row["after"].get("alone") for row in books.audited(sqlite_app, "handbook.apply")]
    assert told == [None, "own_first", "no_board", "no_board"]
    assert "No one but Ben Okafor is on the board" in run("propose", body=text("2099.4", FAR), code=1).stderr
    assert books.findings(sqlite_app) == {}


def test_a_proposal_is_printed_and_listed(run: Run) -> None:
    """Who, from when, until when it waits, and every change; afterwards what became of it, for people and programs."""
    assert run("proposals").stdout == "Nothing has been proposed.\n"
    printed = run("propose", body=text("2099.1", FAR)).stdout
    assert printed.startswith(
        "Handbook 2099.1 from 2099-01-01 is proposed by Ben Okafor and waiting for a second person"
    )
    for line in (
        "  lots.months: 3 -> 4",
        "  lots.carry_over: 1.0 -> 0.5",
        "  rollout.launched_on: not set -> 2026-01-01",
    ):
        assert line in printed.splitlines()
    assert run("propose", body=text("2099.1", FAR)).stdout == printed
    nothing = handbook.packaged().replace('version = "2026.1"', 'version = "2099.2"').replace("2026-01-01", str(FAR))
    assert "Only the version and its date change." in run("propose", "--by", TESS, body=nothing).stdout
    listed = json.loads(run("proposals", "--json").stdout)
    assert [(one["version"], one["state"], one["proposed_by"]) for one in listed] == [
        ("2099.2", "open", "Tess Novak"),
        ("2099.1", "open", "Ben Okafor"),
    ]
    assert {"key": "lots.months", "old": "3", "new": "4"} in listed[1]["changes"]
    shown = run("proposals", "--changes").stdout
    assert "2099.1, compared with 2026.1:\n" in shown
    assert "  lots.months: 3 -> 4\n" in shown


def test_what_became_of_it_is_listed(run: Run, sqlite_app: App) -> None:
    """By whom and why it was declined."""
    made = proposed.propose(sqlite_app, text("2099.1", FAR), by=TESS)
    proposed.decline(sqlite_app, "iris@example.com", made, "Not\nyet")
    [one] = json.loads(run("proposals", "--json").stdout)
    assert (one["state"], one["decided_by"], one["reason"]) == ("declined", "Iris Tan", "Not yet")
    assert "compared with" not in run("proposals", "--changes").stdout


@pytest.mark.parametrize(
    ("options", "body", "said"),
    [
        (("--by", "nobody@example.com"), text("2099.1", FAR), "No one in the programme goes by 'nobody@example.com'."),
        ((), text("2099.1", date(2026, 1, 2)), "effective_from = 2026-01-02 is in the past."),
        ((), handbook.packaged(), "Version '2026.1' is already applied"),
        ((), text("2026.1", FAR), "Version '2026.1' was already applied with a different text."),
        ((), "version = 3\nsurprise = true", "surprise = True: there is no such key"),
    ],
)
def test_what_cannot_be_proposed_is_refused(run: Run, options: tuple[str, ...], body: str, said: str) -> None:
    """Exit code 1 with the reason, and nothing is before the board."""
    assert said in run("propose", *options, body=body, code=1).stderr
    assert run("proposals").stdout == "Nothing has been proposed.\n"


def test_a_login_that_is_nobody_has_to_say_who(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine's own account proposes nothing: there is always a person who answers for it."""
    monkeypatch.setattr(common, "login", lambda: "root")
    refused = run("propose", body=text("2099.1", FAR), code=1).stderr
    assert "No one in the programme goes by 'root'." in refused
    assert "--by EMAIL" in refused
