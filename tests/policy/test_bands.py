"""A grant tells no salary: enough people of a level share each band."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from policy.bands import Cell, Width, widened
from policy.parameters.grants import LEVELS
from policy.units import NanoUSD

MIDPOINTS = {f"B{n}": NanoUSD(n * 50_000 * 10**9) for n in range(1, 6)}


def usd(number: int) -> NanoUSD:
    return NanoUSD(number * 10**9)


def midpoints_of(widths: dict[Cell, Width]) -> dict[Cell, NanoUSD]:
    return {cell: width.midpoint for cell, width in widths.items()}


def test_wide_bands_stay() -> None:
    """Where enough people of a level are in a band, its own midpoint counts."""
    wide = midpoints_of(widened({("mid", "B1"): 5, ("mid", "B2"): 9}, MIDPOINTS, 5))
    assert wide == {("mid", "B1"): usd(50_000), ("mid", "B2"): usd(100_000)}


def test_a_small_band_joins_its_nearest() -> None:
    """Two people in B3 join the eight in B2: the mean of all ten counts for both bands."""
    wide = midpoints_of(widened({("mid", "B1"): 6, ("mid", "B2"): 8, ("mid", "B3"): 2}, MIDPOINTS, 5))
    assert wide[("mid", "B2")] == wide[("mid", "B3")] == usd(110_000)
    assert wide[("mid", "B1")] == usd(50_000)


def test_a_small_level_joins_the_next() -> None:
    """Two principals alone would tell their pay: they share a midpoint with the next level."""
    wide = midpoints_of(widened({("staff", "B4"): 6, ("principal", "B5"): 2}, MIDPOINTS, 5))
    assert wide[("staff", "B4")] == wide[("principal", "B5")] == usd(212_500)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(LEVELS), st.sampled_from(sorted(MIDPOINTS))), st.integers(0, 12), max_size=25
    ),
    st.integers(1, 8),
)
def test_nobody_is_alone(people: dict[tuple[str, str], int], least: int) -> None:
    """Every midpoint stands for enough people (or for all there are), and lies between those of its bands."""
    wide = midpoints_of(widened(people, MIDPOINTS, least))
    assert wide.keys() == {cell for cell, count in people.items() if count}
    for midpoint in set(wide.values()):
        sharing = [cell for cell, other in wide.items() if other == midpoint]
        own = [int(MIDPOINTS[band]) for _, band in sharing]
        assert min(own) <= int(midpoint) <= max(own)
        assert sum(people[cell] for cell in sharing) >= min(least, sum(people.values()))


NEAR = {"P3": usd(140_000), "P4": usd(160_000), "P5": usd(220_000)}
WITHIN = Decimal("0.20")


def test_bands_that_are_near_become_one() -> None:
    """Two in P3 join the three in P4, a seventh above: 152,000 counts for all; five in P5 stay as they are."""
    wide = widened({("mid", "P3"): 2, ("mid", "P4"): 3, ("mid", "P5"): 5}, NEAR, 5, WITHIN)
    assert wide["mid", "P3"] == Width(usd(152_000), usd(140_000), ("P3", "P4"))
    assert wide["mid", "P4"] == Width(usd(152_000), usd(160_000), ("P3", "P4"))
    assert wide["mid", "P5"] == Width(usd(220_000), usd(220_000))
    assert (wide["mid", "P3"].moved_permille, wide["mid", "P4"].moved_permille) == (86, -50)


def test_a_band_that_is_near_to_none_is_exact() -> None:
    """Two principals in P5: 220,000 is 37 % above P4, so their own midpoint counts, and less is told of them."""
    wide = widened({("staff", "P4"): 6, ("principal", "P5"): 2}, NEAR, 5, WITHIN)
    assert wide["principal", "P5"] == Width(usd(220_000), usd(220_000), is_small=True)
    assert wide["staff", "P4"] == Width(usd(160_000), usd(160_000))
    # By the rule of before they shared one, and were 15,000 poorer.
    before = widened({("staff", "P4"): 6, ("principal", "P5"): 2}, NEAR, 5)
    assert before["principal", "P5"].midpoint == usd(175_000)
    assert not before["principal", "P5"].is_small


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(LEVELS), st.sampled_from(list("ABCDEFGH"))), st.integers(0, 9), max_size=25
    ),
    st.dictionaries(st.sampled_from(list("ABCDEFGH")), st.integers(60_000, 300_000), min_size=8, max_size=8),
    st.integers(1, 8),
)
def test_nobody_moves_by_more_than_a_fifth(
    people: dict[tuple[str, str], int], midpoints: dict[str, int], least: int
) -> None:
    """No midpoint is farther than a fifth from its band's own; small groups' are exact, others are shared by enough."""
    by_band = {band: usd(number) for band, number in midpoints.items()}
    wide = widened(people, by_band, least, WITHIN)
    assert wide.keys() == {cell for cell, count in people.items() if count}
    for (_, band), width in wide.items():
        assert width.own == by_band[band]
        assert abs(int(width.midpoint) - int(width.own)) * 5 <= int(width.own)
        if width.is_small:
            assert (width.midpoint, width.merged) == (width.own, ())
        else:
            sharing = sum(people[cell] for cell, one in wide.items() if one.midpoint == width.midpoint)
            assert sharing >= least
