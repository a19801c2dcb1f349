"""A month's charges, for the files that finance reads: usage by meter, what was granted, and later corrections.

Every posting of usage stands in exactly one month's charges (policy/billing), so the months together are the ledger.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from policy import billing, disclosure
from policy.metering import UnitPrice
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
    from store.finance.charges import Instants

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
        """By the rules of that month, whatever those of later ones say: else a posting could be in none, or in two."""
        rules = self.moment.handbooks.on(max(month.days())).finance
        return billing.settled_at(month, rules.settle_days, self.moment.zone)


class _Of(NamedTuple):
    """What a day's use is told apart by."""

    bearer: Bearer
    service_key: str
    provider: str
    model: str
    tier: str
    price_id: str
    context: int
    value_version: str


_Figures = list[int]
"""Calls, nano-USD, micro-tokens, calls that counted their requests, and the count of each meter."""
_CALLS, _COST, _DEBIT, _COUNTED, _METERS = range(5)
REQUESTS: Meter = "requests"


class Ledger:
    """Reads a month's charges from the ledger, a day at a time: memory follows from who bears what, not from events."""

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
        self._meters = sorted({meter for price in self._prices.values() for meter in price.meters})
        tiers = {id_: price.tier_starts for id_, price in self._prices.items()}
        self._debits = store.Debits(session, self._meters, tiers)

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
        posted = (_EARLIEST, self.told.settled_at(self.told.month))
        for of, line in self._lines(day, posted):
            yield from self._by_meter(day, of, line)

    def _lines(self, day: date, posted: Instants) -> list[tuple[_Of, _Figures]]:
        """What was posted in some time about a day, by who bears it: whoever they are, they have one line together."""
        zone = self._moment.zone
        effective = (first_instant(day, zone), first_instant(_after(day), zone))
        bearers: dict[tuple[int, str], Bearer] = {}
        lines: dict[_Of, _Figures] = {}
        for row in self._debits.within(effective, posted):
            account_id, service_key, value, provider, model, tier, project, price_id, context, *figures = row
            bearer = bearers.get((account_id, project))
            if bearer is None:
                bearer = self.bearer(self._payers.get(account_id), project, day)
                bearers[account_id, project] = bearer
            of = _Of(bearer, service_key, provider, model, tier, price_id, context, value)
            before = lines.get(of)
            lines[of] = figures if before is None else list(map(add, before, figures))
        return sorted((of, figures) for of, figures in lines.items() if any(figures[_COST:]))

    def _by_meter(self, day: date, of: _Of, line: _Figures) -> Iterator[Charge]:
        """One row for each meter: each bears its part of what was posted, to the last nano-USD."""
        price = self._prices[of.price_id]
        counted = {meter: count for meter, count in zip(self._meters, line[_METERS:], strict=True) if count}
        if REQUESTS in price.meters and (asked := counted.get(REQUESTS, 0) + line[_CALLS] - line[_COUNTED]):
            # A call that does not count its requests is one.
            counted[REQUESTS] = asked
        if not counted:
            return
        meters = sorted(counted)
        units = [_unit(price, meter, of.context) for meter in meters]
        weights = _weights([counted[meter] for meter in meters], units)
        parts = (_split(whole, weights) for whole in (line[_COST], line[_DEBIT]))
        end, value = _after(day), self._values[of.value_version]
        for meter, unit, cost, debit in zip(meters, units, *parts, strict=True):
            costs = Costs(cost, cost, debit, value)
            yield Charge(USAGE, day, end, of.bearer, self._product(of, meter), costs, Quantity(counted[meter], unit))

    def _product(self, of: _Of, meter: Meter | None) -> Product:
        name, kind = self._services.get(of.service_key, (of.service_key, "model_api"))
        return Product(of.provider, name, kind == "training", of.model, of.tier, meter, of.price_id, of.context)

    def _corrections(self) -> Iterator[Charge]:
        """What was posted in this month about earlier ones that were settled by then: an adjustment of each day."""
        begin, end = self.told.month.bounds(self._moment.zone)
        late = store.late(self._moment.session, begin, (begin, end))
        for day in sorted({day_of(at, self._moment.zone) for at in late}):
            posted = (max(begin, self.told.settled_at(Month.containing(day))), end)
            lines: defaultdict[_Of, list[int]] = defaultdict(lambda: [0, 0])
            for of, line in self._lines(day, posted):
                sums = lines[of._replace(price_id="", context=0)]
                sums[:] = [sums[0] + line[_COST], sums[1] + line[_DEBIT]]
            for of, (cost, debit) in sorted(lines.items()):
                if cost or debit:
                    costs = Costs(cost, cost, debit, self._values[of.value_version])
                    product = self._product(of, None)
                    yield Charge(ADJUSTMENT, day, _after(day), of.bearer, product, costs, is_correction=True)

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


def _unit(price: Price, meter: Meter, context: int) -> UnitPrice:
    """A meter's price in calls of more input than `context`."""
    unit = price.meters[meter]
    return UnitPrice(unit.at(context + 1), unit.per)


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
