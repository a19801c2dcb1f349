"""Which groups' totals may be told without telling a single person's."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def disclosed(groups: Mapping[str, frozenset[object]], least: int) -> list[str]:
    """The groups of at least `least` people whose totals may stand beside the total of all.

    What is left out could be worked out as the difference to that total, so it must be of enough people as well: as
    long as it is of too few, the smallest group that was to be told is left out with it. People who are in several
    groups count once.
    """
    told = sorted((name for name in groups if len(groups[name]) >= least), key=lambda name: (-len(groups[name]), name))
    while told:
        hidden = [groups[name] for name in groups if name not in told]
        people = frozenset().union(*hidden) if hidden else frozenset()
        if not people or len(people) >= least:
            break
        told.pop()
    return sorted(told)


FEW_PEOPLE, FEW_SPENDERS, TEAM_CHANGED = "few_people", "few_spenders", "team_changed"


def why_hidden(memberships: Sequence[frozenset[str]], least: int) -> str:
    """Why a period's total of a group is not told; "" where it may be.

    `memberships` are those of the end of the period before and of each day of the period on which they changed. Two
    totals whose members differ by a few tell what those few spent, and a total may be read on any day.
    """
    if len(memberships[-1]) < least:
        return FEW_PEOPLE
    told = [members for members in memberships if len(members) >= least]
    if any(0 < len(one ^ other) < least for one, other in combinations(told, 2)):
        return TEAM_CHANGED
    return ""


def is_of_few(count: int, least: int) -> bool:
    """Whether an amount comes from someone, but from too few to be told; of no one at all there is nothing to tell."""
    return 0 < count < least


def counts(groups: Sequence[int], least: int) -> tuple[int | None, ...]:
    """How many people are in each of several groups that have no one in common; None where it is not told.

    Groups of fewer than `least` are not told, the empty ones among them, so that no one can say which have anyone in
    them. As all of them together can be worked out, they must be of enough people, and be several: as long as they are
    not, the smallest group that was to be told is left out with them.
    """
    hidden = {place for place, count in enumerate(groups) if count < least}
    told = sorted((place for place in range(len(groups)) if place not in hidden), key=lambda place: groups[place])
    if not any(groups[place] for place in hidden):
        return tuple(groups)
    while told and (len(hidden) == 1 or sum(groups[place] for place in hidden) < least):
        hidden.add(told.pop(0))
    return tuple(None if place in hidden else count for place, count in enumerate(groups))
