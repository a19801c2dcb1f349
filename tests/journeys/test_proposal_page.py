"""A change of the handbook in a real browser: its proposer cannot confirm it, another member does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support import books, cast, slack
from tests.support.browser import agree, ask, press, shoot, visit
from tests.support.proposed import ADMINS, propose, states, text
from tests.support.requests import TESS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from programme.app import App
    from sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("_bot")


@pytest.fixture
def office(office: App) -> App:
    cast.hire(office, ADMINS)
    return office


def card(page: Page, sandbox: Sandbox, person: str) -> Locator:
    """The proposal in the board's channel, as a member sees it."""
    found = visit(page, sandbox, person, slack.BOARD).locator(".message").filter(has_text="Handbook 2026.9, ")
    expect(found).to_be_visible()
    return found


def test_two_people_change_the_handbook(sandbox: Sandbox, office: App, page: Page) -> None:
    """Tess proposes and is refused her own yes; Iris confirms; Ben reads what comes and from when."""
    propose(office, text(), TESS)
    shown = card(page, sandbox, slack.TESS)
    expect(shown).to_contain_text("lots.months")
    shoot(page, "proposal_open", shown)
    press(page, "Confirm")
    agree(page)
    expect(page.locator("#messages")).to_contain_text(
        "You proposed this, and a change to the handbook takes two people."
    )
    shoot(page, "proposal_refused")
    assert states(office) == {"2026.9": "open"}
    shown = card(page, sandbox, slack.IRIS)
    press(page, "Confirm")
    agree(page)
    expect(shown).to_contain_text("Confirmed by Iris Tan")
    expect(shown.get_by_role("button", name="Confirm", exact=True)).to_have_count(0)
    shoot(page, "proposal_confirmed", shown)
    ben_reads_the_rules(page, sandbox)
    assert states(office) == {"2026.9": "confirmed"}
    assert books.findings(office) == {}


def ben_reads_the_rules(page: Page, sandbox: Sandbox) -> None:
    messages = visit(page, sandbox, slack.BEN, slack.GENERAL)
    ask(page, "/tokens policy")
    rules = messages.locator(".message.ephemeral")
    expect(rules).to_contain_text("Handbook 2026.9 comes into force on 1 Dec 2026")
    expect(rules).to_contain_text("A grant lasts 4 months.")
    expect(rules.get_by_role("button", name="Confirm", exact=True)).to_have_count(0)
    shoot(page, "policy", rules)
