"""Where a row of a bill goes: which bill, day and rate it is of, and whose its cost is by the handbook."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy.bills import KEPT, OUTSIDE, PERSON, PROJECT, BillName, Place
from policy.parameters.invoices import BY_GATEWAYS
from policy.period import Quarter, day_of
from policy.units import NANO_PER_USD
from policy.value.currencies import PAR
from programme.clocks import FARTHEST_AHEAD
from store.handbook import rates

if TYPE_CHECKING:
    from policy.parameters.invoices import BillRule, InvoiceRules
    from programme.moment import Moment

HALF_A_DAY = timedelta(hours=12)


class Named(NamedTuple):
    """What a row says of what was charged: whose it is by its tags, empty where none names anybody."""

    provider: str
    service: str
    person: str
    project: str
    model: str


class Charged(NamedTuple):
    """When a row was charged, on which bill, and what a unit of its currency is worth in nano-USD."""

    bill: BillName
    day: date
    nano_usd_per_unit: int
    is_ahead: bool
    """It is of a day that has not begun: nothing can be debited for it yet."""


class NoRateError(LookupError):
    """A currency has no frozen rate in the quarter of a charge."""


class Sorting:
    """Sorts the rows of bills by handbooks, rates and calendar as one transaction found them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._rates: dict[Quarter, dict[str, int]] = {}
        self._rules: dict[date, InvoiceRules] = {}
        self._rule_of: dict[tuple[date, str, str], BillRule | None] = {}

    def charged(self, account: str, period: datetime, begin: datetime, end: datetime, currency: str) -> Charged:
        """The bill, day and rate of a row.

        The day is that of the middle of an hour or a day of charges, and the first of longer ones: so days of UTC
        are the same days here, on either side of Greenwich.
        """
        day = day_of(begin + min(max(end - begin, timedelta(0)) / 2, HALF_A_DAY), self._moment.zone)
        bill = BillName(account, (period.astimezone(UTC) + HALF_A_DAY).date())
        is_ahead = day > day_of(self._moment.now + FARTHEST_AHEAD, self._moment.zone)
        return Charged(bill, day, self._rate(currency, Quarter.containing(day)), is_ahead)

    def _rate(self, currency: str, quarter: Quarter) -> int:
        if currency == PAR.currency:
            return NANO_PER_USD
        if quarter not in self._rates:
            frozen = rates.frozen(self._moment.session, quarter)
            self._rates[quarter] = {code: int(rate.per_unit) for code, rate in frozen.items()}
        try:
            return self._rates[quarter][currency]
        except KeyError:
            raise NoRateError(f"a currency with a frozen rate in {quarter} (`tokens-bot rates set`)") from None

    def rules(self, day: date) -> InvoiceRules:
        """The rules of the handbook that held on a day; before there were any, the first that there are.

        A company begins to import with the bills that it has.
        """
        if day not in self._rules:
            books, held = self._moment.handbooks.versions, self._moment.handbooks.on(day)
            later = (book.invoices for book in books[books.index(held) :])
            self._rules[day] = next((rules for rules in later if rules.rules), held.invoices)
        return self._rules[day]

    @property
    def reads(self) -> InvoiceRules:
        """The handbook in force, which says what the tags of a file are called."""
        return self._moment.handbook.invoices

    def _rule(self, day: date, provider: str, service: str) -> BillRule | None:
        key = (day, provider, service)
        if key not in self._rule_of:
            self._rule_of[key] = self.rules(day).rule_of(provider, service)
        return self._rule_of[key]

    def place(self, when: Charged, what: Named) -> Place:
        """What a row is added up by."""
        rule = self._rule(when.day, what.provider, what.service)
        month = when.day.replace(day=1)
        if rule is None:
            return Place(OUTSIDE, what.service, month)
        if rule.metered == BY_GATEWAYS:
            return Place(KEPT, rule.service, month)
        if what.person:
            return Place(PERSON, rule.service, when.day, what.person, what.project, what.model)
        if what.project:
            return Place(PROJECT, rule.service, when.day, "", what.project, what.model)
        return Place(rule.rest, rule.service, month)
