"""A quarter's review in a real browser, as its board and those whom it changes see it."""

from __future__ import annotations

import re
from datetime import timedelta
from shutil import copy
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from policy.period import Month
from programme.app import App
from programme.reviews import calendar
from sandbox import Sandbox, Workspace
from scheduler import tick
from store.engine import open_database
from store.reviews import drafts
from store.tables.outbox import outbox
from tests.conftest import ZONE
from tests.support import books, cast, reviewed, slack
from tests.support.browser import agree, press, shoot, visit
from tests.support.clock import RunningClock
from tests.support.requests import ALTERNATES, BOARD_CHANNEL
from tests.support.reviewed import MORNING, Q4

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page

WHO_IDLES, WHO_RESTED, WHO_DELIVERS = "U0T1P1", slack.ADA, "T0P1 Example"
"""Those whose grants are cut: one as proposed, one as amended; and one who would be raised."""
LONG_AFTER = timedelta(days=15)
"""More than ten working days."""


@pytest.fixture(scope="module")
def asked(settled_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The books of a company whose board has just been asked; what was owed before is read."""
    path = tmp_path_factory.mktemp("asked") / "tokens.db"
    copy(settled_sqlite, path)
    clock = RunningClock()
    app = App(open_database(f"sqlite:///{path}"), ZONE, clock, governance_channel=BOARD_CHANNEL)
    cast.hire(app, ALTERNATES)
    reviewed.settle(app, clock)
    tick.tick(app, now=clock())
    with app.transaction(clock()) as moment:
        reviewed.draft(moment, now=clock())
        moment.session.execute(sa.update(outbox).values(state="sent"))
        assert calendar.advance(moment, Q4) == "convene"
    app.database.close()
    return path


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock(MORNING)


@pytest.fixture
def office(asked: Path, tmp_path: Path, clock: RunningClock) -> Iterator[App]:
    copy(asked, tmp_path / "tokens.db")
    app = App(open_database(f"sqlite:///{tmp_path / 'tokens.db'}"), ZONE, clock, governance_channel=BOARD_CHANNEL)
    yield app
    app.database.close()


@pytest.fixture
def sandbox(office: App) -> Iterator[Sandbox]:
    names = [who.partition("@")[0] for who in reviewed.everybody()] + [f"m{team}" for team in range(7)]
    staff = [
        {"id": f"U0{one.upper()}", "name": one, "real_name": f"{one.title()} Example", "email": f"{one}@example.com"}
        for one in [*names, "unpaid"]
    ]
    plan = slack.PLAN | {"members": [*slack.PLAN["members"], *staff]}
    with (
        Sandbox(Workspace.from_dict(plan), deadline=slack.PATIENT) as running,
        slack.bot(running, office, slack.load(slack.environment(running, "sqlite:///unused.db"))),
    ):
        yield running
        assert running.warnings == ()


def pack(page: Page, sandbox: Sandbox, person: str, saying: str) -> Locator:
    """The review in the board's channel, once it says something."""
    found = visit(page, sandbox, person, slack.BOARD).locator(".message").filter(has_text="Review of 2026-Q4")
    expect(found.first).to_contain_text(saying)
    return found.first


def cases(page: Page, whose: str) -> Locator:
    """The dialog of the cases, turned to the page that has someone's."""
    dialog = page.get_by_role("dialog")
    press(page, "Show the cases…")
    expect(dialog).to_contain_text("page 1 of")
    number = 1
    while not dialog.get_by_text(whose).count():
        number += 1
        dialog.get_by_role("button", name="Next", exact=True).click()
        expect(dialog).to_contain_text(f"page {number} of")
    return dialog


def press_beside(dialog: Locator, whose: str, button: str) -> None:
    """A button of someone's case: the first one below their name."""
    below = f"xpath=//*[contains(text(), '{whose}')]/following::button[normalize-space()='{button}'][1]"
    dialog.locator(below).click()


def leave(page: Page) -> None:
    """Close what is open, one form after the other."""
    dialog = page.get_by_role("dialog")
    back = dialog.get_by_role("button", name="Back", exact=True)
    if back.count():
        back.click()
    dialog.get_by_role("button", name=re.compile("^(Done|Close)$")).last.click()
    expect(dialog).to_be_hidden()


def test_changed_adopted_and_appealed(sandbox: Sandbox, office: App, page: Page) -> None:
    """One case is held, one amended, the rest adopted; of two who appeal one is right, and each reads why."""
    iris_holds_and_amends(page, sandbox)
    iris_and_finance_adopt(page, sandbox)
    with office.database.reading() as session:
        kept = drafts.get(session, Q4)
    assert kept is not None
    assert kept.state == "adopted"
    appeal(page, sandbox, WHO_IDLES, "I was lent to support for the quarter")
    decide(page, sandbox, "Uphold", "Their roster shows it")
    read(page, sandbox, WHO_IDLES, "is upheld. The cut is undone.", shot="appeal_upheld")
    appeal(page, sandbox, WHO_RESTED, "My project only began in December")
    decide(page, sandbox, "Reject", "It began in November, with half of the cut")
    read(page, sandbox, WHO_RESTED, "is rejected.", shot="appeal_rejected")
    with office.database.reading() as session:
        held = drafts.case(session, Q4, cast.person_id(office, "t0p1@example.com"))
        assert held is not None
        assert (held.decision, held.delta_thousandths) == ("held", 0)
    assert books.findings(office) == {}


def iris_holds_and_amends(page: Page, sandbox: Sandbox) -> None:
    shoot(page, "pack_open", pack(page, sandbox, slack.IRIS, "0 of 2 adopt it"))
    dialog = cases(page, WHO_DELIVERS)
    shoot(page, "cases")
    press_beside(dialog, WHO_DELIVERS, "Why")
    expect(dialog).to_contain_text("What would change it")
    shoot(page, "why")
    dialog.get_by_role("button", name="Back").click()
    press_beside(dialog, WHO_DELIVERS, "Hold…")
    dialog.get_by_label("Why").fill("Joined from another team in November")
    shoot(page, "hold")
    dialog.get_by_role("button", name="Hold", exact=True).click()
    expect(dialog).to_contain_text("Held.")
    shoot(page, "held")
    leave(page)
    pack(page, sandbox, slack.IRIS, "1 held, 0 amended")
    dialog = cases(page, "Ada Lovelace")
    press_beside(dialog, "Ada Lovelace", "Amend…")
    dialog.get_by_label("Change in per cent").fill("-5")
    dialog.get_by_label("Why").fill("There since November; half of a cut")
    shoot(page, "amend")
    dialog.get_by_role("button", name="Amend", exact=True).click()
    expect(dialog).to_contain_text("Amended.")
    leave(page)


@pytest.mark.deep
def test_parts_are_shown_and_cases_are_found(sandbox: Sandbox, page: Page) -> None:
    """Behind each button is its part, for whoever pressed it; cases are narrowed, and the page with them is sent."""
    shown = pack(page, sandbox, slack.IRIS, "0 of 2 adopt it")
    dialog = page.get_by_role("dialog")
    for part, saying in (
        ("votes", "No one has voted yet"),
        ("groups", "By level"),
        ("figures", "What is not known"),
        ("background", "Exceptions in the quarter"),
    ):
        press(page, f"Show the {part}…")
        expect(dialog).to_contain_text(saying)
        shoot(page, f"shown_{part}")
        leave(page)
    thread = shown.page.locator("#messages")
    expect(thread).to_contain_text("Review of 2026-Q4")
    press(page, "Show the cases…")
    dialog.get_by_role("button", name="Filter…").click()
    shoot(page, "filter")
    dialog.get_by_label("Change").select_option(label="Cuts")
    dialog.get_by_role("button", name="Show", exact=True).click()
    expect(dialog).to_contain_text("cuts")
    expect(dialog.get_by_role("button", name="Why").first).to_be_visible()
    shoot(page, "narrowed")
    dialog.get_by_role("button", name="Show all cases").click()
    expect(dialog.get_by_role("button", name="Show all cases")).to_have_count(0)
    dialog.get_by_role("button", name="Send me the page").click()
    expect(dialog).to_contain_text("comes into our conversation")
    leave(page)
    private = visit(page, sandbox, slack.IRIS, sandbox.dm(slack.IRIS))
    expect(private).to_contain_text("as a page with its")
    expect(private).to_contain_text("Review of 2026-Q4, with cases")
    shoot(page, "page_with_cases")


def iris_and_finance_adopt(page: Page, sandbox: Sandbox) -> None:
    pack(page, sandbox, slack.IRIS, "1 held, 1 amended")
    press(page, "Adopt the package")
    shoot(page, "adopt_asked")
    agree(page)
    expect(page.locator("#messages")).to_contain_text("1 of 2 adopt it")
    pack(page, sandbox, slack.OMAR, "1 of 2 adopt it")
    press(page, "Adopt the package")
    agree(page)
    expect(page.locator("#messages")).to_contain_text("Your vote decided it")
    adopted = pack(page, sandbox, slack.TESS, "Adopted")
    expect(adopted.get_by_role("button", name="Adopt the package")).to_have_count(0)
    shoot(page, "pack_adopted", adopted)


def appeal(page: Page, sandbox: Sandbox, person: str, reason: str) -> None:
    notice = visit(page, sandbox, person, sandbox.dm(person)).locator(".message").filter(has_text="If you think")
    expect(notice).to_contain_text("review of 2026-Q4 (October to December 2026), which comes to")
    shoot(page, f"notice_{person}", notice)
    press(page, "Appeal…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What is wrong with it").fill(reason)
    shoot(page, "appeal_form")
    dialog.get_by_role("button", name="Appeal", exact=True).click()
    expect(dialog).to_contain_text("Your appeal is with the board")
    leave(page)
    expect(page.locator("#messages")).to_contain_text("Your appeal against the review of 2026-Q4")


def decide(page: Page, sandbox: Sandbox, how: str, reason: str) -> None:
    """Tess decides, who neither voted nor changed a case."""
    messages = visit(page, sandbox, slack.TESS, slack.BOARD)
    card = messages.locator(".message").filter(has_text="appeals against the review").last
    expect(card).to_contain_text("decide by")
    shoot(page, f"appeal_card_{how}", card)
    press(page, f"{how}…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").fill(reason)
    shoot(page, f"appeal_{how}")
    dialog.get_by_role("button", name=how, exact=True).click()
    expect(dialog).to_contain_text("The person is told")
    leave(page)
    decided = messages.locator(".message").filter(has_text="appealed against the review").last
    expect(decided).to_contain_text(reason)


def read(page: Page, sandbox: Sandbox, person: str, saying: str, *, shot: str) -> None:
    messages = visit(page, sandbox, person, sandbox.dm(person))
    expect(messages).to_contain_text(saying)
    shoot(page, shot)


@pytest.mark.deep
def test_not_adopted_in_time(sandbox: Sandbox, office: App, clock: RunningClock, page: Page) -> None:
    """Two adopt it, but finance is silent: after ten working days it has lapsed, and no one is told of a change."""
    for votes, who in enumerate((slack.IRIS, slack.TESS)):
        # The card as it stands by now: a click on an earlier one is not taken.
        pack(page, sandbox, who, f"{votes} of 2 adopt it")
        press(page, "Adopt the package")
        agree(page)
        expect(page.locator("#messages")).to_contain_text("Counted")
    waiting = pack(page, sandbox, slack.OMAR, "2 of 2 adopt it, but finance has not yet")
    clock.now += LONG_AFTER
    assert tick.tick(office, now=clock()).failed == ()
    expect(waiting).to_contain_text("because it was not adopted in time. It changes no one's grant.")
    expect(waiting.get_by_role("button", name="Adopt the package")).to_have_count(0)
    shoot(page, "pack_lapsed", waiting)
    with office.database.reading() as session:
        factors = drafts.factors_on(session, Month(2027, 3))
        told = session.execute(sa.select(outbox.c.key).where(outbox.c.key.like("review_notice:%"))).all()
    assert (factors, told) == ({}, [])
    assert books.findings(office) == {}
