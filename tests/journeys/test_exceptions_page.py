"""Asking and deciding in a real browser, as each person sees it, with pictures to be looked at."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from policy.units import MicroTokens
from store.tables.exceptions import requests
from store.tables.people import projects
from tests.support import books, slack
from tests.support import requests as asking
from tests.support.books import BEN
from tests.support.browser import ask, press, shoot, visit

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from programme.app import App
    from sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("_bot")

SHOTS = os.environ.get("TOKENS_TEST_SHOTS")
PATIENCE_MS = 30_000


def send_form(page: Page, sandbox: Sandbox, *, shot: str = "", **fields: str) -> None:
    """Ben opens the form, fills it in by its labels, and sends it."""
    visit(page, sandbox, slack.BEN, sandbox.dm(slack.BEN))
    ask(page, "/tokens request")
    dialog = page.get_by_role("dialog")
    for label, text in {"How much": "5,000", "What for": "Finish the load test", **fields}.items():
        dialog.get_by_label(label, exact=False).first.fill(text)
    expect(dialog).to_contain_text("5,000 tokens, USD 50.00")
    if shot:
        shoot(page, shot)
    dialog.get_by_role("button", name="Send to the board").click()
    expect(dialog).to_contain_text(
        "tokens are in your wallet" if "Incident" in fields else "The board has your request"
    )
    if shot:
        shoot(page, f"{shot}_sent")
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_be_hidden()


def card(page: Page, sandbox: Sandbox, person: str = slack.TESS) -> Locator:
    """The newest message of the board's channel, as a member sees it."""
    visit(page, sandbox, person, slack.BOARD)
    expect(page.get_by_role("button", name="Ask a question…").last).to_be_visible()
    return page.locator("#messages")


def test_asked_back_and_approved(sandbox: Sandbox, office: App, page: Page) -> None:
    """Ben asks, Tess asks back in the thread, Ben answers, Tess approves, and Ben reads that he has the tokens."""
    before = books.wallet(office, BEN)
    send_form(page, sandbox, shot="request")
    messages = card(page, sandbox)
    expect(messages).to_contain_text("0 of 1 approve")
    shoot(page, "card_open")
    press(page, "Ask a question…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Question").fill("Why now?")
    dialog.get_by_role("button", name="Ask", exact=True).click()
    expect(messages).to_contain_text("No answer yet.")
    visit(page, sandbox, slack.BEN, sandbox.dm(slack.BEN))
    press(page, "Answer…")
    dialog.get_by_label("Answer").last.fill("The release is on Friday")
    dialog.get_by_role("button", name="Answer", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("You answered: The release is on Friday")
    shoot(page, "question_answered")
    messages = card(page, sandbox)
    expect(messages).to_contain_text("Ben Okafor: The release is on Friday")
    expect(messages).to_contain_text("2 replies")
    press(page, "Approve")
    expect(messages).to_contain_text("Your vote decided it")
    expect(messages).to_contain_text("Approved. 5,000 tokens (USD 50.00)")
    shoot(page, "card_approved")
    visit(page, sandbox, slack.BEN, sandbox.dm(slack.BEN))
    expect(page.locator("#messages")).to_contain_text("Approved: you have 5,000 tokens")
    shoot(page, "note_approved")
    assert books.wallet(office, BEN) == before + MicroTokens.parse("5000")
    assert books.findings(office) == {}


@pytest.mark.deep
def test_mistakes_stay_in_sight(sandbox: Sandbox, office: App, page: Page) -> None:
    """What is wrong stays below its field while Ben fills in others, and so does what he typed, until it is right."""
    with office.database.transaction() as session:
        session.execute(projects.insert().values(key="atlas", name="Atlas search", complexity="usual"))
    visit(page, sandbox, slack.BEN, sandbox.dm(slack.BEN))
    ask(page, "/tokens request")
    dialog = page.get_by_role("dialog")
    amount, last_day = dialog.get_by_label("How much"), dialog.get_by_label("Until the end of")
    dialog.get_by_label("What for").fill("Finish the load test")
    alerts = dialog.locator(".alert.error")
    amount.fill("5.000")
    # What was typed is told a moment later; an update after the refusal would forget its marks, as in Slack.
    expect(alerts).to_have_count(1)
    last_day.fill("2027-12-31")
    expect(alerts).to_have_count(2)
    dialog.get_by_role("button", name="Send to the board").click()
    expect(amount).to_have_attribute("aria-invalid", "true")
    shoot(page, "request_refused")
    project = dialog.get_by_label("Project")
    project.fill("atl")
    expect(page.locator("datalist option")).to_have_count(1)
    project.fill("Atlas search")
    project.press("Tab")
    expect(amount).to_have_attribute("aria-invalid", "false")
    expect(alerts).to_have_text([re.compile("can be read in two ways. Write 5,000 or 5."), re.compile("is too late")])
    expect(amount).to_have_value("5.000")
    expect(project).to_have_value("Atlas search")
    shoot(page, "request_with_mistakes")
    amount.fill("5,000")
    expect(alerts).to_have_count(1)
    last_day.fill("2026-12-31")
    expect(alerts).to_have_count(0)
    expect(dialog).to_contain_text("5,000 tokens, USD 50.00")
    dialog.get_by_role("button", name="Send to the board").click()
    expect(dialog).to_contain_text("The board has your request for 5,000 tokens")
    with office.database.reading() as session:
        assert session.execute(sa.select(requests.c.project_key)).scalars().all() == ["atlas"]


@pytest.mark.deep
def test_rejected_and_less(sandbox: Sandbox, office: App, page: Page) -> None:
    """A rejection needs a reason, which the form says beside its field; *Approve less* lowers amount and end."""
    send_form(page, sandbox)
    messages = card(page, sandbox)
    press(page, "Reject…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject", exact=True).click()
    expect(dialog.get_by_label("Why not")).to_have_attribute("aria-invalid", "true")
    shoot(page, "reject_without_a_reason")
    dialog.get_by_label("Why not").fill("Use the small model first")
    dialog.get_by_role("button", name="Reject", exact=True).click()
    expect(dialog).to_contain_text("Rejected.")
    dialog.get_by_role("button", name="Done").click()
    expect(messages).to_contain_text("Tess Novak rejected: Use the small model first")
    shoot(page, "card_rejected")
    visit(page, sandbox, slack.BEN, sandbox.dm(slack.BEN))
    expect(page.locator("#messages")).to_contain_text("Tess Novak: Use the small model first")
    shoot(page, "note_rejected")
    send_form(page, sandbox)
    messages = card(page, sandbox)
    press(page, "Approve less…")
    dialog.get_by_label("Approve how much").fill("4,000")
    dialog.get_by_label("Until the end of").fill("2026-12-01")
    shoot(page, "less")
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(dialog).to_contain_text("4,000 tokens are in the requester's wallet")
    dialog.get_by_role("button", name="Done").click()
    expect(messages).to_contain_text("Tess Novak approved 4,000 tokens until the end of 1 Dec 2026")
    shoot(page, "card_less")
    assert sorted(asking.states(office).values()) == ["approved", "rejected"]
    assert books.findings(office) == {}


@pytest.mark.deep
def test_incidents_and_silence(sandbox: Sandbox, office: App, page: Page) -> None:
    """One break-glass is ratified, the next one is not; a request that no one decides lapses, and its buttons go."""
    send_form(page, sandbox, Incident="INC-7")
    messages = card(page, sandbox)
    expect(messages).to_contain_text("@Ben took 5,000 tokens (USD 50.00) for an incident")
    shoot(page, "card_break_glass")
    press(page, "Ratify")
    expect(messages).to_contain_text("Ratified by Tess Novak")
    shoot(page, "card_ratified")
    asking.let_time_pass(office, days=31)
    send_form(page, sandbox, Incident="INC-8")
    messages = card(page, sandbox)
    press(page, "Do not ratify…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why not").fill("No incident of ours")
    dialog.get_by_role("button", name="Do not ratify").click()
    dialog.get_by_role("button", name="Done").click()
    expect(messages).to_contain_text("Not ratified by Tess Novak")
    shoot(page, "card_not_ratified")
    request = asking.ask(office, BEN, "700")
    messages = card(page, sandbox)
    ask(page, "/tokens board")
    expect(messages).to_contain_text("1 request is waiting for the board")
    shoot(page, "queue")
    asking.until(office, request, "lapse_at")
    expect(messages).to_contain_text("Lapsed")
    expect(page.get_by_role("button", name="Approve less…")).to_have_count(1)
    shoot(page, "card_lapsed")
    assert asking.now_of(office, request).state == "lapsed"
    assert books.findings(office) == {}
