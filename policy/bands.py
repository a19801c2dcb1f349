"""Pay bands wide enough that a grant does not tell a salary: merged until enough people of a level share one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.parameters.grants import LEVELS
from policy.units import NanoUSD, divide_half_even

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

Cell = tuple[str, str]
"""(level, pay band)"""
TEN_THOUSAND, WHOLE = 10_000, 1_000


@dataclass(frozen=True, slots=True)
class Width:
    """What counts for a (level, band): the mean midpoint of all who share it, beside the band's own.

    `merged` are the bands that share it, if any besides its own do. `is_small` says that fewer people share it than
    should, and no other is near enough: its own midpoint counts, and less is told of it.
    """

    midpoint: NanoUSD
    own: NanoUSD
    merged: tuple[str, ...] = ()
    is_small: bool = False

    @property
    def moves(self) -> bool:
        return self.midpoint != self.own

    @property
    def moved_permille(self) -> int:
        """By how much the midpoint is above its band's own, or below it where less than nothing."""
        return divide_half_even((int(self.midpoint) - int(self.own)) * WHOLE, int(self.own))


@dataclass(frozen=True, slots=True)
class _Group:
    cells: tuple[Cell, ...]
    people: int
    total: int
    """Sum of the midpoints of all people in it."""
    lowest: int
    highest: int

    @property
    def level(self) -> int:
        return LEVELS.index(self.cells[0][0])

    @property
    def midpoint(self) -> NanoUSD:
        return NanoUSD(divide_half_even(self.total, self.people))

    def with_(self, other: _Group) -> _Group:
        return _Group(
            self.cells + other.cells,
            self.people + other.people,
            self.total + other.total,
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
        )

    def is_near(self, other: _Group, within: Decimal | None) -> bool:
        """Whether no midpoint of the two is farther from another than a share of it: nobody's moves by more."""
        both = self.with_(other)
        if within is None:
            return True
        return (both.highest - both.lowest) * TEN_THOUSAND <= both.lowest * int(within * TEN_THOUSAND)


def widened(
    people: Mapping[Cell, int], midpoints: Mapping[str, NanoUSD], least: int, within: Decimal | None = None
) -> dict[Cell, Width]:
    """What counts for each (level, band): the mean over the people of the bands merged with it.

    The smallest group joins its nearest neighbour of the same level, or of the next level where its own has no other,
    until every group has `least` people or none that is smaller has a neighbour `within` a share of its midpoints.
    What is left of those goes by its bands' own midpoints. Without `within`, as it was before, any neighbour will do.
    """
    groups = [_group(cell, count, int(midpoints[cell[1]])) for cell, count in sorted(people.items()) if count]
    alone: list[_Group] = []
    while small := min((g for g in groups if g.people < least), key=lambda g: (g.people, g.cells), default=None):
        groups.remove(small)
        near = [g for g in groups if small.is_near(g, within)]
        if not near:
            alone.append(small)
            continue
        nearest = min(near, key=lambda g: _distance(small, g))
        groups.remove(nearest)
        groups.append(nearest.with_(small))
    widths = {cell: _width(cell, group, midpoints) for group in groups for cell in group.cells}
    if within is None:
        return widths | {cell: _width(cell, group, midpoints) for group in alone for cell in group.cells}
    small_ones = {cell: midpoints[cell[1]] for group in alone for cell in group.cells}
    return widths | {cell: Width(own, own, is_small=True) for cell, own in small_ones.items()}


def _group(cell: Cell, count: int, midpoint: int) -> _Group:
    return _Group((cell,), count, midpoint * count, midpoint, midpoint)


def _width(cell: Cell, group: _Group, midpoints: Mapping[str, NanoUSD]) -> Width:
    merged = tuple(sorted({band for _, band in group.cells})) if len(group.cells) > 1 else ()
    return Width(group.midpoint, midpoints[cell[1]], merged)


def _distance(one: _Group, other: _Group) -> tuple[int, int, tuple[Cell, ...]]:
    return abs(one.level - other.level), abs(int(one.midpoint) - int(other.midpoint)), other.cells
