"""The page in a real browser: a newcomer switches person, asks, and reads the answer."""

import re
import threading
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect
from slack_sdk import WebClient

from sandbox import Sandbox
from tests.sandbox.company import ADA, BALANCE, BEN, GENERAL, MARA, TEAM, button, mrkdwn, options, plain, section
from tests.sandbox.conftest import TokensApp
from tests.sandbox.forms import Forms
from tests.sandbox.views import DIALOGUE, FORM, field, view
from tests.support.browser import ask


def visit(page: Page, sandbox: Sandbox, person: str, place: str = "") -> None:
    page.goto(f"{sandbox.page_url(person)}&in={place}")
    page.wait_for_selector("body.ready")


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


def test_a_click_outlives_what_arrives_meanwhile(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """A click that begins on a channel before a message comes, and ends after, opens it; so stays a list of people."""
    visit(page, sandbox, ADA, GENERAL)
    row = page.get_by_role("button", name="platform")
    person = page.get_by_label("You are").locator("option").first.element_handle()
    row.hover()
    page.mouse.down()
    client.chat_postMessage(channel=TEAM, text="News")
    expect(row.get_by_text("New messages")).to_be_attached()
    expect(row).to_have_class(re.compile("unread"))
    page.mouse.up()
    expect(page.locator("#place-name")).to_have_text("platform")
    expect(page.locator(".message-body")).to_contain_text("News")
    assert person.evaluate("node => node.isConnected")


def test_hostile_text_is_inert(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """Mark-up, broadcasts and entities that someone typed or that an app sent are only ever text."""
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


@pytest.fixture
def forms(app: TokensApp, sandbox: Sandbox, client: WebClient) -> Forms:
    made = Forms(client, sandbox)
    made.listen(app)
    return made


def test_the_life_of_a_modal(sandbox: Sandbox, app: TokensApp, forms: Forms, page: Page) -> None:
    """A command opens a form; what is wrong stands beside its field; what is filled in arrives; the form goes."""

    def ask_back(ack: Any, body: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - Bolt's own
        ack()
        forms.client.views_open(trigger_id=body["trigger_id"], view=FORM)

    app.reply = ask_back
    visit(page, sandbox, ADA, GENERAL)
    ask(page, "/tokens ask")
    dialog = page.get_by_role("dialog", name="Ask")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    expect(dialog.get_by_label("Reason")).to_have_value("Training")
    expect(dialog.get_by_label("Reason")).to_have_accessible_description("One sentence")
    expect(dialog.get_by_label("Mara Lindqvist")).to_be_checked()
    dialog.get_by_role("button", name="Send").click()
    amount = dialog.get_by_label("Amount")
    expect(amount).to_have_accessible_description("Please fill this in.")
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(amount).to_be_focused()
    amount.fill("7")
    expect(amount).to_have_accessible_description("")
    dialog.get_by_label("Until").fill("2026-12-24")
    dialog.get_by_label("Service (optional)").select_option(label="Choose")
    dialog.get_by_label("Lead (optional)").select_option(label="Ben Okafor")
    dialog.get_by_label("Ada Lovelace").check()
    dialog.get_by_label("Urgency").get_by_label("Choice 1").check()
    forms.on_submit = lambda ack, **_: ack(response_action="errors", errors={"reason": "Which training?"})
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_label("Reason")).to_have_accessible_description("One sentence Which training?")
    dialog.get_by_label("Reason").fill("First aid")
    forms.on_submit = lambda ack, **_: ack()
    dialog.get_by_label("Reason").press("Enter")
    expect(dialog).to_be_hidden()
    values = forms.submitted[-1]["view"]["state"]["values"]
    assert len(forms.submitted) == 2
    assert values["reason"]["reason_value"]["value"] == "First aid"
    assert values["amount"]["amount_value"]["value"] == "7"
    assert values["until"]["until_value"]["selected_date"] == "2026-12-24"
    assert values["service"]["service_value"]["selected_option"] is None
    assert values["lead"]["lead_value"]["selected_user"] == BEN
    assert values["voters"]["voters_value"]["selected_users"] == [ADA, MARA]
    assert values["urgency"]["urgency_value"]["selected_option"]["value"] == "v1"
    assert values["terms"]["terms_value"]["selected_options"] == []


def test_a_stack_of_modals_by_keyboard(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """Tab stays within the form, Enter presses, the newest of a stack is shown, and Escape goes back one."""

    def push(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        ack()
        above = view(section("Are you sure?"), title=plain("Above"), notify_on_close=True)
        forms.client.views_push(trigger_id=body["trigger_id"], view=above)

    visit(page, sandbox, ADA, GENERAL)
    forms.open(DIALOGUE)
    forms.on_action = push
    expect(page.get_by_label("Note")).to_be_focused()
    page.get_by_role("button", name="Go").press("Tab")
    inside = (
        "document.getElementById('modal').contains(document.activeElement) || document.activeElement === document.body"
    )
    for _ in range(9):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
    page.get_by_role("button", name="Go").press("Enter")
    expect(page.get_by_role("dialog", name="Above")).to_contain_text("Are you sure?")
    expect(page.get_by_role("dialog").get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Ask")).to_be_visible()
    sandbox.wait_for(lambda: forms.closed)
    expect(page.get_by_role("dialog")).to_have_attribute("aria-busy", "false")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert sandbox.modals(ADA) == ()
    expect(page.get_by_label("Message #general")).to_be_enabled()


def test_what_a_form_tells_at_once(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """Enter sends a field that is to be sent, a choice goes at once, and a question may come first."""
    question = {"title": plain("Really?"), "text": plain("All of it."), "confirm": plain("Yes"), "deny": plain("No")}
    each: dict[str, Any] = {
        "dispatch_action": True,
        "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
    }
    menu = {"type": "static_select", "action_id": "period", "options": options(3), "placeholder": plain("Period")}
    acts = {"type": "actions", "elements": [menu, button("Give back", action_id="back", confirm=question)]}
    visit(page, sandbox, ADA, GENERAL)
    forms.open(view(field("note", dispatch_action=True), field("find", **each), acts))
    page.get_by_label("Note").fill("typed")
    page.get_by_label("Note").press("Enter")
    sandbox.wait_for(lambda: len(forms.acted) == 1)
    page.get_by_label("Find").press_sequentially("ab")
    sandbox.wait_for(lambda: len(forms.acted) == 2)
    page.get_by_label("Period").select_option("v2")
    sandbox.wait_for(lambda: len(forms.acted) == 3)
    page.get_by_role("button", name="Give back").click()
    page.get_by_role("dialog", name="Really?").get_by_role("button", name="No").click()
    page.get_by_role("button", name="Give back").click()
    page.get_by_role("dialog", name="Really?").get_by_role("button", name="Yes").click()
    sandbox.wait_for(lambda: len(forms.acted) == 4)
    assert [body["actions"][0]["action_id"] for body in forms.acted] == ["note_value", "find_value", "period", "back"]
    assert forms.acted[1]["actions"][0]["value"] == "ab"
    values = forms.acted[-1]["view"]["state"]["values"]
    assert values["note"]["note_value"]["value"] == "typed"
    assert forms.submitted == []


def test_an_update_while_somebody_types(sandbox: Sandbox, forms: Forms, client: WebClient, page: Page) -> None:
    """What is typed into a field that stays is not lost, nor is the place; a field that is new is empty."""
    visit(page, sandbox, ADA, GENERAL)
    opened = forms.open(view(field("a"), field("b")))
    page.get_by_label("A", exact=True).fill("sent")
    page.get_by_label("B", exact=True).press_sequentially("half a sen")
    after = view(field("a", action_id="new"), field("b"), section("Loaded"))
    client.views_update(view_id=opened.id, view=after)
    expect(page.get_by_text("Loaded")).to_be_visible()
    expect(page.get_by_label("B", exact=True)).to_be_focused()
    expect(page.get_by_label("B", exact=True)).to_have_value("half a sen")
    expect(page.get_by_label("A", exact=True)).to_have_value("")


def test_a_form_that_the_app_does_not_take(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """When the app cannot be reached the form stays, says so, and can be sent again."""
    visit(page, sandbox, ADA, GENERAL)
    forms.open(view(field("a", initial_value="kept")))
    forms.on_submit = lambda ack, **_: ack(response_action="nonsense")
    send = page.get_by_role("dialog").get_by_role("button", name="Send")
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be shown")
    expect(page.get_by_label("A", exact=True)).to_have_value("kept")
    forms.on_submit = lambda ack, **_: ack()
    send.click()
    expect(page.get_by_role("dialog")).to_have_count(0)


class Held:
    """Answers of the server that are kept from the page until a test lets them go."""

    def __init__(self, page: Page, address: str, *, said: str = "") -> None:
        self.answers: list[tuple[Route, APIResponse]] = []
        self.said = said
        page.route(address, self._hold)

    def _hold(self, route: Route) -> None:
        if self.said in (route.request.post_data or ""):
            self.answers.append((route, route.fetch()))
        else:
            route.continue_()

    def let_go(self) -> None:
        route, answer = self.answers.pop(0)
        route.fulfill(response=answer)


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """While the page, and what is held from it, go on."""
    while not condition():
        page.wait_for_timeout(10)


SUBMISSION = '"do":"submit"'


def test_what_an_answer_puts_there_can_be_closed(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """The page may show what became of a submission before it has the answer to it: that can be closed at once."""
    held = Held(page, "**/page/modals", said=SUBMISSION)
    visit(page, sandbox, ADA, GENERAL)
    forms.open(view(field("a", initial_value="1")))
    forms.on_submit = lambda ack, **_: ack(response_action="update", view=view(section("It is with the board")))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog).to_contain_text("It is with the board")
    expect(dialog).to_have_attribute("aria-busy", "false")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    held.let_go()


def test_what_is_wrong_can_be_mended_at_once(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """The page may show what is wrong with a submission before it has the answer to it: the next one is not lost."""
    held = Held(page, "**/page/modals", said=SUBMISSION)
    visit(page, sandbox, ADA, GENERAL)
    forms.open(view(field("a")))
    dialog = page.get_by_role("dialog")
    send = dialog.get_by_role("button", name="Send")
    send.click()
    expect(dialog).to_contain_text("Please fill this in.")
    forms.on_submit = lambda ack, **_: ack(response_action="errors", errors={"a": "Not that one."})
    dialog.get_by_label("A", exact=True).fill("that one")
    send.click()
    expect(dialog).to_contain_text("Not that one.")
    forms.on_submit = lambda ack, **_: ack()
    dialog.get_by_label("A", exact=True).fill("this one")
    send.click()
    expect(dialog).to_have_count(0)
    values = [body["view"]["state"]["values"]["a"]["a_value"]["value"] for body in forms.submitted]
    assert values == ["that one", "this one"]
    assert len(held.answers) == 3


def test_who_waits_may_leave(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """While the app thinks about a submission a second click sends nothing, but the form can be closed."""
    sandbox._platform.deadline = 30
    thought = threading.Event()

    def think(ack: Any, **_: object) -> None:  # noqa: ANN401 - Bolt's own
        thought.wait(20)
        ack(response_action="update", view=view(section("Too late")))

    forms.on_submit = think
    visit(page, sandbox, ADA, GENERAL)
    forms.open(view(field("a", initial_value="1")))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Send").dblclick()
    expect(dialog).to_have_attribute("aria-busy", "true")
    with page.expect_response("**/page/modals") as submitted:
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
        thought.set()
    assert submitted.value.ok
    assert (len(forms.submitted), sandbox.modals(ADA), sandbox.warnings) == (1, (), ())


def test_a_submission_without_an_answer(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """A form whose submission is not answered says so, keeps what is in it, and can be submitted again."""
    page.clock.install()
    visit(page, sandbox, ADA, GENERAL)
    forms.open(view(field("a")))
    page.route("**/page/modals", lambda _: None)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("A", exact=True).fill("typed")
    send = dialog.get_by_role("button", name="Send")
    send.click()
    expect(dialog).to_have_attribute("aria-busy", "true")
    page.clock.fast_forward("00:30")
    expect(page.get_by_role("alert")).to_have_text("We had some trouble connecting. Try again?")
    expect(dialog).to_have_attribute("aria-busy", "false")
    page.unroute("**/page/modals")
    sandbox._platform.deadline = 0.05
    forms.on_submit = lambda **_: None
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("Try again? (Tokens did not respond in time.)")
    expect(dialog).to_have_attribute("aria-busy", "false")
    expect(dialog.get_by_label("A", exact=True)).to_have_value("typed")
    sandbox._platform.deadline = 30
    forms.on_submit = lambda ack, **_: ack()
    send.click()
    expect(dialog).to_have_count(0)
    assert forms.submitted[-1]["view"]["state"]["values"]["a"]["a_value"]["value"] == "typed"


def test_what_was_said_before_does_not_undo_what_is_typed(
    sandbox: Sandbox, forms: Forms, client: WebClient, page: Page
) -> None:
    """A new version of a form that is older than what someone filled in comes with what they filled in."""
    visit(page, sandbox, ADA, GENERAL)
    opened = forms.open(view(field("a"), field("b")))
    expect(page.get_by_label("A", exact=True)).to_be_focused()
    page.wait_for_load_state("networkidle")
    kept = Held(page, "**/page/modals", said='"do":"keep"')
    held = Held(page, "**/page/state*")
    client.views_update(view_id=opened.id, view=view(field("a"), field("b"), section("Loaded")))
    wait_until(page, lambda: len(held.answers) == 1)
    page.get_by_label("A", exact=True).fill("typed")
    page.get_by_label("A", exact=True).press("Tab")
    wait_until(page, lambda: len(kept.answers) == 1)
    held.let_go()
    expect(page.get_by_text("Loaded")).to_be_visible()
    expect(page.get_by_label("A", exact=True)).to_have_value("typed")
    kept.let_go()
    assert forms.top().values == {"a": "typed", "b": None}


def test_a_page_where_much_happens(sandbox: Sandbox, page: Page) -> None:
    """However fast one change follows the other, each answer is shown: none is overtaken by the next question."""
    visit(page, sandbox, ADA, TEAM)
    page.wait_for_load_state("networkidle")
    held = Held(page, "**/page/state*")
    sandbox.say(BEN, TEAM, "First")
    wait_until(page, lambda: len(held.answers) == 1)
    sandbox.say(BEN, TEAM, "Second")
    page.wait_for_timeout(200)
    assert len(held.answers) == 1
    held.let_go()
    wait_until(page, lambda: len(held.answers) == 1)
    expect(page.locator(".message .text")).to_have_text(["First"])
    held.let_go()
    expect(page.locator(".message .text")).to_have_text(["First", "Second"])


@pytest.mark.parametrize(("scheme", "width"), [("light", 1300), ("dark", 390)])
def test_every_field_fits(
    sandbox: Sandbox, forms: Forms, page: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    """A form with everything is drawn whole at any width, and its buttons can be reached."""
    page.set_viewport_size({"width": width, "height": 700})
    page.emulate_media(color_scheme=scheme)
    visit(page, sandbox, ADA, GENERAL)
    alert = {"type": "alert", "level": "warning", "text": mrkdwn("*Careful*")}
    more = [field("note", multiline=True), field("time", "timepicker"), field("when", "datetimepicker")]
    blocks = [block for block in DIALOGUE["blocks"] if block.get("block_id") != "note"]
    forms.open(view({"type": "header", "text": plain("All")}, alert, *FORM["blocks"], *more, *blocks))
    dialog = page.get_by_role("dialog", name="Ask")
    expect(dialog.locator(".input")).to_have_count(11)
    expect(dialog.locator(".unknown")).to_have_count(0)
    dialog.get_by_role("button", name="Send").click(trial=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    scroller = page.locator("#modal-scroll")
    assert scroller.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_threads_on_the_page(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """Replies are counted under their message, read beside it, and written there; the address remembers."""
    parent = client.chat_postMessage(channel=TEAM, text="A request")["ts"]
    client.chat_postMessage(channel=TEAM, text="A reminder", thread_ts=parent)
    visit(page, sandbox, ADA, TEAM)
    expect(page.locator("#messages .message")).to_have_count(1)
    page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.locator(".message .text")).to_have_text(["A request", "A reminder"])
    reply = thread.get_by_label("Reply in thread")
    expect(reply).to_be_focused()
    reply.fill("I look at it")
    reply.press("Enter")
    expect(thread.locator(".message .text").last).to_have_text("I look at it")
    expect(page.get_by_role("button", name="2 replies")).to_be_visible()
    client.chat_postEphemeral(channel=TEAM, user=ADA, text="For you", thread_ts=parent)
    expect(thread.locator(".message.ephemeral")).to_contain_text("For you")
    client.chat_postMessage(channel=TEAM, text="Decided", thread_ts=parent, reply_broadcast=True)
    expect(page.locator("#messages .text").last).to_have_text("Decided")
    page.reload()
    expect(thread.locator(".message")).to_have_count(5)
    page.get_by_role("button", name="Close thread").click()
    expect(thread).to_be_hidden()
    page.get_by_role("button", name="Replied in a thread").click()
    expect(thread).to_be_visible()
    thread.get_by_label("Reply in thread").press("Escape")
    expect(thread).to_be_hidden()


def test_anybody_can_begin_a_thread(sandbox: Sandbox, page: Page) -> None:
    """The first reply to a message is written in the panel that its button opens."""
    said = sandbox.say(BEN, TEAM, "Who decides?")
    visit(page, sandbox, ADA, TEAM)
    page.locator(".message").hover()
    page.get_by_role("button", name="Reply in thread").click()
    page.locator("#reply").fill("Mara does")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("button", name="1 reply")).to_be_visible()
    assert [message.text for message in sandbox.thread(TEAM, said.ts, BEN)] == ["Who decides?", "Mara does"]


def test_boxes_in_a_message(sandbox: Sandbox, forms: Forms, client: WebClient, page: Page) -> None:
    """Boxes and menus of several people say all that is chosen, each time something changes."""
    ticks = {"type": "checkboxes", "action_id": "terms", "options": options(3)}
    people = {"type": "multi_users_select", "action_id": "who", "placeholder": plain("Who"), "max_selected_items": 2}
    acts = {"type": "actions", "elements": [ticks, people]}
    client.chat_postMessage(channel=TEAM, text="x", blocks=[acts])
    visit(page, sandbox, ADA, TEAM)
    page.get_by_label("Choice 0").check()
    page.get_by_label("Choice 2").check()
    sandbox.wait_for(lambda: len(forms.acted) == 2)
    page.get_by_label("Ada Lovelace").check()
    page.get_by_label("Ben Okafor").check()
    expect(page.get_by_label("Mara Lindqvist")).to_be_disabled()
    sandbox.wait_for(lambda: len(forms.acted) == 4)
    ticked, chosen = forms.acted[1]["actions"][0], forms.acted[3]["actions"][0]
    assert [option["value"] for option in ticked["selected_options"]] == ["v0", "v2"]
    assert chosen["selected_users"] == [ADA, BEN]
