"""(j) The quarterly adjustment of a company, eight quarters of weekly roll-ups, over the bare drawing of its weeks."""

from __future__ import annotations

import dataclasses
import random
import time
import tracemalloc
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from policy import handbook
from policy.reviews import robust
from policy.reviews.adjustment import adjust
from policy.reviews.persons import Person
from policy.reviews.reasons import because, would_change
from policy.units import MICRO_PER_TOKEN

QUARTERS, WEEKS, TEAM = 8, 13, 8
RULES = handbook.parse(handbook.packaged()).adjustment
FAMILIES, LEVELS = ("engineering", "research"), ("junior", "mid", "senior", "staff", "principal")


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds for all quarters, those of bare draws, and the most memory (MiB) that one took beside its input."""

    ours: float
    explained: float
    floor: float
    memory: float


def measure(unit: str, people: int) -> Measured:
    """All quarters one after the other, states and changes carried on; then with every sentence of everyone's."""
    rules = dataclasses.replace(RULES, unit=unit)
    company = _company(people)
    # The first call loads what numpy loads late.
    adjust(company, rules)
    ours = explained = floor = 0.0
    for _ in range(QUARTERS):
        begin = time.perf_counter()
        adjusted = adjust(company, rules)
        ours += time.perf_counter() - begin
        begin = time.perf_counter()
        sentences = sum(len(because(one)) + len(would_change(one)) for one in adjusted.values())
        explained += time.perf_counter() - begin
        assert len(adjusted) == people
        assert sentences > people
        begin = time.perf_counter()
        _bare(company)
        floor += time.perf_counter() - begin
        company = [
            dataclasses.replace(
                p, state=adjusted[p.person_id].state, deltas=(*p.deltas, adjusted[p.person_id].delta)[-3:]
            )
            for p in company
        ]
    tracemalloc.start()
    adjust(company, rules)
    memory = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return Measured(ours, explained, floor, memory)


def _company(people: int) -> list[Person]:
    chance = random.Random(people)
    return [
        Person(
            f"per_{i:06}",
            FAMILIES[i // TEAM % 2],
            chance.choice(LEVELS),
            f"team_{i // TEAM:05}",
            tuple(float(chance.randint(0, 6)) for _ in range(WEEKS)),
            tuple(chance.randint(0, 2_000) * MICRO_PER_TOKEN for _ in range(WEEKS)),
            tuple(Decimal(chance.randint(0, 110)) / 100 for _ in range(QUARTERS)),
        )
        for i in range(people)
    ]


def _bare(company: list[Person]) -> None:
    """What nothing saves where people are measured: their weeks drawn again, and the variance of logarithms."""
    drawn = robust.draws(WEEKS, RULES.efficiency.draws, RULES.efficiency.seed).T
    for begin in range(0, len(company), 1_000):
        some = company[begin : begin + 1_000]
        output = np.array([p.output for p in some], dtype=np.float64)
        tokens = np.array([p.debits for p in some], dtype=np.float64)
        noise = np.var(np.log(output @ drawn + 1) - 0.3 * np.log(tokens @ drawn + 1), axis=1)
        assert len(noise) == len(some)
