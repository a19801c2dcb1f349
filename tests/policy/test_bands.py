"""A grant tells no salary: enough people of a level share each band."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policy.bands import widened
from policy.parameters.grants import LEVELS
from policy.units import NanoUSD

MIDPOINTS = {f"B{n}": NanoUSD(n * 50_000 * 10**9) for n in range(1, 6)}


def usd(number: int) -> NanoUSD:
    return NanoUSD(number * 10**9)


def test_wide_bands_stay() -> None:
    """Where enough people of a level are in a band, its own midpoint counts."""
    wide = widened({("mid", "B1"): 5, ("mid", "B2"): 9}, MIDPOINTS, 5)
    assert wide == {("mid", "B1"): usd(50_000), ("mid", "B2"): usd(100_000)}


def test_a_small_band_joins_its_nearest() -> None:
    """Two people in B3 join the eight in B2: the mean of all ten counts for both bands."""
    wide = widened({("mid", "B1"): 6, ("mid", "B2"): 8, ("mid", "B3"): 2}, MIDPOINTS, 5)
    assert wide[("mid", "B2")] == wide[("mid", "B3")] == usd(110_000)
    assert wide[("mid", "B1")] == usd(50_000)


def test_a_small_level_joins_the_next() -> None:
    """Two principals alone would tell their pay: they share a midpoint with the next level."""
    wide = widened({("staff", "B4"): 6, ("principal", "B5"): 2}, MIDPOINTS, 5)
    assert wide[("staff", "B4")] == wide[("principal", "B5")] == usd(212_500)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(LEVELS), st.sampled_from(sorted(MIDPOINTS))), st.integers(0, 12), max_size=25
    ),
    st.integers(1, 8),
)
def test_nobody_is_alone(people: dict[tuple[str, str], int], least: int) -> None:
    """Every midpoint stands for enough people (or for all there are), and lies between those of its bands."""
    wide = widened(people, MIDPOINTS, least)
    assert wide.keys() == {cell for cell, count in people.items() if count}
    for midpoint in set(wide.values()):
        sharing = [cell for cell, other in wide.items() if other == midpoint]
        own = [int(MIDPOINTS[band]) for _, band in sharing]
        assert min(own) <= int(midpoint) <= max(own)
        assert sum(people[cell] for cell in sharing) >= min(least, sum(people.values()))
