"""A company of 200 people over eight quarters whose ways are planted, run through the real adjustment and sizing.

Who is efficient, idle, unlucky or gaming is known here and hidden from the rules; so what they do can be counted as
right or wrong, and what gaming gains as the difference to the same person, with the same luck, who does not.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from benchmarks import effects
from policy import handbook
from policy.period import Quarter
from policy.reviews.adjustment import adjust, carried
from policy.reviews.persons import USUAL, Person
from policy.sizing import NEUTRAL, Claim, bought, size
from policy.units import NanoUSD
from policy.value.valuation import TokenValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.reviews.adjusted import Adjustment

PEOPLE, QUARTERS, WEEKS, TEAM = 200, 8, 13, 8
BOOK = handbook.parse(handbook.packaged())
VALUE = TokenValue(Quarter(2027, 1), "2027-Q1.1", 10_000_000, buffer_permille=100)
PLANTED = {
    "efficient": 20,
    "inefficient": 14,
    "idle": 20,
    "unlucky": 12,
    "newcomer": 10,
    "splitter": 10,
    "burner": 10,
    "pretender": 10,
    "usual": 94,
}
HONEST = {"splitter": "usual", "burner": "usual", "pretender": "idle"}
"""What someone who games would be otherwise."""
LEVELS = {"junior": (90_000, 2.5), "mid": (120_000, 3.0), "senior": (150_000, 3.5), "staff": (190_000, 3.5)}
"""Midpoint of the pay band, and pieces of work a week."""
REVERTED, PIECES, SPREAD_OF_SKILL = 0.08, 3, 0.15
CEILINGS = (1.0, 6.0)
"""Grants that fit the work, and those of which people use a tenth."""
GAP = 0.5
"""By how much the efficient and the inefficient differ from others, in logarithms: 1.65 times as much, and 0.61."""


class Judged(TypedDict):
    """By which edition's rules, with which grants."""

    at_first: bool
    ceiling: float


@dataclass(frozen=True, slots=True)
class Character:
    """One of the company: `skill` is the logarithm of output at equal tokens, `demand` the share of the first grant."""

    number: int
    kind: str
    family: str
    level: str
    skill: float
    demand: float
    bad_quarter: int
    joins: int

    @property
    def id(self) -> str:
        return f"per_{self.number:03}"

    @property
    def team(self) -> str:
        return f"team_{self.number // TEAM:02}"


@dataclass(frozen=True, slots=True)
class Run:
    """What a company got: each person's adjustments, what they make together, and grants (micro-tokens), by quarter."""

    unit: str
    company: tuple[Character, ...]
    adjustments: dict[str, list[Adjustment]] = field(default_factory=dict)
    factors: dict[str, list[Decimal]] = field(default_factory=dict)
    grants: dict[str, list[int]] = field(default_factory=dict)
    issued: list[int] = field(default_factory=list)
    budgets: list[int] = field(default_factory=list)


@cache
def company(seed: int) -> tuple[Character, ...]:
    """200 people in teams of eight, a fifth of the teams in research."""
    chance = np.random.default_rng([seed, 0])
    kinds = [kind for kind, count in PLANTED.items() for _ in range(count)]
    chance.shuffle(kinds)
    people = []
    for number, kind in enumerate(kinds):
        skill = float(chance.normal(0, SPREAD_OF_SKILL)) + GAP * ((kind == "efficient") - (kind == "inefficient"))
        demand = float(chance.uniform(0.08, 0.28) if kind in ("idle", "pretender") else chance.uniform(0.5, 0.85))
        level = tuple(LEVELS)[int(chance.integers(len(LEVELS)))]
        family = "research" if number // TEAM % 5 == 0 else "engineering"
        joins = int(chance.integers(2, QUARTERS)) if kind == "newcomer" else 0
        people.append(Character(number, kind, family, level, skill, demand, int(chance.integers(1, QUARTERS)), joins))
    return tuple(people)


@cache
def work(who: Character, quarter: int, seed: int, *, by_size: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Output of each week, and the share of the first grant that was needed for it.

    What was reverted counts nothing. Who splits makes three of each piece; counted by size they are a third each.
    """
    chance = np.random.default_rng([seed, 1 + who.number, quarter])
    demand = who.demand * chance.lognormal(-0.08, 0.4, WEEKS) / WEEKS
    luck = 1.0
    if who.kind == "unlucky" and quarter == who.bad_quarter:
        luck, demand = 0.4, demand / 2
    if who.kind == "newcomer" and quarter == who.joins:
        # Two weeks in which old work of others was merged in their name.
        luck_of_weeks = np.where(np.isin(np.arange(WEEKS), (8, 9)), 8.0, 1.0)
    else:
        luck_of_weeks = np.full(WEEKS, luck)
    rate = LEVELS[who.level][1] * np.exp(who.skill) * (demand * WEEKS / 0.65) ** 0.3
    pieces = chance.poisson(rate * luck_of_weeks)
    split = PIECES if who.kind == "splitter" else 1
    good = chance.binomial(pieces * split, 1 - REVERTED) / (split if by_size else 1)
    return tuple(good.tolist()), tuple(demand.tolist())


@cache
def run(
    unit: str,
    *,
    seed: int = 1,
    honest: tuple[str, ...] = (),
    by_size: bool = False,
    at_first: bool = False,
    ceiling: float = 1.0,
) -> Run:
    """The company's quarters, one after the other; `honest` are those who do not game in this run.

    `at_first` they are judged by the rules of the first edition; their grants are `ceiling` times what their work calls
    for in the planted company.
    """
    rules = dataclasses.replace(BOOK.adjustment.first_edition if at_first else BOOK.adjustment, unit=unit)
    people = [dataclasses.replace(who, kind=HONEST[who.kind]) if who.id in honest else who for who in company(seed)]
    result = Run(unit, company(seed))
    before: dict[str, Person] = {}
    factors = {who.id: NEUTRAL for who in people}
    first = _grants(people, factors, None)
    budget = sum(first.values())
    for quarter in range(QUARTERS):
        here = [who for who in people if who.joins <= quarter]
        grants = _grants(here, factors, budget)
        result.issued.append(sum(grants.values()))
        result.budgets.append(budget)
        before = {
            who.id: _person(
                who,
                quarter,
                round(3 * first[who.id] / ceiling),
                3 * grants[who.id],
                before.get(who.id),
                worked=work(who, quarter, seed, by_size=by_size),
            )
            for who in here
        }
        for person_id, adjusted in adjust(before.values(), rules).items():
            factors[person_id] = carried(factors[person_id], adjusted.delta, BOOK.sizing)
            result.adjustments.setdefault(person_id, []).append(adjusted)
            result.factors.setdefault(person_id, []).append(factors[person_id])
            result.grants.setdefault(person_id, []).append(grants[person_id])
            before[person_id] = dataclasses.replace(
                before[person_id], state=adjusted.state, deltas=(*adjusted.deltas, adjusted.delta)
            )
    return result


def _grants(people: Sequence[Character], factors: dict[str, Decimal], budget: int | None) -> dict[str, int]:
    """Everyone's monthly grant, of at most `budget` micro-tokens together."""
    claims = [
        Claim(who.id, who.level, NanoUSD(LEVELS[who.level][0] * 10**9), 1_000, 30, 30, adjustment=factors[who.id])
        for who in people
    ]
    usd = None
    if budget is not None:
        # What the first grants of all cost: whoever is raised now is raised out of what others are not given.
        usd = NanoUSD(budget * 10**9 // bought(NanoUSD(10**9), VALUE))
    return {person_id: int(f.amount) for person_id, f in size(claims, BOOK.sizing, VALUE, budget=usd).grants.items()}


def _person(  # noqa: PLR0917 - private, called once
    who: Character,
    quarter: int,
    first: int,
    grant: int,
    before: Person | None,
    worked: tuple[tuple[float, ...], tuple[float, ...]],
) -> Person:
    output, demand = worked
    debits = [round(week * first) for week in demand]
    wanted = {"burner": 0.97, "pretender": 0.56}.get(who.kind, 0.0) * grant
    if (spent := sum(debits)) < wanted:
        debits = [week + round((wanted - spent) / WEEKS) for week in debits]
    if (spent := sum(debits)) > grant:
        debits = [week * grant // spent for week in debits]
    # A newcomer comes in the sixth week.
    absent = 5 if who.kind == "newcomer" and quarter == who.joins else 0
    used = Decimal(sum(debits[absent:]) * WEEKS) / ((WEEKS - absent) * grant)
    history = before.utilisation if before else ()
    return Person(
        who.id,
        who.family,
        who.level,
        who.team,
        (None,) * absent + output[absent:],
        (None,) * absent + tuple(debits[absent:]),
        (*history, used.quantize(Decimal("0.0001"))),
        before.state if before else USUAL,
        before.deltas if before else (),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """What one kind of people got, counted over their quarters."""

    kind: str
    people: int
    quarters: int
    raised_by_efficiency: int
    wrongly: int
    raised_by_use: int
    cuts: int
    factor: float


def lines(result: Run) -> list[Line]:
    """Each kind's raises, those by efficiency of people (or teams) not above the middle, cuts, and mean factor."""
    skilled = _truth(result)
    told = []
    for kind in PLANTED:
        ids = [who.id for who in result.company if who.kind == kind]
        every = [(person, adjusted) for person in ids for adjusted in result.adjustments[person]]
        efficient = [person for person, adjusted in every if adjusted.change.efficiency > 0]
        told.append(
            Line(
                kind,
                len(ids),
                len(every),
                len(efficient),
                sum(not skilled[person] for person in efficient),
                sum(adjusted.change.high > 0 for _, adjusted in every),
                sum(adjusted.delta < 0 for _, adjusted in every),
                float(np.mean([float(result.factors[person][-1]) for person in ids])),
            )
        )
    return told


def _truth(result: Run) -> dict[str, bool]:
    """Whether each person's planted skill, or that of their team, is above the middle of the peers."""
    skills: defaultdict[str, list[float]] = defaultdict(list)
    for who in result.company:
        skills[who.team].append(who.skill)
    own: dict[str, float] = {}
    peers: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    by_team = result.unit == "team"
    for who in result.company:
        own[who.id] = float(np.mean(skills[who.team])) if by_team else who.skill
        peers[who.family, "" if by_team else who.level].append(own[who.id])
    return {
        who.id: own[who.id] > float(np.median(peers[who.family, "" if by_team else who.level]))
        for who in result.company
    }


@dataclass(frozen=True, slots=True)
class Gain:
    """What gaming gains: the mean of all changes together at the end, gaming and honest, and tokens of two years."""

    kind: str
    people: int
    gaming: float
    honest: float
    tokens: float


def gains(
    unit: str,
    kind: str,
    *,
    seed: int = 1,
    most: int = PEOPLE,
    by_size: bool = False,
    at_first: bool = False,
    ceiling: float = 1.0,
) -> Gain:
    """Each of a kind gaming and not, everything else being equal: the others, and everyone's luck."""
    gaming = run(unit, seed=seed, honest=(), by_size=by_size, at_first=at_first, ceiling=ceiling)
    ids = [who.id for who in company(seed) if who.kind == kind][:most]
    ends, more = [], []
    for person in ids:
        honest = run(unit, seed=seed, honest=(person,), by_size=by_size, at_first=at_first, ceiling=ceiling)
        ends.append((float(gaming.factors[person][-1]), float(honest.factors[person][-1])))
        more.append(sum(gaming.grants[person]) / sum(honest.grants[person]) - 1)
    means = np.mean(ends, axis=0)
    return Gain(kind, len(ids), float(means[0]), float(means[1]), float(np.mean(more)))


def main() -> None:
    """Print who got what, and what gaming gains, for both units, as it is now and as it was at first."""
    for ceiling, unit, at_first in ((c, u, f) for c in CEILINGS for u in ("team", "person") for f in (True, False)):
        how: Judged = {"at_first": at_first, "ceiling": ceiling}
        print(f"\nunit = {unit}, grants × {ceiling:g}, {'first edition' if at_first else 'as it is'}")
        print(f"{'':<13} {'kind':<12}people quarters  raised  wrongly  by use   cuts  all changes")
        for line in lines(run(unit, **how)):
            print(
                f"{'':<13} {line.kind:<12}{line.people:>6}{line.quarters:>9}{line.raised_by_efficiency:>8}"
                f"{line.wrongly:>9}{line.raised_by_use:>8}{line.cuts:>7}{line.factor:>13.3f}"
            )
        for kind in HONEST:
            gain = gains(unit, kind, **how)
            print(f"  {kind}: × {gain.gaming:.3f}, honest × {gain.honest:.3f}; {gain.tokens:+.1%} tokens in two years")
        gain = gains(unit, "splitter", by_size=True, **how)
        print(f"  splitter, output counted by size: × {gain.gaming:.3f}, honest × {gain.honest:.3f}")


if __name__ == "__main__":
    effects.main() if sys.argv[1:] == ["roi"] else main()
