"""Pay bands wide enough that a grant does not tell a salary: merged until enough people of a level share one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.parameters.grants import LEVELS
from policy.units import NanoUSD, divide_half_even

if TYPE_CHECKING:
    from collections.abc import Mapping

Cell = tuple[str, str]
"""(level, pay band)"""


@dataclass(frozen=True, slots=True)
class _Group:
    cells: tuple[Cell, ...]
    people: int
    total: int
    """Sum of the midpoints of all people in it."""

    @property
    def level(self) -> int:
        return LEVELS.index(self.cells[0][0])

    @property
    def midpoint(self) -> NanoUSD:
        return NanoUSD(divide_half_even(self.total, self.people))

    def with_(self, other: _Group) -> _Group:
        return _Group(self.cells + other.cells, self.people + other.people, self.total + other.total)


def widened(people: Mapping[Cell, int], midpoints: Mapping[str, NanoUSD], least: int) -> dict[Cell, NanoUSD]:
    """The midpoint that counts for each (level, band): the mean over the people of the bands merged with it.

    The smallest group joins its nearest neighbour of the same level, or of the next level where its own has no other,
    until every group has `least` people or there is one group left.
    """
    groups = [
        _Group(((level, band),), count, int(midpoints[band]) * count)
        for (level, band), count in sorted(people.items())
        if count
    ]
    while len(groups) > 1:
        small = min(groups, key=lambda g: (g.people, g.cells))
        if small.people >= least:
            break
        groups.remove(small)
        nearest = min(groups, key=lambda g: _distance(small, g))
        groups.remove(nearest)
        groups.append(nearest.with_(small))
    return {cell: group.midpoint for group in groups for cell in group.cells}


def _distance(one: _Group, other: _Group) -> tuple[int, int, tuple[Cell, ...]]:
    return abs(one.level - other.level), abs(int(one.midpoint) - int(other.midpoint)), other.cells
