"""How many of a thing, in words."""

from __future__ import annotations

import pytest

from policy.counting import many


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (0, ("name",), "0 names"),
        (1, ("name",), "1 name"),
        (2_000, ("name",), "2,000 names"),
        (1, ("person", "people"), "1 person"),
        (3, ("person is", "people are"), "3 people are"),
    ],
)
def test_one_is_one_and_all_others_are_several(count: int, words: tuple[str, ...], said: str) -> None:
    """Nothing is several, thousands are parted, and a plural of its own is named."""
    assert many(count, *words) == said
