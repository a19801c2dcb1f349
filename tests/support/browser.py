"""A real browser at the workspace's page, and pictures of what it shows, to be looked at."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import Error, expect, sync_playwright

from tests.sandbox.test_page import ARGUMENTS, CHROMIUM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from sandbox import Sandbox

SHOTS = os.environ.get("TOKENS_TEST_SHOTS")
"""A folder for the pictures."""
PATIENCE_MS = 30_000
WIDE, NARROW = (1300, 1000), (390, 844)
LONG = 2600
"""Of a window in which a long message is seen whole."""
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")


@contextmanager
def opened() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        browser.close()


def visit(page: Page, sandbox: Sandbox, person: str, place: str) -> Locator:
    """Be somebody somewhere; the messages there."""
    page.goto(f"{sandbox.page_url(person)}&in={place}")
    expect(page.locator("body.ready")).to_be_visible()
    return page.locator("#messages")


def press(page: Page, name: str) -> None:
    """The newest button of a name."""
    page.get_by_role("button", name=name, exact=True).last.click()


def agree(page: Page) -> None:
    """Yes, to what a button asks before it does anything."""
    page.locator("#confirm-yes").click()


def shoot(page: Page, name: str, part: Locator | None = None) -> None:
    """Light and dark, on a desk and on a phone: the page, or a part of it in its whole length."""
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
