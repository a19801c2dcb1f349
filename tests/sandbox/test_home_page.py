"""The Home tab in a real browser, and the charts and tables that apps put there or into messages."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from sandbox import Sandbox
from tests.sandbox.company import ADA, BEN, TEAM, mrkdwn, section
from tests.sandbox.conftest import TokensApp
from tests.sandbox.forms import Forms
from tests.sandbox.homes import REQUESTS, START, home, pie, plot
from tests.sandbox.test_page import Held, visit, wait_until
from tests.sandbox.views import FORM, field


@pytest.fixture
def forms(app: TokensApp, sandbox: Sandbox, client: WebClient) -> Forms:
    made = Forms(client, sandbox)
    made.listen(app)
    return made


def visit_home(page: Page, sandbox: Sandbox, person: str = ADA) -> None:
    visit(page, sandbox, person, f"{sandbox.dm(person)}&tab=home")


def test_each_visit_is_told(sandbox: Sandbox, app: TokensApp, client: WebClient, page: Page) -> None:
    """The app publishes for whoever comes; each sees their own, the address remembers the tab, and news shows."""
    sandbox.workspace.change_app(events=frozenset({"app_home_opened"}))
    tabs: list[tuple[str, str]] = []

    def come(event: dict[str, Any]) -> None:
        tabs.append((event["user"], event["tab"]))
        client.views_publish(user_id=event["user"], view=home(section(f"Hello {event['user']}")))

    app.bolt.event("app_home_opened")(come)
    visit(page, sandbox, ADA, sandbox.dm(ADA))
    blocks = page.locator("#home-blocks")
    page.get_by_role("button", name="Home").click()
    expect(blocks).to_have_text(f"Hello {ADA}")
    expect(page.locator("#composer")).to_be_hidden()
    page.get_by_label("You are").select_option(BEN)
    expect(blocks).to_have_text(f"Hello {BEN}")
    page.get_by_role("button", name="Messages").click()
    expect(page.locator("#composer")).to_be_visible()
    page.get_by_role("button", name="Home").click()
    page.reload()
    expect(page.get_by_role("button", name="Home")).to_have_attribute("aria-current", "page")
    sandbox.wait_for(lambda: len(tabs) == 5)
    assert tabs == [(ADA, "home"), (BEN, "home"), (BEN, "messages"), (BEN, "home"), (BEN, "home")]
    client.views_publish(user_id=BEN, view=home(section("News")))
    expect(blocks).to_have_text("News")


def test_presses(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """A press opens a modal; what is chosen and typed reaches the app; a new version leaves what is being typed."""
    forms.on_action = lambda ack, **_: ack()
    forms.client.views_publish(user_id=ADA, view=START)
    visit_home(page, sandbox)
    page.get_by_label("Month").select_option("v1")
    page.get_by_label("Note").fill("Soon")
    page.get_by_label("Note").press("Enter")
    sandbox.wait_for(lambda: len(forms.acted) == 2)
    page.get_by_label("Note").fill("Soon, or")
    forms.client.views_publish(user_id=ADA, view=START | {"blocks": [*START["blocks"], section("Second version")]})
    expect(page.locator("#home-blocks")).to_contain_text("Second version")
    expect(page.get_by_label("Note")).to_be_focused()
    expect(page.get_by_label("Note")).to_have_value("Soon, or")
    expect(page.get_by_label("Month")).to_have_value("v1")
    forms.on_action = lambda ack, body: (
        ack(),
        forms.client.views_open(trigger_id=body["trigger_id"], view=FORM),
    )
    page.get_by_role("button", name="Ask for more").click()
    expect(page.get_by_role("dialog")).to_contain_text("Ask")
    period, note, ask = (body["actions"][0] for body in forms.acted)
    assert period["selected_option"]["value"] == "v1"
    assert (note["value"], ask["action_id"]) == ("Soon", "ask")


def test_what_was_said_before_does_not_undo_what_is_typed(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """A new version of a Home that is older than what someone filled in comes with what they filled in."""
    client.views_publish(user_id=ADA, view=home(field("a"), field("b")))
    visit_home(page, sandbox)
    page.wait_for_load_state("networkidle")
    kept = Held(page, "**/page/home", said='"do":"keep"')
    held = Held(page, "**/page/state*")
    client.views_publish(user_id=ADA, view=home(field("a"), field("b"), section("Second version")))
    wait_until(page, lambda: len(held.answers) == 1)
    page.get_by_label("A", exact=True).fill("typed")
    page.get_by_label("A", exact=True).press("Tab")
    wait_until(page, lambda: len(kept.answers) == 1)
    held.let_go()
    expect(page.locator("#home-blocks")).to_contain_text("Second version")
    expect(page.get_by_label("A", exact=True)).to_have_value("typed")


def test_nobody_answers(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """Until something is published the page says so; a press that the app did not take is said in the status line."""
    visit_home(page, sandbox)
    expect(page.locator("#home-blocks")).to_have_text("Tokens hasn't put anything here yet.")
    client.views_publish(user_id=ADA, view=START)
    page.get_by_role("button", name="Ask for more").click()
    expect(page.locator("#status.failed")).to_have_text("Tokens could not be reached (dispatch_failed).")


def test_an_app_without_a_home(sandbox: Sandbox, page: Page) -> None:
    """There are no tabs where the app has but messages, nor in channels."""
    visit(page, sandbox, ADA, TEAM)
    expect(page.locator("#tabs")).to_be_hidden()
    page.get_by_role("button", name="Tokens", exact=True).click()
    expect(page.locator("#tabs")).to_be_visible()
    sandbox.workspace.change_app(home_tab=False)
    expect(page.locator("#tabs")).to_be_hidden()


def test_charts(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """Each kind is drawn with its marks, named for those who listen, and its figures stand in a table."""
    series = ("Granted", (12_000, 15_000, 9_000)), ("Used", (8_000, 14_500, -3_000))
    kinds = [plot(kind, *series, x_label="November", y_label="Tokens") for kind in ("line", "bar", "area")]
    client.views_publish(user_id=ADA, view=home(*kinds, pie(3, 1), pie(5)))
    visit_home(page, sandbox)
    line, bar, area, parts, whole = (page.locator(".chart").nth(number) for number in range(5))
    expect(area.locator(".stroke")).to_have_count(2)
    assert [chart.locator(".stroke").count() for chart in (line, bar, area)] == [2, 0, 2]
    assert [chart.locator(".fill, .bar").count() for chart in (line, bar, area)] == [0, 6, 2]
    assert (parts.locator("path.slice").count(), whole.locator("circle.slice").count()) == (2, 1)
    expect(line.get_by_role("img")).to_have_attribute("aria-label", "Tokens by week, line. Line chart: Granted, Used.")
    expect(parts.get_by_role("img")).to_have_attribute(
        "aria-label", "Where they went. Pie chart: Service 1, Service 2."
    )
    expect(line.locator(".axis")).to_have_text(["November", "Tokens"])
    expect(line.locator(".legend li")).to_have_text(["Granted", "Used"])
    expect(parts.locator(".legend li")).to_have_text(["Service 175 %", "Service 225 %"])
    rows = line.get_by_role("table", name="Tokens by week, line").get_by_role("row")
    expect(rows).to_have_text(["SeriesWeek 1Week 2Week 3", "Granted12,00015,0009,000", "Used8,00014,500-3,000"])
    heights = bar.locator(".bar").evaluate_all("bars => bars.map((bar) => bar.height.baseVal.value)")
    assert heights[0] / heights[2] == pytest.approx(12 / 9)
    assert heights[5] == pytest.approx(heights[0] / 4)
    assert bar.locator(".mark").all_text_contents()[:5] == ["-5K", "0", "5K", "10K", "15K"]
    page.set_viewport_size({"width": 390, "height": 800})
    expect(line.locator("svg")).to_have_attribute("width", re.compile(r"^3\d\d$"))
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_data_table(sandbox: Sandbox, forms: Forms, page: Page) -> None:
    """Its pages are turned, a click on a head sorts, and its buttons go to the app, in a message as on a Home."""
    forms.client.chat_postMessage(channel=TEAM, text="x", blocks=[REQUESTS])
    visit(page, sandbox, ADA, TEAM)
    table = page.locator(".data-table")
    first = table.get_by_role("rowheader")
    expect(table.get_by_role("table", name="Requests")).to_be_visible()
    expect(first).to_have_text([f"req_{number}" for number in range(1, 6)])
    table.get_by_role("button", name="Next").click()
    table.get_by_role("button", name="Next").click()
    expect(first).to_have_text(["req_11", "req_12"])
    expect(table.get_by_role("status")).to_have_text("11–12 of 12")
    expect(table.get_by_role("button", name="Next")).to_be_disabled()
    head = table.get_by_role("columnheader", name="Tokens")
    for direction, expected in (("ascending", "req_1"), ("descending", "req_12"), ("none", "req_1")):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", direction)
        expect(first.first).to_have_text(expected)
    table.get_by_role("button", name="Request", exact=True).click()
    expect(first).to_have_text(["req_1", "req_10", "req_11", "req_12", "req_2"])
    table.get_by_role("button", name="Open 11").click()
    (body,) = sandbox.wait_for(lambda: tuple(forms.acted))
    assert body["actions"][0]["value"] == "req_11"
    assert body["container"]["type"] == "message"


def test_hostile_words_on_a_home(sandbox: Sandbox, client: WebClient, page: Page) -> None:
    """What looks like mark-up in a chart, a table or a label is only ever text."""
    bad = "<img src=x>"
    chart = pie(1) | {"title": bad}
    chart["chart"]["segments"][0]["label"] = bad
    table = REQUESTS | {"caption": bad}
    client.views_publish(
        user_id=ADA, view=home(chart, table, {"type": "context", "elements": [mrkdwn(bad)]}, field(bad))
    )
    visit_home(page, sandbox)
    expect(page.locator(".chart figcaption")).to_have_text(bad)
    expect(page.locator(".data-table caption")).to_have_text(bad)
    assert page.locator("#home img").count() == 0
