"""`tokens-bot setup`: from an empty folder to a company that grants, by a file and by answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
import tomlkit
from click.testing import CliRunner
from dotenv import dotenv_values

from bot.cli import main
from bot.setup import files
from policy.period import Month
from tests.support import slack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from sandbox import Sandbox

    Run = Callable[..., Result]

NOW = datetime.now(UTC)
LAUNCH = str(Month.containing(NOW.date()).next())
"""Commands read the machine's clock: whenever this is run, the launch is ahead."""
GUIDE = Path(__file__).parents[2] / "docs" / "operators" / "README.md"
PEOPLE = """\
email,name,level,role_family,pay_band,time_zone,hired_on,wave,roles
ada@example.com,Ada Lovelace,staff,engineering,P4,Europe/London,2021-03-01,1,
ben@example.com,Ben Okafor,senior,engineering,P3,Europe/Berlin,2022-01-01,1,
iris@example.com,Iris Tan,principal,engineering,P4,Europe/Berlin,2019-01-01,1,
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with slack.workspace() as running:
        yield running


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """A command in the test's own folder, which is empty; Slack is the workspace of the tests."""

    def invoke(*arguments: str, code: int = 0, typed: str | None = None, **environ: str) -> Result:
        env: dict[str, str | None] = {"SLACK_API_URL": sandbox.api_url, **environ}
        result = CliRunner().invoke(main, arguments, env=env, input=typed)
        assert result.exit_code == code, (result.output, result.exception)
        installed = sandbox.workspace.app
        assert installed.bot_token not in result.output
        assert installed.app_token not in result.output
        assert "tb_" not in result.output
        return result

    return invoke


def written(sandbox: Sandbox, **changes: str) -> Path:
    """A company's file of answers, beside its people and the secrets that it names."""
    installed = sandbox.workspace.app
    Path("people.csv").write_text(PEOPLE)
    Path("bot-token").write_text(f"{installed.bot_token}\n")
    Path("app-token").write_text(installed.app_token)
    text = f"""\
time_zone = "Europe/Berlin"
contact = "Mara in #ai-tokens"
launch = "{LAUNCH}"
services = ["anthropic", "openai", "gpu-cluster"]
people = "people.csv"
budget = "160,000"

[slack]
bot_token_file = "bot-token"
app_token_file = "app-token"
governance_channel = "{slack.BOARD}"
announce_channel = "{slack.GENERAL}"

[bands]
P3 = 140000
P4 = "180k"

[gateway]
name = "litellm-eu"
"""
    for old, new in changes.items():
        text = text.replace(old.replace("__", " = "), new)
    path = Path("setup.toml")
    path.write_text(text)
    return path


def test_a_file_sets_everything_up_once(run: Run, sandbox: Sandbox) -> None:
    """Settings, handbook, people, bands, budget and a key; a second time changes nothing."""
    first = run("setup", "--from", str(written(sandbox))).output
    for line in (
        "SLACK_BOT_TOKEN belongs to tokens in Example.",
        "Its days are those of Europe/Berlin, for ever.",
        "People: 3 added",
        "Pay bands: 2 set",
        f"From {LAUNCH} on, a month's grants cost at most USD 160,000.00.",
        "Key 'litellm-eu' of litellm-eu is in litellm-eu.key.",
        f"The grants of {LAUNCH}: 3 people",
    ):
        assert line in first
    said = dotenv_values(".env")
    assert said["TOKENS_HANDBOOK"] == "handbook.toml"
    assert said["SLACK_BOT_TOKEN"] == sandbox.workspace.app.bot_token
    for secret in (".env", "litellm-eu.key"):
        assert Path(secret).stat().st_mode & 0o777 == 0o600
    own = tomlkit.parse(Path("handbook.toml").read_text())
    assert [one["key"] for one in own["services"]] == ["anthropic", "openai", "gpu-cluster"]
    assert "No one is to use tokens up" in Path("handbook.toml").read_text()
    before = Path(".env").read_text(), Path("handbook.toml").read_text(), Path("litellm-eu.key").read_text()
    second = run("setup", "--from", "setup.toml").output
    assert before == (Path(".env").read_text(), Path("handbook.toml").read_text(), Path("litellm-eu.key").read_text())
    for line in (".env is as it was", "0 added, 0 changed, 3 unchanged", "Pay bands: 0 set, 2", "is there already"):
        assert line in second
    assert "3 people" in run("grants", "run", "--month", LAUNCH, "--dry-run").output


def test_a_check_changes_nothing(run: Run, sandbox: Sandbox) -> None:
    """Everything is tried, on a ledger that is thrown away; the folder is as it was."""
    path = written(sandbox)
    before = sorted(Path().rglob("*"))
    checked = run("setup", "--from", str(path), "--check").output
    assert "Tried on an empty ledger: People: 3 added" in checked
    assert checked.endswith("Everything would work. Nothing was changed.\n")
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"time_zone__": "time_zone = 'GMT+2' #"}, "time_zone = 'GMT+2': expected a time zone such as Europe/Berlin"),
        ({"launch__": "launch = '2027-13' #"}, "launch = '2027-13': "),
        ({"P3__": "P3 = 'much' #"}, "bands.P3 = 'much': 'much' is no amount"),
        ({"budget__": "budget = '1.5.0' #"}, "budget = '1.5.0'"),
        ({"services__": "services = ['skynet'] #"}, "'skynet' is none of anthropic, openai"),
        ({"people__": "people = 'nobody.csv' #"}, "nobody.csv': there is no such file"),
        ({"launch__": "lunch = '2027-01' #"}, "unknown field `lunch`"),
        ({"announce_channel__": "announce_channel = 'C0NOWHERE' #"}, "C0NOWHERE: channel_not_found"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    run: Run, sandbox: Sandbox, changes: dict[str, str], told: str
) -> None:
    """Field, value and what is expected; also of what only Slack knows to be wrong."""
    result = run("setup", "--from", str(written(sandbox, **changes)), code=1)
    assert told in result.output
    assert not Path(".env").exists()
    assert not Path("var").exists()


def test_a_bad_line_of_people_leaves_nothing_half_done(run: Run, sandbox: Sandbox) -> None:
    """What the file of people gets wrong is found before anything is written."""
    path = written(sandbox)
    Path("people.csv").write_text(PEOPLE.replace("staff", "boss"))
    assert "line 2: level = 'boss'" in run("setup", "--from", str(path), code=1).output
    assert not Path(".env").exists()


def test_secrets_in_a_file_that_others_read_are_refused(run: Run, sandbox: Sandbox) -> None:
    """Secrets may stand in the file itself, if it is its owner's alone."""
    token = sandbox.workspace.app.bot_token
    path = written(sandbox, bot_token_file__=f'bot_token = "{token}" #')
    path.chmod(0o644)
    assert "chmod 600 setup.toml" in run("setup", "--from", str(path), code=1).output
    path.chmod(0o600)
    assert "Nothing was changed." in run("setup", "--from", str(path), "--check").output


def test_an_environment_that_says_otherwise_is_refused(run: Run, sandbox: Sandbox) -> None:
    """It would win over .env without anyone seeing it; the variable is named, its value is not."""
    refused = run("setup", "--from", str(written(sandbox)), code=1, TOKENS_TIME_ZONE="Asia/Tokyo").output
    assert "TOKENS_TIME_ZONE" in refused
    assert "Asia/Tokyo" not in refused


def test_the_zone_of_a_ledger_stays(run: Run, sandbox: Sandbox) -> None:
    """Another zone than the one on record is refused, and .env stays as it was."""
    run("setup", "--from", str(written(sandbox)))
    before = Path(".env").read_text()
    refused = run("setup", "--from", str(written(sandbox, time_zone__="time_zone = 'Asia/Tokyo' #")), code=1).output
    assert "this ledger's days were counted in Europe/Berlin" in refused
    assert Path(".env").read_text() == before


def typed(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def test_answers_set_everything_up_and_may_stop_in_between(run: Run, sandbox: Sandbox) -> None:
    """A wrong answer is asked again; after a stop what was answered is offered, and Enter keeps it."""
    installed = sandbox.workspace.app
    Path("people.csv").write_text(PEOPLE)
    settings = ("GMT+2", "Europe/Berlin", "", "xoxb-wrong", installed.bot_token, installed.app_token)
    stopped = run("setup", typed=typed(*settings, "C0NOWHERE", slack.BOARD, slack.GENERAL, ""), code=1)
    for line in ("'GMT+2' is no time zone", "invalid_auth", "Socket Mode can connect", "channel_not_found", ".env is"):
        assert line in stopped.output
    kept = ("", "", "", "", "", "", "", "Mara", LAUNCH, "")
    done = run("setup", typed=typed(*kept, "people.csv", "140k", "180,000 USD", "160,000", "litellm-eu")).output
    for line in ("Time zone [Europe/Berlin]", "People: 3 added", "Pay bands: 2 set", "at most USD 160,000.00"):
        assert line in done
    assert f"The grants of {LAUNCH}: 3 people" in done
    assert dotenv_values(".env")["SLACK_APP_TOKEN"] == installed.app_token
    assert Path("litellm-eu.key").exists()


QUESTIONS = 15
DEEP = [pytest.param(stop, marks=pytest.mark.deep) for stop in range(QUESTIONS) if stop != 12]


@pytest.mark.parametrize("stop", [12, *DEEP])
def test_no_answer_is_lost_wherever_it_is_ended(run: Run, sandbox: Sandbox, stop: int) -> None:
    """Ended before any question, even twice, it goes on with Enter alone; secrets are in files of their owner alone."""
    installed = sandbox.workspace.app
    Path("people.csv").write_text(PEOPLE)
    slack_told = (installed.bot_token, installed.app_token, slack.BOARD, slack.GENERAL, "S0BOARD")
    settings = ("Europe/Berlin", "sqlite:///var/company.db", *slack_told)
    answers = (*settings, "Mara", LAUNCH, "anthropic openai", "people.csv", "140k", "180k", "160,000", "litellm-eu")
    assert len(answers) == QUESTIONS
    assert "run it again: each answer is kept" in run("setup", typed=typed(*answers[:stop]), code=1).output
    run("setup", typed=typed(*[""] * (stop // 2)), code=1)
    with_secrets = [
        one for one in Path().rglob("*") if one.is_file() and installed.bot_token in one.read_text("latin-1")
    ]
    assert {one.stat().st_mode & 0o777 for one in with_secrets} == ({0o600} if stop > 2 else set())
    done = run("setup", typed=typed(*[""] * stop, *answers[stop:])).output
    assert ("Enter keeps each" in done) == (stop not in (0, len(settings), len(settings) + 3))
    said = dotenv_values(".env")
    assert [said[name] for name in ("TOKENS_TIME_ZONE", "TOKENS_DATABASE_URL", "SLACK_APP_TOKEN")] == [
        *settings[:2],
        installed.app_token,
    ]
    assert said["TOKENS_BOARD_USERGROUP"] == "S0BOARD"
    book = tomlkit.parse(Path("handbook.toml").read_text())
    assert (book["contact"], [one["key"] for one in book["services"]]) == ("Mara", ["anthropic", "openai"])
    for line in ("Pay bands: 2 set", "at most USD 160,000.00", f"The grants of {LAUNCH}: 3 people"):
        assert line in done
    assert Path("litellm-eu.key").exists()
    assert not files.UNFINISHED.exists()


def test_what_is_done_is_not_kept_beside_it(run: Run, sandbox: Sandbox) -> None:
    """Once a token is in .env it is in no other file: what somebody changes there is what is offered."""
    installed = sandbox.workspace.app
    settings = ("UTC", "", installed.bot_token, installed.app_token, slack.BOARD, slack.GENERAL, "")
    run("setup", typed=typed(*settings, "Mara"), code=1)
    assert list(msgspec.json.decode(files.UNFINISHED.read_bytes())) == ["contact"]
    Path(".env").write_text(Path(".env").read_text().replace("=UTC", "=Asia/Tokyo"))
    assert "Time zone [Asia/Tokyo]" in run("setup", typed="", code=1).output


def test_kept_answers_that_cannot_be_read_are_named(run: Run) -> None:
    """Whoever edited the file reads which one it is, and what to do."""
    files.UNFINISHED.write_text("{")
    assert ".env.unfinished holds the answers" in run("setup", typed="", code=1).output


def test_slack_may_wait(run: Run) -> None:
    """Without tokens there are settings, a handbook and a ledger; the rest is asked again another time."""
    done = run("setup", typed=typed("UTC", "", "", "", "", "", "", "", "")).output
    assert "No launch is set" in done
    assert "SLACK_BOT_TOKEN" not in dotenv_values(".env")


def test_with_a_board_a_changed_handbook_is_written_for_two_people(run: Run, sandbox: Sandbox) -> None:
    """The rest of the file is done; the handbook in force stays until it is proposed and confirmed."""
    path = written(sandbox)
    Path("people.csv").write_text(PEOPLE.replace(",1,\n", ",1,board\n"))
    run("setup", "--from", str(path))
    path.write_text(path.read_text().replace("Mara in", "Ruth in").replace("P3 = 140000", "P3 = 150000"))
    told = run("setup", "--from", str(path)).output
    assert "(effective_from), then `tokens-bot handbook propose handbook.toml`" in told
    assert "Pay bands: 1 set, 1 unchanged." in told
    assert "Ruth in #ai-tokens" in Path("handbook.toml").read_text()
    assert "Ruth" not in run("handbook", "show").output
    ahead = f"effective_from = {NOW.date() + timedelta(days=20)}"
    book = re.sub(r"(?m)^effective_from = .*", ahead, Path("handbook.toml").read_text())
    Path("handbook.toml").write_text(book)
    run("handbook", "propose", "handbook.toml", "--by", "ada@example.com")
    assert "Pay bands: 0 set, 2 unchanged." in run("setup", "--from", str(path)).output
    assert Path("handbook.toml").read_text() == book


def test_the_guides_company_has_what_the_guide_says(run: Run, sandbox: Sandbox) -> None:
    """Its file of people, its commands and its event lead from an empty folder to the balance that it names."""
    guide = GUIDE.read_text()
    [company] = re.findall(r"<<'CSV'\n(.*?)CSV\n", guide, re.DOTALL)
    [event] = re.findall(r"<<'EOF'\n(.*?)EOF\n", guide, re.DOTALL)
    path = written(sandbox, P3__='P5 = "220k" #')
    Path("people.csv").write_text(company)
    Path("event.jsonl").write_text(event.replace("\n", " ").replace("2026-11-27T09:30:00Z", NOW.isoformat()))
    assert "3 people" in run("setup", "--from", str(path)).output
    run("doctor")
    assert "everyone's share 1" in run("grants", "run", "--month", LAUNCH, "--dry-run").output
    ends = ("--expires", str(NOW.date() + timedelta(days=60)))
    run("grants", "give", "ada@example.com", "50k", "--reason", "Pilot grant", *ends)
    assert "1 accepted" in run("usage", "import", "event.jsonl").output
    balance = run("balance", "ada@example.com").output
    assert "Ada Lovelace: 50,000 tokens" in balance
    assert "0.54 tokens beside\nher 50,000" in guide
    assert "0.54 tokens, outside the programme" in balance


def test_settings_keep_what_is_not_asked(tmp_path: Path) -> None:
    """Comments and other settings stay where they are; a value with spaces and quotes is read as it was written."""
    before = "# ours\nTOKENS_LOG=json\nTOKENS_TIME_ZONE=UTC\n"
    after = files.env_text(before, {"TOKENS_TIME_ZONE": "Europe/Berlin", "SLACK_BOT_TOKEN": "xoxb-a 'b' $c \\d"})
    path = tmp_path / ".env"
    path.write_text(after)
    assert after.startswith("# ours\nTOKENS_LOG=json\nTOKENS_TIME_ZONE=Europe/Berlin\n")
    assert files.env_values(path)["SLACK_BOT_TOKEN"] == "xoxb-a 'b' $c \\d"


def test_a_version_that_is_taken_is_counted_up() -> None:
    """`2026.1` becomes the next that is free, and so does a name without a number."""
    assert 'version = "2026.3"' in files.with_free_version('version = "2026.1"\n', {"2026.1", "2026.2"})
    assert 'version = "ours.2"' in files.with_free_version('version = "ours"\n', {"ours"})
    assert 'version = "ours"' in files.with_free_version('version = "ours"\n', set())
