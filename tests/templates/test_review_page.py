"""The pack for the file, in a real browser: it says what the pack says, fetches and runs nothing, and prints."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from templates import review_page
from tests.support import browser, packs
from tests.support.letters import HOSTILE
from tests.support.packs import DRAFTED_AT
from views.reviews import CaseRow, Cases, ReviewFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Request

    from views.reviews import Pack

INERT = "<script>alert(1)</script><img src=https://example.org/x onerror=alert(2)>\"' style=x {{ 7*7 }} </style>"
ROWS = (
    CaseRow("Ben Okafor", packs.KEPT, "", team="Mara Quist", level="senior"),
    CaseRow(
        "Ada Lovelace",
        packs.HELD_CASE._replace(decision_reason="On leave since May"),
        "Tess Novak",
        team="Mara Quist",
        level="staff",
    ),
    CaseRow("Zoe Martin", packs.AMENDED_CASE, "Tess Novak", team="Íñigo Ruiz", level="junior"),
    CaseRow("Lena Brandt", packs.NOT_LOW, "", team="Íñigo Ruiz", level="senior"),
    CaseRow("Mara Quist", None, "", level="principal"),
)
CASES = Cases(ROWS, "Mara Quist")


def written(pack: Pack = packs.UNDER_WAY, cases: Cases | None = None) -> str:
    shown = ReviewFile(pack, packs.USE, cases, DRAFTED_AT)
    return review_page.page(shown, pack.summary.figures.money)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.launched() as running:
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page on which any error, dialogue or request but that of the file itself fails the test."""
    context = chromium.new_context(viewport={"width": 900, "height": 1100}, locale="en-GB")
    opened = context.new_page()
    trouble: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith(("data:image/png;base64,", "file:///")) or request.url.endswith("favicon.ico"):
            trouble.append(request.url)

    opened.on("request", asked)
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("console", lambda said: trouble.append(said.text))
    opened.on("dialog", lambda dialog: trouble.append(dialog.message))
    yield opened
    context.close()
    assert trouble == []


def opened(page: Page, folder: Path, html: str) -> Page:
    path = folder / "review.html"
    path.write_text(html, encoding="utf-8")
    page.goto(path.as_uri())
    return page


def test_it_says_what_the_pack_says(page: Page, tmp_path: Path) -> None:
    """State, votes, money, value, use, exceptions, fairness, what is not known, back-tests, the review before."""
    shown = opened(page, tmp_path, written())
    assert shown.title() == "Review of 2026-Q4"
    text = " ".join(shown.locator("main").inner_text().split())
    for words in (
        "Waiting for the board's vote until 18 Jan 2027 08:00 UTC: 2 of 2 adopt it, but finance has not yet, 1 against",
        "6 raised, 2 cut, 24 unchanged; +0.9 % on average; 1 held, 1 amended",
        "Zoe Martin for Tess Novak",
        "Two cuts are of people on leave",
        "cast before a case changed, so it doesn't count",
        "entitled USD 375,000",
        "funded USD 54,210, at worst USD 98,200",
        "USD 0.0104, index (Laspeyres) 1.04",
        "the Fisher index differs from it by 3.1 %",
        "2 HIGH, 3 LOW, 27 usual",
        "3 at the cap, 12 at the floor",
        "Mara Quist's reports",
        "3 in too small a team",
        "14 events of the quarter, in quarantine; 3 outcomes without a known owner",
        "2027.2 4 1 27 3",
        "2027.3, proposed by Omar Haddad 6 0 26 2",
        "2026-Q3, adopted: 4 raised, 1 cut, 25 unchanged; 1 held, 1 amended",
        "handbook 2026.1",
        "Drafted 4 Jan 2027 08:00 UTC",
        "Decided not yet",
        "cafe",
    ):
        assert words in text, words
    assert "Cases" not in shown.locator("h2").all_inner_texts()


def test_pictures_are_in_it_with_their_words(page: Page, tmp_path: Path) -> None:
    """Both pictures are drawn from the page itself, and each has its text."""
    images = opened(page, tmp_path, written()).locator("img")
    assert images.evaluate_all("all => all.map((one) => one.complete && one.naturalWidth)") == [720, 720]
    texts = images.evaluate_all("all => all.map((one) => one.alt)")
    assert ["56 % of what was issued" in texts[0], "Half of 30 people" in texts[1]] == [True, True]


@pytest.mark.parametrize(
    ("pack", "words"),
    [
        (packs.ADOPTED_PACK, "Adopted on 12 Jan 2027 10:00 UTC; Omar Haddad had the deciding vote."),
        (packs.LAPSED_PACK, "Lapsed on 12 Jan 2027 10:00 UTC"),
        (packs.NOTHING, "None in this quarter, and no break-glass."),
    ],
)
def test_every_state_is_told(page: Page, tmp_path: Path, pack: Pack, words: str) -> None:
    """What became of the review, and a quarter of nothing, are pages as well."""
    expect(opened(page, tmp_path, written(pack)).locator("main")).to_contain_text(words)


def test_cases_are_a_table_without_amounts(page: Page, tmp_path: Path) -> None:
    """Name, change, state, decision with its reason and peers; nothing of a case that is too close to its reader."""
    rows = opened(page, tmp_path, written(cases=CASES)).locator(".cases tbody tr")
    expect(rows.first).to_be_visible()
    said = [" ".join(row.split()) for row in rows.all_inner_texts()]
    among, tess = "30 teams of engineering (senior)", "Tess Novak on 12 Jan 2027"
    assert said == [
        f"Ben Okafor Mara Quist, senior −10 % LOW as proposed {among}",
        f"Ada Lovelace Mara Quist, staff no change LOW held by {tess} (−10 % was proposed): On leave since May {among}",
        f"Zoe Martin Íñigo Ruiz, junior −2.5 % LOW amended by {tess} (−10 % was proposed): A quarter of it {among}",
        f"Lena Brandt Íñigo Ruiz, senior +2.5 % usual as proposed {among}",
        "Mara Quist no one, principal not shown to Mara Quist: their own case, or a report's",
    ]
    assert not re.search(r"93[,.]?700|84[,.]?300", page.locator("main").inner_text())


@pytest.mark.parametrize("text", [HOSTILE, INERT])
def test_hostile_text_is_inert(page: Page, tmp_path: Path, text: str) -> None:
    """Names, reasons and versions are text wherever they stand: no element, no script, no address comes of them."""
    case = packs.HELD_CASE._replace(decision_reason=text, case=dataclasses.replace(packs.CASE, peers=text))
    pack = packs.stuffed(text)
    review = dataclasses.replace(pack.review, basis=dataclasses.replace(pack.review.basis, handbook=text))
    cases = Cases((CaseRow(text, case, text, text, text), CaseRow(text, None, "", text, text)), text)
    shown = opened(page, tmp_path, written(dataclasses.replace(pack, review=review), cases))
    assert shown.locator("a, iframe, link, object, img:not([src^='data:image/png;base64,'])").count() == 0
    assert shown.locator("script").count() == 1
    assert shown.locator("style").count() == 1
    assert shown.locator(".cases tbody td").first.inner_text() == " ".join(text.split())


# --- Filters -------------------------------------------------------------------------------------------------------


def names(page: Page) -> list[str]:
    """Whose cases are shown."""
    return [row.locator("td").first.inner_text() for row in page.locator(".cases tbody tr:visible").all()]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"Team": "Mara Quist"}, ["Ben Okafor", "Ada Lovelace"]),
        ({"Team": "reporting to no one"}, ["Mara Quist"]),
        ({"Level": "senior"}, ["Ben Okafor", "Lena Brandt"]),
        ({"Change": "Raises"}, ["Lena Brandt"]),
        ({"Change": "Cuts"}, ["Ben Okafor", "Zoe Martin"]),
        ({"Change": "Held"}, ["Ada Lovelace"]),
        ({"Change": "No change"}, []),
        ({"Team": "Íñigo Ruiz", "Level": "senior"}, ["Lena Brandt"]),
    ],
)
def test_cases_are_filtered(page: Page, tmp_path: Path, chosen: dict[str, str], found: list[str]) -> None:
    """By team, level and change, and by several at once; a case that is not shown is found by no change."""
    shown = opened(page, tmp_path, written(cases=CASES))
    for label, words in chosen.items():
        shown.get_by_label(label, exact=True).select_option(label=words)
    assert names(shown) == found
    expect(shown.get_by_role("status")).to_have_text(f"{len(found)} of 5 cases")
    shown.get_by_role("button", name="Show all").click()
    expect(shown.get_by_role("status")).to_have_text("5 of 5 cases")


@pytest.mark.parametrize(("typed", "found"), [("ada", ["Ada Lovelace"]), ("INIGO zoe", ["Zoe Martin"]), ("nobody", [])])
def test_cases_are_searched_by_keyboard(page: Page, tmp_path: Path, typed: str, found: list[str]) -> None:
    """Whatever its case and accents, what is typed is found in any column; Tab leads there, and no key is lost."""
    shown = opened(page, tmp_path, written(cases=CASES))
    shown.keyboard.press("Tab")
    expect(shown.get_by_label("Search")).to_be_focused()
    shown.keyboard.type(typed)
    shown.keyboard.press("Enter")
    assert names(shown) == found
    for label in ("Team", "Level", "Change"):
        shown.keyboard.press("Tab")
        expect(shown.get_by_label(label, exact=True)).to_be_focused()
    shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    expect(shown.get_by_role("status")).to_have_text("5 of 5 cases")


def test_without_scripts_it_is_a_plain_list(chromium: Browser, tmp_path: Path) -> None:
    """Every case is there, and no control that would do nothing."""
    context = chromium.new_context(java_script_enabled=False)
    shown = opened(context.new_page(), tmp_path, written(cases=CASES))
    assert shown.locator(".cases tbody tr:visible").count() == 5
    assert shown.locator("form, input, select, button").locator("visible=true").count() == 0
    context.close()


def test_no_other_script_would_run(page: Page, tmp_path: Path) -> None:
    """The page allows one script by its digest; without cases none at all."""
    html = written(cases=CASES)
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", html)
    assert "script" not in written()
    forged = html.replace("</main>", "</main><script>document.title = 'forged'</script>")
    path = tmp_path / "forged.html"
    path.write_text(forged, encoding="utf-8")
    context = page.context
    other = context.new_page()
    other.goto(path.as_uri())
    assert other.title() == "Review of 2026-Q4, with cases"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_in_both_schemes(page: Page, tmp_path: Path, scheme: Literal["light", "dark"]) -> None:
    """Ink and page follow the reader's scheme, with 7 : 1 between them."""
    page.emulate_media(color_scheme=scheme)
    shown = opened(page, tmp_path, written(cases=CASES))
    colours = shown.evaluate(
        "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    ink, paper = (_luminance(colour) for colour in colours)
    assert (ink < paper) == (scheme == "light")
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 7
    assert len(shown.screenshot(full_page=True)) > 10_000


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_it_prints_on_a4(page: Page, tmp_path: Path) -> None:
    """A browser makes a PDF of A4 pages of it, dark ink on white whatever the screen's scheme, cases on a new page."""
    page.emulate_media(color_scheme="dark", media="print")
    shown = opened(page, tmp_path, written(cases=Cases(ROWS * 30, "Mara Quist")))
    assert shown.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pdf = shown.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    sizes = {tuple(round(float(one)) for one in box.split()) for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", pdf)}
    assert sizes == {(0, 0, 595, 842)}
    assert len(re.findall(rb"/MediaBox", pdf)) >= 5
    assert shown.locator("main").evaluate("one => one.scrollWidth <= document.documentElement.clientWidth")


def test_it_fits_a_phone(page: Page, tmp_path: Path) -> None:
    """Nothing of it is wider than a narrow screen."""
    page.set_viewport_size({"width": 380, "height": 700})
    shown = opened(page, tmp_path, written(packs.stuffed("x" * 300, most=3), CASES))
    assert shown.evaluate("() => document.documentElement.scrollWidth") <= 380
