"""The draft of a permanent policy: what a year's figures call for, in sentences, and what they leave open."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policy import handbook
from policy.reviews import permanent
from policy.reviews.permanent import GROUPS, YearFigures

BOOK = handbook.parse(handbook.packaged())
QUARTER = Decimal("0.25")


def figures(*used: str, quarters: int = 4, share: Decimal = QUARTER) -> YearFigures:
    return YearFigures(2026, quarters, share, tuple(map(Decimal, used)), reviews=2, raised=7, cut=3)


def reasons(made: permanent.PermanentPolicy) -> dict[str, str]:
    return {one.code: one.text for one in made.because}


def test_little_use_makes_the_share_smaller() -> None:
    """Half of 20 people below 40 %, nine tenths at most at 50 %: 25 % × .60 is 15 %."""
    made = permanent.drafted(figures(*["0.10"] * 10, *["0.50"] * 10), BOOK)
    assert made.share == Decimal("0.150")
    assert reasons(made)["use"] == "Of 20 people, 10 used less than 40% of their grants on average."
    assert "from 25.0% to 15.0%" in reasons(made)["share"]


@pytest.mark.parametrize("used", [["0.60"] * 20, ["0.10"] * 6 + ["0.80"] * 14])
def test_use_that_is_usual_leaves_the_share(used: list[str]) -> None:
    """A third or fewer below 40 % is no reason for another one."""
    made = permanent.drafted(figures(*used), BOOK)
    assert made.share == QUARTER
    assert "it stays 25.0%" in reasons(made)["share"]


def test_fewer_than_twenty_people_say_nothing() -> None:
    """Neither a share nor a figure of their use, and it is said to be open."""
    made = permanent.drafted(figures(*["0.01"] * 19), BOOK)
    assert made.share == QUARTER
    assert "use" not in reasons(made)
    assert any("too few had any" in one for one in made.not_shown)


def test_a_share_that_is_smaller_already_is_not_cut_twice() -> None:
    """What people used was of grants with the share of then."""
    smaller = handbook.parse(
        handbook.packaged().replace("share_of_compensation = 0.25", "share_of_compensation = 0.12")
    )
    made = permanent.drafted(figures(*["0.10"] * 10, *["0.50"] * 10), smaller)
    assert made.share == Decimal("0.12")


def test_groups_are_added_once() -> None:
    """Where the handbook has groups they stay; proposed ones are within what a group may do."""
    assert permanent.drafted(figures(), BOOK).groups == GROUPS
    text = handbook.packaged().replace("[lots]\n", '[[sizing.annual]]\nname = "x"\nfactor = 1\n\n[lots]\n', 1)
    assert permanent.drafted(figures(), handbook.parse(text)).groups == ()


def test_what_a_year_does_not_show_is_said() -> None:
    """Seasons, single people, worth, and what would have been."""
    made = permanent.drafted(figures(*["0.6"] * 20, quarters=3), BOOK)
    said = " ".join(made.not_shown)
    for words in ("3 of four quarters", "never for single people", "worth its money", "larger grants"):
        assert words in said, words
    assert "of four quarters" not in " ".join(permanent.drafted(figures(), BOOK).not_shown)
