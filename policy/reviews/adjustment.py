"""The quarterly adjustment of grants: a raise needs evidence of efficiency, a cut needs unused allowance.

    LOW: u < .40 and u < .5 × the peers' median in 2 quarters running, until u > .50 or u > .6 × the median
    HIGH: u > .90, until u < .80
    Δ = clip(.05·θ·[LCB > 0] − .10·[LOW] + .05·[HIGH and not θ ≤ −.5], −.10, +.10)

The figures are those of the packaged handbook. Low efficiency alone never cuts: its term is never below zero. Where the
grants are too large for many (`policy.reviews.use`), LOW cuts only who used next to nothing twice. A change
is counted in thousandths, what all changes make together in ten-thousandths; `policy.sizing` applies it within floors,
caps and the budget.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from math import inf, prod
from typing import TYPE_CHECKING

from policy.reviews import efficiency, measured, use
from policy.reviews.adjusted import WIDER, Adjustment, Change
from policy.reviews.measured import Units
from policy.reviews.persons import HIGH, LOW, USUAL
from policy.reviews.use import Using
from policy.sizing import FACTOR, NEUTRAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policy.parameters.grants import SizingRules
    from policy.parameters.reviews import AdjustmentRules, ChangeRules, UseRules
    from policy.reviews.efficiency import Measures, Score
    from policy.reviews.persons import Person, Weekly
    from policy.reviews.use import TooLarge, Utilisation

QUARTERS_BEFORE = 3
"""With the one that is decided they are the year over which changes are bounded."""
THOUSANDTH = Decimal("0.001")
NOTHING = Decimal("0.000")
FEW_WEEKS, FEW_PEERS, FEW_IN_TEAM, NO_OUTPUT = "few_weeks", "few_peers", "few_in_team", "no_output"
"""Why someone has no score."""


def adjust(
    people: Iterable[Person],
    rules: AdjustmentRules,
    *,
    team_output: Mapping[str, Weekly] | None = None,
    above: Mapping[str, str] | None = None,
) -> dict[str, Adjustment]:
    """Everyone's adjustment by person id, in the order of the ids.

    `team_output` is the weekly output of whole teams where no one measures that of a person; else a team's is its
    people's together. `above` has the managers of those by whom teams are called.
    """
    everybody = sorted(people, key=lambda person: person.person_id)
    _check(everybody, team_output or {})
    weeks = {person.person_id: sum(week is not None for week in person.debits) for person in everybody}
    sizes = _sizes(everybody, rules)
    units, measures = _measured(everybody, rules, team_output, above or {})
    known = _Known(
        efficiency.score(measures, rules), measures.weeks, weeks, sizes, units, _found_large(everybody, rules)
    )
    beside = _of_peers(everybody, rules)
    return {p.person_id: _adjustment(p, known, peers, rules) for p, peers in zip(everybody, beside, strict=True)}


def measures_of(
    people: Iterable[Person],
    rules: AdjustmentRules,
    *,
    team_output: Mapping[str, Weekly] | None = None,
    above: Mapping[str, str] | None = None,
) -> Measures:
    """What the same people's units delivered and spent."""
    everybody = sorted(people, key=lambda person: person.person_id)
    return _measured(everybody, rules, team_output, above or {})[1]


def _sizes(everybody: Iterable[Person], rules: AdjustmentRules) -> Counter[str]:
    """How many people count in each team."""
    weeks = ((person.team, sum(week is not None for week in person.debits)) for person in everybody)
    return Counter(team for team, count in weeks if count >= rules.least_weeks)


def _measured(
    everybody: Sequence[Person],
    rules: AdjustmentRules,
    team_output: Mapping[str, Weekly] | None,
    above: Mapping[str, str],
) -> tuple[Units, Measures]:
    if rules.unit != "team":
        return Units({}, {}), measured.of_persons([person for person in everybody if person.output])
    units = measured.units_of_teams(_sizes(everybody, rules), rules, team_output, above)
    return units, measured.of_teams(everybody, units, team_output)


@dataclass(frozen=True, slots=True)
class _Known:
    """Scores, and how many weeks there are of each unit and each person, and how many people count in each team."""

    scores: Mapping[str, Score]
    unit_weeks: Mapping[str, int]
    weeks: Mapping[str, int]
    sizes: Mapping[str, int]
    units: Units
    too_large: TooLarge | None


def _found_large(everybody: Sequence[Person], rules: AdjustmentRules) -> TooLarge | None:
    last = [person.utilisation[-1] for person in everybody if person.utilisation]
    return use.too_large([used for used in last if used is not None], rules)


def _of_peers(everybody: Sequence[Person], rules: AdjustmentRules) -> Sequence[Utilisation]:
    if not rules.use.is_relative:
        return [()] * len(everybody)
    using = [Using(person.role_family, person.level, person.utilisation) for person in everybody]
    return use.of_peers(using, max(rules.use.low_quarters, 2), rules.least_peers)


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


def _adjustment(person: Person, known: _Known, peers: Utilisation, rules: AdjustmentRules) -> Adjustment:
    missing = _missing(person, known, rules)
    unit = _unit(person, known, rules)
    score = None if missing or unit is None else known.scores[unit]
    state = next_state(person.state, person.utilisation, rules.use, peers)
    spared = state == LOW and is_spared(person.utilisation, rules, too_large=known.too_large is not None)
    # Where no one knows what was used, the state is kept, and moves nothing.
    acting = state if person.utilisation and person.utilisation[-1] is not None and not spared else USUAL
    deltas = person.deltas[-QUARTERS_BEFORE:]
    theta, lcb = (score.theta, score.lcb) if score else (None, None)
    return Adjustment(
        person_id=person.person_id,
        unit=WIDER if unit in known.units.below else rules.unit,
        change=change(theta, lcb, acting, deltas, rules.change),
        state=state,
        before=person.state,
        utilisation=person.utilisation,
        deltas=deltas,
        score=score,
        missing=missing,
        weeks=min(known.weeks[person.person_id], known.unit_weeks.get(unit or "", rules.weeks)),
        team_size=known.sizes.get(person.team, 0),
        unit_size=known.units.size_of(unit, known.sizes),
        peers=peers,
        spared=spared,
        rules=rules,
    )


def is_spared(utilisation: Sequence[Decimal | None], rules: AdjustmentRules, *, too_large: bool) -> bool:
    """Whether LOW does not cut someone, because the grants are too large for many and they did use some of theirs."""
    if not too_large or rules.resize is None:
        return False
    return not use.is_idle(utilisation, rules.use.low_quarters, rules.resize)


def _unit(person: Person, known: _Known, rules: AdjustmentRules) -> str | None:
    """Whose score a person has: their own, their team's, the wider team's; None where no team is large enough."""
    return known.units.of_team.get(person.team) if rules.unit == "team" else person.person_id


def _missing(person: Person, known: _Known, rules: AdjustmentRules) -> str:
    """Why there is no score; "" where there is one. A person who has just joined a team has no part in its score."""
    if known.weeks[person.person_id] < rules.least_weeks:
        return FEW_WEEKS
    unit = _unit(person, known, rules)
    if unit is None:
        return FEW_IN_TEAM
    if unit in known.scores:
        return ""
    if not known.unit_weeks.get(unit):
        return NO_OUTPUT
    return FEW_WEEKS if known.unit_weeks[unit] < rules.least_weeks else FEW_PEERS


def next_state(
    before: str, utilisation: Sequence[Decimal | None], rules: UseRules, peers: Sequence[Decimal | None] = ()
) -> str:
    """LOW, USUAL or HIGH after a quarter whose utilisation is the last of those given; unknown, it changes nothing.

    `peers` are the medians of the same quarters. Who has no peers is not LOW: there is nothing to be low beside.
    """
    if not utilisation or utilisation[-1] is None:
        return before
    used = utilisation[-1]
    if before == LOW and _stays_low(used, peers[-1] if peers else None, rules):
        return LOW
    if used > rules.high_enter or (before == HIGH and used >= rules.high_leave):
        return HIGH
    below = quarters_below(utilisation, peers, rules)
    return LOW if below >= rules.low_quarters else USUAL


def quarters_below(utilisation: Sequence[Decimal | None], peers: Sequence[Decimal | None], rules: UseRules) -> int:
    """In how many quarters running, up to the last, someone was below what LOW is entered at."""
    count = 0
    while count < len(utilisation):
        used = utilisation[-1 - count]
        middle = peers[-1 - count] if count < len(peers) else None
        if used is None or used >= rules.low_enter or not _is_beside(used, middle, rules.low_of_peers):
            break
        count += 1
    return count


def _is_beside(used: Decimal, peers: Decimal | None, share: Decimal | None) -> bool:
    """Whether it is below that share of the peers' median, where that matters."""
    return share is None or (peers is not None and used < share * peers)


def _stays_low(used: Decimal, peers: Decimal | None, rules: UseRules) -> bool:
    share = rules.low_leave_of_peers
    return used <= rules.low_leave and (share is None or (peers is not None and used <= share * peers))


def change(theta: float | None, lcb: float | None, state: str, deltas: Sequence[Decimal], rules: ChangeRules) -> Change:
    """Δ from the score (None: not enough data, which is no evidence), the state, and the year's changes so far."""
    known = None if theta is None else Decimal(repr(theta))
    efficient = high = NOTHING
    if known is not None and lcb is not None and lcb > 0:
        efficient = in_thousandths(rules.per_score * known)
    allows = rules.high_without_score == "yes" if known is None else known > -rules.least_score_high
    if state == HIGH and allows:
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
