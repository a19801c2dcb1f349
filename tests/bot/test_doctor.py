"""The doctor: everything good is said to be good, and each thing that is wrong has its finding and its remedy."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot import doctor
from bot.checks import board
from bot.checks import slack as checks
from bot.cli import main
from policy.metering import Remarks
from programme.app import App
from programme.usage import intake as usage_programme
from programme.usage import keys, refusals
from sandbox import web_api
from store import pulses, schema
from store.engine import open_database
from store.outbox import messages
from store.usage import keys as keys_store
from tests.conftest import ZONE
from tests.support import books, cash, cast, slack
from tests.support.requests import ALTERNATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from bot.findings import Finding
    from sandbox import Sandbox
    from sandbox.platform_state import Platform
    from tests.support.clock import Clock

CASH_WAITS = "The month's cash (Cash) is reached, and the board is too small to be asked."
CHANNELS = {"TOKENS_GOVERNANCE_CHANNEL": slack.BOARD, "TOKENS_ANNOUNCE_CHANNEL": slack.GENERAL}


@pytest.fixture
def sandbox(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A workspace that tells the time in its answers, as Slack does."""
    answer = web_api.answer

    async def dated(platform: Platform, name: str, request: Request) -> Response:
        response = await answer(platform, name, request)
        response.headers["date"] = format_datetime(platform.clock(), usegmt=True)
        return response

    monkeypatch.setattr(web_api, "answer", dated)
    with slack.workspace(clock=clock) as running:
        yield running


def examine(sandbox: Sandbox, app: App, **environ: str) -> list[Finding]:
    with contextlib.suppress(sa.exc.DatabaseError):
        cast.hire(app, ALTERNATES)
    changes = {"TOKENS_BOARD_USERGROUP": slack.GROUP, **CHANNELS, **environ}
    return list(doctor.examine(slack.load(slack.environment(sandbox, "sqlite:///unused.db", **changes)), app))


def wrong(findings: list[Finding]) -> list[tuple[str, str]]:
    """(level, what) of everything that is not good; each of these says what to do about it."""
    assert all(finding.remedy for finding in findings if finding.level != "good")
    return [(finding.level, finding.what) for finding in findings if finding.level != "good"]


def test_all_is_good(sandbox: Sandbox, app: App) -> None:
    """In a workspace that is set up, everything that was looked at is good, and nothing was left out."""
    findings = examine(sandbox, app)
    assert wrong(findings) == []
    assert [finding.what for finding in findings] == [
        f"The database ({app.database.dialect}) is at revision {schema.head_revision()}.",
        "Days, months and quarters are those of Europe/Berlin, for ever.",
        "SLACK_BOT_TOKEN belongs to tokens in Example.",
        "The bot token has every scope it needs.",
        "The clock agrees with Slack's.",
        "Socket Mode can connect.",
        "TOKENS_GOVERNANCE_CHANNEL is #token-board, and the bot is in it.",
        "TOKENS_ANNOUNCE_CHANNEL is #general, and the bot is in it.",
        "The board has 5 members and 2 alternates (Slack user group).",
        "No part of the bot but the intake has run on this database yet.",
        "No usage is waiting in quarantine.",
        "No usage was refused in the last 7 days.",
        "Gateways reckon with the same prices as we do, as far as they name any.",
        "What names people goes after its time by the handbook's [retention].",
        "All scheduled runs are done.",
        "Every message that was due is delivered.",
    ]


# --- Tokens and mode -----------------------------------------------------------------------------------------------


def test_a_missing_bot_token_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """Without a bot token Slack cannot be asked anything, and the rest is examined all the same."""
    findings = examine(sandbox, sqlite_app, SLACK_BOT_TOKEN="")
    assert wrong(findings)[0] == ("problem", "SLACK_BOT_TOKEN is not set.")
    assert findings[-1].what == "Every message that was due is delivered."


def test_a_revoked_token_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """A token of an app that was removed is refused in Slack's own word."""
    sandbox.workspace.change_app(revoked=True)
    assert ("problem", "SLACK_BOT_TOKEN is refused: account_inactive.") in wrong(examine(sandbox, sqlite_app))


def test_a_wrong_app_token_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """An app token that cannot open a connection is named apart from the bot token."""
    findings = examine(sandbox, sqlite_app, SLACK_APP_TOKEN="xapp-wrong")
    assert wrong(findings) == [("problem", "SLACK_APP_TOKEN is refused: invalid_auth.")]


def test_http_mode_is_named(sandbox: Sandbox, sqlite_app: App) -> None:
    """With a signing secret alone the doctor says what Slack has to reach."""
    findings = examine(sandbox, sqlite_app, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="s", TOKENS_HTTP_PORT="9000")
    assert wrong(findings) == []
    assert "HTTP mode: Slack must reach 127.0.0.1:9000/slack/events." in [finding.what for finding in findings]


def test_no_mode_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """A bot that Slack can reach in no way is a problem."""
    findings = examine(sandbox, sqlite_app, SLACK_APP_TOKEN="")
    assert wrong(findings) == [("problem", "Neither Socket Mode nor HTTP mode is set up.")]


LACKING = (
    "The bot token lacks channels:history, chat:write, files:write, groups:history, im:history, im:write, "
    "usergroups:read, users:read, users:read.email."
)


def test_missing_scopes_are_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """Each scope that the bot needs and the token lacks is named; the optional ones only where they are missed."""
    sandbox.workspace.change_app(scopes=frozenset({"commands"}))
    assert wrong(examine(sandbox, sqlite_app)) == [
        ("problem", LACKING),
        ("warning", "TOKENS_GOVERNANCE_CHANNEL cannot be looked up without channels:read."),
        ("warning", "TOKENS_ANNOUNCE_CHANNEL cannot be looked up without channels:read."),
        ("warning", "The board's group cannot be looked up: missing_scope."),
    ]


def test_an_unreachable_slack_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """A Slack that does not answer is one finding with its address, not a traceback."""
    findings = examine(sandbox, sqlite_app, SLACK_API_URL="http://127.0.0.1:1/api/")
    [finding] = [finding for finding in findings if "not answer" in finding.what]
    assert finding.level == "problem"
    assert finding.what.startswith("Slack does not answer at http://127.0.0.1:1/api/: ")


@pytest.mark.parametrize("method", ["apps.connections.open", "conversations.info", "usergroups.users.list"])
def test_a_slack_that_falls_silent_is_found(
    sandbox: Sandbox, sqlite_app: App, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever question stays without an answer, the doctor goes on to the next."""
    monkeypatch.setattr(checks, "PATIENCE_SECONDS", 0.5)
    sandbox.faults.add(method, delay=1.5)
    findings = examine(sandbox, sqlite_app)
    assert len(wrong(findings)) == 1
    assert findings[-1].what == "Every message that was due is delivered."


# --- Channels, clock, board ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "what"),
    [
        ("C0NOWHERE", "TOKENS_ANNOUNCE_CHANNEL = C0NOWHERE: channel_not_found."),
        (slack.OLD, f"TOKENS_ANNOUNCE_CHANNEL = {slack.OLD} is archived."),
        (slack.PRIVATE, "The bot is not in #without-the-bot (TOKENS_ANNOUNCE_CHANNEL)."),
    ],
)
def test_channels_that_cannot_be_used_are_found(sandbox: Sandbox, sqlite_app: App, channel: str, what: str) -> None:
    """A channel that does not exist, is archived or lacks the bot is a problem of that variable."""
    assert wrong(examine(sandbox, sqlite_app, TOKENS_ANNOUNCE_CHANNEL=channel)) == [("problem", what)]


def test_channels_that_are_not_set_are_mentioned(sandbox: Sandbox, sqlite_app: App) -> None:
    """The bot answers without them, so they are a warning."""
    findings = examine(sandbox, sqlite_app, TOKENS_GOVERNANCE_CHANNEL="", TOKENS_ANNOUNCE_CHANNEL="")
    assert wrong(findings) == [
        ("warning", "TOKENS_GOVERNANCE_CHANNEL is not set."),
        ("warning", "TOKENS_ANNOUNCE_CHANNEL is not set."),
    ]


@pytest.mark.parametrize("seconds", [-300, 61])
def test_a_wrong_clock_is_found(sandbox: Sandbox, sqlite_app: App, seconds: float) -> None:
    """A clock that is a minute off, either way, will one day refuse Slack's signatures."""
    skewed = App(sqlite_app.database, ZONE, lambda: sqlite_app.clock() + timedelta(seconds=seconds))
    assert wrong(examine(sandbox, skewed)) == [("problem", f"The clock is {abs(seconds):.0f} s off Slack's.")]


def test_a_small_board_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """Fewer than three members and two alternates is a warning, whether a user group or the roles say so."""
    assert wrong(examine(sandbox, sqlite_app, TOKENS_BOARD_USERGROUP="")) == []
    cast.hire(sqlite_app, "email,roles\nomar@example.com,-\n")
    assert wrong(examine(sandbox, sqlite_app, TOKENS_BOARD_USERGROUP="")) == [
        ("warning", "The board has 2 members and 2 alternates (role `board`)."),
        ("warning", "No one on the board has the role `finance`."),
    ]
    for gone in (slack.ADA, slack.BEN, slack.TESS):
        sandbox.workspace.change_member(gone, deleted=True)
    assert wrong(examine(sandbox, sqlite_app)) == [
        ("warning", "The board has 2 members and 2 alternates (Slack user group)."),
        ("warning", "No one on the board has the role `finance`."),
    ]


def test_a_board_too_small_for_the_months_cash_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """Where the cash is used up and no two are left who could decide, that is a problem until there are."""
    office = cash.company(sqlite_app)
    cast.hire(office, "email,roles\n" + "".join(f"{who}@example.com,-\n" for who in ("iris", "omar", "zoe", "kofi")))
    cash.spend(office, "15", "all")
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db", **CHANNELS))
    assert ("problem", CASH_WAITS) in wrong(list(board.examine(loaded, office)))
    cast.hire(office, "email,roles\niris@example.com,board\n")
    assert ("problem", CASH_WAITS) not in wrong(list(board.examine(loaded, office)))


def test_a_missing_board_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """Without anybody on it nothing is decided, and one person alone can change the handbook: that is said."""
    rows = "".join(f"{who}@example.com,-\n" for who in ("iris", "omar", "tess"))
    cast.hire(sqlite_app, f"email,roles\n{rows}")
    loaded = slack.load(slack.environment(sandbox, "sqlite:///unused.db", **CHANNELS))
    assert wrong(list(doctor.examine(loaded, sqlite_app))) == [
        ("warning", "The board has 0 members and 0 alternates (role `board`)."),
        ("warning", "Without a board, one person alone can change the handbook."),
        ("warning", "No one on the board has the role `chair`."),
        ("warning", "No one on the board has the role `finance`."),
    ]


def test_a_group_that_is_none_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """A user group that does not exist leaves the size of the board open, and that is said."""
    findings = examine(sandbox, sqlite_app, TOKENS_BOARD_USERGROUP="S0NONE")
    assert wrong(findings) == [("warning", "The board's group cannot be looked up: no_such_subteam.")]


# --- Database and quarantine ---------------------------------------------------------------------------------------


def test_an_empty_database_is_found(sandbox: Sandbox, tmp_path: Path, clock: Clock) -> None:
    """Without tables there is nothing to count, and the finding says which command makes them."""
    database = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    findings = examine(sandbox, App(database, ZONE, clock))
    database.close()
    assert wrong(findings) == [("problem", "The database has no tables.")]
    assert findings[0].remedy == "Run `tokens-bot migrate`."
    assert not any("quarantine" in finding.what for finding in findings)


def test_a_database_that_is_away_is_found(sandbox: Sandbox, clock: Clock) -> None:
    """A server that cannot be reached is a problem with the driver's reason."""
    database = open_database("postgresql://127.0.0.1:1/tokens")
    [(level, what)] = wrong(examine(sandbox, App(database, ZONE, clock)))
    assert level == "problem"
    assert what.startswith("The database does not answer: ")


def test_quarantine_is_found(sandbox: Sandbox, app: App) -> None:
    """Usage that waits is counted by its reason, so that it is not forgotten."""
    events = [
        cast.event("e1", at=app.clock(), who="nobody@example.com"),
        cast.event("e2", at=app.clock(), who="nobody@example.com"),
        cast.event("e3", at=app.clock(), model=("anthropic", "inhouse-llm-9")),
    ]
    with app.transaction() as moment:
        usage_programme.take_in(moment, events)
    assert wrong(examine(sandbox, app)) == [
        ("warning", "Usage is waiting in quarantine: 1 unknown_model, 2 unknown_person.")
    ]


def test_refused_usage_is_found(sandbox: Sandbox, app: App, clock: Clock) -> None:
    """What gateways were told and may not have read is told for a week, with its source and reason."""
    event = cast.event("e1", at=app.clock())
    with app.transaction() as moment:
        refusals.note_rejected(
            moment, "gw", [("a", "time: expected a time, got 7"), ("b", "time: expected a time, got 8")]
        )
        usage_programme.take_in(moment, [event, cast.event("e1", at=app.clock(), meters={"output": 1})])
    assert wrong(examine(sandbox, app)) == [
        ("warning", "Answered with rejected in the last 7 days: 2 of gw (time)."),
        ("warning", "Answered with conflict in the last 7 days: 1 of gateway (meters)."),
    ]
    clock.move(days=8)
    said = [finding.what for finding in examine(sandbox, app)]
    assert "No usage was refused in the last 7 days; 1 conflict is on record." in said


def test_another_price_of_a_gateways_is_found(sandbox: Sandbox, app: App) -> None:
    """What a gateway reckons otherwise is counted, so that somebody looks for the reason."""
    event = cast.event("e1", at=app.clock())._replace(remarks=Remarks(quoted=6_000_000))
    with app.transaction() as moment:
        usage_programme.take_in(moment, [event])
    assert wrong(examine(sandbox, app)) == [("warning", "Gateways reckon with another price for 1 event.")]


# --- The running parts ---------------------------------------------------------------------------------------------


def pulse(app: App, part: str, problem: str = "") -> None:
    with app.database.transaction() as session:
        pulses.note(session, part, now=app.clock(), problem=problem)


@pytest.mark.parametrize("table", ["", "[retention]\ndrafts_days = 0\n"])
def test_a_handbook_that_keeps_everything_is_found(sandbox: Sandbox, sqlite_app: App, table: str) -> None:
    """Of a kind that is kept it is said; of all of them it is a finding."""
    text = books.handbook_text("2026.2", date(2026, 1, 2))
    begin, end = text.index("[retention]"), text.index("# Approved services.")
    books.apply_text(sqlite_app, text[:begin] + table + text[end:])
    told = ("warning", "The handbook has no [retention]: names and texts of people are kept for ever.")
    assert told in wrong(examine(sandbox, sqlite_app))
    some = f"{text[:begin]}[retention]\nnames_days = 100\n{text[end:]}".replace('"2026.2"', '"2026.3"')
    books.apply_text(sqlite_app, some)
    [found] = [finding.what for finding in examine(sandbox, sqlite_app) if "[retention]" in finding.what]
    assert found.endswith("kept for ever: drafts, messages, calls, outcomes, texts, leavers.")


def test_a_bot_that_is_deaf_is_found(sandbox: Sandbox, app: App, clock: Clock) -> None:
    """Each part that fell silent is named, with since when and what its process met, or that none runs it."""
    for part in ("bot", "courier", "tick"):
        pulse(app, part)
    assert "Running and well: bot, courier, tick." in [finding.what for finding in examine(sandbox, app)]
    clock.move(minutes=4)
    pulse(app, "bot", "certificate")
    pulse(app, "tick")
    findings = examine(sandbox, app)
    assert wrong(findings) == [
        ("problem", "The bot has not been connected to Slack since 2026-11-20 12:00 UTC: certificate."),
        ("problem", "The courier has not made a pass since 2026-11-20 12:00 UTC."),
    ]
    remedies = [finding.remedy for finding in findings if finding.level == "problem"]
    assert "SSL_CERT_FILE" in remedies[0]
    assert remedies[1] == "Is `tokens-bot run` up, with the part courier?"


def test_a_part_that_nobody_runs_is_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """With a courier alone nobody hears people and the calendar stands still; over HTTP no connection is missed."""
    pulse(sqlite_app, "courier")
    assert wrong(examine(sandbox, sqlite_app)) == [
        ("problem", "The bot has not been connected to Slack yet."),
        ("problem", "The calendar has not ticked yet."),
    ]
    over_http = examine(sandbox, sqlite_app, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="s")
    assert wrong(over_http) == [("problem", "The calendar has not ticked yet.")]


def test_one_replica_that_is_well_is_enough(sandbox: Sandbox, sqlite_app: App) -> None:
    """Of two couriers one is cut off: messages go out, and the other's own health says what ails it."""
    for part in ("bot", "courier", "tick"):
        pulse(sqlite_app, part)
    pulse(sqlite_app, "courier", "no_answer")
    assert wrong(examine(sandbox, sqlite_app)) == []


def test_processes_are_counted_and_one_that_ails_is_named(sandbox: Sandbox, app: App, clock: Clock) -> None:
    """With several processes `doctor` says how many run each part, which of them ails, and what none of them runs."""
    for part in ("bot", "courier", "tick"):
        pulse(app, part)
    begun, told = clock.now, {"bot": None, "tick": None, "courier": None}
    with app.database.transaction() as session:
        pulses.tell(session, "one", told, began_at=begun, now=begun)
        pulses.tell(session, "two", {"courier": "no_answer"}, began_at=begun, now=begun)
    findings = examine(sandbox, app)
    assert "Running and well: bot, courier (2 processes), tick." in [finding.what for finding in findings]
    assert wrong(findings) == [
        ("warning", "Parts of the bot run, and none takes in usage and outcomes."),
        ("warning", "The part courier is not well in 1 of 2 processes, two: no_answer."),
    ]
    assert [one["process"] for one in doctor.measure(app)["processes"]] == ["one", "one", "two", "one"]  # type: ignore[attr-defined]
    with app.database.transaction() as session:
        pulses.leave(session, "two")
        pulses.tell(session, "three", {"http": None}, began_at=begun, now=begun)
    findings = examine(sandbox, app)
    assert wrong(findings) == []
    assert "Running and well: http, bot, courier, tick." in [finding.what for finding in findings]


def test_what_is_measured_tells_of_the_outbox(app: App, clock: Clock) -> None:
    """Counts of what waits, is due and is parked, and for how long the oldest has been due."""
    me = cast.person_id(app, "ada@example.com")
    later = clock.now + timedelta(hours=1)
    rows = [messages.NewMessage(f"n:{n}", "note", "{}", me, None, clock.now if n else later) for n in range(4)]
    with app.database.transaction() as session:
        messages.owe(session, rows, now=clock.now)
        [taken] = messages.lease(session, courier="c", now=clock.now, until=later, limit=1)
        messages.park(session, taken.id, courier="c", problem="is_archived", attempts=1, uncertain=False)
    due_at = clock.now
    clock.move(seconds=90)
    assert doctor.measure(app)["outbox"] == {
        "waiting": 3,
        "due": 2,
        "parked": 1,
        "oldest_due_at": due_at,
        "oldest_due_seconds": 90,
        "parked_by_problem": {"is_archived": 1},
    }


def test_files_that_others_may_read_are_found(sandbox: Sandbox, sqlite_app: App) -> None:
    """`.env` and the ledger's file are their owner's alone; each that is not is named with the command that helps."""
    ledger = Path(str(sqlite_app.database.writer.url.database))
    for path, mode in ((Path(".env"), 0o640), (ledger, 0o604)):
        path.touch()
        path.chmod(mode)
    found = [finding for finding in examine(sandbox, sqlite_app) if "may read" in finding.what]
    assert [finding.remedy for finding in found] == ["Run `chmod 600 .env`.", f"Run `chmod 600 {ledger}`."]
    for path in (Path(".env"), ledger):
        path.chmod(0o600)
    assert wrong(examine(sandbox, sqlite_app)) == []


def test_keys_that_end_or_are_forgotten_are_found(sandbox: Sandbox, sqlite_app: App, clock: Clock) -> None:
    """A key is told two weeks before it expires, and when nobody used it for three months; ended ones are not."""
    now = clock()
    with sqlite_app.transaction() as moment:
        for name, days in (("ending", 100), ("forgotten", None), ("gone", None), ("used", None)):
            ends = now + timedelta(days=days) if days else None
            keys.create(moment, name=name, source="gw", scopes=["usage:write"], actor="test", expires_at=ends)
        keys.revoke(moment, "gone", actor="test")
    assert wrong(examine(sandbox, sqlite_app)) == []
    clock.move(days=89)
    with sqlite_app.transaction() as moment:
        for key in keys_store.listed(moment.session):
            if key.name in {"ending", "used"}:
                keys.note_use(moment, key)
    clock.move(days=2)
    assert wrong(examine(sandbox, sqlite_app)) == [
        ("warning", "Key 'ending' of gw opens nothing from 2027-02-28 12:00 UTC on."),
        ("warning", "Key 'forgotten' of gw has not been used for 90 days."),
    ]
    clock.move(days=30)
    assert not [what for _, what in wrong(examine(sandbox, sqlite_app)) if "'ending'" in what]


# --- The command ---------------------------------------------------------------------------------------------------


def test_the_command_prints_findings_and_remedies(sandbox: Sandbox, sqlite_url: str, clock: Clock) -> None:
    """A warning leaves the exit code alone, a problem sets it, and programs get the same as JSON."""
    clock.now = datetime.now(UTC)
    environ: dict[str, str | None] = {
        **slack.environment(sandbox, sqlite_url, TOKENS_BOARD_USERGROUP=slack.GROUP),
        "TOKENS_ANNOUNCE_CHANNEL": "",
        "TOKENS_GOVERNANCE_CHANNEL": slack.BOARD,
    }
    printed = CliRunner().invoke(main, ["doctor"], env=environ)
    assert printed.exit_code == 0, printed.output
    assert "good    Socket Mode can connect.\n" in printed.stdout
    assert (
        "warning TOKENS_ANNOUNCE_CHANNEL is not set.\n        → Set it to the id of the channel (C…).\n"
    ) in printed.stdout
    sandbox.workspace.change_app(revoked=True)
    as_json = CliRunner().invoke(main, ["doctor", "--json"], env=environ)
    assert as_json.exit_code == 1
    assert {
        "level": "problem",
        "what": "SLACK_BOT_TOKEN is refused: account_inactive.",
        "remedy": "Install the app again and copy its token.",
        "who": [],
    } in json.loads(as_json.stdout)["findings"]
    told = json.loads(as_json.stdout)
    assert (told["problems"], told["warnings"]) == (1, 4)
    assert (told["parts"], told["failed_runs"], told["quarantine"]) == ({}, 0, {})
    assert (told["outbox"]["waiting"], told["outbox"]["parked"], told["outbox"]["oldest_due_seconds"]) == (0, 0, 0)
