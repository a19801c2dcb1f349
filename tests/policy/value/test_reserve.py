"""What is put aside for outstanding tokens."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policy.parameters.value import ReserveRules
from policy.units import NanoUSD
from policy.value import reserve

RULES = ReserveRules(percentile=95, months=3, margin=Decimal("0.10"))


@pytest.mark.parametrize(
    ("used", "share"),
    [
        ([], 1_000),
        ([0] * 20, 100),
        ([400] * 19 + [900], 500),
        ([400] * 18 + [600, 900], 700),
        ([401] * 20, 550),
        ([950] * 20, 1_000),
        ([2_000], 1_000),
    ],
)
def test_the_share_that_is_put_aside(used: list[int], share: int) -> None:
    """What 95 of 100 stayed within, in twentieths, plus a tenth; all of it while nothing is known, never more."""
    assert reserve.share(used, RULES) == share


def test_the_worked_example() -> None:
    """8,400,000 tokens at USD 0.0102 are USD 85,680 at worst; at a P95 of 52 % (55 % in twentieths) 65 % are funded."""
    worst = NanoUSD.parse("85680")
    assert reserve.funded(worst, reserve.share([520] * 40, RULES)) == NanoUSD.parse("55692")


def test_bins_have_their_upper_ends() -> None:
    """Ten bins of ten points and one for more; someone who used nothing is in the first."""
    assert reserve.bins([0, 1, 100, 101, 999, 1_000, 1_001, 5_000]) == (3, 1, 0, 0, 0, 0, 0, 0, 0, 2, 2)
