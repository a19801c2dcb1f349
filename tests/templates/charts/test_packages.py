"""The chart of an offer beside others: its bars to scale, its range where it is, its words in the reader's language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from templates import charts, offers
from templates.charts import canvas
from templates.charts.packages import alt_text, drawing, finding
from tests.support import depth, offered
from tests.support.offered import GIVEN, NO_TOKENS, money, rival
from tests.templates import charts_seen as seen
from views.offers import GivenOffer, Offer

CASES = {
    "matters": offered.MATTERS,
    "does not": offered.DOES_NOT,
    "seats": offered.SEATS,
    "alone": offered.ALONE,
    "euros": offered.IN_EUROS,
    "hostile": offered.HOSTILE_ONE,
}


def test_bars_are_to_scale() -> None:
    """Pay, equity, AI use as cash and the rest of its cost follow on each other, as long as they are."""
    figure, ours = drawing(offers.text_of(offered.MATTERS)), offered.MATTERS.content.ours
    ends = [0, int(ours.pay.base + ours.pay.bonus), int(ours.pay.total), int(ours.cash.point), int(ours.headline)]
    for name, low, high in zip(("pay", "equity", "use as cash", "rest of its cost"), ends, ends[1:], strict=False):
        box = seen.boxes(figure, name)[0]
        assert (box.left, box.right) == (low, high), name


def test_the_range_stands_on_the_bar() -> None:
    """From the pay alone to the most that the allowance may be worth; offers without AI use have none."""
    figure, ours = drawing(offers.text_of(offered.MATTERS)), offered.MATTERS.content.ours
    [[(low, _), (high, _)]] = seen.lines(figure, "range")
    width = canvas.ACROSS - 2 * canvas.MARGIN
    per_dot = int(ours.headline) / width
    assert abs((high - low) * per_dot - (int(ours.cash.high) - int(ours.cash.low))) < per_dot
    assert abs((low - canvas.MARGIN) * per_dot - int(ours.cash.low)) < per_dot


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (offered.MATTERS, "More than B from 5.1 % of the issued value on"),
        (offered.DOES_NOT, "Mehr als B, gleich was KI-Nutzung wert ist"),
        (offered.SEATS, "Offer 17 beside 3 other offers"),
        (offered.ALONE, "242.4 k a year as cash, 283.0 k at cost"),
    ],
)
def test_its_title_says_when_ours_comes_to_more(made: Offer, words: str) -> None:
    """In the language of the page."""
    assert finding(offers.text_of(made)) == words


def test_its_text_says_every_figure() -> None:
    """Those who can't see the picture read the same."""
    assert alt_text(offers.text_of(offered.MATTERS)) == (
        "More than B from 5.1 % of the issued value on. A year in USD; AI use is never paid out. "
        "Offer 17: 242.4 k as cash (238.0 k to 246.8 k), 283.0 k at cost; B: 240.0 k."
    )


@pytest.mark.parametrize("case", CASES)
def test_every_picture_fits_its_card(case: str) -> None:
    """Texts are within the card and meet no other, whatever an offer is called; a file comes of it."""
    text = offers.text_of(CASES[case])
    seen.assert_texts_stand_free(drawing(text))
    picture = charts.packages(text)
    assert picture.png.startswith(b"\x89PNG")
    assert 0 < len(picture.alt_text) < 1_000


amounts = st.integers(0, 10**9)


@given(st.lists(st.tuples(amounts, amounts, amounts), max_size=3), st.integers(1, 10**9))
@settings(max_examples=depth.either(quick=15, deep=200))
def test_any_amounts_make_a_picture(others: list[tuple[int, int, int]], base: int) -> None:
    """Nothing, little or a fortune, with up to three others beside it."""
    rivals = tuple(rival("x" * 40, base=pay, equity=equity, credits=use) for pay, equity, use in others)
    given_ = GivenOffer(label="Offer", base=money(base), bonus=money(0), equity=GIVEN.equity, rivals=rivals)
    seen.assert_texts_stand_free(drawing(offers.text_of(offered.offer(given_, NO_TOKENS))))
