"""A month's charges, for the files that finance reads: usage by meter, what was granted, and later corrections.

Every posting of usage stands in exactly one month's charges (policy/billing), so the months together are the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from policy import billing, disclosure
from policy.metering import UnitPrice, input_tokens
from policy.parameters.finance import PERSON
from policy.period import Month, day_of, first_instant
from policy.units import split_by_largest_remainder
from programme.people import cost_centres
from store.finance import charges as store
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from policy.metering import Meter, Price
    from policy.parameters.finance import FinanceRules
    from programme.moment import Moment
    from programme.people.cost_centres import Bearers
    from store.finance.charges import Debited, UsageEntry

USAGE, PURCHASE, ADJUSTMENT = "Usage", "Purchase", "Adjustment"
"""Those of FOCUS's categories of charges that there are."""
SMALL = "other"
"""The cost centre in whose name charges stand of those that have too few people to be told apart."""
OTHER_KINDS = "other grants"
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Product(NamedTuple):
    """What was bought; an adjustment's has no meter and no price."""

    provider: str
    service: str
    is_training: bool
    model: str = ""
    tier: str = ""
    meter: Meter | None = None
    price_id: str = ""
    context: int = 0
    """The number of input tokens above which the price holds; 0 for the usual one."""


class Bearer(NamedTuple):
    """Who bears a charge: a cost centre by key and name, the person by id where rows are of people, the project."""

    cost_centre: str
    name: str
    person_id: str
    project: str


class Costs(NamedTuple):
    """What a charge comes to, in nano-USD; `micro_tokens` were debited, or granted, at the value of one."""

    billed: int
    effective: int
    micro_tokens: int = 0
    nano_usd_per_token: int = 0
    """0 where nothing was debited."""


class Quantity(NamedTuple):
    """How much of a meter was used, in its own unit, and by which price."""

    amount: int
    price: UnitPrice


class Charge(NamedTuple):
    """One row: what somebody bears for a product over some days."""

    category: str
    first_day: date
    end_day: date
    bearer: Bearer
    product: Product
    costs: Costs
    quantity: Quantity | None = None
    is_correction: bool = False


@dataclass(frozen=True)
class Months:
    """A month, and how it is told."""

    moment: Moment
    month: Month

    @cached_property
    def rules(self) -> FinanceRules:
        """Of the handbook that held on the month's last day."""
        last = max(self.month.days())
        return self.moment.handbooks.on(last).finance

    @property
    def least_people(self) -> int:
        return self.moment.handbooks.on(max(self.month.days())).disclosure.least_people

    @property
    def is_final(self) -> bool:
        """Whether everything that is posted about the month from now on stands in a later one."""
        return self.moment.now >= self.settled_at(self.month)

    def settled_at(self, month: Month) -> datetime:
        return billing.settled_at(month, self.rules.settle_days, self.moment.zone)


@dataclass(slots=True)
class _Line:
    """What one person's use of one product adds up to on a day."""

    counts: defaultdict[Meter, int] = field(default_factory=lambda: defaultdict(int))
    cost: int = 0
    debit: int = 0


class _Of(NamedTuple):
    """What a day's use is told apart by."""

    account_id: int
    service_key: str
    provider: str
    model: str
    tier: str
    price_id: str
    context: int
    project: str
    value_version: str


class Ledger:
    """Reads a month's charges from the ledger, a day at a time: memory follows from the people, not from the events."""

    def __init__(self, told: Months) -> None:
        self.told = told
        self._moment = told.moment
        session = self._moment.session
        self._bearers = cost_centres.bearers(session)
        self._payers = store.payers(session)
        self._services = store.service_kinds(session)
        self._prices = reference.load_prices(session)
        self._values = {v: value.nano_usd_per_token for v, value in reference.values_by_version(session).items()}
        self._disclosed = _disclosed(told, self._bearers, self._payers)
        self._bearer_of: dict[tuple[int, str, date], Bearer] = {}

    def charges(self) -> Iterator[Charge]:
        """The month's rows in the order of their days; then corrections of earlier months, and what was granted."""
        for day in self.told.month.days():
            yield from self._usage(day)
        yield from self._corrections()
        yield from self._grants()

    def bearer(self, person_id: str | None, project: str, day: date) -> Bearer:
        """Who bears something; cost centres of too few people stand together."""
        key = self._bearers.of(person_id, project, day)
        shown = person_id or "" if self.told.rules.rows == PERSON else ""
        return self.centre(key, shown, project)

    def centre(self, key: str, person_id: str = "", project: str = "") -> Bearer:
        """A cost centre as it is told."""
        if key and key not in self._disclosed:
            return Bearer(SMALL, "Other cost centres", person_id, project)
        return Bearer(key, self._bearers.name(key), person_id, project)

    def _usage(self, day: date) -> Iterator[Charge]:
        zone = self._moment.zone
        begin, end = first_instant(day, zone), first_instant(_after(day), zone)
        posted = (_EARLIEST, self.told.settled_at(self.told.month))
        entries = store.usage_entries(self._moment.session, (begin, end), posted)
        self._bearer_of.clear()
        for of, line in sorted(self._lines(entries).items()):
            yield from self._by_meter(day, of, line)

    def _lines(self, entries: Iterable[UsageEntry]) -> dict[_Of, _Line]:
        by_id = {entry.id: entry for entry in entries}
        lines: defaultdict[_Of, _Line] = defaultdict(_Line)
        for events in (store.standing, store.undone):
            for one in events(self._moment.session, by_id):
                entry = by_id[one.entry_id]
                _add(lines[self._of(one, entry)], one, self._prices[one.price_id])
        return {of: line for of, line in lines.items() if line.cost or line.debit or any(line.counts.values())}

    def _of(self, one: Debited, entry: UsageEntry) -> _Of:
        starts = self._prices[one.price_id].tier_starts
        context = input_tokens(one.meters) if starts else 0  # type: ignore[arg-type]  # the names of meters
        above = max((start for start in starts if context > start), default=0)
        return _Of(
            one.account_id,
            entry.service_key,
            one.provider,
            one.model,
            one.tier,
            one.price_id,
            above,
            one.project,
            entry.value_version,
        )

    def _by_meter(self, day: date, of: _Of, line: _Line) -> Iterator[Charge]:
        """One row for each meter: each bears its part of what was posted, to the last nano-USD."""
        price = self._prices[of.price_id]
        meters = [meter for meter, count in sorted(line.counts.items()) if count]
        if not meters:
            return
        units = [UnitPrice(price.meters[m].at(of.context + 1), price.meters[m].per) for m in meters]
        weights = _weights([line.counts[meter] for meter in meters], units)
        parts = (_split(whole, weights) for whole in (line.cost, line.debit))
        bearer = self._bearer(of, day)
        for meter, unit, cost, debit in zip(meters, units, *parts, strict=True):
            costs = Costs(cost, cost, debit, self._values[of.value_version])
            amount = Quantity(line.counts[meter], unit)
            yield Charge(USAGE, day, _after(day), bearer, self._product(of, meter), costs, amount)

    def _bearer(self, of: _Of, day: date) -> Bearer:
        key = (of.account_id, of.project, day)
        if (found := self._bearer_of.get(key)) is None:
            found = self._bearer_of[key] = self.bearer(self._payers.get(of.account_id), of.project, day)
        return found

    def _product(self, of: _Of, meter: Meter | None) -> Product:
        name, kind = self._services.get(of.service_key, (of.service_key, "model_api"))
        return Product(of.provider, name, kind == "training", of.model, of.tier, meter, of.price_id, of.context)

    def _corrections(self) -> Iterator[Charge]:
        """What was posted in this month about earlier ones that were settled by then: an adjustment of each day."""
        month, zone = self.told.month, self._moment.zone
        begin, end = month.bounds(zone)
        days: defaultdict[date, list[UsageEntry]] = defaultdict(list)
        for entry in store.usage_entries(self._moment.session, (_EARLIEST, begin), (begin, end)):
            day = day_of(entry.effective_at, zone)
            if entry.posted_at >= self.told.settled_at(Month.containing(day)):
                days[day].append(entry)
        for day, entries in sorted(days.items()):
            for of, line in sorted(self._lines(entries).items()):
                if line.cost or line.debit:
                    yield self._correction(day, of, line)

    def _correction(self, day: date, of: _Of, line: _Line) -> Charge:
        product = self._product(of, None)._replace(price_id="", context=0)
        costs = Costs(line.cost, line.cost, line.debit, self._values[of.value_version])
        return Charge(ADJUSTMENT, day, _after(day), self._bearer(of, day), product, costs, is_correction=True)

    def _grants(self) -> Iterator[Charge]:
        """What was granted, by kind: never anybody's, nor a cost centre's, because a grant follows from pay.

        A kind that fewer than the least number of people had stands with others; where all of them together had too
        few, nothing is told.
        """
        month, nobody = self.told.month, self.centre(cost_centres.NONE)
        effective = month.bounds(self._moment.zone)
        lots = store.granted(self._moment.session, effective, effective)
        for kind, amount in sorted(_grants_told(lots, self.told.least_people).items()):
            costs = Costs(0, 0, amount)
            product = Product("", kind, is_training=False)
            yield Charge(PURCHASE, month.first_day, month.next().first_day, nobody, product, costs)


def _add(line: _Line, one: Debited, price: Price) -> None:
    sign, counts = one.sign, line.counts
    for meter, count in one.meters.items():
        counts[meter] += sign * count  # type: ignore[index]  # the names of meters
    if one.meters and "requests" in price.meters and "requests" not in one.meters:
        counts["requests"] += sign
    line.cost += sign * one.cost_nano_usd
    line.debit += sign * one.debit_micro_tokens


def _weights(counts: list[int], units: list[UnitPrice]) -> list[int]:
    """What each meter costs by its price, over a common denominator; alike where all are free."""
    whole = 1
    for unit in units:
        whole *= unit.per
    weights = [abs(count) * unit.nano_usd * (whole // unit.per) for count, unit in zip(counts, units, strict=True)]
    return weights if any(weights) else [1] * len(counts)


def _split(amount: int, weights: list[int]) -> list[int]:
    sign = -1 if amount < 0 else 1
    return [sign * part for part in split_by_largest_remainder(abs(amount), weights)]


def _disclosed(told: Months, bearers: Bearers, payers: Mapping[int, str]) -> frozenset[str]:
    """The cost centres that enough people used something for in the month."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    days = (told.month.first_day, told.month.next().first_day)
    for one in store.used(told.moment.session, days):
        if (person := payers.get(one.account_id)) is not None:
            users[bearers.of(person, one.project, one.day)].add(person)
    groups = {key: frozenset(people) for key, people in users.items()}
    return frozenset(disclosure.disclosed(groups, told.least_people))


def _grants_told(lots: Iterable[tuple[str, int, int]], least: int) -> dict[str, int]:
    """Micro-tokens by kind, of which enough people had each."""
    people: defaultdict[str, set[int]] = defaultdict(set)
    amounts: defaultdict[str, int] = defaultdict(int)
    for kind, account_id, amount in lots:
        people[kind].add(account_id)
        amounts[kind] += amount
    told = disclosure.disclosed({kind: frozenset(some) for kind, some in people.items()}, least)
    found = {kind: amounts[kind] for kind in told}
    rest = amounts.keys() - found.keys()
    if rest and len(set().union(*(people[kind] for kind in rest))) >= least:
        found[OTHER_KINDS] = sum(amounts[kind] for kind in rest)
    return found


def _after(day: date) -> date:
    return day.fromordinal(day.toordinal() + 1)
