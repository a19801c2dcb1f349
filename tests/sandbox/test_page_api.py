"""What the page asks the server for: in each person's name only what is theirs."""

import json
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient

from sandbox import Sandbox
from sandbox.server import STATIC
from tests.sandbox.company import ADA, BALANCE, BEN, BOT, GENERAL, MARA, TEAM
from tests.sandbox.conftest import HandClock, TokensApp
from tests.sandbox.homes import START
from tests.sandbox.views import FORM


@pytest.fixture
def browser(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.url, trust_env=False)


def state(browser: httpx.Client, reader: str) -> dict[str, Any]:
    with browser:
        answer: dict[str, Any] = browser.get("/page/state", params={"as": reader}).json()
    return answer


def test_only_what_the_reader_may_see(sandbox: Sandbox, client: WebClient, browser: httpx.Client) -> None:
    """Other people's conversations, private channels and ephemeral messages never reach the browser."""
    client.chat_postMessage(channel=ADA, text="for Ada's eyes")
    client.chat_postEphemeral(channel=TEAM, user=ADA, text="ephemeral for Ada")
    client.chat_postMessage(channel="C0BOARD", text="among the board")
    seen = json.dumps(state(browser, BEN))
    for secret in ("for Ada's eyes", "ephemeral for Ada", "among the board", "token-board", sandbox.dm(ADA)):
        assert secret not in seen
    for secret in (sandbox.workspace.app.bot_token, sandbox.workspace.app.signing_secret, "ada@northwind.example"):
        assert secret not in seen


def test_modals_are_of_one_person(sandbox: Sandbox, client: WebClient, browser: httpx.Client) -> None:
    """No one sees or submits another's modal, and what is done to one that is closed is refused in words."""
    client.views_open(trigger_id=sandbox._platform.new_trigger(ADA), view=FORM)
    with browser:
        mine, theirs = (browser.get("/page/state", params={"as": who}).json()["modal"] for who in (ADA, BEN))
        order = {"as": BEN, "view": mine["id"], "do": "submit", "values": {}}
        answers = [browser.post("/page/modals", json=order | more) for more in ({}, {"as": ADA, "values": "none"})]
        sandbox.dismiss(ADA)
        answers.append(browser.post("/page/modals", json=order | {"as": ADA}))
    assert (mine["title"], mine["values"]["reason"], theirs) == ("Ask", {"reason_value": "Training"}, None)
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert answers[-1].json() == {"error": "that view is not the one on top"}


def test_homes_are_of_one_person(sandbox: Sandbox, client: WebClient, browser: httpx.Client) -> None:
    """No one sees or presses what was published for another, and nonsense is refused in words."""
    view = client.views_publish(user_id=ADA, view=START)["view"]
    order = {"as": BEN, "home": view["id"], "do": "act", "name": "ask"}
    with browser:
        mine, theirs = (browser.get("/page/state", params={"as": who}).json()["home"] for who in (ADA, BEN))
        answers = [
            browser.post("/page/home", json=order),
            browser.post("/page/home", json=order | {"as": ADA, "do": "burn"}),
            browser.post("/page/home", json=order | {"as": ADA, "do": "open", "tab": "about"}),
            browser.post("/page/home", content=json.dumps(order)),
        ]
    assert (mine["id"], mine["values"]["note"]) == (view["id"], {"note_value": None})
    assert theirs == {"id": "", "hash": "", "blocks": [], "values": {}}
    assert [answer.status_code for answer in answers] == [400, 400, 400, 415]
    assert answers[0].json() == {"error": "that view is not the one on the person's Home tab"}
    assert sandbox.warnings == ()


def test_the_state_describes_the_page(browser: httpx.Client) -> None:
    """The page learns who there is, what to try, and which commands there are."""
    shown = state(browser, ADA)
    assert shown["me"] == ADA
    assert shown["workspace"]["hints"][1] == {"command": "/tokens balance", "label": "A junior's allowance", "as": BEN}
    assert [command["command"] for command in shown["app"]["commands"]] == ["/tokens", "/raw"]
    ada = next(member for member in shown["members"] if member["id"] == ADA)
    assert (ada["initials"], ada["title"], ada["tz"]) == ("AL", "Staff engineer", "Europe/London")
    assert next(channel for channel in shown["channels"] if channel["id"] == shown["app"]["dm"])["with"] == BOT


def test_commands_are_answered_before_the_page_hears_back(app: TokensApp, browser: httpx.Client) -> None:
    """Posting a command returns its answer; posting words returns the message."""
    app.reply = lambda ack, **_: ack(text="Balance", blocks=BALANCE)
    with browser:
        order = {"as": ADA, "channel": GENERAL, "text": "/tokens balance"}
        answered = browser.post("/page/messages", json=order).json()
        said = browser.post("/page/messages", json=order | {"text": "a < b & @ben."}).json()
        clicked = browser.post(
            "/page/actions",
            json={"as": BEN, "channel": GENERAL, "ts": answered["messages"][0]["ts"], "action_id": "ask_more"},
        )
    assert (answered["error"], answered["messages"][0]["prompt"]) == ("", "/tokens balance")
    assert said["messages"][0]["text"] == "a &lt; b &amp; <@U0BEN>."
    assert (clicked.status_code, clicked.json()) == (400, {"error": "there is no such message"})


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ({"as": MARA, "channel": TEAM, "text": "x"}, "Mara Lindqvist is not in #platform"),
        ({"as": ADA, "channel": "C0NOWHERE", "text": "x"}, "there is no channel 'C0NOWHERE'"),
        ({"as": "U0X", "channel": TEAM, "text": "x"}, "there is no member 'U0X'"),
        ({"as": ADA, "channel": TEAM, "text": " "}, "there is nothing to send"),
    ],
)
def test_refused_orders(browser: httpx.Client, order: dict[str, str], error: str) -> None:
    """What cannot be done is refused in words that the page can show."""
    with browser:
        answer = browser.post("/page/messages", json=order)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_only_json_is_taken(browser: httpx.Client) -> None:
    """A form from a foreign page cannot act in anybody's name."""
    with browser:
        answer = browser.post("/page/messages", content='{"as": "U0ADA"}', headers={"content-type": "text/plain"})
        missing = browser.get("/page/state", params={"as": "U0NOBODY"})
    assert (answer.status_code, missing.status_code) == (415, 404)


def test_events_reach_only_those_concerned(sandbox: Sandbox, client: WebClient, browser: httpx.Client) -> None:
    """Ben's page hears of the team's channel and not of Ada's conversation; stopping ends the stream."""
    with browser, browser.stream("GET", "/page/events", params={"as": BEN}) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: ready"
        client.chat_postMessage(channel=ADA, text="x")
        client.chat_postMessage(channel=TEAM, text="x")
        heard = [next(lines) for _ in range(5)]
        assert heard[-2:] == [f'data: {{"channel": "{TEAM}"}}', ""]
        assert not any(sandbox.dm(ADA) in line for line in heard)
        sandbox.stop()
        assert list(lines) == []


def test_the_page_is_served_with_a_policy(browser: httpx.Client) -> None:
    """The page and its parts come from this server, and nothing else may run in it."""
    names = sorted(file.name for file in STATIC.iterdir())
    with browser:
        page = browser.get("/")
        parts = [browser.get(f"/static/{name}") for name in names]
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert {"app.js", "blocks.js", "page.css"} <= set(names)
    assert all(part.status_code == 200 for part in parts)
    assert not any("slack" in text.lower() for text in (page.text, *(part.text for part in parts)))


def test_a_shell_can_ask_for_the_time(clock: HandClock, browser: httpx.Client) -> None:
    """One line of text says what time it is in the workspace, to the second, also after that was moved."""
    with browser:
        before = browser.get("/page/now")
        clock.advance(days=31, microseconds=7)
        after = browser.get("/page/now")
    assert (before.text, after.text) == ("2026-11-09T10:00:00+00:00", "2026-12-10T10:00:00+00:00")
    assert before.headers["content-type"] == "text/plain; charset=utf-8"
