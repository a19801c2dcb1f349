"""What the units of a review, people or teams, delivered and spent per post, week by week.

A team of too few may have the score of the wider one (`policy.reviews.wider`), which is a unit of its own then.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from policy.reviews import wider
from policy.reviews.efficiency import Measures
from policy.sizing import WHOLE
from policy.units import MICRO_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policy.parameters.reviews import AdjustmentRules
    from policy.reviews.persons import Person, Weekly
    from policy.reviews.robust import Floats


@dataclass(frozen=True, slots=True)
class Units:
    """Whose score each team's people have.

    `of_team` has the team itself, or its wider team; a team of too few without one is left out. `below` has the teams
    that each wider team is made of.
    """

    of_team: Mapping[str, str]
    below: Mapping[str, Sequence[str]]

    def size_of(self, unit: str | None, sizes: Mapping[str, int]) -> int:
        """How many people count in a unit; `sizes` are those of the teams."""
        return 0 if unit is None else sum(sizes.get(team, 0) for team in self.below.get(unit, [unit]))


def units_of_teams(
    sizes: Mapping[str, int],
    rules: AdjustmentRules,
    team_output: Mapping[str, Weekly] | None,
    above: Mapping[str, str],
) -> Units:
    """The units of teams of such sizes; wider teams are made of those whose output is known."""
    of_team = {team: team for team, size in sizes.items() if size >= rules.least_team}
    if rules.small_teams != "parent":
        return Units(of_team, {})
    counting = {team: size for team, size in sizes.items() if team_output is None or team in team_output}
    small = sorted(set(sizes) - set(of_team))
    managers = wider.wider_teams(small, counting, above, rules.least_team)
    made_of = wider.teams_below(managers.values(), counting, above)
    below = {manager + wider.BELOW: teams for manager, teams in made_of.items()}
    return Units(of_team | {team: manager + wider.BELOW for team, manager in managers.items()}, below)


def of_teams(everybody: Sequence[Person], units: Units, team_output: Mapping[str, Weekly] | None) -> Measures:
    """The weeks of the teams that are large enough, and of the wider teams of the others."""
    own = _of_teams([person for person in everybody if units.of_team.get(person.team) == person.team], team_output)
    if not units.below:
        return own
    within: defaultdict[str, list[str]] = defaultdict(list)
    for unit, teams in units.below.items():
        for team in teams:
            within[team].append(unit)
    people = [_within(person, unit, team_output) for person in everybody for unit in within.get(person.team, ())]
    output = None if team_output is None else {u: _together(t, team_output) for u, t in units.below.items()}
    return _joined(own, _of_teams(people, output))


def _within(person: Person, unit: str, team_output: Mapping[str, Weekly] | None) -> Person:
    """A person as one of a wider team: there in the weeks in which their own team's output is known."""
    if team_output is None:
        return replace(person, team=unit)
    made = team_output[person.team]
    debits = tuple(None if week is None else debit for week, debit in zip(made, person.debits, strict=True))
    return replace(person, team=unit, debits=debits)


def _together(teams: Sequence[str], team_output: Mapping[str, Weekly]) -> Weekly:
    """What some teams made in each week in which that of any of them is known."""
    weeks = zip(*(team_output[team] for team in teams), strict=True)
    return tuple(sum(known) if (known := [one for one in week if one is not None]) else None for week in weeks)


def _joined(own: Measures, wide: Measures) -> Measures:
    if not own.ids:
        return replace(wide, wider=len(wide.ids))
    return Measures(
        own.ids + wide.ids,
        own.families + wide.families,
        own.levels + wide.levels,
        np.vstack([own.output, wide.output]),
        np.vstack([own.tokens, wide.tokens]),
        wider=len(wide.ids),
    )


def of_persons(people: Sequence[Person]) -> Measures:
    """The weeks of people, each a unit of their own."""
    posts = np.array([[float(person.fte_permille) / WHOLE] for person in people]).reshape(-1, 1)
    return Measures(
        tuple(person.person_id for person in people),
        tuple(person.role_family for person in people),
        tuple(person.level for person in people),
        _matrix([person.output for person in people]) / posts,
        _matrix([person.debits for person in people]) / (posts * MICRO_PER_TOKEN),
    )


def _of_teams(people: Sequence[Person], team_output: Mapping[str, Weekly] | None) -> Measures:
    """A team's weeks: what those who were there made and spent together, over their posts."""
    teams = sorted({person.team for person in people})
    row = {team: i for i, team in enumerate(teams)}
    of_team = np.array([row[person.team] for person in people], dtype=np.int64)
    debits = _matrix([person.debits for person in people])
    there = ~np.isnan(debits)
    posts = np.array([[float(person.fte_permille) / WHOLE] for person in people]).reshape(-1, 1)
    together = _summed(np.where(there, posts, 0.0), of_team, len(teams))
    together[together == 0] = np.nan
    if team_output is None:
        output = _matrix([person.output or (None,) * len(person.debits) for person in people])
        made = _summed(np.where(np.isnan(output), 0.0, output), of_team, len(teams))
        made[_summed((~np.isnan(output)).astype(float), of_team, len(teams)) == 0] = np.nan
    else:
        nothing = (None,) * debits.shape[1]
        made = _matrix([team_output.get(team, nothing) for team in teams])
    spent = _summed(np.where(there, debits, 0.0), of_team, len(teams)) / MICRO_PER_TOKEN
    return Measures(
        tuple(teams), tuple(_families(people, teams)), ("",) * len(teams), made / together, spent / together
    )


def _families(people: Sequence[Person], teams: Sequence[str]) -> list[str]:
    """The role family that most of each team have; of several the first by name."""
    families: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for person in people:
        families[person.team][person.role_family] += 1
    return [min(families[team], key=lambda family: (-families[team][family], family)) for team in teams]


def _matrix(rows: Sequence[Weekly]) -> Floats:
    """A row for each, a column for each week; None is not a number."""
    if not rows:
        return np.zeros((0, 0))
    return np.array([[np.nan if week is None else float(week) for week in row] for row in rows], dtype=np.float64)


def _summed(rows: Floats, groups: np.ndarray[tuple[int, ...], np.dtype[np.int64]], count: int) -> Floats:
    """The sums of the rows of each group, always added in the same order."""
    total = np.zeros((count, rows.shape[1]))
    np.add.at(total, groups, rows)
    return total
