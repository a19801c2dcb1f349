"""Usage as a gateway would report it: random ids, in the order of time, spread over people, models and days.

Two shapes. In *sessions*, as people and agents work: some of them at a time, each making calls in a row with one model.
*Scattered*: every call is anybody's, with any model; no real traffic looks so, and nothing is harder on a ledger.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 1_000
EVERYBODY = range(PEOPLE)
EVENTS_A_DAY = 111_000
"""Ten million events in 90 days."""
END = datetime(2026, 11, 30, 12, tzinfo=UTC)
"""Just after the last event, however many there are: what a balance tells is about the days before."""
SOURCE = "bench"

NANO_USD_PER_TOKEN = 10_000_000
"""The packaged handbook's fixed value, USD 0.01."""

MODELS = (
    # provider, model, nano-USD per uncached input, cached input and output token, as the public list has them
    ("anthropic", "claude-sonnet-4-6", 3_000, 300, 15_000),
    ("anthropic", "claude-haiku-4-5", 1_000, 100, 5_000),
    ("openai", "gpt-5", 1_250, 125, 10_000),
    ("openai", "gpt-5-mini", 250, 25, 2_000),
)


AT_WORK = 120
"""People who make calls at the same time."""
CALLS_A_SESSION = 40
SHAPES = ("sessions", "scattered")


@dataclass(slots=True)
class Totals:
    """What the ledger must hold afterwards, worked out beside it."""

    events: int = 0
    cost: int = 0
    debit: int = 0

    def plus(self, other: Totals) -> Totals:
        return Totals(self.events + other.events, self.cost + other.cost, self.debit + other.debit)


def email(number: int) -> str:
    return f"person{number}@bench.example"


def people_csv(people: int = PEOPLE) -> str:
    rows = ["email,name,slack_user_id,level,role_family,time_zone,hired_on"]
    rows += [f"{email(i)},Person {i},U{i:06},mid,engineering,Europe/Berlin,{date(2025, 1, 1)}" for i in range(people)]
    return "\n".join(rows) + "\n"


class _Callers:
    """Who makes the next call, with which model."""

    def __init__(self, shape: str, people: range, chance: random.Random) -> None:
        self._chance = chance
        self._people = people
        self._sessions = None if shape == "scattered" else [self._anybody() for _ in range(AT_WORK)]

    def _anybody(self) -> tuple[str, int]:
        return email(self._chance.choice(self._people)), self._chance.randrange(len(MODELS))

    def next(self) -> tuple[str, int]:
        if self._sessions is None:
            return self._anybody()
        place = self._chance.randrange(AT_WORK)
        if not self._chance.randrange(CALLS_A_SESSION):
            self._sessions[place] = self._anybody()
        return self._sessions[place]


def batches(
    count: int, size: int, *, shape: str = "sessions", people: range = EVERYBODY, seed: int = 1, days: int = 0
) -> Iterator[tuple[bytes, list[tuple[object, ...]], Totals]]:
    """(JSON of a CloudEvents batch, the same events as rows for a raw insert, running totals): `count` events.

    They are as many a day as so many people make, or spread over some `days`.
    """
    chance = random.Random(seed)
    callers = _Callers(shape, people, chance)
    a_day = count // days if days else EVENTS_A_DAY * len(people) // PEOPLE
    start = END - timedelta(microseconds=count * 86_400_000_000 // a_day)
    totals = Totals()
    for begin in range(0, count, size):
        events, rows = [], []
        for number in range(begin, begin + size):
            at = start + timedelta(microseconds=number * 86_400_000_000 // a_day)
            event, row = _event(chance, at, callers.next(), totals)
            events.append(event)
            rows.append(row)
        yield msgspec.json.encode(events), rows, totals


def _event(
    chance: random.Random, at: datetime, caller: tuple[str, int], totals: Totals
) -> tuple[dict[str, object], tuple[object, ...]]:
    who, liked = caller
    provider, model, uncached_price, cached_price, output_price = MODELS[liked]
    event_id = str(UUID(int=chance.getrandbits(128), version=4))
    uncached, cached, output = chance.randrange(1, 5_000), chance.randrange(9_000), chance.randrange(1, 2_000)
    cost = uncached * uncached_price + cached * cached_price + output * output_price
    totals.events += 1
    totals.cost += cost
    totals.debit += _half_even(cost * 1_000_000, NANO_USD_PER_TOKEN)
    data = {
        "user.email": who,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": uncached + cached,
        "gen_ai.usage.cache_read.input_tokens": cached,
        "gen_ai.usage.output_tokens": output,
    }
    event = {"specversion": "1.0", "id": event_id, "source": SOURCE, "type": "gen_ai.usage", "time": at, "data": data}
    meters = f'{{"input_uncached":{uncached},"cache_read":{cached},"output":{output}}}'
    return event, (SOURCE, event_id, at, f'[["email","{who}"]]', provider, model, meters)


def _half_even(numerator: int, denominator: int) -> int:
    doubled = 2 * numerator + denominator
    quotient, remainder = divmod(doubled, 2 * denominator)
    return quotient - 1 if not remainder and quotient % 2 else quotient
