"""A month's charges, for the files that finance reads: usage by meter, what was granted, and later corrections.

Every posting of usage stands in exactly one month's charges (policy/billing), so the months together are the ledger.
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from policy import disclosure
from policy.metering import UnitPrice
from policy.parameters.finance import PERSON
from policy.units import split_by_largest_remainder
from programme.finance.lines import CALLS, COST, COUNTED, DEBIT, METERS, Lines
from programme.people import cost_centres
from store.finance import charges as store
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from policy.metering import Meter
    from programme.finance.lines import Figures
    from programme.finance.months import Months
    from programme.people.cost_centres import Bearers
    from store.finance.charges import Instants

USAGE, PURCHASE, CREDIT, ADJUSTMENT = "Usage", "Purchase", "Credit", "Adjustment"
"""Those of FOCUS's categories of charges that there are."""
SMALL, OTHERS = "other", "Other cost centres"
"""The cost centre, and its name, in whose name charges stand of those that have too few people to be told apart."""
OTHER_KINDS = "other grants"


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


class _Bought(NamedTuple):
    """What was bought, and at which price."""

    service_key: str
    provider: str
    model: str
    tier: str
    price_id: str
    context: int


class _Of(NamedTuple):
    """What a day's use is told apart by."""

    bearer: Bearer
    bought: _Bought
    value_version: str


REQUESTS: Meter = "requests"


class _Rate(NamedTuple):
    """Where a meter's count is in a line, its price, and what one weighs beside one of the same price's others."""

    place: int
    product: Product
    unit: UnitPrice
    weight: int


class _Rates(NamedTuple):
    """Those of what was bought, in the order of the meters' names; where calls are counted, if they have a price."""

    meters: list[_Rate]
    requests: int | None


class Ledger:
    """Reads a month's charges from the ledger, a day at a time: memory follows from who bears what, not from events."""

    def __init__(self, told: Months) -> None:
        self.told = told
        session = told.moment.session
        self._bearers, payers = cost_centres.bearers(session), store.payers(session)
        self._services = store.service_kinds(session)
        self._values = {v: value.nano_usd_per_token for v, value in reference.values_by_version(session).items()}
        self._disclosed = disclosed_centres(told, self._bearers, payers)
        self._lines = Lines(told, self._bearers, payers)
        self._rates = cache(self._rates_of)
        self._centres = cache(self.centre)

    def charges(self) -> Iterator[Charge]:
        """The month's rows in the order of their days; then corrections of earlier months, and what was granted."""
        for day in self.told.month.days():
            for of, line in self._borne(day, self._lines.posted):
                yield from self._by_meter(day, of, line)
        yield from self._corrections()
        yield from self._grants()

    def bearer(self, person_id: str | None, project: str, day: date) -> Bearer:
        """Who bears something of a day."""
        shown = person_id or "" if self.told.rules.rows == PERSON else ""
        return self.centre(self._bearers.of(person_id, project, day), shown, project)

    def centre(self, key: str, person_id: str = "", project: str = "") -> Bearer:
        """A cost centre as it is told; those of too few people stand together."""
        if key and key not in self._disclosed:
            return Bearer(SMALL, OTHERS, person_id, project)
        return Bearer(key, self._bearers.name(key), person_id, project)

    def _borne(self, day: date, posted: Instants) -> list[tuple[_Of, Figures]]:
        """What was posted in some time about a day, by who bears it."""
        found: dict[_Of, Figures] = {}
        for borne, figures in self._lines.of(day, posted).items():
            of = _Of(self._centres(*borne[:3]), _Bought(*borne[3:-1]), borne.value_version)
            before = found.get(of)
            found[of] = figures if before is None else list(map(add, before, figures))
        return sorted(found.items())

    def _by_meter(self, day: date, of: _Of, line: Figures) -> Iterator[Charge]:
        """One row for each meter: each bears its part of what was posted, to the last nano-USD."""
        rates = self._rates(of.bought)
        if rates.requests is not None:
            # A call that does not count its requests is one.
            line[rates.requests] += line[CALLS] - line[COUNTED]
        counted = [(rate, line[rate.place]) for rate in rates.meters if line[rate.place]]
        if not counted:
            return
        weights = [rate.weight * abs(count) for rate, count in counted]
        costs, debits = _split(line[COST], weights), _split(line[DEBIT], weights)
        end, value = _after(day), self._values[of.value_version]
        for (rate, count), cost, debit in zip(counted, costs, debits, strict=True):
            costs_of_it = Costs(cost, cost, debit, value)
            yield Charge(USAGE, day, end, of.bearer, rate.product, costs_of_it, Quantity(count, rate.unit))

    def _rates_of(self, bought: _Bought) -> _Rates:
        price = self._lines.prices[bought.price_id]
        whole = math.lcm(*(unit.per for unit in price.meters.values()))
        meters: list[_Rate] = []
        for meter in sorted(price.meters):
            unit = UnitPrice(price.meters[meter].at(bought.context + 1), price.meters[meter].per)
            weight = unit.nano_usd * (whole // unit.per)
            place = self._lines.meters.index(meter) + METERS
            meters.append(_Rate(place, self._product(bought, meter), unit, weight))
        return _Rates(meters, next((rate.place for rate in meters if rate.product.meter == REQUESTS), None))

    def _product(self, bought: _Bought, meter: Meter | None) -> Product:
        service_key, provider, model, tier, price_id, context = bought
        name, kind = self._services.get(service_key, (service_key, "model_api"))
        return Product(provider, name, kind == "training", model, tier, meter, price_id, context)

    def _corrections(self) -> Iterator[Charge]:
        """What was posted in this month about earlier ones that were settled by then: an adjustment of each day."""
        for day, posted in self._lines.corrected():
            lines: defaultdict[_Of, list[int]] = defaultdict(lambda: [0, 0])
            for of, line in self._borne(day, posted):
                sums = lines[of._replace(bought=of.bought._replace(price_id="", context=0))]
                sums[:] = [sums[0] + line[COST], sums[1] + line[DEBIT]]
            for of, (cost, debit) in sorted(lines.items()):
                if cost or debit:
                    costs = Costs(cost, cost, debit, self._values[of.value_version])
                    product = self._product(of.bought, None)
                    yield Charge(ADJUSTMENT, day, _after(day), of.bearer, product, costs, is_correction=True)

    def _grants(self) -> Iterator[Charge]:
        """What was granted, by kind: never anybody's, nor a cost centre's, because a grant follows from pay.

        A kind that fewer than the least number of people had stands with others; where all of them together had too
        few, nothing is told.
        """
        month, nobody = self.told.month, self.centre(cost_centres.NONE)
        effective = month.bounds(self.told.moment.zone)
        lots = store.granted(self.told.moment.session, effective, effective)
        for kind, amount in sorted(_grants_told(lots, self.told.least_people).items()):
            costs = Costs(0, 0, amount)
            product = Product("", kind, is_training=False)
            yield Charge(PURCHASE, month.first_day, month.next().first_day, nobody, product, costs)


def _split(amount: int, weights: list[int]) -> list[int]:
    """The parts of an amount by what each meter costs; alike where all are free."""
    if not (whole := sum(weights)):
        weights, whole = [1] * len(weights), len(weights)
    parts = [amount * weight // whole for weight in weights]
    if sum(parts) == amount:
        return parts
    sign = -1 if amount < 0 else 1
    return [sign * part for part in split_by_largest_remainder(abs(amount), weights)]


def disclosed_centres(told: Months, bearers: Bearers, payers: Mapping[int, str]) -> frozenset[str]:
    """The cost centres that enough people used something for in the month."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    days = (told.month.first_day, told.month.next().first_day)
    for account_id, project, day in store.users(told.moment.session, days):
        if (person := payers.get(account_id)) is not None:
            users[bearers.of(person, project, day)].add(person)
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
