"""The quarterly adjustment of grants: a raise needs evidence of efficiency, a cut needs unused allowance.

    Δ = clip(.05·θ·[LCB > 0] − .10·[LOW] + .05·[HIGH and θ > −.5], −.10, +.10)

The figures are those of the packaged handbook. Low efficiency alone never cuts: its term is never below zero. A change
is counted in thousandths, what all changes make together in ten-thousandths; `policy.sizing` applies it within floors,
caps and the budget.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from math import inf, prod
from typing import TYPE_CHECKING

import numpy as np

from policy.reviews import efficiency
from policy.reviews.adjusted import Adjustment, Change
from policy.reviews.efficiency import Measures
from policy.sizing import FACTOR, NEUTRAL, WHOLE
from policy.units import MICRO_PER_TOKEN, Permille

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policy.parameters.grants import SizingRules
    from policy.parameters.reviews import AdjustmentRules, ChangeRules, UseRules
    from policy.reviews.efficiency import Score
    from policy.reviews.robust import Floats

LOW, USUAL, HIGH = "low", "usual", "high"
QUARTERS_BEFORE = 3
"""With the one that is decided they are the year over which changes are bounded."""
THOUSANDTH = Decimal("0.001")
NOTHING = Decimal("0.000")
FEW_WEEKS, FEW_PEERS, FEW_IN_TEAM, NO_OUTPUT = "few_weeks", "few_peers", "few_in_team", "no_output"
"""Why someone has no score."""

Weekly = tuple[float | None, ...]
"""A figure for each week of the quarter; None where the person was not there."""


@dataclass(frozen=True, slots=True)
class Person:
    """What one person's adjustment follows from.

    `output` is quality-weighted and may be empty where it is measured by team alone; `debits` are micro-tokens. Both
    have an entry for each week of the quarter. `utilisation` (debits ÷ regular grants; None where there were none), and
    `deltas` are quarter by quarter, the latest last; `state` is that of the quarter before.
    """

    person_id: str
    role_family: str
    level: str
    team: str
    output: Weekly
    debits: Weekly
    utilisation: tuple[Decimal | None, ...]
    state: str = USUAL
    deltas: tuple[Decimal, ...] = ()
    fte_permille: Permille = WHOLE


def adjust(
    people: Iterable[Person], rules: AdjustmentRules, *, team_output: Mapping[str, Weekly] | None = None
) -> dict[str, Adjustment]:
    """Everyone's adjustment by person id, in the order of the ids.

    `team_output` is the weekly output of whole teams where no one measures that of a person; else a team's is its
    people's together.
    """
    everybody = sorted(people, key=lambda person: person.person_id)
    _check(everybody, team_output or {})
    weeks = {person.person_id: sum(week is not None for week in person.debits) for person in everybody}
    sizes = Counter(person.team for person in everybody if weeks[person.person_id] >= rules.least_weeks)
    if rules.unit == "team":
        large = {team for team, people_in_it in sizes.items() if people_in_it >= rules.least_team}
        measures = _of_teams([person for person in everybody if person.team in large], team_output)
    else:
        measures = _of_persons([person for person in everybody if person.output])
    known = _Known(efficiency.score(measures, rules), measures.weeks, weeks, sizes)
    return {person.person_id: _adjustment(person, known, rules) for person in everybody}


@dataclass(frozen=True, slots=True)
class _Known:
    """Scores, and how many weeks there are of each unit and each person, and how many people count in each team."""

    scores: Mapping[str, Score]
    unit_weeks: Mapping[str, int]
    weeks: Mapping[str, int]
    sizes: Mapping[str, int]


def _check(everybody: Sequence[Person], team_output: Mapping[str, Weekly]) -> None:
    """Ids are unique, all have the same weeks, and no output is below zero: else something is credited wrongly."""
    if len({person.person_id for person in everybody}) < len(everybody):
        raise ValueError("a person is given twice")
    lengths = {len(person.debits) for person in everybody} | {len(weeks) for weeks in team_output.values()}
    lengths |= {len(person.output) for person in everybody if person.output}
    if len(lengths) > 1:
        raise ValueError(f"weeks differ in number: {', '.join(map(str, sorted(lengths)))}")
    for name, output in [*((p.person_id, p.output) for p in everybody), *team_output.items()]:
        if not all(week is None or 0 <= week < inf for week in output):
            raise ValueError(f"output of {name} is below zero or no number")


def _adjustment(person: Person, known: _Known, rules: AdjustmentRules) -> Adjustment:
    missing = _missing(person, known, rules)
    score = None if missing else known.scores[_unit(person, rules)]
    state = next_state(person.state, person.utilisation, rules.use)
    # Where no one knows what was used, the state is kept, and moves nothing.
    acting = state if person.utilisation and person.utilisation[-1] is not None else USUAL
    deltas = person.deltas[-QUARTERS_BEFORE:]
    theta, lcb = (score.theta, score.lcb) if score else (None, None)
    return Adjustment(
        person_id=person.person_id,
        unit=rules.unit,
        change=change(theta, lcb, acting, deltas, rules.change),
        state=state,
        before=person.state,
        utilisation=person.utilisation,
        deltas=deltas,
        score=score,
        missing=missing,
        weeks=min(known.weeks[person.person_id], known.unit_weeks.get(_unit(person, rules), rules.weeks)),
        team_size=known.sizes.get(person.team, 0),
        rules=rules,
    )


def _unit(person: Person, rules: AdjustmentRules) -> str:
    return person.team if rules.unit == "team" else person.person_id


def _missing(person: Person, known: _Known, rules: AdjustmentRules) -> str:
    """Why there is no score; "" where there is one. A person who has just joined a team has no part in its score."""
    if known.weeks[person.person_id] < rules.least_weeks:
        return FEW_WEEKS
    if rules.unit == "team" and known.sizes.get(person.team, 0) < rules.least_team:
        return FEW_IN_TEAM
    unit = _unit(person, rules)
    if unit in known.scores:
        return ""
    if not known.unit_weeks.get(unit):
        return NO_OUTPUT
    return FEW_WEEKS if known.unit_weeks[unit] < rules.least_weeks else FEW_PEERS


def next_state(before: str, utilisation: Sequence[Decimal | None], rules: UseRules) -> str:
    """LOW, USUAL or HIGH after a quarter whose utilisation is the last of those given; unknown, it changes nothing."""
    if not utilisation or utilisation[-1] is None:
        return before
    used = utilisation[-1]
    if before == LOW and used <= rules.low_leave:
        return LOW
    if used > rules.high_enter or (before == HIGH and used >= rules.high_leave):
        return HIGH
    recent = utilisation[-rules.low_quarters :]
    below = [one is not None and one < rules.low_enter for one in recent]
    return LOW if len(below) == rules.low_quarters and all(below) else USUAL


def change(theta: float | None, lcb: float | None, state: str, deltas: Sequence[Decimal], rules: ChangeRules) -> Change:
    """Δ from the score (None: not enough data, which raises no one), the state, and the year's changes so far."""
    known = None if theta is None else Decimal(repr(theta))
    efficient = high = NOTHING
    if known is not None and lcb is not None and lcb > 0:
        efficient = in_thousandths(rules.per_score * known)
    if state == HIGH and known is not None and known > -rules.least_score_high:
        high = in_thousandths(rules.high)
    low = -in_thousandths(rules.low) if state == LOW else NOTHING
    wanted = efficient + low + high
    least, most = bounds(deltas, rules)
    return Change(efficient, low, high, min(max(wanted, least), most) - wanted)


def in_thousandths(change: Decimal) -> Decimal:
    """The one rounding between a score and what it changes: to the nearest thousandth, halves to the even one."""
    return change.quantize(THOUSANDTH, ROUND_HALF_EVEN)


def bounds(deltas: Sequence[Decimal], rules: ChangeRules) -> tuple[Decimal, Decimal]:
    """The least and the most that a quarter may change, so that the year's changes together stay within theirs.

    So must those of the last quarters alone, or a year could begin outside of its bounds. 0 is always allowed: that
    bounds were narrowed is no reason for a cut.
    """
    together = [prod((1 + delta for delta in deltas[i:]), start=NEUTRAL) for i in range(len(deltas))]
    least = max([-rules.most_quarter, *((1 - rules.most_year) / so_far - 1 for so_far in together)])
    most = min([rules.most_quarter, *((1 + rules.most_year) / so_far - 1 for so_far in together)])
    return (
        min(least.quantize(THOUSANDTH, ROUND_DOWN), NOTHING),
        max(most.quantize(THOUSANDTH, ROUND_DOWN), NOTHING),
    )


def carried(factor: Decimal, delta: Decimal, rules: SizingRules) -> Decimal:
    """What the adjustments so far make together after another one: `Claim.adjustment` of the next quarter's grants.

    It stays within the grant's own floor and cap: beyond them it would only have to be undone before anything moves.
    """
    return min(max(factor * (1 + delta), rules.floor_share), rules.cap_share).quantize(FACTOR, ROUND_HALF_EVEN)


def _of_persons(people: Sequence[Person]) -> Measures:
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
