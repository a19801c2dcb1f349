"""The page in a real browser: a newcomer switches person, asks, and reads the answer."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from slack_sdk import WebClient

from sandbox import Sandbox
from tests.sandbox.company import ADA, BALANCE, BEN, GENERAL, TEAM, mrkdwn, section
from tests.sandbox.conftest import TokensApp

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page on which any error or dialogue fails the test."""
    context = chromium.new_context(viewport={"width": 1300, "height": 820}, locale="en-GB", timezone_id="UTC")
    opened = context.new_page()
    opened.set_default_timeout(5000)
    trouble: list[str] = []
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    opened.on("dialog", lambda dialog: trouble.append(dialog.message))
    yield opened
    context.close()
    assert trouble == []


def visit(page: Page, sandbox: Sandbox, person: str, place: str = "") -> None:
    page.goto(f"{sandbox.page_url(person)}&in={place}")
    page.wait_for_selector("body.ready")


def ask(page: Page, line: str) -> None:
    page.get_by_label("Message", exact=False).last.fill(line)
    page.keyboard.press("Enter")


def test_a_newcomer_asks_as_two_people(sandbox: Sandbox, app: TokensApp, page: Page) -> None:
    """Ada reads her answer, Ben does not see it, and the address remembers who is looking."""
    app.reply = lambda ack, body, **_: ack(f"You are {body['user_name']}")
    visit(page, sandbox, ADA, GENERAL)
    ask(page, "/tokens balance")
    answer = page.locator(".message.ephemeral")
    expect(answer).to_contain_text("You are ada")
    expect(answer).to_contain_text("Only visible to you")
    expect(answer.locator(".badge")).to_have_text("App")
    page.get_by_label("You are").select_option(BEN)
    expect(page.locator("#persona-name")).to_have_text("Ben Okafor")
    expect(page.locator(".message")).to_have_count(0)
    assert f"as={BEN}" in page.url
    ask(page, "/tokens balance")
    expect(page.locator(".message.ephemeral")).to_contain_text("You are ben")
    page.reload()
    expect(page.locator(".message.ephemeral")).to_contain_text("You are ben")


def test_hostile_text_is_inert(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """Mark-up, broadcasts and entities that somebody typed or that an app sent are only ever text."""
    typed = "<script>alert(1)</script> <!channel> &amp; <img src=x onerror=alert(2)>"
    sandbox.say(ADA, TEAM, typed)
    links = "<javascript:alert(3)|press> <https://example.org/?a=1&amp;b=2|good> <b>bold</b> &amp;lt; &#39; &nbsp;"
    client.chat_postMessage(
        channel=TEAM,
        text="x",
        blocks=[section(links), {"type": "markdown", "text": "[a](javascript:alert(4)) <i>i</i>"}],
    )
    visit(page, sandbox, BEN, TEAM)
    messages = page.locator(".message-body")
    expect(messages.nth(0).locator(".block")).to_have_text(typed)
    expect(messages.nth(1).locator(".section")).to_have_text(
        "<javascript:alert(3)|press> good <b>bold</b> &lt; &#39; &nbsp;",
    )
    assert page.locator("#messages script, #messages img, #messages b, #messages i").count() == 0
    hrefs = page.locator("#messages a").evaluate_all("links => links.map((link) => link.href)")
    assert hrefs == ["https://example.org/?a=1&b=2"]


def test_mark_up(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """Styles, mentions, quotes, code and dates in the reader's own time zone are drawn."""
    text = (
        "*bold _both_* ~gone~ `*code*` 2*3*4 snake_case_name <@U0BEN> <#C0TEAM> :tada:\n"
        "&gt; quoted\n```\nraw *text*\n```<!date^1794218400^{date_num} {time}|fallback> <!subteam^S0BOARD> <!here>"
    )
    client.chat_postMessage(channel=TEAM, text=text)
    visit(page, sandbox, BEN, TEAM)
    body = page.locator(".message-body .block")
    expect(body.locator("strong")).to_have_text("bold both")
    expect(body.locator("strong em")).to_have_text("both")
    expect(body.locator("s")).to_have_text("gone")
    expect(body.locator("code").first).to_have_text("*code*")
    expect(body).to_contain_text("2*3*4 snake_case_name")
    expect(body.locator(".mention")).to_have_text(["@Ben Okafor", "#platform", "@board", "@here"])
    expect(body.locator("blockquote")).to_have_text("quoted")
    expect(body.locator("pre")).to_have_text("raw *text*\n")
    expect(body.locator("time")).to_have_text("2026-11-09 19:00")


def test_messages_arrive_by_themselves(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """What the app posts elsewhere marks the channel, and what it changes here changes on the page."""
    visit(page, sandbox, ADA, TEAM)
    posted = client.chat_postMessage(channel=TEAM, text="first")
    expect(page.locator(".message .text")).to_have_text("first")
    client.chat_update(channel=TEAM, ts=posted["ts"], text="changed")
    expect(page.locator(".message .text")).to_have_text("changed")
    sandbox.say(BEN, GENERAL, "elsewhere")
    expect(page.locator(".place-row.unread")).to_contain_text("general")
    page.locator(".place-row.unread").click()
    expect(page.locator(".message .text")).to_have_text("elsewhere")
    expect(page.locator(".place-row.unread")).to_have_count(0)


def test_commands_are_suggested_and_recalled(sandbox: Sandbox, app: TokensApp, page: Page) -> None:
    """A slash offers the commands, Tab completes, Up brings back what was typed, hints run by a click."""
    visit(page, sandbox, ADA, GENERAL)
    entry = page.get_by_label("Message #general")
    entry.press_sequentially("/to")
    expect(page.locator("#suggestions li").first).to_contain_text("balance | statement | help")
    entry.press("Tab")
    expect(entry).to_have_value("/tokens ")
    entry.press_sequentially("statement")
    entry.press("Enter")
    expect(page.locator(".prompt")).to_contain_text("/tokens statement")
    expect(entry).to_have_value("")
    entry.press("ArrowUp")
    expect(entry).to_have_value("/tokens statement")
    entry.press("ArrowDown")
    expect(entry).to_have_value("")
    page.get_by_role("button", name="A junior's allowance").click()
    expect(page.locator("#persona-name")).to_have_text("Ben Okafor")
    expect(page.locator(".message.ephemeral")).to_contain_text("Hello")
    assert [body["user_id"] for body in app.bodies] == [ADA, BEN]


def test_clicks_and_questions(sandbox: Sandbox, app: TokensApp, page: Page) -> None:
    """A dangerous button asks first; menus and buttons reach the app with what was chosen."""
    chosen: list[dict[str, Any]] = []

    def keep(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        ack()
        chosen.append(body["actions"][0])

    for name in ("give_back", "period", "more"):
        app.bolt.action(name)(keep)
    app.reply = lambda ack, **_: ack(text="Balance", blocks=BALANCE)
    visit(page, sandbox, ADA, GENERAL)
    ask(page, "/tokens balance")
    page.get_by_role("button", name="Give back").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Give back").click()
    page.get_by_role("dialog").get_by_role("button", name="Give back").click()
    page.get_by_label("This month").select_option("v1")
    page.get_by_label("More", exact=True).select_option("v0")
    sandbox.wait_for(lambda: len(chosen) == 3)
    values = [action.get("value") or action["selected_option"]["value"] for action in chosen]
    assert sorted(values) == ["all", "v0", "v1"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1300), ("dark", 390)])
def test_every_block_fits(
    sandbox: Sandbox, app: TokensApp, page: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    """A rich answer is drawn whole, at any width and in both colour schemes, without sideways scrolling."""
    app.reply = lambda ack, **_: ack(text="Balance", blocks=[*BALANCE, section("x" * 200, fields=[mrkdwn("*a*")] * 3)])
    page.set_viewport_size({"width": width, "height": 820})
    page.emulate_media(color_scheme=scheme)
    visit(page, sandbox, ADA, GENERAL)
    ask(page, "/tokens balance")
    expect(page.locator(".block.header")).to_have_text("Your balance")
    expect(page.locator(".table td")).to_have_count(9)
    expect(page.locator(".unknown")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.getElementById('scroller').scrollWidth <= innerWidth")
