"""An offer's page in a real browser: it says what was worked out, promises nothing, fetches nothing, prints on A4."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from policy.reasons import Refusal
from templates import offer_page, offers, words
from tests.support import browser, offered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Request

    from views.offers import Offer

CASES = {
    "matters": offered.MATTERS,
    "does_not": offered.DOES_NOT,
    "seats": offered.SEATS,
    "alone": offered.ALONE,
    "euros": offered.IN_EUROS,
    "hostile": offered.HOSTILE_ONE,
}
PROMISES = {
    "en": re.compile(r"\b(guarantee\w*|promise[sd]?|entitled|will receive|you get|you will|always receive)\b"),
    "de": re.compile(r"\b(garantier\w*|Anspruch|zugesichert|Sie erhalten|Sie bekommen)\b"),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.launched() as running:
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page on which any error or request but that of the file itself fails the test."""
    context = chromium.new_context(viewport={"width": 900, "height": 1100}, locale="en-GB")
    opened = context.new_page()
    trouble: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith(("data:image/png;base64,", "file:///")):
            trouble.append(request.url)

    opened.on("request", asked)
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("dialog", lambda dialog: trouble.append(dialog.message))
    yield opened
    context.close()
    assert trouble == []


def opened(page: Page, folder: Path, made: Offer) -> Page:
    path = folder / "offer.html"
    path.write_text(offer_page.page(offers.text_of(made)), encoding="utf-8")
    page.goto(path.as_uri())
    return page


def said(page: Page) -> str:
    return " ".join(page.locator("main").inner_text().split())


def test_it_says_what_was_worked_out(page: Page, tmp_path: Path) -> None:
    """Both figures of the allowance, the range, the break-even, what it is not, and what counsel has to say."""
    text = said(opened(page, tmp_path, offered.MATTERS))
    for sentence in (
        "Offer 17, Fernwind",
        "Level: senior · Start: 1 March 2027",
        "AI use, at its cost 45,000 0",
        "All of it, as cash 242,402 (238,000 to 246,804) 240,000",
        "All of it, at cost 283,000 240,000",
        "only if AI use is worth more than 5.1 % of its issued value to you: it then makes up for USD 2,000 a year",
        "25 % of USD 180,000 is USD 45,000 a year",
        "Issued of that: USD 39,130. The rest, 15 % of what is issued",
        "It is no salary and is never paid out.",
        "This page isn't a contract, an offer of employment or a promise.",
        "version 2026.1 and the token value 2026-Q4.1",
    ):
        assert sentence in text, sentence


def test_it_is_in_the_language_of_the_offer(page: Page, tmp_path: Path) -> None:
    """Words, numbers, dates and the picture's text are German, and the page says so to screen readers."""
    shown = opened(page, tmp_path, offered.DOES_NOT)
    assert shown.locator("html").get_attribute("lang") == "de"
    text = said(shown)
    for sentence in ("Alles zusammen, wie Geld 242.402 (238.000 bis 246.804)", "1. März 2027", "keine Zusage"):
        assert sentence in text, sentence
    assert "wie Geld" in str(shown.locator("img").get_attribute("alt"))


@pytest.mark.parametrize("case", CASES)
def test_it_promises_nothing(case: str) -> None:
    """No word of it is one of a promise, but where it says that it is none."""
    text = offers.text_of(CASES[case])
    language = text.words["language"]
    sentences = [line for line in offer_page.plain(text).splitlines() if line != f"- {text.words['for_contract']}"]
    for line in [*sentences, *text.working]:
        assert not PROMISES[language].search(line), line


@pytest.mark.parametrize("case", CASES)
def test_it_prints_on_a4(page: Page, tmp_path: Path, case: str) -> None:
    """Two sheets at most, of A4, with nothing wider than the sheet."""
    page.emulate_media(color_scheme="dark", media="print")
    shown = opened(page, tmp_path, CASES[case])
    assert shown.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pdf = shown.pdf(prefer_css_page_size=True)
    sizes = {tuple(round(float(one)) for one in box.split()) for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", pdf)}
    assert sizes == {(0, 0, 595, 842)}
    assert len(re.findall(rb"/MediaBox", pdf)) <= 2
    assert shown.locator("main").evaluate("one => one.scrollWidth <= document.documentElement.clientWidth")


def test_it_fits_a_phone(page: Page, tmp_path: Path) -> None:
    """Nothing of it is wider than a narrow screen, with four offers side by side."""
    page.set_viewport_size({"width": 380, "height": 700})
    shown = opened(page, tmp_path, offered.SEATS)
    assert shown.evaluate("() => document.documentElement.scrollWidth") <= 380


def test_hostile_labels_are_inert(page: Page, tmp_path: Path) -> None:
    """A label is text wherever it stands: no element, no script, no address comes of it."""
    shown = opened(page, tmp_path, offered.HOSTILE_ONE)
    assert shown.locator("script, a, iframe, link, object, img:not([src^='data:image/png;base64,'])").count() == 0


# --- Other languages -----------------------------------------------------------------------------------------------


def english() -> str:
    return words.source(offers.FOLDER, "en")


def test_another_language_is_a_copy_of_the_words() -> None:
    """With words of one's own the page is in them."""
    own = words.read(offers.FOLDER, english().replace("Base salary", "Salaire de base").replace('"en"', '"fr"', 1))
    page = offer_page.page(offers.text_of(offered.MATTERS, own))
    assert "Salaire de base" in page
    assert '<html lang="fr">' in page


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('bonus = "Bonus"\n', "", "bonus: missing"),
        ('bonus = "Bonus"', "bonus = 3", "bonus: missing, or not of the kind"),
        ("{ours} and {rival} come to the same.", "{ours.__class__} and {rival}", "same: only {ours}, {rival} can be"),
        ('"November", "December"', '"November"', "months: other entries than in English"),
        ('bonus = "Bonus"', 'bonus = "Bonus"\nbonnus = "Bonus"', "bonnus: there is no such text"),
        ("language =", "language", "not TOML"),
    ],
)
def test_words_that_lack_something_are_refused(old: str, new: str, says: str) -> None:
    """What is missing, of another kind, unknown or filled in with what there is not, is named."""
    assert old in english()
    with pytest.raises(Refusal) as refused:
        words.read(offers.FOLDER, english().replace(old, new, 1))
    assert says in str(refused.value)


def test_every_language_that_comes_with_the_bot_is_whole() -> None:
    """German has all that English has, with the same to fill in."""
    assert offers.languages() == ("en", "de")
    for language in offers.languages():
        text = (words._files(offers.FOLDER) / f"{language}.toml").read_text("utf-8")
        assert words.read(offers.FOLDER, text)["language"] == language
