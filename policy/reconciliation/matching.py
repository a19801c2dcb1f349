"""Counts of one model beside each other: which single assumption makes a day's two sides the same, and what is left."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from policy.metering import Meter
    from policy.reconciliation.books import Billed, Cause, Posted, Vector, Worth

MOST_HOURS = 14
"""No two places on Earth have a day that begins further apart from UTC."""
LEAVES = 20
"""An assumption holds where at most a twentieth of the difference is left."""
MOST_DAYS = 5
"""Another clock holds where at most a fifth of the days still differ: they may have faults of their own."""
ONE_SIDED = 5
"""A side has more where the other has at most a fifth as much more in other counts."""
EXACT = 1_000
"""Counts of a day are the same within a thousandth."""
MOST_STEPS = 3
EVERYONE = ""

Sources = dict[str, "Vector"]


class Step(NamedTuple):
    """One day of one model, and what an assumption makes of the ledger's side of it."""

    cause: Cause
    source: str
    model: str
    day: date
    before: Vector
    after: Vector
    note: str = ""

    def amount(self, worth: Worth) -> int:
        """What the ledger's side would cost more."""
        return value(worth, self.day, self.model, self.after) - value(worth, self.day, self.model, self.before)

    def moved(self, worth: Worth) -> int:
        return value(worth, self.day, self.model, apart(self.after, self.before))


@dataclass(frozen=True, slots=True)
class Series:
    """A model at one gateway, or at all of them where keys are not told apart."""

    model: str
    billed: dict[date, Vector]
    hourly: dict[str, dict[datetime, Vector]]
    days: tuple[date, ...]

    def daily(self, later: Mapping[str, int]) -> dict[date, Sources]:
        """The ledger's days by source, with some sources' clocks put forward by so many hours."""
        found: dict[date, Sources] = {day: {} for day in self.days}
        for source, hours in self.hourly.items():
            shift = timedelta(hours=later.get(source, later.get(EVERYONE, 0)))
            for hour, vector in hours.items():
                sources = found.get((hour + shift).date())
                if sources is not None:
                    add(sources.setdefault(source, {}), vector)
        return found


def series(billed: Iterable[Billed], posted: Iterable[Posted], days: tuple[date, ...]) -> dict[tuple[str, str], Series]:
    """Both sides by (group, model)."""
    found: dict[tuple[str, str], Series] = {}

    def of(group: str, model: str) -> Series:
        return found.setdefault((group, model), Series(model, {}, {}, days))

    for one in billed:
        add(of(one.group, one.model).billed.setdefault(one.day, {}), vector(one.tier, one.meters))
    for line in posted:
        hours = of(line.group, line.model).hourly.setdefault(line.source, {})
        add(hours.setdefault(line.hour, {}), vector(line.tier, line.meters))
    return found


def explain(one: Series, worth: Worth) -> list[Step]:
    """What differs, day by day."""
    later: dict[str, int] = {}
    asis = one.daily(later)
    steps: list[Step] = []
    off = _off(one, asis, worth)
    if len(off) > 1 and (found := _shift(one, worth, len(off))):
        later, (source, hours) = dict([found]), found
        put = one.daily(later)
        steps += [
            Step("day_cut", source, one.model, day, total(asis[day]), total(put[day]), f"{hours:+}")
            for day in one.days
            if total(asis[day]) != total(put[day])
        ]
        asis = put
    for day in _off(one, asis, worth):
        steps += _of_day(one, day, asis[day], worth)
    return steps


def _off(one: Series, daily: Mapping[date, Sources], worth: Worth) -> list[date]:
    return [
        day for day in one.days if not same(worth, day, one.model, one.billed.get(day, {}), total(daily.get(day, {})))
    ]


def _shift(one: Series, worth: Worth, off: int) -> tuple[str, int] | None:
    """Whose clock, put by how many hours, makes most days the same; None where none does."""
    sources = [EVERYONE, *sorted(one.hourly)] if len(one.hourly) > 1 else sorted(one.hourly)
    hours = sorted((n for n in range(-MOST_HOURS, MOST_HOURS + 1) if n), key=abs)
    tried = ((len(_off(one, one.daily({source: n}), worth)), abs(n), source, n) for n in hours for source in sources)
    best = min(tried, default=None)
    return (best[2], best[3]) if best is not None and best[0] * MOST_DAYS <= off else None


class _Assumed(NamedTuple):
    """What an assumption makes of the ledger's side."""

    cause: Cause
    source: str
    sources: Sources
    note: str = ""


def _of_day(one: Series, day: date, sources: Sources, worth: Worth) -> Iterator[Step]:
    billed = one.billed.get(day, {})
    for _ in range(MOST_STEPS):
        ours = total(sources)
        if same(worth, day, one.model, billed, ours):
            return
        best = _best(one.model, day, billed, sources, worth)
        if best is None:
            break
        yield Step(best.cause, best.source, one.model, day, ours, total(best.sources), best.note)
        sources = best.sources
    ours = total(sources)
    cause, source = _rest(one, day, billed, sources, worth)
    yield Step(cause, source, one.model, day, ours, billed)


def _best(model: str, day: date, billed: Vector, sources: Sources, worth: Worth) -> _Assumed | None:
    """The assumption that leaves least, if it leaves little; of two equal ones the first."""
    ours = total(sources)
    now = value(worth, day, model, apart(billed, ours))
    if not now:
        return None  # Without a price, every assumption would leave nothing.
    best: _Assumed | None = None
    least = now // LEAVES + 1
    for assumed in chain(_tiers(billed, sources), _cached(billed, sources), _doubled(sources)):
        left = value(worth, day, model, apart(billed, total(assumed.sources)))
        if left < least:
            best, least = assumed, left
    return best


def _tiers(billed: Vector, sources: Sources) -> Iterator[_Assumed]:
    """Counts that are right, and stand under another tier."""
    ours = total(sources)
    meters = {meter for _, meter in (*billed, *ours)}
    sums = [(_sum(billed, meter), _sum(ours, meter)) for meter in meters]
    if not all(near(theirs, own) for theirs, own in sums):
        return
    over = {tier for (tier, meter), n in ours.items() if n > billed.get((tier, meter), 0)}
    under = {tier for (tier, meter), n in billed.items() if n > ours.get((tier, meter), 0)}
    if not over or not under:
        return
    excess = {key: n - billed.get(key, 0) for key, n in ours.items() if n > billed.get(key, 0)}
    whole = [name for name, counts in sources.items() if all(near(counts.get(key, 0), n) for key, n in excess.items())]
    having = [name for name, counts in sources.items() if any(counts.get(key) for key in excess)]
    named = whole[0] if len(whole) == 1 else having[0] if len(having) == 1 else EVERYONE
    note = f"{_tier(over)} → {_tier(under)}" if len(whole) == 1 else f"part of {_tier(over)} → {_tier(under)}"
    yield _Assumed("batch" if "batch" in over | under else "wrong_tier", named, {named: billed}, note)


def _cached(billed: Vector, sources: Sources) -> Iterator[_Assumed]:
    """Input that includes what was cached as well; or cached input that was counted as new."""
    for names in _some(sources):
        overlapping = {name: _without_overlap(counts) if name in names else counts for name, counts in sources.items()}
        if overlapping != sources:
            yield _Assumed("cache_as_input", _named(names), overlapping, "overlap")
    ours = total(sources)
    moved = dict(ours)
    for (tier, meter), theirs in billed.items():
        if meter == "cache_read" and theirs > ours.get((tier, meter), 0):
            missing = theirs - ours.get((tier, meter), 0)
            moved[tier, meter] = theirs
            moved[tier, "input_uncached"] = moved.get((tier, "input_uncached"), 0) - missing
    if moved != ours and min(moved.values()) >= 0:
        named = next(iter(sources)) if len(sources) == 1 else EVERYONE
        yield _Assumed("cache_as_input", named, {named: moved}, "uncounted")


def _without_overlap(counts: Vector) -> Vector:
    freed = dict(counts)
    for (tier, meter), cached in counts.items():
        if meter == "cache_read":
            freed[tier, "input_uncached"] = freed.get((tier, "input_uncached"), 0) - cached
    return freed if min(freed.values(), default=0) >= 0 else counts


def _doubled(sources: Sources) -> Iterator[_Assumed]:
    """A gateway that reports every call twice, or calls that another reports as well."""
    for name, counts in sources.items():
        rest = {other: vector for other, vector in sources.items() if other != name}
        if rest:
            yield _Assumed("double_reports", name, rest, "another")
        yield _Assumed("double_reports", name, {**rest, name: {key: n // 2 for key, n in counts.items()}}, "twice")


def _rest(one: Series, day: date, billed: Vector, sources: Sources, worth: Worth) -> tuple[Cause, str]:
    """What is left when no assumption explains it: by which side has more."""
    ours = total(sources)
    more = value(worth, day, one.model, {key: max(n - ours.get(key, 0), 0) for key, n in billed.items()})
    less = value(worth, day, one.model, {key: max(n - billed.get(key, 0), 0) for key, n in ours.items()})
    if not more and not less:
        more, less = (sum(max(n - b.get(k, 0), 0) for k, n in a.items()) for a, b in ((billed, ours), (ours, billed)))
    named = next(iter(one.hourly)) if len(one.hourly) == 1 else EVERYONE
    if less * ONE_SIDED <= more:
        return "lost_events", named
    if more * ONE_SIDED <= less:
        return "double_reports" if one.billed else "not_billed", named
    return "unexplained", named


def _some(sources: Sources) -> list[tuple[str, ...]]:
    """Each source alone, then all of them together."""
    single: list[tuple[str, ...]] = [(name,) for name in sources]
    return [*single, tuple(sources)] if len(sources) > 1 else single


def _named(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else EVERYONE


def _tier(names: set[str]) -> str:
    return ", ".join(sorted(name or "standard" for name in names))


# --- Counts --------------------------------------------------------------------------------------------------------


def vector(tier: str, meters: Mapping[Meter, int]) -> Vector:
    return {(tier, meter): count for meter, count in meters.items() if count}


def add(into: Vector, more: Vector) -> None:
    for key, count in more.items():
        into[key] = into.get(key, 0) + count


def total(sources: Mapping[str, Vector]) -> Vector:
    found: Vector = {}
    for one in sources.values():
        add(found, one)
    return {key: count for key, count in found.items() if count}


def apart(one: Vector, other: Vector) -> Vector:
    """How far two are from each other, count by count."""
    return {key: abs(one.get(key, 0) - other.get(key, 0)) for key in one.keys() | other.keys()}


def value(worth: Worth, day: date, model: str, counts: Vector) -> int:
    by_tier: defaultdict[str, dict[Meter, int]] = defaultdict(dict)
    for (tier, meter), count in counts.items():
        if count:
            by_tier[tier][meter] = count
    return sum(worth(day, model, tier, meters) for tier, meters in by_tier.items())


def same(worth: Worth, day: date, model: str, one: Vector, other: Vector) -> bool:
    """Equal, or apart by less than a thousandth of what they are worth."""
    if one == other:
        return True
    away = value(worth, day, model, apart(one, other))
    return bool(away * EXACT <= value(worth, day, model, one) and away) or all(
        near(one.get(key, 0), other.get(key, 0)) for key in one.keys() | other.keys()
    )


def near(one: int, other: int) -> bool:
    return abs(one - other) * EXACT <= max(abs(one), abs(other))


def _sum(counts: Vector, meter: Meter) -> int:
    return sum(count for (_, name), count in counts.items() if name == meter)
