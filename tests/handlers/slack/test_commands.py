"""`/tokens`: which command is meant, what each person is told, and who is believed to have asked."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from handlers import http, slack_app
from handlers.balance import balance
from handlers.slack import interactions
from handlers.slack.commands import BOARD, PROGRAMME, TEAM, YOURS
from handlers.slack.interactions import Modal, Press
from handlers.slack.routes import Endpoint
from handlers.slack.unlinked import Unlinked
from policy.period import Month
from policy.reasons import Refusal
from programme.usage import intake as usage_programme
from sandbox import Sandbox, Workspace, block_kit
from store.people import directory as people_store
from store.tables.audit import audit_log
from store.tables.people import people
from templates.render import Message
from tests.support import cast, letters, teams
from tests.support import requests as asking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from programme.app import App

ADA, BEN, IRIS, MARA, STRANGER = "U0ADA", "U0BEN", "U0IRIS", "U0MARA", "U0STRANGER"
COMMANDS = (
    "balance",
    "why",
    "history",
    "worth",
    "request",
    "requests",
    "team",
    "review",
    "warnings",
    "caps",
    "services",
    "policy",
    "board",
    "delegate",
    "roi",
    "offer",
    "listing",
    "help",
)

MEMBERS: list[dict[str, Any]] = [
    {"id": "U0NEW", "name": "zoe", "email": "zoe@example.com"},
    {"id": "U0CASE", "name": "zoe2", "email": "Zoe@Example.com"},
    {"id": "U0GUEST", "name": "guest", "email": "zoe@example.com", "is_restricted": True},
    {"id": "U0BOT", "name": "robot", "email": "zoe@example.com", "is_bot": True},
    {"id": "U0GONE", "name": "gone", "email": "zoe@example.com", "deleted": True},
    {"id": "U0OTHER", "name": "other", "email": "zoe@example.com", "is_stranger": True},
    {
        "id": "U0ABROAD",
        "name": "abroad",
        "email": "zoe@example.com",
        "team_id": "T0ABROAD",
        "enterprise_id": "E0ABROAD",
    },
    {"id": "U0SINGLE", "name": "single", "email": "zoe@example.com", "is_ultra_restricted": True},
    {"id": "U0UNSURE", "name": "unsure", "email": "zoe@example.com", "is_email_confirmed": False},
    {"id": "U0THIEF", "name": "thief", "email": "ada@example.com"},
    {"id": STRANGER, "name": "stranger", "email": "stranger@elsewhere.example"},
    {"id": "U0NOMAIL", "name": "nomail"},
]
ZOE = (
    "email,name,slack_user_id,level,role_family,time_zone,hired_on\n"
    "zoe@example.com,Zoe Martin,,mid,engineering,Europe/Paris,2024-01-01\n"
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client library sends even local calls through a proxy that the environment names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def workspace() -> Iterator[Sandbox]:
    plan = {"app": {"commands": [{"command": "/tokens"}]}, "members": MEMBERS}
    with Sandbox(Workspace.from_dict(plan)) as running:
        yield running


@pytest.fixture
def slack(workspace: Sandbox) -> Iterator[Sandbox]:
    """The workspace that all tests share, without the faults that one of them ordered."""
    yield workspace
    workspace.faults.clear()


@pytest.fixture
def client(slack: Sandbox) -> WebClient:
    return WebClient(slack.workspace.app.bot_token, base_url=slack.api_url)


@pytest.fixture
def unreachable() -> WebClient:
    """For commands that must not ask Slack anything."""
    return WebClient("xoxb-none", base_url="http://127.0.0.1:1/api/")


def ask(app: App, line: str, user: str = ADA, *, client: WebClient | None = None) -> Message:
    nobody = WebClient("xoxb-none", base_url="http://127.0.0.1:1/api/")
    message = slack_app.COMMANDS.answer(app, text=line, slack_user_id=user, client=client or nobody)
    if isinstance(message, Modal):
        assert block_kit.problems(message.view["blocks"], surface="modal") == ()
        return Message("A form.", message.view["blocks"])
    assert block_kit.problems(message.blocks) == ()
    return message


def digits(app: App, user: str = ADA) -> Message:
    """What the button of `why` shows."""
    with app.database.reading() as session:
        person = people_store.by_slack_id(session, user)
    assert person is not None
    shown = balance.press_digits(app, Press(person, "", app.clock(), None, None))
    assert shown is not None
    assert block_kit.problems(shown.blocks) == ()
    return shown


def read(message: Message) -> str:
    """All that a person reads of a message."""
    return json.dumps(message.blocks, ensure_ascii=False)


def use(app: App, *ids: str, who: str = "ada@example.com") -> None:
    """Usage of 0.54 tokens each."""
    events = [cast.event(f"{who}-{one}", at=app.clock(), who=who) for one in ids]
    with app.transaction() as moment:
        usage_programme.take_in(moment, events)


# --- Which command is meant ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "arguments"),
    [
        ("balance", "balance", ""),
        ("  BALANCE  ", "balance", ""),
        ("Why", "why", ""),
        ("history 2026-10", "history", "2026-10"),
        ("history    2026-10 ", "history", "2026-10"),
        ("", "help", ""),
        ("   ", "help", ""),
        ("help", "help", ""),
        ("help me", "help", ""),
        ("history\u00a02026-10", "history", "2026-10"),
        ("history\t\u3000 2026-10", "history", "2026-10"),
        ("\u200bbalance\u2060", "balance", ""),
        ("\uff22\uff21\uff2c\uff21\uff2e\uff23\uff25", "balance", ""),
        ("balance.", "balance", ""),
        ("Balance?!", "balance", ""),
        ("`balance`", "balance", ""),
        ("history 2026-10.", "history", "2026-10"),
        ("delegate <@U0KOFI|kofi> until 2026-12-24.", "delegate", "<@U0KOFI|kofi> until 2026-12-24"),
        ("delegate &lt;@kofi&gt; until 2026-12-24", "delegate", "<@kofi> until 2026-12-24"),
        ("?", "help", "?"),
        ("balanse", "help", "balanse"),
        ("balanse of Ben", "help", "balanse"),
    ],
)
def test_a_line_becomes_a_command(line: str, name: str, arguments: str) -> None:
    """Case, any white space and the end of a sentence do not matter, and an unknown word is what help is about."""
    command, rest = slack_app.COMMANDS.parse(line)
    assert (command.name, rest) == (name, arguments)


def test_help_lists_every_command(sqlite_app: App) -> None:
    """Each command stands in the help with what it does, for those who can use it, and there are no others."""
    assert tuple(command.name for command in slack_app.COMMANDS) == COMMANDS
    teams.hire_team(sqlite_app)
    app = asking.convene(sqlite_app)
    for user, others in ((ADA, ()), (MARA, (TEAM,)), (IRIS, (BOARD,))):
        text = read(ask(app, "help", user))
        listed = [command for command in slack_app.COMMANDS if command.topic in {YOURS, PROGRAMME, *others}]
        for command in listed:
            assert f"`/tokens {command.name}" in text
            assert command.summary in text
        assert text.count("• `/tokens ") == len(listed)


@pytest.mark.parametrize(
    ("typed", "near"), [("balanse", "balance"), ("Histroy 2026-10", "history"), ("wy", "why"), ("servces", "services")]
)
def test_an_unknown_word_is_answered_with_the_nearest(sqlite_app: App, typed: str, near: str) -> None:
    """A typing mistake gets the word that was meant, and the list."""
    text = read(ask(sqlite_app, typed))
    assert f"I don't know `/tokens {typed.split(maxsplit=1)[0]}`. Did you mean `/tokens {near}`?" in text
    assert "*Your tokens*" in text


def test_an_unknown_word_near_to_nothing_gets_the_list(sqlite_app: App) -> None:
    """Nothing is suggested where nothing is near."""
    text = read(ask(sqlite_app, "xylophone"))
    assert "I don't know `/tokens xylophone`." in text
    assert "Did you mean" not in text


@pytest.mark.parametrize("line", ["x" * 40_000, "<!channel>" * 1_000, "history " + "&" * 40_000, "`" * 5_000, "\0"])
def test_a_line_of_any_length_is_answered(sqlite_app: App, line: str) -> None:
    """Whatever someone types, they get an answer that Slack takes, and not a failure."""
    text = read(ask(sqlite_app, line))
    assert "went wrong" not in text
    assert "<!channel>" not in text


@pytest.mark.parametrize(
    ("line", "says"),
    [("worth 2027", "2027 has not begun"), ("worth last", "'last' is no year"), ("worth 1815", "no year")],
)
def test_years_that_are_none_are_answered(sqlite_app: App, line: str, says: str) -> None:
    """A year to come, and what is no year, get what to type instead."""
    assert says in read(ask(sqlite_app, line))


def test_ada_reads_what_it_was_worth(sqlite_app: App) -> None:
    """Granted, used and left of her year, in tokens and USD, and that it is no salary."""
    cast.give(sqlite_app, "ada@example.com", "1500")
    use(sqlite_app, "1", "2")
    text = read(ask(sqlite_app, "worth"))
    for words in (
        "so far",
        "bought AI services for USD 0.01",
        "Granted",
        "1,500",
        "Left now",
        "The allowance is no salary",
    ):
        assert words in text, words


# --- What people are told ------------------------------------------------------------------------------------------


def test_ada_reads_her_balance(app: App) -> None:
    """What is left, of what, what it is worth, until when, and where it went."""
    cast.give(app, "ada@example.com", "1500")
    use(app, "1", "2")
    message = ask(app, "balance")
    text = read(message)
    assert "*1,499 tokens left* of 1,500 in open grants" in text
    assert "Worth USD 14.99 in 2026-Q4, at USD 0.01 a token." in text
    assert "*Spent in November 2026*\\n1 token, USD 0.01" in text
    assert "*Where most of it went:* Anthropic API 1 token" in text
    assert "• 1,499 of 1,500 tokens left until " in text
    assert ": Pilot grant" in text
    assert message.ephemeral()["response_type"] == "ephemeral"


def test_ben_reads_his_debt(app: App) -> None:
    """Anyone who used more than they had reads how much, and that the next grant settles it."""
    cast.give(app, "ben@example.com", "1")
    use(app, "1", "2", "3", who="ben@example.com")
    text = read(ask(app, "balance", BEN))
    assert "*You have used 1 token more than you had.*" in text
    assert "That is a debt of USD 0.0062. The next tokens that you are granted settle it first." in text
    assert "otherwise you can keep working, and what you use adds to the debt." in text
    assert "At the pace" not in text


def test_who_has_nothing_is_told_so(app: App) -> None:
    """Before the first grant every command has a plain answer, without zeros and empty lists."""
    assert "*You have no tokens yet.*" in read(ask(app, "balance", MARA))
    assert "Nothing has been used yet." in read(ask(app, "why", MARA))
    assert "you used nothing* and were granted 0 tokens." in read(ask(app, "history", MARA))


def test_ada_reads_the_arithmetic(app: App) -> None:
    """Granted less used is left, in whole tokens; on request a call's counts times its prices are its cost."""
    cast.give(app, "ada@example.com", "1500")
    use(app, "1", "2", "3")
    text = read(ask(app, "why"))
    assert "*You have 1,498 tokens left*, worth USD 14.98\\n1,500 granted\\n− 2 used\\n= *1,498*" in text
    assert "2 tokens for 3 calls" in text
    assert "input tokens" not in text
    assert "balance_digits" in text
    text = read(digits(app))
    assert "*You have 1,498.38 tokens left*, worth USD 14.9838\\n1,500 granted\\n− 1.62 used\\n= *1,498.38*" in text
    assert (
        "claude-sonnet-4-5: 200 input tokens × USD 3 per million + 1,000 cached input tokens × USD 0.3 per million"
        " + 300 output tokens × USD 15 per million = USD 0.0054; ÷ USD 0.01 = 0.54 tokens"
    ) in text
    assert "1.62 tokens* for 3 calls" in text
    assert "_and 1 earlier call in the same way_" in text


def test_ada_reads_what_her_grant_follows_from(app: App) -> None:
    """The month's grant stands between the totals and the calls, with every digit of its arithmetic."""
    letters.keep_grant(app, "ada@example.com", Month(2026, 11), letters.factors(leaves="0.8547"))
    use(app, "1")
    text = read(digits(app))
    assert "*How your grant for November 2026 was worked out*\\nUSD 4,583.333333333: your entitlement" in text
    assert "= 514,443.023586 tokens\\n× 0.837535: the share of everyone's grants that the month's budget covers" in text
    assert text.index("*You have 430,799.46 tokens left") < text.index("was worked out*") < text.index("for 1 call")


def test_ada_reads_her_month(app: App) -> None:
    """The history has a line for each model and the month's sums, and another month is another answer."""
    cast.give(app, "ada@example.com", "1500")
    use(app, "1", "2")
    message = ask(app, "history")
    assert "*November 2026: you used 1 token* (USD 0.01) in 2 calls; 1,500 tokens were granted." in read(message)
    [table] = [block for block in message.blocks if block["type"] == "table"]
    rows = [[cell["text"] for cell in row] for row in table["rows"]]
    assert rows == [
        ["Model", "Tokens", "USD", "Calls", "Input", "Output", "Service"],
        ["claude-sonnet-4-5", "1", "0.01", "2", "2.4 k", "600", "Anthropic API"],
    ]
    assert "you used nothing* and were granted 0 tokens." in read(ask(app, "history 2026-10"))


@pytest.mark.parametrize("line", COMMANDS)
def test_whoever_has_left_is_told_that_it_is_over(sqlite_app: App, unreachable: WebClient, line: str) -> None:
    """From the day after their last one no command answers with tokens to come, a form or figures of others."""
    cast.hire(sqlite_app, "email,left_on\nada@example.com,2026-11-20\n")
    assert "You left" not in read(ask(sqlite_app, line, client=unreachable))
    cast.hire(sqlite_app, "email,left_on\nada@example.com,2026-11-19\n")
    text = read(ask(sqlite_app, line, client=unreachable))
    assert "You left on 19 Nov 2026, so your wallet is closed" in text
    assert "please tell the AI programme team in #ai-tokens" in text


def test_whoever_has_left_sends_no_form_and_presses_nothing(sqlite_app: App, unreachable: WebClient) -> None:
    """Buttons of old messages and forms that were open are answered as commands are; who is here is let through."""
    body = {"user": {"id": ADA}, "view": {"id": "V1", "state": {}}}
    assert interactions.form_of(sqlite_app, unreachable, body).person.email == "ada@example.com"
    cast.hire(sqlite_app, "email,left_on\nada@example.com,2026-11-19\n")
    with pytest.raises(Refusal, match="You left on 19 Nov 2026"):
        interactions.form_of(sqlite_app, unreachable, body)


def test_ada_reads_the_services(sqlite_app: App) -> None:
    """Every approved service is listed by its name, whoever asks."""
    for user in (ADA, STRANGER):
        text = read(ask(sqlite_app, "services", user))
        for name in ("Anthropic API", "Azure OpenAI", "GPU cluster"):
            assert f"• *{name}*" in text


@pytest.mark.parametrize("month", ["2026-13", "october", "2026-10-01", "0000-01", "2026-10 extra", "9999-99"])
def test_a_refusal_names_the_next_step(sqlite_app: App, month: str) -> None:
    """What is no month is said to be none, with an example of one."""
    message = ask(sqlite_app, f"history {month}")
    assert f"'{month}' is not a month such as 2026-11." in read(message)
    assert "Try `/tokens history 2026-10`." in read(message)
    assert month not in message.text


@pytest.mark.parametrize("month", ["0001-01", "1999-12", "2101-01", "9999-12"])
def test_months_of_another_age_are_refused(sqlite_app: App, month: str) -> None:
    """No programme has these months, and the calendar's own ends are no failure of ours."""
    assert f"'{month}' is not in the years 2000 to 2100." in read(ask(sqlite_app, f"history {month}"))


def test_nobody_gets_the_figures_of_another(app: App) -> None:
    """Ada's and Ben's answers hold their own figures and nothing of each other, whatever they add to the command."""
    cast.give(app, "ada@example.com", "11111", reason="For Ada")
    cast.give(app, "ben@example.com", "22222", reason="For Ben")
    use(app, "1", "2")
    for line in ("balance", "why", "history", "balance <@U0BEN>", "why ben@example.com", "history 2026-11"):
        theirs = {user: read(ask(app, line, user)) for user in (ADA, BEN)}
        assert "11,111" in theirs[ADA] or "11,110" in theirs[ADA]
        assert "22,222" in theirs[BEN]
        for word in ("22,222", "Ben"):
            assert word not in theirs[ADA]
        for word in ("11,111", "11,110", "1.08", "Ada"):
            assert word not in theirs[BEN]


# --- First contact -------------------------------------------------------------------------------------------------


def slack_id_of(app: App, email: str) -> str | None:
    with app.database.reading() as session:
        found: str | None = session.execute(
            sa.select(people.c.slack_user_id).where(people.c.email == email)
        ).scalar_one()
    return found


@pytest.mark.parametrize("user", ["U0NEW", "U0CASE"])
def test_first_contact_links_by_email(app: App, slack: Sandbox, client: WebClient, user: str) -> None:
    """Anyone known by e-mail alone is linked at the first command and answered at once; Slack is asked only then."""
    cast.hire(app, ZOE)
    cast.give(app, "zoe@example.com", "77")
    assert "*77 tokens left*" in read(ask(app, "balance", user, client=client))
    assert slack_id_of(app, "zoe@example.com") == user
    asked = len(slack.calls)
    assert "*77 tokens left*" in read(ask(app, "balance", user, client=client))
    assert len(slack.calls) == asked
    with app.database.reading() as session:
        last = session.execute(sa.select(audit_log).order_by(audit_log.c.seq.desc()).limit(1)).one()
    assert (last.actor, last.action, last.after) == (f"slack:{user}", "people.link", {"slack_user_id": user})


def test_people_who_never_wrote_are_linked_in_the_background(
    sqlite_app: App, slack: Sandbox, client: WebClient
) -> None:
    """Whoever has the e-mail of a full member's account is linked and told; nobody is asked for when there is none."""
    cast.hire(sqlite_app, ZOE)
    assert Unlinked(sqlite_app, client)() == 1
    assert slack_id_of(sqlite_app, "zoe@example.com") is not None
    asked = len(slack.calls)
    assert Unlinked(sqlite_app, client)() == 0
    assert len(slack.calls) == asked


@pytest.mark.parametrize("user", ["U0GUEST", "U0BOT", "U0GONE", "U0OTHER", "U0ABROAD", "U0UNSURE"])
def test_whoever_could_not_be_linked_by_writing_is_not_linked_in_the_background(
    sqlite_app: App, client: WebClient, user: str
) -> None:
    """An account of another company, a guest's or a bot's with somebody's e-mail is nobody's."""
    email = client.users_info(user=user)["user"]["profile"]["email"]
    line = "email,name,level,role_family,time_zone,hired_on"
    cast.hire(sqlite_app, f"{line}\n{email},One,mid,engineering,UTC,2026-01-01\n")
    Unlinked(sqlite_app, client)()
    assert slack_id_of(sqlite_app, email) != user


UNKNOWN = "*I don't know you yet.*"
BARRED = {
    "U0GUEST": "Guests of the workspace have no part in the token programme.",
    "U0SINGLE": "Guests of the workspace have no part in the token programme.",
    "U0BOT": "The token programme is for people, and this account is a bot's.",
    "U0GONE": "This Slack account is deactivated.",
    "U0OTHER": "and your Slack account is of another one.",
    "U0ABROAD": "and your Slack account is of another one.",
    "U0UNSURE": "Your e-mail address is not confirmed in Slack, so I can't tell who you are.",
    "U0NOMAIL": UNKNOWN,
    "U0MISSING": UNKNOWN,
}


@pytest.mark.parametrize("user", BARRED)
def test_only_full_members_are_linked(sqlite_app: App, client: WebClient, user: str) -> None:
    """Guests, bots, people who left, outsiders and unconfirmed e-mails are not believed, and each is told why."""
    cast.hire(sqlite_app, ZOE)
    cast.give(sqlite_app, "zoe@example.com", "77")
    text = read(ask(sqlite_app, "balance", user, client=client))
    assert BARRED[user] in text
    assert "lease ask the AI programme team in #ai-tokens" in text or "Confirm it in the account settings" in text
    assert "77" not in text
    assert slack_id_of(sqlite_app, "zoe@example.com") is None


def test_a_linked_person_is_not_taken_over(sqlite_app: App, client: WebClient) -> None:
    """A second Slack account with Ada's e-mail gets nothing of hers and does not replace her own."""
    cast.give(sqlite_app, "ada@example.com", "77")
    text = read(ask(sqlite_app, "balance", "U0THIEF", client=client))
    assert "I know ada@example.com by another Slack account than this one" in text
    assert "`tokens-bot people relink ada@example.com U0THIEF`" in text
    assert "77 tokens" not in text
    assert slack_id_of(sqlite_app, "ada@example.com") == ADA


@pytest.mark.parametrize("line", ["balance", "why", "history"])
def test_a_stranger_is_told_whom_to_ask(sqlite_app: App, client: WebClient, line: str) -> None:
    """Anyone who is no one's colleague is told so, with the e-mail under which they would have to be added."""
    text = read(ask(sqlite_app, line, STRANGER, client=client))
    assert "Please ask the AI programme team in #ai-tokens to add you" in text
    assert "with the e-mail address stranger@elsewhere.example, then try again." in text


@pytest.mark.parametrize(
    "fault", [{"error": "ratelimited", "status": 429}, {"status": 500}, {"error": "missing_scope"}, {"error": "fatal"}]
)
def test_slacks_failures_get_a_kind_answer(
    sqlite_app: App, slack: Sandbox, client: WebClient, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """When Slack does not say who someone is, they are told so, and the next try works."""
    cast.hire(sqlite_app, ZOE)
    slack.faults.add("users.info", **fault)
    assert "Slack didn't tell me who you are." in read(ask(sqlite_app, "balance", "U0NEW", client=client))
    assert "users.info failed for U0NEW" in caplog.text
    assert "zoe@example.com" not in caplog.text
    assert "*You have no tokens yet.*" in read(ask(sqlite_app, "balance", "U0NEW", client=client))


def test_a_silent_slack_is_not_waited_for(
    sqlite_app: App, slack: Sandbox, client: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes within the command's deadline, also when Slack accepts the question and stays silent."""
    monkeypatch.setattr("handlers.slack.users.PATIENCE_SECONDS", 0.2)
    slack.faults.add("users.info", delay=3, times=2)
    begun = time.monotonic()
    assert "Slack didn't tell me who you are." in read(ask(sqlite_app, "balance", "U0NEW", client=client))
    assert time.monotonic() - begun < 2.5


def test_an_unreachable_slack_is_asked_once(
    sqlite_app: App, unreachable: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused connection is not tried again: the library would sleep in between, beyond the command's deadline."""
    slept: list[float] = []
    monkeypatch.setattr("slack_sdk.http_retry.handler.time.sleep", slept.append)
    assert "Slack didn't tell me who you are." in read(ask(sqlite_app, "balance", "U0NEW", client=unreachable))
    assert slept == []


def test_known_people_are_answered_without_slack(sqlite_app: App, unreachable: WebClient) -> None:
    """For someone who is linked, no command needs Slack's Web API."""
    for line in COMMANDS:
        assert "I don't know you" not in read(ask(sqlite_app, line, client=unreachable))


# --- Failures ------------------------------------------------------------------------------------------------------

PRIVATE = ("Ada Lovelace", "ada@example.com", "1,234.5", "1234500000", "Pilot grant", "secret words")


def test_an_unforeseen_failure_has_a_number(
    sqlite_app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The person reads a number, the log has it with the place, and neither shows what the failure was about."""

    def broken(*_: object, **__: object) -> None:
        raise sa.exc.IntegrityError("INSERT", {"name": PRIVATE[0], "amount": PRIVATE[3]}, Exception(PRIVATE[1]))

    monkeypatch.setattr("programme.balance.balance.of_slack_user", broken)
    text = read(ask(sqlite_app, "balance secret words"))
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    logged = record.getMessage()
    failure_id = logged.partition("(")[2].partition(")")[0]
    assert len(failure_id) == 8
    assert f"`{failure_id}`" in text
    assert logged.startswith(f"/tokens balance failed ({failure_id}): IntegrityError")
    assert "in show_balance" in logged
    assert record.exc_info is None
    for word in PRIVATE:
        assert word not in text
        assert word not in logged


def test_a_refusal_of_the_programme_is_an_answer(sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any expected "no" reaches the person in its own words, with what to do next."""

    def refuse(*_: object, **__: object) -> None:
        raise Refusal("code", "Not on a Sunday.", next_step="Come back tomorrow.")

    monkeypatch.setattr("programme.balance.balance.of_slack_user", refuse)
    text = read(ask(sqlite_app, "balance"))
    assert "Not on a Sunday.\\nCome back tomorrow." in text


def test_logs_hold_ids_and_nothing_else(sqlite_app: App, client: WebClient, caplog: pytest.LogCaptureFixture) -> None:
    """Answering everyone everything writes no amount, no name, no address and no typed word to our logs."""
    caplog.set_level(logging.DEBUG)
    cast.give(sqlite_app, "ada@example.com", "1234.5")
    for user in (ADA, STRANGER, "U0GUEST"):
        for line in (*COMMANDS, "history secret words", "secret words"):
            ask(sqlite_app, line, user, client=client)
    ours = ("handlers", "programme", "templates", "store", "views", "policy", "bot")
    logged = " ".join(r.getMessage() for r in caplog.records if r.name.partition(".")[0] in ours)
    for word in (*PRIVATE, "stranger@", "1234.5"):
        assert word not in logged


# --- Who is believed to have asked: signed requests ----------------------------------------------------------------

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@dataclasses.dataclass
class SignedSlack:
    """Slack's side of HTTP mode, in process."""

    http: TestClient
    asked: list[str]

    def send(
        self, line: str = "balance", *, user: str = ADA, secret: str = SECRET, age: float = 0, **changed: str | None
    ) -> Response:
        """A slash command, signed; `changed` replaces headers (None leaves one out) or the body after signing."""
        body = urlencode(
            {
                "command": "/tokens",
                "text": line,
                "user_id": user,
                "team_id": "T1",
                "channel_id": "C1",
                "api_app_id": "A1",
                "response_url": "https://hooks.example/1",
                "trigger_id": "1.2",
            }
        )
        stamp = str(int(time.time() - age))
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
        assert signature is not None
        headers: dict[str, str | None] = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": signature,
        }
        headers |= {name.replace("_", "-"): value for name, value in changed.items() if name != "body"}
        sent = {name: value for name, value in headers.items() if value is not None}
        return self.http.post("/slack/events", content=changed.get("body") or body, headers=sent)


@pytest.fixture
def signed(sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[SignedSlack]:
    asked: list[str] = []
    original = slack_app.COMMANDS.answer

    def noted(app: App, *, text: str, slack_user_id: str, client: WebClient, once: str) -> Message | Modal:
        asked.append(text)
        return original(app, text=text, slack_user_id=slack_user_id, client=client, once=once)

    monkeypatch.setattr(slack_app.COMMANDS, "answer", noted)

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_id="B1", bot_user_id="U0BOT")

    bolt = slack_app.build(sqlite_app, signing_secret=SECRET, authorize=authorize)
    with TestClient(http.build(sqlite_app, slack=Endpoint(bolt, SECRET))) as opened:
        yield SignedSlack(opened, asked)


def test_a_signed_command_is_answered(signed: SignedSlack, sqlite_app: App) -> None:
    """What Slack signed is executed, and the answer stands in the acknowledgement, for the person alone."""
    cast.give(sqlite_app, "ada@example.com", "77")
    answer = signed.send("balance")
    assert answer.status_code == 200
    assert answer.json()["response_type"] == "ephemeral"
    assert "*77 tokens left*" in json.dumps(answer.json()["blocks"])
    assert signed.asked == ["balance"]


FORGERIES: dict[str, dict[str, Any]] = {
    "wrong secret": {"secret": "another"},
    "blank secret": {"secret": "x"},
    "stale": {"age": 301},
    "from the future": {"age": -302},
    "tampered body": {"body": "command=%2Ftokens&text=balance&user_id=U0BEN"},
    "appended body": {"body": "x" * 10},
    "no signature": {"x_slack_signature": None},
    "empty signature": {"x_slack_signature": ""},
    "no timestamp": {"x_slack_request_timestamp": None},
    "no number": {"x_slack_request_timestamp": "yesterday"},
    "another kind of number": {"x_slack_request_timestamp": "1e9"},
    "a number without end": {"x_slack_request_timestamp": "9" * 5_000},
    "another timestamp": {"x_slack_request_timestamp": str(int(time.time()) - 1)},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forgeries_are_refused(signed: SignedSlack, forgery: str) -> None:
    """A request that Slack did not sign just now is a 401, and nothing is executed."""
    answer = signed.send(**FORGERIES[forgery])
    assert answer.status_code == 401
    assert signed.asked == []
    assert "tokens" not in answer.text


def test_a_signature_holds_for_five_minutes(signed: SignedSlack) -> None:
    """A request that was four minutes on its way is still believed."""
    assert signed.send(age=240).status_code == 200


def test_a_body_that_is_no_text_is_refused(signed: SignedSlack) -> None:
    """Bytes that are not UTF-8 cannot have been signed as they are, and do no harm."""
    answer = signed.http.post("/slack/events", content=b"\xff\xfe\x00", headers={"x-slack-signature": "v0=0"})
    assert answer.status_code == 401


def test_a_large_request_is_refused(signed: SignedSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit for bodies holds for Slack's endpoint as well."""
    monkeypatch.setattr("handlers.slack.routes.LARGEST", 100)
    assert signed.send("x" * 200).status_code == 413


def test_a_failure_outside_of_the_command_is_answered_too(
    signed: SignedSlack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What breaks before or after the command itself gets a number as well, and keeps its words to itself."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(*PRIVATE)

    monkeypatch.setattr(slack_app.COMMANDS, "answer", broken)
    answer = signed.send("balance secret words")
    assert (answer.status_code, answer.json()["response_type"]) == (200, "ephemeral")
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    failure_id = record.getMessage().partition("(")[2].partition(")")[0]
    assert failure_id in answer.json()["text"]
    for word in PRIVATE:
        assert word not in caplog.text
        assert word not in answer.text


def test_slack_has_no_endpoint_in_socket_mode(sqlite_app: App) -> None:
    """Without HTTP mode no one can send commands over HTTP at all."""
    with TestClient(http.build(sqlite_app)) as opened:
        assert opened.post("/slack/events").status_code == 404


def test_a_manager_asks_for_their_team(sqlite_app: App) -> None:
    """`/tokens team` has the week and its chart; who leads no one is told so, and a team of two has no figures."""
    assert "*You have two direct reports.*" in read(ask(sqlite_app, "team", MARA))
    assert "No one reports to you" in read(ask(sqlite_app, "team"))
    teams.hire_team(sqlite_app)
    teams.work(sqlite_app, dict.fromkeys(teams.TEAM, 100))
    answered = ask(sqlite_app, "team", MARA)
    assert "*Spent:* USD 35.00 (3,500 tokens) in the week of 9 Nov, as much as the week before" in read(answered)
    assert "data_visualization" in {block["type"] for block in answered.blocks}
