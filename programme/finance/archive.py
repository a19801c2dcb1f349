"""A settled month for good: what each person was charged, under ids alone, for reports over years.

The months together are the ledger, as those of finance's file are. Names and e-mails stay in the ledger, so that
whoever is erased there is nobody here (docs/decisions/0078).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from policy.metering import INPUT_METERS, OUTPUT_METERS
from policy.period import Month, day_of, first_instant
from policy.reasons import Refusal
from policy.units import MICRO_PER_TOKEN, divide_half_even
from programme.finance.months import EARLIEST, Months
from programme.people import cost_centres
from store.finance import bill_postings
from store.finance import charges as store
from store.finance import days as day_store
from store.handbook import reference
from store.people import teams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from programme.moment import Moment
    from store.finance.charges import Instants
    from store.people.teams import Lines

USAGE, BILL, DIFFERENCE = "usage", "bill", "difference"
"""What was used; what was shared out from a vendor's bill; what finance posted of a difference with one."""


class Spent(NamedTuple):
    """A line: what one payer was charged on a day for a model and a project; no one's name is in it."""

    month: str
    day: str
    kind: str
    correction: bool
    """Whether it is about a month that was settled when it was posted."""
    person_id: str
    """Empty for what the company or the pool bears."""
    team: str
    """The id of the manager to whom the person reported."""
    cost_centre: str
    project: str
    service: str
    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    nano_usd: int
    micro_tokens: int


class _Of(NamedTuple):
    """What usage of a day is told apart by."""

    account_id: int
    project: str
    service: str
    provider: str
    model: str


def require_settled(moment: Moment, month: Month) -> None:
    """A Refusal of a month that may change."""
    told = Months(moment, month)
    if not told.is_final:
        ready = told.settled_at(month).astimezone(moment.zone).date()
        raise Refusal("not_settled", f"{month} is not settled before {ready}.", next_step="Name an earlier month.")


def first_month(moment: Moment) -> Month | None:
    """The month in which anything was used first."""
    first = day_store.first_used(moment.session)
    return Month.containing(first) if first else None


class Archive:
    """Reads a month's lines, a day at a time: memory follows from who used what on a day, not from events."""

    def __init__(self, moment: Moment, month: Month) -> None:
        self._told = Months(moment, month)
        session = self._session = moment.session
        self._zone = moment.zone
        self._bearers, self._payers = cost_centres.bearers(session), store.payers(session)
        self._lines: Lines = teams.lines_of(session, self._payers.values())
        self._counted = sorted(INPUT_METERS | OUTPUT_METERS)
        self._inputs = [meter in INPUT_METERS for meter in self._counted]
        self._debits = store.Debits(session, self._counted, {})
        self._values = reference.values_by_version(session)

    def lines(self) -> Iterator[Spent]:
        """The month's own days in their order, corrections of earlier ones, and what was posted of bills."""
        month = self._told.month
        begin, end = month.bounds(self._zone)
        posted = (EARLIEST, self._told.settled_at(month))
        for day in month.days():
            yield from self._used(day, posted, is_late=False)
        late = store.late(self._session, (EARLIEST, begin), (begin, end))
        for day in sorted({day_of(at, self._zone) for at in late}):
            yield from self._used(day, (max(begin, self._settled(day)), end), is_late=True)
        yield from self._bills()
        yield from self._differences()

    def _used(self, day: date, posted: Instants, *, is_late: bool) -> Iterator[Spent]:
        """What was posted in some time about a day, a line for each payer, model and project."""
        bounds = (first_instant(day, self._zone), first_instant(day + timedelta(days=1), self._zone))
        sums: defaultdict[_Of, list[int]] = defaultdict(lambda: [0] * 5)
        for row in self._debits.within(bounds, posted):
            account, service, _, provider, model, _, project, _, _, calls, cost, debit, _, *counts = row
            inputs = sum(count for count, is_input in zip(counts, self._inputs, strict=True) if is_input)
            of = _Of(account, project, service, provider, model)
            sums[of] = list(map(add, sums[of], (calls, inputs, sum(counts) - inputs, cost, debit)))
        for of, figures in sorted(sums.items()):
            if any(figures):
                yield self._line(day, USAGE, is_late, of, tuple(figures))

    def _bills(self) -> Iterator[Spent]:
        month = self._told.month
        begin, end = month.bounds(self._zone)
        own = bill_postings.of(self._session, (begin, end), (EARLIEST, self._told.settled_at(month)))
        earlier = bill_postings.of(self._session, (EARLIEST, begin), (begin, end))
        late = [one for one in earlier if one.posted_at >= self._told.settled_at(Month.parse(one.month))]
        for some, is_late in ((own, False), (late, True)):
            for one in some:
                of = _Of(one.account_id, one.project, one.service_key, "", "")
                last = max(Month.parse(one.month).days())
                yield self._line(last, BILL, is_late, of, (0, 0, 0, one.nano_usd, one.micro_tokens))

    def _differences(self) -> Iterator[Spent]:
        begin, end = self._told.month.bounds(self._zone)
        own = store.differences(self._session, (begin, end), (EARLIEST, self._told.settled_at(self._told.month)))
        earlier = store.differences(self._session, (EARLIEST, begin), (begin, end))
        for some, is_late in ((own, False), (earlier, True)):
            for one in some:
                day = day_of(one.effective_at, self._zone)
                if not is_late or one.posted_at >= self._settled(day):
                    per_token = self._values[one.value_version].nano_usd_per_token
                    usd = divide_half_even(one.micro_tokens * per_token, MICRO_PER_TOKEN)
                    of = _Of(one.account_id, "", one.service_key, "", "")
                    yield self._line(day, DIFFERENCE, is_late, of, (0, 0, 0, usd, one.micro_tokens))

    def _settled(self, day: date) -> datetime:
        return self._told.settled_at(Month.containing(day))

    def _line(self, day: date, kind: str, is_late: bool, of: _Of, figures: tuple[int, ...]) -> Spent:  # noqa: FBT001 - private
        person = self._payers.get(of.account_id, "")
        manager = teams.manager_before(self._lines.get(person, ()), day) or ""
        centre = self._bearers.of(person or None, of.project, day)
        whose = (person, manager, centre, of.project, of.service, of.provider, of.model)
        calls, inputs, outputs, usd, tokens = figures
        return Spent(str(self._told.month), day.isoformat(), kind, is_late, *whose, calls, inputs, outputs, usd, tokens)
