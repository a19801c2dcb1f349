"""The wider team of a team of few: everyone below its manager's manager, as far up as it takes.

A team is called by its manager, who may be anyone; `above` has whom the managers report to.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BELOW = "/below"
"""Ends the name of a wider team, so that it is not that of the manager's own reports."""


def managers_above(team: str, above: Mapping[str, str]) -> Iterator[str]:
    """Whom a team's manager reports to, and so on up to the top; a circle of managers ends where it closes."""
    seen = {team}
    manager: str | None = above.get(team)
    while manager and manager not in seen:
        seen.add(manager)
        yield manager
        manager = above.get(manager)


def wider_teams(small: Iterable[str], sizes: Mapping[str, int], above: Mapping[str, str], least: int) -> dict[str, str]:
    """The manager of the wider team of each small team that has one of at least so many people.

    `sizes` are those of all teams whose people count.
    """
    together: Counter[str] = Counter()
    for team, size in sizes.items():
        for manager in (team, *managers_above(team, above)):
            together[manager] += size
    found: dict[str, str] = {}
    for team in small:
        enough = (manager for manager in managers_above(team, above) if together[manager] >= least)
        if (nearest := next(enough, None)) is not None:
            found[team] = nearest
    return found


def teams_below(managers: Iterable[str], teams: Iterable[str], above: Mapping[str, str]) -> dict[str, list[str]]:
    """The teams that each manager's wider one is made of, that of their own reports with them."""
    found: dict[str, list[str]] = {manager: [] for manager in sorted(set(managers))}
    for team in teams:
        for manager in (team, *managers_above(team, above)):
            if manager in found:
                found[manager].append(team)
    return found
