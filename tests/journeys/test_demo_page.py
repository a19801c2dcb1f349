"""The demo as a newcomer meets it: one command, a page in a real browser, the printed curl, and a clean stop."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner
from playwright.sync_api import Locator, Page, expect

from bot.cli.demo import demo as demo_command
from policy.reasons import Refusal
from tests.support import browser
from tests.support.browser import ask, press

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOTS = os.environ.get("TOKENS_TEST_SHOTS")
"""A folder for screenshots, to be looked at."""
PREPARATION_SECONDS = 300
SLOW_MS = 120_000
"""A quarter is ninety days."""
ADA = "ada@northwind.example"
EVENT_COST = Decimal(42)
"""80,000 input tokens at USD 3 a million and 12,000 output tokens at USD 15: USD 0.42, at USD 0.01 a token."""


class Demo:
    """The running process, and what it printed."""

    def __init__(self, port: int, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
        } | {"PYTHONUNBUFFERED": "1"}
        command = ["demo", "--no-browser", "--port", str(port), "--folder", str(folder)]
        self.process = subprocess.Popen(
            self._program(*command), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.welcome = ""

    def until_ready(self) -> None:
        """The company is prepared and the bot is there."""
        self.welcome = self._until("Ctrl-C stops.")

    @staticmethod
    def _program(*arguments: str) -> list[str]:
        return [sys.executable, "-c", "from bot.cli import main; main()", *arguments]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def _until(self, last: str) -> str:
        text, deadline = "", time.monotonic() + PREPARATION_SECONDS
        while last not in text:
            try:
                text += self._lines.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                pytest.fail(f"the demo did not get ready: {text!r}")
        return text

    @property
    def page(self) -> str:
        return self._printed(r"workspace at  (\S+)")

    @property
    def intake(self) -> str:
        return self._printed(r"curl (\S+)/v1/usage")

    @property
    def key(self) -> str:
        return self._printed(r"Bearer (\w\S+)'")

    def send_event(self) -> None:
        """What the printed curl does, word for word; `curl` itself may not be there."""
        quoted = self._printed(r" -d ('.*')\n")
        asked = re.search(r"\$\(curl -s (\S+)\)", quoted)
        assert asked
        with httpx.Client(trust_env=False, timeout=20) as gateway:
            in_words = quoted.replace(asked[0], gateway.get(asked[1]).text)
            body = subprocess.run(["bash", "-c", f"printf %s {in_words}"], check=True, capture_output=True).stdout
            headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
            answer = gateway.post(f"{self.intake}/v1/usage", content=body, headers=headers)
        assert [result["status"] for result in answer.json()["results"]] == ["accepted"]

    def _printed(self, pattern: str) -> str:
        found = re.search(pattern, self.welcome)
        assert found, f"{pattern} is not in {self.welcome}"
        return found[1]

    def balance(self, email: str = ADA) -> Decimal:
        """What an administrator reads of the same ledger, whose clock is the machine's and not the demo's."""
        return Decimal(json.loads(self.asked("balance", email, "--json"))["balance_tokens"])

    def verify(self) -> None:
        """Recompute every figure of the ledger: the command ends well if each holds."""
        self.asked("verify")

    def asked(self, *command: str) -> str:
        ledger = {"TOKENS_DATABASE_URL": f"sqlite:///{self.folder}/tokens.db", "TOKENS_TIME_ZONE": "Europe/Berlin"}
        printed = subprocess.run(
            self._program(*command),
            env=self.environment | ledger,
            check=True,
            capture_output=True,
            text=True,
            timeout=SLOW_MS / 1000,
        )
        return printed.stdout

    def stop(self) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(15)


@contextmanager
def demo(port: int, folder: Path) -> Iterator[Demo]:
    running = Demo(port, folder)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        _, errors = running.process.communicate(timeout=5)
        assert "Traceback" not in errors
        for line in errors.splitlines():
            # On a machine that is busy a pass of the courier may last longer than a second; the next one is left out.
            is_busy = "maximum number of running instances reached" in line
            # A calendar that is moved while a pass is under way ends the lease of its messages: the next pass has them.
            is_busy |= "courier waits: lease_over" in line
            assert is_busy or not line.startswith(("WARNING", "ERROR")), errors


@dataclass(frozen=True)
class Prepared:
    """A demo's folder after its first start, what was said to Ada when she typed too early, and what in the end."""

    folder: Path
    early: dict[str, Any]
    talk: list[dict[str, Any]]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """One company for all tests: Ada, whose page was open already, asks for her balance while it is prepared."""
    folder, port = tmp_path_factory.mktemp("first") / "demo", two_free_ports()
    patient = httpx.HTTPTransport(retries=9)
    address = f"http://127.0.0.1:{port}"
    with demo(port, folder) as running, httpx.Client(base_url=address, transport=patient, timeout=30) as browser:
        dm = look(browser)["app"]["dm"]
        order = {"as": "U0ADA", "channel": dm, "text": "/tokens balance"}
        early = browser.post("/page/messages", json=order).json()
        running.until_ready()
        talk = next(place["messages"] for place in look(browser)["channels"] if place["id"] == dm)
        assert running.stop() == 0
    return Prepared(folder, early, talk)


def look(browser: httpx.Client) -> dict[str, Any]:
    """What Ada's page is told."""
    told: dict[str, Any] = browser.get("/page/state", params={"as": "U0ADA"}).json()
    return told


@contextmanager
def restarted(prepared: Prepared, tmp_path: Path) -> Iterator[Demo]:
    """The prepared company, where nothing that one test does reaches another."""
    folder = shutil.copytree(prepared.folder, tmp_path / "demo")
    with demo(two_free_ports(), folder) as running:
        running.until_ready()
        yield running


def two_free_ports() -> int:
    """A port that is free, as is the next one, where the demo's intake listens."""
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
            return port
    raise RuntimeError("no two ports are free")


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"demo-{name}.png"))


def shoot_message(message: Locator, name: str) -> None:
    """The whole of a message: in a window so high that no bar of the page covers a part of it."""
    if not SHOTS:
        return
    size = message.page.viewport_size
    assert size is not None
    message.page.set_viewport_size({"width": size["width"], "height": 1_800})
    message.screenshot(path=str(Path(SHOTS) / f"demo-{name}.png"))
    message.page.set_viewport_size(size)


def answers(page: Page) -> Locator:
    """What the bot answered to the person's commands."""
    return page.locator(".message.ephemeral:not(.system)")


def shown_balance(page: Page, nth: int) -> Decimal:
    """The figure in the person's nth answer."""
    answer = answers(page).nth(nth)
    expect(answer).to_contain_text("tokens left")
    found = re.search(r"([\d,.]+) tokens left", answer.inner_text())
    assert found
    return Decimal(found[1].replace(",", ""))


def asked_balance(page: Page) -> Decimal:
    """What Ada is told when she asks now, by the demo's calendar."""
    page.get_by_label("You are").select_option("U0ADA")
    expect(page.locator("#persona-name")).to_have_text("Ada Lovelace")
    before = answers(page).count()
    ask(page, "/tokens balance")
    expect(answers(page)).to_have_count(before + 1)
    return shown_balance(page, before)


def whole(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1), ROUND_HALF_EVEN)


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("body.ready")


def test_what_is_typed_too_early_is_answered(prepared: Prepared) -> None:
    """While the company is prepared Ada reads that it takes half a minute; her answer comes without asking again."""
    notice, *more = prepared.early["messages"]
    assert (prepared.early["error"], more) == ("held", [])
    assert "still being prepared, which takes about half a minute" in notice["text"]
    assert notice["ts"] not in {message["ts"] for message in prepared.talk}
    first = prepared.talk[-3]
    assert (first["prompt"], first["author"]) == ("/tokens balance", "U0TOKENS")


def test_a_greeting_and_a_balance_come_first(prepared: Prepared) -> None:
    """Below whatever the bot has sent to Ada stand a greeting that says what to type, and her balance."""
    greeting, balance = prepared.talk[-2:]
    assert (greeting["system"], greeting["ephemeral_to"]) == (True, "U0ADA")
    assert greeting["text"].startswith("*Welcome to Northwind.* You are Ada")
    assert "`/tokens why`" in greeting["text"]
    assert (balance["prompt"], balance["author"], balance["ephemeral_to"]) == ("/tokens balance", "U0TOKENS", "U0ADA")
    assert "tokens left" in json.dumps(balance["blocks"])
    before = prepared.talk[:-3]
    assert before
    assert not any(message["ephemeral_to"] for message in before)


def test_a_newcomer_tries_the_demo(prepared: Prepared, page: Page, tmp_path: Path) -> None:
    """Ada's figure is the ledger's, the printed event moves it by its cost, no one else sees it, and it stays."""
    with restarted(prepared, tmp_path) as running:
        after = ada_sees_her_usage_arrive(running, page)
        others_see_nothing_of_it(page, after)
        omar_reads_what_was_charged(page)
        mara_reads_what_her_cost_centre_bears(page)
        closed = json.loads(running.asked("close", "list", "--json"))
        assert [running.folder / f"focus-{one['month']}.csv" for one in closed] == sorted(
            running.folder.glob("focus-*")
        )
        page.goto("about:blank")
        assert running.stop() == 0
    with demo(two_free_ports(), running.folder) as again:
        again.until_ready()
        assert again.key == running.key
        resumed = again.balance()
        # What happened since then was told meanwhile, and may have brought Ada one of her usual calls.
        assert 0 <= after - resumed < EVENT_COST
        open_page(page, again.page)
        assert shown_balance(page, 0) == whole(resumed)
        shoot(page, "7-again")
        page.goto("about:blank")
        assert again.stop() == 0


def ada_sees_her_usage_arrive(running: Demo, page: Page) -> Decimal:
    """Her balance in the end."""
    before = running.balance()
    open_page(page, running.page)
    expect(page.get_by_text("Welcome to Northwind.")).to_be_in_viewport()
    shoot(page, "1-welcome")
    assert shown_balance(page, 0) == whole(before)
    running.send_event()
    after = running.balance()
    assert before - after == EVENT_COST
    ask(page, "/tokens balance")
    expect(answers(page)).to_have_count(2)
    assert shown_balance(page, 1) == whole(after)
    shoot(page, "2-balance")
    ask(page, "/tokens why")
    expect(answers(page).nth(2)).to_contain_text("42 tokens for 1 call")
    shoot_message(answers(page).nth(2), "3-why")
    press(page, "Show every digit")
    why = answers(page).nth(3)
    expect(why).to_contain_text("80,000 input tokens × USD 3 per million + 12,000 output tokens × USD 15 per million")
    expect(why).to_contain_text("= 42 tokens")
    shoot_message(why, "3-why-digits")
    ask(page, "/tokens history")
    expect(answers(page).nth(4).locator("table")).to_be_visible()
    shoot(page, "4-history")
    return after


def others_see_nothing_of_it(page: Page, adas: Decimal) -> None:
    page.get_by_label("You are").select_option("U0JONAS")
    expect(page.locator("#persona-name")).to_have_text("Jonas Weber")
    expect(page.locator(".message.ephemeral")).to_have_count(0)
    ask(page, "/tokens balance")
    jonas = answers(page)
    expect(jonas).to_contain_text("more than you had")
    expect(jonas).not_to_contain_text(f"{whole(adas):,}")
    shoot(page, "5-jonas")
    page.get_by_label("You are").select_option("U0GUEST")
    ask(page, "/tokens balance")
    expect(page.locator(".message.ephemeral")).to_contain_text(
        "Guests of the workspace have no part in the token programme."
    )
    shoot(page, "6-guest")


def omar_reads_what_was_charged(page: Page) -> None:
    """Finance has a card about the vendor's bill, with what can be done about it."""
    page.get_by_label("You are").select_option("U0OMAR")
    expect(page.locator("#persona-name")).to_have_text("Omar Farouk")
    page.get_by_role("button", name="Tokens").first.click()
    card = page.locator("#messages .message").filter(has_text="more than we posted").last
    expect(card).to_contain_text("The vendor counted more than gateway reported, in every count alike.")
    for name in ("Accept…", "Correct…", "Ask…"):
        expect(card.get_by_role("button", name=name)).to_be_visible()
    shoot_message(card, "12-charged")


def mara_reads_what_her_cost_centre_bears(page: Page) -> None:
    """An owner has a statement of each month whose figures are final."""
    page.get_by_label("You are").select_option("U0MARA")
    expect(page.locator("#persona-name")).to_have_text("Mara Lindqvist")
    page.get_by_role("button", name="Tokens").first.click()
    statement = page.locator("#messages .message").filter(has_text="Cost centre Platform").last
    expect(statement).to_contain_text("by 7 people")
    shoot_message(statement, "13-cost-centre")


@pytest.mark.deep
def test_a_newcomer_lets_time_pass(prepared: Prepared, page: Page, tmp_path: Path) -> None:
    """The calendar leads to the first of the next month; grants are there, and on a working day the greetings."""
    with restarted(prepared, tmp_path) as running:
        open_page(page, running.page)
        before = shown_balance(page, 0)
        calendar = page.get_by_role("group", name="Calendar")
        calendar.get_by_role("button", name="First of next month").click()
        expect(page.locator("body")).to_contain_text("delivered on the way.", timeout=SLOW_MS)
        assert asked_balance(page) > before
        # On a week-end greetings wait for Monday.
        calendar.get_by_role("button", name="Next Monday").click()
        expect(page.locator("body")).to_contain_text("It is Monday", timeout=SLOW_MS)
        joined = page.locator("#messages .message").filter(has_text="for AI services, worth USD").last
        expect(joined).to_contain_text("Your next grant comes on")
        shoot_message(joined, "8-greeting")
        ada_reports_usage_in_another_month(running, page)
        page.get_by_role("button", name="ai-tokens").click()
        digest = page.locator("#messages .message").last
        expect(digest).to_contain_text("Granted for")
        picture = digest.locator("img")
        expect(picture).to_have_attribute("alt", re.compile("."))
        loaded = "image => image.complete ? image.naturalWidth > 0 : new Promise(on => image.onload = () => on(true))"
        assert picture.evaluate(loaded)
        shoot_message(digest, "9-digest")
        leila_reads_of_her_team(page)
        iris_opens_her_home(page)
        page.goto("about:blank")
        assert running.stop() == 0


def ada_reports_usage_in_another_month(running: Demo, page: Page) -> None:
    """The line that was printed at the start goes by the demo's calendar, wherever that was moved."""
    before = running.balance()
    running.send_event()
    assert before - running.balance() == EVENT_COST
    ask(page, "/tokens why")
    expect(answers(page).last).to_contain_text("42 tokens for 1 call")
    press(page, "Show every digit")
    expect(answers(page).last).to_contain_text("80,000 input tokens × USD 3 per million")


def leila_reads_of_her_team(page: Page) -> None:
    """A manager's Monday: one message with its picture, and the same by a command."""
    page.get_by_label("You are").select_option("U0LEILA")
    expect(page.locator("#persona-name")).to_have_text("Leila Haddad")
    page.get_by_role("button", name="Tokens").first.click()
    report = page.locator("#messages .message").filter(has_text="Spent:").last
    expect(report).to_contain_text("On what: GPU cluster")
    expect(report.locator("img")).to_have_attribute("alt", re.compile("^Bar chart of USD spent a week"))
    shoot_message(report, "10-week")
    ask(page, "/tokens team")
    answer = page.locator(".message.ephemeral").last
    expect(answer).to_contain_text("Spent:")
    expect(answer.get_by_role("img")).to_be_visible()


def iris_opens_her_home(page: Page) -> None:
    """A director on the board: the teams below as totals, what waits, and the programme."""
    page.get_by_label("You are").select_option("U0IRIS")
    expect(page.locator("#persona-name")).to_have_text("Iris Tanaka")
    page.get_by_role("button", name="Tokens").first.click()
    page.locator("#tab-home").click()
    home = page.locator("body")
    expect(home).to_contain_text("Your tokens")
    expect(home).to_contain_text("You have four direct reports.")
    expect(home).to_contain_text("The programme in")
    expect(page.get_by_role("table", name="Your reports' teams, last week")).to_contain_text("Leila Haddad")
    shoot(page, "11-home")


@pytest.mark.deep
def test_a_newcomer_watches_an_agent_stop_and_go_on(prepared: Prepared, page: Page, tmp_path: Path) -> None:
    """It works until Ada's tokens are used up; she asks for more, Iris approves, and it goes on by itself."""
    with restarted(prepared, tmp_path) as running:
        open_page(page, running.page)
        agents = page.get_by_role("button", name="Let Ada's agent work")
        agents.click()
        expect(page.locator("body")).to_contain_text("was stopped at call", timeout=SLOW_MS)
        said = page.locator("#messages .message")
        expect(said.filter(has_text="could have cost up to")).to_be_visible()
        expect(said.filter(has_text="Budget limit reached (quota exceeded): your wallet has ")).to_be_visible()
        browser.shoot(page, "demo-agent-stopped", said.filter(has_text="could have cost up to").last)
        browser.shoot(page, "demo-agent-denied", said.filter(has_text="Budget limit reached").last)
        shoot(page, "agent")
        agents.click()
        expect(page.locator("body")).to_contain_text("waits for more tokens")
        ada_asks_for_more(page)
        iris_approves(page)
        page.get_by_label("You are").select_option("U0ADA")
        page.get_by_role("button", name="Tokens").first.click()
        expect(said.filter(has_text="Ada's agent goes on with call")).to_be_visible()
        expect(said.filter(has_text="Ada's agent has finished its work")).to_be_visible(timeout=SLOW_MS)
        browser.shoot(page, "demo-agent-finished", said.filter(has_text="has finished its work").last)
        page.goto("about:blank")
        assert running.stop() == 0
        running.verify()


def ada_asks_for_more(page: Page) -> None:
    press(page, "Request more…")
    dialog = page.get_by_role("dialog")
    for label, text in {"How much": "9,000", "What for": "The agent finishes the migration"}.items():
        dialog.get_by_label(label, exact=False).first.fill(text)
    expect(dialog).to_contain_text("9,000 tokens, USD")
    dialog.get_by_role("button", name="Send to the board").click()
    expect(dialog).to_contain_text("The board has your request")
    dialog.get_by_role("button", name="Done").click()


def iris_approves(page: Page) -> None:
    page.get_by_label("You are").select_option("U0IRIS")
    expect(page.locator("#persona-name")).to_have_text("Iris Tanaka")
    page.get_by_role("button", name="token-board").click()
    expect(page.locator("#messages")).to_contain_text("The agent finishes the migration")
    press(page, "Approve")
    expect(page.locator("#messages")).to_contain_text("Your vote")


@pytest.mark.deep
def test_a_year_passes_in_the_demo(prepared: Prepared, page: Page, tmp_path: Path) -> None:
    """The board adopts a review and hears an appeal; quarter after quarter comes; in the end every figure is proved."""
    with restarted(prepared, tmp_path) as running:
        open_page(page, running.page)
        the_board_has_a_review(page)
        finn_reads_what_became_of_it(page)
        for _ in range(3):
            next_quarter(page)
            assert asked_balance(page) > 0
        page.goto("about:blank")
        assert running.stop() == 0
        running.verify()


def next_quarter(page: Page) -> None:
    calendar = page.get_by_role("group", name="Calendar")
    calendar.get_by_role("button", name="Next quarter").click()
    expect(calendar).to_have_class("busy")
    expect(calendar).not_to_have_class("busy", timeout=SLOW_MS)
    expect(page.locator("#calendar-date")).to_contain_text(re.compile(" 1 (January|April|July|October) "))


def the_board_has_a_review(page: Page) -> None:
    """In the first days of a quarter: some are raised, some cut, and it waits for votes."""
    calendar = page.get_by_role("group", name="Calendar")
    calendar.get_by_role("button", name="Next quarter").click()
    expect(page.locator("body")).to_contain_text(re.compile(r"It is \w+, 1 "), timeout=SLOW_MS)
    # On a holiday or a week-end it waits for the first working day.
    calendar.get_by_role("button", name="Next day").click()
    expect(page.locator("body")).to_contain_text(re.compile(r"It is \w+, 2 "), timeout=SLOW_MS)
    calendar.get_by_role("button", name="Next day").click()
    expect(page.locator("body")).to_contain_text(re.compile(r"It is \w+, 3 "), timeout=SLOW_MS)
    page.get_by_role("button", name="token-board").click()
    pack = page.locator("#messages .message").filter(has_text="waiting for the board's vote").last
    expect(pack).to_contain_text(re.compile(r"[1-9]\d* raised, [1-9]\d* cut"))
    expect(pack.get_by_role("button", name="Adopt the package")).to_be_visible()
    pack.evaluate("node => node.scrollIntoView()")
    shoot(page, "12-pack")


def finn_reads_what_became_of_it(page: Page) -> None:
    """A month on, the board has adopted it, and whose grant was cut has appealed and been heard."""
    page.get_by_role("group", name="Calendar").get_by_role("button", name="First of next month").click()
    expect(page.locator("body")).to_contain_text(re.compile(r"It is \w+, 1 "), timeout=SLOW_MS)
    expect(page.locator("#messages .message").filter(has_text="1 held").last).to_contain_text("Adopted")
    page.get_by_label("You are").select_option("U0FINN")
    expect(page.locator("#persona-name")).to_have_text("Finn Gallagher")
    page.get_by_role("button", name="Tokens").first.click()
    notices = page.locator("#messages")
    expect(notices).to_contain_text("Your monthly grant is ")
    expect(notices).to_contain_text(re.compile(r"is upheld.* [Tt]he cut is undone", re.DOTALL))
    shoot(page, "13-appeal")


@pytest.mark.parametrize(("above", "purpose"), [(0, "for the page"), (1, "for usage reports")])
def test_a_port_that_is_taken_is_told_at_once(tmp_path: Path, above: int, purpose: str) -> None:
    """Whichever of the two is taken is named with the option that helps, before anything is prepared or thrown away."""
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "clock").write_text("86400")
    port = two_free_ports()
    with socket.create_server(("127.0.0.1", port + above)):
        refused = CliRunner().invoke(
            demo_command, ["--no-browser", "--reset", "--port", str(port), "--folder", str(folder)]
        )
    assert isinstance(refused.exception, Refusal)
    assert refused.exception.text == f"Port {port + above}, {purpose}, is taken."
    assert refused.exception.next_step == "Choose another with --port; the demo uses that one and the next."
    assert [path.name for path in folder.iterdir()] == ["clock"]
