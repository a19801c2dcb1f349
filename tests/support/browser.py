"""A real browser at the workspace's page, and pictures of what it shows, to be looked at."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import Error, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

    from sandbox import Sandbox

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), None
)
"""Of the distribution. Without one, tests of pages are skipped and say so; where a change is judged, they fail."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = os.environ.get("TOKENS_TEST_SHOTS")
"""A folder for the pictures."""
PATIENCE_MS = 30_000
WIDE, NARROW = (1300, 1000), (390, 844)
LONG = 2600
"""Of a window in which a long message is seen whole."""
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")


@contextmanager
def launched() -> Iterator[Browser]:
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip(
            "no Chromium is installed: take the package `chromium-headless-shell` or `chromium` of your distribution"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def _complaint(said: ConsoleMessage) -> str:
    """What the console says, and of which address: "not found" alone tells nothing."""
    return f"{said.text} ({said.location['url']})"


@contextmanager
def opened(browser: Browser, *, height: int = WIDE[1], patience: int = PATIENCE_MS) -> Iterator[Page]:
    """A page as a new person opens it, on which any error or dialogue fails the test."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": height}, locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    page.set_default_timeout(patience)
    expect.set_options(timeout=patience)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(_complaint(said)) if said.type == "error" else None)
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    yield page
    # The page asks for what is new all the time: questions that a test keeps from it are dropped, not asked once more.
    page.goto("about:blank")
    page.unroute_all(behavior="ignoreErrors")
    context.close()
    assert not trouble, trouble


def visit(page: Page, sandbox: Sandbox, person: str, place: str) -> Locator:
    """Be someone somewhere; the messages there."""
    page.goto(f"{sandbox.page_url(person)}&in={place}")
    expect(page.locator("body.ready")).to_be_visible()
    return page.locator("#messages")


def ask(page: Page, line: str) -> None:
    """Type a line, and send it."""
    page.get_by_label("Message", exact=False).last.fill(line)
    page.keyboard.press("Enter")


def press(page: Page, name: str) -> None:
    """The newest button of a name."""
    page.get_by_role("button", name=name, exact=True).last.click()


def agree(page: Page) -> None:
    """Yes, to what a button asks before it does anything."""
    page.locator("#confirm-yes").click()


def shoot(page: Page, name: str, part: Locator | None = None) -> None:
    """Light and dark, at a desk and on a phone: the page, or a part of it in its whole length."""
    if not SHOTS:
        return
    for size, (width, height) in {"desk": WIDE, "phone": NARROW}.items():
        page.set_viewport_size({"width": width, "height": height if part is None else LONG})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            path = Path(SHOTS) / f"{name}-{size}-{scheme}.png"
            if part is None:
                page.screenshot(path=path)
            else:
                _shoot_part(part, path)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def _shoot_part(part: Locator, path: Path) -> None:
    """A message that is drawn anew while its picture is taken is another node: that one is taken."""
    while True:
        try:
            part.screenshot(path=path)
        except Error as error:
            if "not attached" not in error.message:
                raise
        else:
            return
