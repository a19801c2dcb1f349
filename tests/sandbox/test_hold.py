"""Before the app is there: what people read, what is kept for it, and what a page begins with afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_sdk import WebClient

from sandbox import Control, Sandbox, Workspace, WorkspaceError
from sandbox.model import SYSTEM
from tests.sandbox.company import ADA, BEN, GENERAL, PLAN, TEAM, button, section
from tests.sandbox.conftest import HandClock, TokensApp
from tests.sandbox.test_page import visit
from tests.support.browser import ask

WHY = "The company is moving in, which takes a minute."
LISTENING = PLAN | {"app": PLAN["app"] | {"events": ["app_home_opened"]}}
CONTROLS = (Control(name="day", label="Next day"),)


@pytest.fixture
def sandbox(clock: HandClock) -> Iterator[Sandbox]:
    """Nothing reaches the app before its release."""
    workspace = Workspace.from_dict(LISTENING)
    with Sandbox(workspace, clock=clock, controls=CONTROLS, operate=lambda _: "It is Tuesday.", held_for=WHY) as held:
        yield held


def texts(sandbox: Sandbox, channel: str, reader: str) -> list[str]:
    return [message.text for message in sandbox.messages(channel, reader)]


def test_commands_are_kept_in_their_order(sandbox: Sandbox, app: TokensApp) -> None:
    """Each is answered at once with why it has to wait, reaches the app at the release, and leaves only its answer."""
    app.reply = lambda ack, body, **_: ack(f"You said {body['text']}")
    early = sandbox.command(ADA, GENERAL, "/tokens balance")
    assert (early.error, early.message.author, early.message.ephemeral_to) == ("held", SYSTEM, ADA)
    assert early.text == f"{WHY} Then `/tokens balance` will be answered."
    sandbox.command(BEN, GENERAL, "/tokens help")
    sandbox.command(ADA, GENERAL, "/tokens why")
    assert app.bodies == []
    sandbox.release()
    assert [(body["user_id"], body["text"]) for body in app.bodies] == [(ADA, "balance"), (BEN, "help"), (ADA, "why")]
    assert texts(sandbox, GENERAL, ADA) == ["You said balance", "You said why"]
    assert sandbox.command(ADA, GENERAL, "/tokens x").text == "You said x"


def test_a_mistyped_command_need_not_wait(sandbox: Sandbox) -> None:
    """What is no command is said to be none while the app is away, and is not kept."""
    assert sandbox.command(ADA, GENERAL, "/tonkes").error == "unknown_command"
    sandbox.release()
    assert len(sandbox.messages(GENERAL, ADA)) == 1


def test_clicks_are_refused_in_words(sandbox: Sandbox, client: WebClient, app: TokensApp) -> None:
    """A click is answered with why nothing happens; after the release it reaches the app."""
    clicked: list[str] = []

    def go(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        clicked.append(body["user"]["id"])
        ack()

    app.bolt.action("go")(go)
    client.chat_postMessage(channel=TEAM, text="x", blocks=[{"type": "actions", "elements": [button(action_id="go")]}])
    message = sandbox.messages(TEAM, ADA)[0]
    with pytest.raises(WorkspaceError, match="moving in"):
        sandbox.press(ADA, message, "go")
    sandbox.release()
    assert sandbox.press(ADA, message, "go").error == ""
    assert clicked == [ADA]


def test_a_visit_is_kept(sandbox: Sandbox, client: WebClient, app: TokensApp) -> None:
    """A person who waits on the Home tab sees what the app publishes there, without coming again."""

    def publish(ack: Any, event: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section("Hello")]})
        ack()

    app.bolt.event("app_home_opened")(publish)
    sandbox.open_home(ADA)
    assert sandbox.home(ADA) is None
    sandbox.release()
    shown = sandbox.wait_for(lambda: sandbox.home(ADA))
    assert shown.blocks[0]["text"]["text"] == "Hello"


def test_who_types_too_early_reads_why(sandbox: Sandbox, app: TokensApp, page: Page) -> None:
    """On the page: the reason at once, how far it is, no calendar yet; later the answer, without asking again."""
    app.reply = lambda ack, **_: ack("You have 42 tokens")
    visit(page, sandbox, ADA)
    ask(page, "/tokens balance")
    message = page.locator(".message.ephemeral")
    expect(message).to_contain_text("You ran /tokens balance")
    expect(message).to_contain_text(WHY)
    expect(page.get_by_role("button", name="Next day")).to_be_disabled()
    sandbox.tell_progress("Moving in: 40%")
    expect(page.locator("#calendar-progress")).to_have_text("Moving in: 40%")
    sandbox.release()
    expect(message).to_contain_text("You have 42 tokens")
    expect(message).to_have_count(1)
    expect(message).to_contain_text("You ran /tokens balance")
    page.get_by_role("button", name="Next day").click()
    expect(page.locator("#status")).to_have_text("It is Tuesday.")


def test_the_calendar_waits_too(sandbox: Sandbox, page: Page) -> None:
    """A page that has not heard of it may still send a click on the calendar: it is refused with the reason."""
    visit(page, sandbox, ADA)
    refused = page.request.post(f"{sandbox.url}/page/controls", data={"name": "day"})
    assert (refused.status, refused.json()) == (409, {"error": WHY})


@pytest.mark.parametrize("width", [390, 1300])
def test_a_page_begins_with_the_greeting(sandbox: Sandbox, app: TokensApp, chromium: Browser, width: int) -> None:
    """However long the answer below it, a note of the workspace is what one sees first, and no one else sees it."""
    app.reply = lambda ack, **_: ack("\n".join(["A long answer"] * 40))
    dm = sandbox.dm(ADA)
    for number in range(30):
        sandbox.say(ADA, dm, f"Question {number}")
    sandbox.release()
    sandbox.note(ADA, dm, "*Welcome to Northwind.*")
    sandbox.note(ADA, GENERAL, "Only for Ada")
    sandbox.command(ADA, dm, "/tokens balance")
    assert texts(sandbox, GENERAL, BEN) == []
    opened = chromium.new_page(viewport={"width": width, "height": 640})
    visit(opened, sandbox, ADA)
    expect(opened.get_by_text("Welcome to Northwind.")).to_be_in_viewport(ratio=1)
    expect(opened.get_by_text("A long answer")).to_be_in_viewport()
    opened.close()
