"""What each cost centre bears of a day, product and price: the lines that a month's files and rows are made of.

They are added up from the ledger and kept: for good once the month is settled, and each night while it runs
(programme/finance/adding_up). What was kept of a month that runs is used with what was posted since, as long as the
same people and cost centres bear it.
"""

from __future__ import annotations

from collections import defaultdict
from operator import add
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from policy.parameters.finance import PERSON
from policy.period import Month, day_of, first_instant
from programme.finance.months import EARLIEST
from programme.people import cost_centres
from store.finance import charges as store
from store.finance import days as kept_store
from store.finance.days import Borne
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from programme.finance.months import Months
    from programme.people.cost_centres import Bearers
    from store.finance.charges import Instants
    from store.finance.days import KeptDay

Figures = list[int]
"""Calls, nano-USD, micro-tokens, calls that counted their requests, and the count of each meter."""
CALLS, COST, DEBIT, COUNTED, METERS = range(5)


class _Group(NamedTuple):
    """The accounts whose use for a project one cost centre bore on a day."""

    cost_centre: str
    person_id: str
    project: str
    accounts: list[int]


_read_groups = msgspec.json.Decoder(list[_Group]).decode


class Summed(NamedTuple):
    """Lines that were added up, and who bore them."""

    lines: dict[Borne, Figures]
    bearers: Mapping[tuple[int, str], tuple[str, str]]
    """Cost centre and person as told, by account and project."""

    @property
    def groups(self) -> str:
        """Who bore them, as it is kept."""
        groups: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        for (account_id, project), borne in sorted(self.bearers.items()):
            groups[*borne, project].append(account_id)
        return msgspec.json.encode([_Group(*key, some) for key, some in groups.items()]).decode()


class Lines:
    """Reads a month's lines, a day at a time: memory follows from who bears what, not from events."""

    def __init__(self, told: Months, bearers: Bearers, payers: Mapping[int, str]) -> None:
        self.told = told
        self._bearers, self._payers = bearers, payers
        self._session, self._zone = told.moment.session, told.moment.zone
        self._shows_people = told.rules.rows == PERSON
        self.prices = reference.load_prices(self._session)
        self.meters = sorted({meter for price in self.prices.values() for meter in price.meters})
        tiers = {id_: price.tier_starts for id_, price in self.prices.items()}
        self._debits = store.Debits(self._session, self.meters, tiers)
        month = str(told.month)
        kept = kept_store.of_month(self._session, month)
        self._kept: Mapping[date, KeptDay] = {day: one for day, one in kept.items() if one.bearers is None}
        self._running: Mapping[date, KeptDay] = {day: one for day, one in kept.items() if one.bearers is not None}
        self._news = kept_store.news(self._session, month) if self._running else set()
        days = (told.month.first_day, told.month.next().first_day)
        self._changes = kept_store.changes(self._session, days) if self._running else {}

    def of(self, day: date, posted: Instants) -> dict[Borne, Figures]:
        """What was posted in some time about a day: as it was kept, or else as the ledger has it now."""
        if day in self._kept:
            return self._read(day)
        return _told(self.summed(day, posted).lines)

    def summed(self, day: date, posted: Instants) -> Summed:
        """What was posted about a day that is not kept for good: what was added up before, and what came since."""
        before = self._running.get(day)
        if before is None or not self._holds(before, posted):
            return self._from_events(day, posted)
        bearers = self._bore(before)
        if day not in self._news:
            return Summed(self._read(day), bearers)
        since = self._from_events(day, (before.posted_until, posted[1]))
        return Summed(_added(self._read(day), since.lines.items()), {**bearers, **since.bearers})

    def is_fresh(self, day: date) -> bool:
        """Whether a day of a month that runs was added up, and nothing of it has changed since."""
        before = self._running.get(day)
        return before is not None and day not in self._news and self._holds(before, self.posted)

    def _from_events(self, day: date, posted: Instants) -> Summed:
        """The same from the ledger: whoever they are, people of one cost centre have one line together."""
        bearers: dict[tuple[int, str], tuple[str, str]] = {}
        lines: dict[Borne, Figures] = {}
        for row in self._debits.within(self.bounds(day), posted):
            account_id, service_key, value, provider, model, tier, project, price_id, context, *figures = row
            bearer = bearers.get((account_id, project))
            if bearer is None:
                bearer = bearers[account_id, project] = self._bearer(account_id, project, day)
            key = Borne(*bearer, project, service_key, provider, model, tier, price_id, context, value)
            before = lines.get(key)
            lines[key] = figures if before is None else list(map(add, before, figures))
        return Summed(lines, bearers)

    def _bearer(self, account_id: int, project: str, day: date) -> tuple[str, str]:
        """The cost centre, and the person where rows are of people."""
        person = self._payers.get(account_id)
        return self._bearers.of(person, project, day), person or "" if self._shows_people else ""

    def _read(self, day: date) -> dict[Borne, Figures]:
        return dict(kept_store.lines(self._session, str(self.told.month), day, self.meters))

    def _holds(self, before: KeptDay, posted: Instants) -> bool:
        """Whether what was added up of a day is still so: nothing of it was changed, and the same bear it."""
        changed = self._changes.get(before.day)
        if changed is not None and changed >= before.posted_until:
            return False
        if (before.effective_from, before.effective_until) != self.bounds(before.day) or before.posted_until > posted[
            1
        ]:
            return False
        return all(self._bearer(*whose, before.day) == bearer for whose, bearer in self._bore(before).items())

    @staticmethod
    def _bore(before: KeptDay) -> dict[tuple[int, str], tuple[str, str]]:
        groups = _read_groups(before.bearers or "[]")
        return {
            (account_id, project): (centre, person) for centre, person, project, some in groups for account_id in some
        }

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


def _told(lines: Mapping[Borne, Figures]) -> dict[Borne, Figures]:
    """The lines that come to anything."""
    return {key: figures for key, figures in lines.items() if any(figures[COST:])}


def _added(lines: dict[Borne, Figures], more: Iterable[tuple[Borne, Figures]]) -> dict[Borne, Figures]:
    for key, figures in more:
        before = lines.get(key)
        lines[key] = figures if before is None else list(map(add, before, figures))
    return lines


def reader(told: Months) -> Lines:
    """A month's lines, by what is known of people and cost centres now."""
    session = told.moment.session
    return Lines(told, cost_centres.bearers(session), store.payers(session))
