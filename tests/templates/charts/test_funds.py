"""The chart of a quarter's money shows its amounts to scale, says them in words, and fits its card."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.units import NanoUSD
from templates import charts
from templates.charts import canvas
from templates.charts.funds import CONSUMED, ISSUED, RESERVE, alt_text, drawing, finding
from tests.support import depth
from tests.templates import charts_seen as seen
from views.review_figures import Money

Q4 = "2026-Q4"
NAMES = ("Entitled", "Issued", "Consumed", "Outstanding at worst", "Funded reserve")


def money(*amounts: NanoUSD) -> Money:
    entitled, issued, consumed, worst_case, funded = amounts
    return Money(
        entitled=entitled,
        issued=issued,
        consumed=consumed,
        funded=funded,
        worst_case=worst_case,
        buffer_held=NanoUSD(0),
    )


def funds(*amounts: str) -> Money:
    return money(*map(NanoUSD.parse, amounts))


USUAL = funds("375000", "234000", "131250.40", "98200", "54210")
CASES = {
    "usual": USUAL,
    "overspent": funds("300000", "200000", "212000", "40000", "40000"),
    "tiny": funds("3.15", "1.02", "0.004", "0", "0"),
    "nothing": funds("0", "0", "0", "0", "0"),
    "huge": funds("987654321", "876543210", "1", "876543210", "5"),
}


def test_bars_are_to_scale() -> None:
    """Each amount has a bar as long as it is, all on one scale; what is nothing has none."""
    figure = drawing(USUAL, Q4)
    assert [seen.boxes(figure, name)[0].right for name in NAMES] == [
        float(amount.decimal)
        for amount in (USUAL.entitled, USUAL.issued, USUAL.consumed, USUAL.worst_case, USUAL.funded)
    ]
    assert {name: seen.boxes(drawing(CASES["tiny"], Q4), name) for name in NAMES[3:]} == {
        name: [] for name in NAMES[3:]
    }


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (USUAL, "56 % of what was issued was consumed"),
        (CASES["overspent"], "More was consumed than was issued"),
        (CASES["nothing"], "Nothing was issued"),
        (CASES["huge"], "Under 1 % of what was issued was consumed"),
    ],
)
def test_the_title_states_the_finding(of: Money, words: str) -> None:
    """How much of what was issued was consumed is the title, and part of the text."""
    assert finding(of) == seen.title(drawing(of, Q4)) == words
    assert words in alt_text(of, Q4)


@pytest.mark.parametrize("of", CASES.values(), ids=CASES)
def test_the_card_has_room_for_its_texts_and_its_text_for_every_amount(of: Money) -> None:
    """No text meets another or leaves the card; picture and text have each amount."""
    figure = drawing(of, Q4)
    seen.assert_texts_stand_free(figure)
    rows = [row.partition(": ") for row in seen.words(figure) if ": USD " in row]
    assert tuple(name for name, _, _ in rows) == NAMES
    for name, _, amount in rows:
        assert f"{name.lower()} {amount}" in alt_text(of, Q4)


@settings(max_examples=depth.examples(15), deadline=None)
@given(st.lists(st.integers(0, 10**18), min_size=5, max_size=5))
def test_no_text_meets_another(amounts: list[int]) -> None:
    """Whatever the amounts."""
    seen.assert_texts_stand_free(drawing(money(*map(NanoUSD, amounts)), Q4))


@pytest.mark.parametrize("hue", [ISSUED, CONSUMED, RESERVE])
def test_the_bars_stand_out(hue: str) -> None:
    """What was issued, consumed and put aside has 3 : 1 on the card."""
    assert seen.contrast(hue, canvas.CARD) >= 3


def test_the_picture_is_a_file_with_its_text() -> None:
    """A PNG file that says in words what it shows."""
    picture = charts.funds(USUAL, Q4)
    assert picture.png.startswith(b"\x89PNG")
    assert picture.alt_text == alt_text(USUAL, Q4)
