"""The rules of a review's vote: what may be typed, how far a case may be amended, and from when it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from policy import deadlines, handbook
from policy.handbook import HandbookError
from policy.reviews import votes
from policy.reviews.persons import HIGH, LOW, USUAL
from policy.reviews.votes import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

BOOK = handbook.parse(handbook.packaged())
BERLIN = ZoneInfo("Europe/Berlin")
HOURS = deadlines.business_hours(BOOK, BERLIN)


@pytest.mark.parametrize(
    ("text", "thousandths"),
    [
        ("5", 50),
        ("+2.5 %", 25),
        ("-2,5%", -25),
        ("\N{MINUS SIGN}10", -100),
        ("0", 0),
        (" - 0.1 ", -1),
        (".5", 5),
        ("4.00", 40),
    ],
)
def test_changes_are_read_as_people_write_them(text: str, thousandths: int) -> None:
    """Signs, commas and per-cent signs of all kinds are understood, to the tenth."""
    assert votes.thousandths(text) == thousandths


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%",
        "-",
        ".",
        "much",
        "0.05",
        "Infinity",
        "NaN",
        "1.000.000",
        "1e1",
        "1E-2",
        "1_0",
        "1 0",
        "5%5",
        "--5",
        "\uff11\uff12",
        "\u0661",
        f"2.5{28 * '0'}1",
        400 * "9",
    ],
)
def test_what_is_no_change_is_refused(text: str) -> None:
    """Nothing is guessed or rounded."""
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        votes.thousandths(text)


@pytest.mark.parametrize(
    ("deltas", "limits"), [((), (-100, 100)), ((0, 0, 0), (-100, 100)), ((100, 100, 0), (-100, 33))]
)
def test_the_year_limits_a_quarter(deltas: Sequence[int], limits: tuple[int, int]) -> None:
    """After two raises of ten per cent only what is left of the year's twenty-five may be added."""
    assert votes.limits(deltas, LOW, BOOK.adjustment.change) == Limits(*limits, may_cut=True)


@pytest.mark.parametrize("state", [USUAL, HIGH])
def test_only_who_is_low_can_be_cut(state: str) -> None:
    """A cut needs unused allowance: only the case of a person marked LOW can be amended below no change."""
    assert votes.limits((0, 50, 0), state, BOOK.adjustment.change) == Limits(0, 100, may_cut=False)


def test_a_reminder_after_the_end_is_refused() -> None:
    """A handbook whose reminder would come at or after the lapse does not hold."""
    text = handbook.packaged().replace('remind = "5 business days"', 'remind = "10 business days"')
    with pytest.raises(HandbookError, match=r"reviews.remind = 10 business days: not before reviews.lapse"):
        handbook.parse(text)
