"""What each cost centre bears of a day, product and price: the lines that a month's files and rows are made of.

They are added up from the ledger while the month is not settled, and kept once it is (programme/finance/adding_up).
"""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING

from policy.parameters.finance import PERSON
from policy.period import Month, day_of, first_instant
from programme.finance.months import EARLIEST
from programme.people import cost_centres
from store.finance import charges as store
from store.finance import days as kept_store
from store.finance.days import Borne
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from programme.finance.months import Months
    from programme.people.cost_centres import Bearers
    from store.finance.charges import Instants
    from store.finance.days import KeptDay

Figures = list[int]
"""Calls, nano-USD, micro-tokens, calls that counted their requests, and the count of each meter."""
CALLS, COST, DEBIT, COUNTED, METERS = range(5)


class Lines:
    """Reads a month's lines, a day at a time: memory follows from who bears what, not from events."""

    def __init__(self, told: Months, bearers: Bearers, payers: Mapping[int, str]) -> None:
        self.told = told
        self._bearers, self._payers = bearers, payers
        self._session, self._zone = told.moment.session, told.moment.zone
        self.prices = reference.load_prices(self._session)
        self.meters = sorted({meter for price in self.prices.values() for meter in price.meters})
        tiers = {id_: price.tier_starts for id_, price in self.prices.items()}
        self._debits = store.Debits(self._session, self.meters, tiers)
        self._kept: Mapping[date, KeptDay] = kept_store.of_month(self._session, str(told.month))

    def of(self, day: date, posted: Instants) -> dict[Borne, Figures]:
        """What was posted in some time about a day: as it was kept, or else as the ledger has it now."""
        if day in self._kept:
            return dict(kept_store.lines(self._session, str(self.told.month), day, self.meters))
        return self.added_up(day, posted)

    def added_up(self, day: date, posted: Instants) -> dict[Borne, Figures]:
        """The same from the ledger: whoever they are, people of one cost centre have one line together."""
        bearers: dict[tuple[int, str], tuple[str, str]] = {}
        lines: dict[Borne, Figures] = {}
        shows_people = self.told.rules.rows == PERSON
        for row in self._debits.within(self.bounds(day), posted):
            account_id, service_key, value, provider, model, tier, project, price_id, context, *figures = row
            bearer = bearers.get((account_id, project))
            if bearer is None:
                person = self._payers.get(account_id)
                centre = self._bearers.of(person, project, day)
                bearer = bearers[account_id, project] = (centre, person or "" if shows_people else "")
            key = Borne(*bearer, project, service_key, provider, model, tier, price_id, context, value)
            before = lines.get(key)
            lines[key] = figures if before is None else list(map(add, before, figures))
        return {key: figures for key, figures in lines.items() if any(figures[COST:])}

    def bounds(self, day: date) -> Instants:
        return first_instant(day, self._zone), first_instant(day.fromordinal(day.toordinal() + 1), self._zone)

    @property
    def posted(self) -> Instants:
        """When what stands in the month as its own use was posted."""
        return EARLIEST, self.told.settled_at(self.told.month)

    def corrected(self) -> list[tuple[date, Instants]]:
        """The days of settled months about which something was posted in this one, and when that was."""
        month = self.told.month
        begin, end = month.bounds(self._zone)
        if month.first_day in self._kept:
            days = {day for day in self._kept if day < month.first_day}
        else:
            late = store.late(self._session, (EARLIEST, begin), (begin, end))
            days = {day_of(at, self._zone) for at in late}
        return [(day, (max(begin, self.told.settled_at(Month.containing(day))), end)) for day in sorted(days)]


def reader(told: Months) -> Lines:
    """A month's lines, by what is known of people and cost centres now."""
    session = told.moment.session
    return Lines(told, cost_centres.bearers(session), store.payers(session))
