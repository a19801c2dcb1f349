"""The buttons beside the date: one at a time, away from the event loop, with words for everyone who looks."""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from slack_sdk import WebClient

from sandbox import Control, Sandbox, Workspace
from tests.sandbox.company import ADA, BEN, PLAN, TEAM, mrkdwn
from tests.sandbox.conftest import HandClock
from tests.sandbox.pictures import chart
from tests.sandbox.test_page import visit

CONTROLS = (Control(name="day", label="Next day"), Control(name="month", label="End of month"))
LABELS = ("Next day", "Next Monday", "First of next month", "Next quarter")
FILES = PLAN | {"app": PLAN["app"] | {"scopes": [*PLAN["app"]["scopes"], "files:write"]}}
PATIENCE = 5.0


@dataclass
class Works:
    """What the buttons do: a test holds the work until it opens the gate, and says how it ends."""

    clock: HandClock
    ending: Callable[[], str] = lambda: "It is Tuesday."
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    names: list[str] = field(default_factory=list)
    tell: Callable[[str], None] = lambda _: None

    def __call__(self, name: str) -> str:
        self.names.append(name)
        self.tell("Usage arrives…")
        self.begun.set()
        assert self.gate.wait(PATIENCE)
        self.clock.advance(days=1)
        return self.ending()


@pytest.fixture
def works(clock: HandClock) -> Works:
    return Works(clock)


@pytest.fixture
def sandbox(clock: HandClock, works: Works) -> Iterator[Sandbox]:
    with Sandbox(Workspace.from_dict(FILES), clock=clock, controls=CONTROLS, operate=works) as running:
        works.tell = running.tell_progress
        yield running
        works.gate.set()


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False, timeout=PATIENCE) as made:
        yield made


def press(browser: httpx.Client, name: str = "day") -> httpx.Response:
    return browser.post("/page/controls", json={"name": name})


def state(browser: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = browser.get("/page/state", params={"as": ADA}).json()
    return answer


def test_one_at_a_time(browser: httpx.Client, works: Works) -> None:
    """While one is at work the page answers, shows how far it is, and a second press is refused in a sentence."""
    idle = state(browser)
    assert (idle["now"], idle["busy"], idle["progress"]) == ("2026-11-09T10:00:00+00:00", False, "")
    assert idle["controls"] == [{"name": "day", "label": "Next day"}, {"name": "month", "label": "End of month"}]
    with ThreadPoolExecutor(1) as another:
        first = another.submit(press, browser)
        assert works.begun.wait(PATIENCE)
        during, second = state(browser), press(browser, "month")
        works.gate.set()
        assert first.result().json() == {"text": "It is Tuesday."}
    assert (during["busy"], during["progress"]) == (True, "Usage arrives…")
    assert second.status_code == 409
    assert second.json() == {"error": "“Next day” is still running. Try again when it has finished."}
    after = state(browser)
    assert (after["now"], after["busy"], after["progress"]) == ("2026-11-10T10:00:00+00:00", False, "")
    assert works.names == ["day"]


def test_failures_are_told_and_logged(browser: httpx.Client, works: Works, caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong is said with the name of the button, stands in the log, and the next press works."""

    def fail() -> str:
        raise RuntimeError("October is still open")

    works.gate.set()
    works.ending = fail
    with caplog.at_level(logging.ERROR, "sandbox.controls"):
        failed = press(browser, "month")
    assert (failed.status_code, failed.json()) == (500, {"error": "“End of month” failed: October is still open"})
    assert [record.message for record in caplog.records] == ["control month failed"]
    assert caplog.records[0].exc_info is not None
    works.ending = lambda: "Done."
    assert press(browser).json() == {"text": "Done."}


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ('{"name": "day"}', "text/plain", 415),
        ("{", "application/json", 400),
        ('["day"]', "application/json", 400),
        ('{"name": 1}', "application/json", 400),
        ('{"name": "day", "as": "U0ADA"}', "application/json", 400),
        ('{"name": "year"}', "application/json", 409),
    ],
)
def test_only_the_name_of_a_control(browser: httpx.Client, works: Works, content: str, kind: str, status: int) -> None:
    """Nothing but JSON with the name of a control that there is makes anything happen."""
    answer = browser.post("/page/controls", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["error"]
    assert works.names == []


def test_open_pages_hear_of_it(sandbox: Sandbox, browser: httpx.Client, works: Works) -> None:
    """Each word of progress reaches every page in order, and words after the work reach no one."""
    works.gate.set()
    with browser.stream("GET", "/page/events", params={"as": BEN}) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: ready"
        with httpx.Client(base_url=sandbox.url, trust_env=False) as presser:
            press(presser)
        sandbox.tell_progress("too late")
        sandbox.say(ADA, TEAM, "the end")
        heard = [line for line in iter(lines.__next__, "event: changed") if line.startswith('data: {"now')]
    told = [json.loads(line.removeprefix("data: ")) for line in heard]
    assert [(one["busy"], one["progress"]) for one in told] == [
        (True, "Next day…"),
        (True, "Usage arrives…"),
        (False, ""),
    ]
    assert [one["beat"] for one in told] == [1, 2, 3]


def test_controls_need_an_operator() -> None:
    """Buttons that would do nothing are refused at once."""
    with pytest.raises(ValueError, match="operates them"):
        Sandbox(Workspace.from_dict(PLAN), controls=CONTROLS)


def test_time_moves_on_the_page(
    sandbox: Sandbox, client: WebClient, page: Page, chromium: Browser, works: Works
) -> None:
    """The date, the clocks and "today" follow the workspace; everyone sees progress and messages come in."""

    def greet() -> str:
        client.chat_postMessage(channel=TEAM, text="Good morning")
        return "It is Tuesday."

    works.ending = greet
    client.chat_postMessage(channel=TEAM, text="<!date^1794218400^Since {date_pretty}|x>")
    visit(page, sandbox, BEN, TEAM)
    other = chromium.new_page()
    visit(other, sandbox, ADA, TEAM)
    calendar = page.get_by_role("group", name="Calendar")
    expect(calendar).to_contain_text("Monday, 9 November 2026")
    expect(calendar).to_contain_text("19:00 · Tokyo")
    expect(page.locator("#persona-title")).to_have_text("Junior engineer · 19:00")
    expect(page.locator(".day")).to_have_text(["today"])
    calendar.get_by_role("button", name="Next day").click()
    for looking in (page, other):
        expect(looking.locator("#calendar-progress")).to_have_text("Usage arrives…")
        expect(looking.get_by_role("button", name="End of month")).to_be_disabled()
    works.gate.set()
    expect(page.locator("#status")).to_have_text("It is Tuesday.")
    for looking in (page, other):
        expect(looking.locator("#calendar-date")).to_have_text("Tuesday, 10 November 2026")
        expect(looking.locator(".day")).to_have_text(["yesterday", "today"])
        expect(looking.locator(".message .text")).to_have_text(["Since yesterday", "Good morning"])
        expect(looking.get_by_role("button", name="End of month")).to_be_enabled()
    expect(calendar.get_by_role("button", name="Next day")).to_be_focused()
    other.close()


def test_a_failure_is_shown(sandbox: Sandbox, chromium: Browser, works: Works) -> None:
    """What went wrong stands in the status line, marked as such, and the buttons are there again."""

    def fail() -> str:
        raise RuntimeError("October is still open")

    works.gate.set()
    works.ending = fail
    page = chromium.new_page()
    visit(page, sandbox, ADA, TEAM)
    page.get_by_role("button", name="End of month").click()
    expect(page.locator("#status.failed")).to_have_text("“End of month” failed: October is still open")
    expect(page.get_by_role("button", name="End of month")).to_be_enabled()
    page.close()


def test_the_clock_ticks(sandbox: Sandbox, page: Page, clock: HandClock) -> None:
    """Between two looks at the server the page's clocks go on, past midnight into another day."""
    clock.advance(hours=13, minutes=59)
    sandbox.say(ADA, TEAM, "late")
    page.clock.install()
    visit(page, sandbox, ADA, TEAM)
    expect(page.locator("#calendar-time")).to_have_text("23:59")
    expect(page.locator(".day")).to_have_text("today")
    # The page may look at the server meanwhile: time passes there as well, and what it counted since is added.
    clock.advance(seconds=61)
    page.clock.run_for(61_000)
    expect(page.locator("#calendar-time")).to_have_text(re.compile("00:0[01]"))
    expect(page.locator("#calendar-date")).to_have_text("Tuesday, 10 November 2026")
    expect(page.locator(".day")).to_have_text("yesterday")


@pytest.mark.parametrize("width", [360, 800, 1130, 1300])
def test_the_date_is_whole(clock: HandClock, chromium: Browser, width: int) -> None:
    """However many buttons stand beside it, the date can be read to its end."""
    controls = [Control(name=label, label=label) for label in LABELS]
    with Sandbox(Workspace.from_dict(FILES), clock=clock, controls=controls, operate=lambda _: "") as sandbox:
        page = chromium.new_page(viewport={"width": width, "height": 780})
        visit(page, sandbox, ADA, TEAM)
        date = page.locator(".calendar-words strong")
        expect(date).to_be_visible()
        assert date.evaluate("words => words.scrollWidth <= words.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()


@pytest.mark.parametrize("width", [360, 800, 1300])
def test_the_calendar_fits(sandbox: Sandbox, page: Page, width: int) -> None:
    """At any width every button can be reached, and nothing scrolls sideways."""
    page.set_viewport_size({"width": width, "height": 780})
    visit(page, sandbox, ADA, TEAM)
    calendar = page.get_by_role("group", name="Calendar")
    for name in ("Next day", "End of month"):
        calendar.get_by_role("button", name=name).click(trial=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    above, below = (page.locator(where).bounding_box() for where in (".place", "#calendar"))
    assert above is not None
    assert below is not None
    assert below["y"] >= above["y"] + above["height"]
    assert below["width"] == page.locator("main").evaluate("main => main.clientWidth")


def test_nothing_of_it_without_controls(page: Page, clock: HandClock) -> None:
    """A workspace that offers no controls shows no calendar, and still goes by its own time."""
    with Sandbox(Workspace.from_dict(PLAN), clock=clock) as plain:
        plain.say(ADA, TEAM, "x")
        visit(page, plain, ADA, TEAM)
        expect(page.locator("#calendar")).to_be_hidden()
        expect(page.locator(".day")).to_have_text("today")
        expect(page.locator("#persona-title")).to_have_text("Staff engineer · 10:00")
        page.goto("about:blank")


@pytest.mark.parametrize("width", [390, 1300])
def test_pictures_are_drawn(sandbox: Sandbox, client: WebClient, page: Page, width: int) -> None:
    """An uploaded picture is drawn with its words, no wider than its place; any other file is a link."""
    file = client.files_upload_v2(content=chart(1200, 400), filename="chart.png", alt_txt="Bars", title="Spend")["file"]
    image = {"type": "image", "slack_file": {"id": file["id"]}, "alt_text": "A chart"}
    context = {"type": "context", "elements": [image, mrkdwn("small")]}
    client.chat_postMessage(channel=TEAM, text="x", blocks=[image, context])
    client.files_upload_v2(content=chart(300, 100), filename="chart.png", alt_txt="Bars", title="Spend", channel=TEAM)
    client.files_upload_v2(content=b"a,b", filename="lines.csv", channel=TEAM, initial_comment="The end")
    page.set_viewport_size({"width": width, "height": 600})
    visit(page, sandbox, ADA, TEAM)
    images = page.locator("#messages img")
    expect(images).to_have_count(3)
    alternatives = ["A chart", "A chart", "Bars"]
    assert [images.nth(number).get_attribute("alt") for number in range(3)] == alternatives
    for number, wide in enumerate((1200, 1200, 300)):
        # Not by a function in the page: its content policy forbids that from the second look on.
        expect(images.nth(number)).to_have_js_property("naturalWidth", wide)
    boxes = images.evaluate_all("all => all.map((one) => [one.clientWidth, one.parentElement.clientWidth])")
    assert all(drawn <= place for drawn, place in boxes)
    assert (boxes[1][0], boxes[2][0] <= 300) == (20, True)
    expect(page.locator("figcaption")).to_have_text("Spend")
    page.get_by_role("link", name="lines.csv").scroll_into_view_if_needed()
    expect(page.get_by_role("link", name="lines.csv")).to_be_in_viewport()
