"""The one ground of a case: the term that moves the grant, and the use that would end it."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.reasons import Reason
from policy.reviews import ground
from tests.support import proposed
from tests.support.appealed import CASE

RULES = proposed.NOW.adjustment
thousandths = st.integers(-100, 100).map(lambda one: Decimal(one) / 1_000)


def of(delta: int, *reasons: Reason, used: tuple[Decimal | None, ...] = ()) -> ground.Ground:
    return ground.of(dataclasses.replace(CASE, delta_thousandths=delta, reasons=reasons), used, RULES)


def terms(low: Decimal, high: Decimal, efficiency: Decimal) -> tuple[Reason, ...]:
    named = {"low": low, "high": high, "efficiency": efficiency}
    return tuple(Reason(name, name, {"delta": f"{delta:f}"}) for name, delta in named.items())


@given(thousandths, thousandths, thousandths)
def test_the_ground_moves_the_grant_the_way_it_moves(low: Decimal, high: Decimal, efficiency: Decimal) -> None:
    """No other term in that direction is larger; where nothing changes there is no ground."""
    total = low + high + efficiency
    found = of(int(total * 1_000), *terms(low, high, efficiency))
    if not total:
        assert found.name == ""
        return
    sign = 1 if total > 0 else -1
    by_name = {"low": low, "high": high, "efficiency": efficiency}
    assert sign * by_name[found.name] == max(sign * delta for delta in by_name.values()) > 0


@pytest.mark.parametrize(("peers", "leaves"), [("0.5", "0.30"), ("0.95", "0.50"), ("", "0.50")])
def test_low_ends_at_the_nearer_of_two_shares(peers: str, leaves: str) -> None:
    """Above half of the grants, or above three fifths of what peers used: whichever comes first."""
    use = Reason("use", "used", {"peers": peers})
    assert of(-100, use, *terms(Decimal("-0.1"), Decimal(0), Decimal(0))).ends_low == Decimal(leaves)


def test_what_is_not_known_stays_unknown() -> None:
    """A person of one quarter has no figure of the one before, and a case of an older release none of peers."""
    found = of(0, used=(Decimal("0.4"),))
    assert (found.used, found.used_before, found.peers, found.peers_before) == (Decimal("0.4"), None, None, None)
