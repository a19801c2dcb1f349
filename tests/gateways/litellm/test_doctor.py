from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING

from gateways.litellm import __main__ as command
from gateways.litellm import doctor
from gateways.litellm.journal import Journal
from tests.gateways.litellm.company import NOWHERE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support import holding


def _environment(url: str, folder: Path) -> dict[str, str]:
    return {"TOKENS_BOT_URL": url, "TOKENS_BOT_KEY": "tb_key", "TOKENS_BOT_JOURNAL": str(folder / "j.db")}


def _verdicts(findings: list[doctor.Finding]) -> dict[str, str]:
    return {finding.what: finding.verdict for finding in findings}


def test_all_is_well(bot: holding.Bot, tmp_path: Path) -> None:
    """Settings, journal, bot, key and clock are looked at, and nothing is wrong."""
    verdicts = _verdicts(doctor.examine(_environment(bot.url, tmp_path), time.time))
    assert verdicts == dict.fromkeys(("settings", "journal", "bot", "key", "clock"), "good")


def test_a_missing_setting_is_all_there_is_to_say(tmp_path: Path) -> None:
    """Without an address nothing else can be looked at."""
    [finding] = doctor.examine({"TOKENS_BOT_JOURNAL": str(tmp_path / "j.db")}, time.time)
    assert (finding.verdict, "TOKENS_BOT_URL" in finding.detail) == ("bad", True)


def test_a_bot_that_is_away_is_told(tmp_path: Path) -> None:
    """The journal is looked at all the same."""
    verdicts = _verdicts(doctor.examine(_environment(NOWHERE, tmp_path), time.time))
    assert verdicts == {"settings": "good", "journal": "good", "bot": "bad"}


def test_a_key_that_opens_nothing_is_told(bot: holding.Bot, tmp_path: Path) -> None:
    """A revoked key, or one without the scope, is named as the reason."""
    bot.forbidden = True
    found = doctor.examine(_environment(bot.url, tmp_path), time.time)
    [key] = [finding for finding in found if finding.what == "key"]
    assert (key.verdict, "holds:write" in key.detail) == ("bad", True)


def test_clocks_that_differ_are_told(bot: holding.Bot, tmp_path: Path) -> None:
    """Two minutes are too many: events of the future are rejected."""
    found = _verdicts(doctor.examine(_environment(bot.url, tmp_path), lambda: time.time() + 120))
    assert found["clock"] == "bad"


def test_what_waits_and_what_was_refused_is_told(
    bot: holding.Bot, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that wait for an hour deserve a look; refused ones are listed, and can be sent once more."""
    journal = Journal(tmp_path / "j.db")
    journal.keep("old", "", "{}", now=time.time() - 3_600)
    journal.keep("bad", "", "{}", now=time.time())
    bad = journal.claim(now=time.time(), most=9, most_bytes=9_999)[1]
    journal.refuse(bad, "endTime: expected seconds")
    journal.close()
    for name, value in _environment(bot.url, tmp_path).items():
        monkeypatch.setenv(name, value)
    assert _verdicts(doctor.examine(_environment(bot.url, tmp_path), time.time))["journal"] == "look"
    assert command.main(["doctor"]) == 1
    assert "bad   refused   1 event was refused" in capsys.readouterr().out
    assert command.main(["refused"]) == 0
    assert capsys.readouterr().out == "bad  endTime: expected seconds\n"
    assert command.main(["--json", "retry"]) == 0
    assert json.loads(capsys.readouterr().out) == {"sent_again": 1}
    assert command.main(["doctor"]) == 0


def test_a_journal_that_cannot_be_opened_is_told(
    bot: holding.Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is not there or not ours is named, with what SQLite says."""

    def unable(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(doctor, "Journal", unable)
    found = doctor.examine(_environment(bot.url, tmp_path), time.time)
    [journal] = [finding for finding in found if finding.what == "journal"]
    assert (journal.verdict, "unable to open" in journal.detail) == ("bad", True)


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings there is no journal to look into: exit code 2, and the reason."""
    monkeypatch.delenv("TOKENS_BOT_URL", raising=False)
    assert command.main(["refused"]) == 2
    assert "TOKENS_BOT_URL is not set" in capsys.readouterr().err
