"""What each cost centre bears of a month, told so that it is about no single person.

The figures are those of finance's file (programme/finance/charges): a month is what was posted about it until it was
settled, and corrections of months before. What of vendors' bills is shared out comes beside it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from policy import disclosure
from policy.period import Month, day_of, first_instant
from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD, divide_half_even
from programme.finance.charges import OTHERS, SMALL, disclosed_centres
from programme.finance.months import EARLIEST, LATEST, Months
from programme.people import cost_centres
from store.finance import charges as store
from store.finance.charges import Of
from store.handbook import reference
from store.people import projects
from views.finance import EARLIER, NOT_APART, SHARED, USAGE, CentreMonth, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from programme.moment import Moment
    from programme.people.cost_centres import Bearers
    from store.finance.charges import Instants

NO_PROJECT = "No project"


class _Charge(NamedTuple):
    """What a cost centre bears of somebody's use of a service for a project; None for what no person is named for."""

    centre: str
    person_id: str | None
    service: str
    project: str
    kind: str
    usd: int
    tokens: int


class _Names(NamedTuple):
    """What services and projects are called, by key."""

    services: Mapping[str, str]
    projects: Mapping[str, str]


def of_month(moment: Moment, month: Month) -> dict[str, CentreMonth]:
    """Every cost centre's month, by key: the named ones, those of too few people together, and what none bears."""
    told, before = Months(moment, month), Months(moment, month.previous())
    bearers, payers = cost_centres.bearers(moment.session), store.payers(moment.session)
    now, then = (_Gathered.of(_Ledger(one, bearers, payers)) for one in (told, before))
    kinds = store.service_kinds(moment.session)
    names = _Names({key: name for key, (name, _) in kinds.items()}, projects.names(moment.session))
    found = {key: _month(told, bearers.name(key), key, now, then, names) for key in now.charges}
    hidden = {key: CentreMonth(key, bearers.name(key), str(month), hidden=True) for key in now.hidden}
    return dict(sorted({**found, **hidden}.items()))


class _Ledger:
    """Reads a month's charges: from the days' roll-up, and entry by entry only what came late."""

    def __init__(self, told: Months, bearers: Bearers, payers: Mapping[int, str]) -> None:
        self.told = told
        self.bearers, self.payers = bearers, payers
        self._session, self._zone = told.moment.session, told.moment.zone
        self._debits = store.Debits(self._session, (), {})
        self._values = reference.values_by_version(self._session)

    def charges(self) -> Iterator[_Charge]:
        """Everything that stands in the month."""
        month = self.told.month
        begin, end = month.bounds(self._zone)
        settled = self.told.settled_at(month)
        for one in store.used(self._session, (month.first_day, month.next().first_day)):
            yield self._charge(one[:4], USAGE, one.nano_usd, one.micro_tokens)
        # The roll-up has it, and a later month as well: what came once this month was settled.
        yield from self._late((begin, end), (settled, LATEST), USAGE, sign=-1)
        yield from self._late((EARLIEST, begin), (begin, end), EARLIER)
        yield from self._adjusted((begin, end), (EARLIEST, settled), SHARED)
        yield from self._adjusted((EARLIEST, begin), (begin, end), EARLIER)

    def _late(self, effective: Instants, posted: Instants, kind: str, *, sign: int = 1) -> Iterator[_Charge]:
        """What was posted in some time about days whose month was settled by then."""
        for day in sorted({day_of(at, self._zone) for at in store.late(self._session, effective, posted)}):
            bounds = (first_instant(day, self._zone), first_instant(day.fromordinal(day.toordinal() + 1), self._zone))
            since = max(posted[0], self._settled(day))
            for *key, _, cost, debit, _ in self._debits.within(bounds, (since, posted[1])):
                of = Of(*key)
                yield self._charge((of.account_id, of.service_key, of.project, day), kind, sign * cost, sign * debit)

    def _adjusted(self, effective: Instants, posted: Instants, kind: str) -> Iterator[_Charge]:
        for one in store.adjusted(self._session, effective, posted):
            day = day_of(one.effective_at, self._zone)
            if kind == SHARED or one.posted_at >= self._settled(day):
                per_token = self._values[one.value_version].nano_usd_per_token
                usd = divide_half_even(one.micro_tokens * per_token, MICRO_PER_TOKEN)
                yield self._charge((one.account_id, one.service_key, "", day), kind, usd, one.micro_tokens)

    def _settled(self, day: date) -> datetime:
        return self.told.settled_at(Month.containing(day))

    def _charge(self, of: tuple[int, str, str, date], kind: str, usd: int, tokens: int) -> _Charge:
        account_id, service, project, day = of
        person = self.payers.get(account_id)
        return _Charge(self.bearers.of(person, project, day), person, service, project, kind, usd, tokens)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """A month's charges by cost centre as it is told; `hidden` are the cost centres that are not told apart."""

    charges: Mapping[str, Sequence[_Charge]]
    hidden: frozenset[str]

    @classmethod
    def of(cls, ledger: _Ledger) -> _Gathered:
        told_apart = disclosed_centres(ledger.told, ledger.bearers, ledger.payers)
        charges: defaultdict[str, list[_Charge]] = defaultdict(list)
        hidden: set[str] = set()
        for one in ledger.charges():
            is_told = not one.centre or one.centre in told_apart
            charges[one.centre if is_told else SMALL].append(one)
            if not is_told:
                hidden.add(one.centre)
        return cls(charges, frozenset(hidden))

    def total(self, key: str) -> int:
        return sum(one.usd for one in self.charges.get(key, ()))

    def people(self, key: str) -> frozenset[object]:
        return frozenset(one.person_id for one in self.charges.get(key, ()) if one.person_id)


def _month(  # noqa: PLR0917 - private, called once
    told: Months, name: str, key: str, now: _Gathered, then: _Gathered, names: _Names
) -> CentreMonth:
    least, charges, people = told.least_people, now.charges[key], now.people(key)
    is_comparable = key in then.charges and not disclosure.is_of_few(len(people ^ then.people(key)), least)
    return CentreMonth(
        key=key,
        name=OTHERS if key == SMALL else name,
        month=str(told.month),
        spent=NanoUSD(now.total(key)),
        debited=MicroTokens(sum(one.tokens for one in charges)),
        people=len(people),
        services=_parts([(one.service, one) for one in charges], names.services, least),
        projects=_parts([(one.project, one) for one in charges], {"": NO_PROJECT, **names.projects}, least),
        kinds=_parts([(one.kind, one) for one in charges], {}, least),
        before=NanoUSD(then.total(key)) if is_comparable else None,
    )


def _parts(charges: Sequence[tuple[str, _Charge]], names: Mapping[str, str], least: int) -> tuple[Part, ...]:
    """What each of them comes to, the largest first; those of too few people together, last."""
    people: defaultdict[str, set[object]] = defaultdict(set)
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for key, one in charges:
        people[key].update({one.person_id} - {None})
        sums[key] = [sums[key][0] + one.usd, sums[key][1] + one.tokens]
    told = set(disclosure.disclosed({key: frozenset(some) for key, some in people.items()}, least))
    rest = [sums[key] for key in sums if key not in told]
    parts = [Part(key, names.get(key, key), NanoUSD(sums[key][0]), MicroTokens(sums[key][1])) for key in told]
    parts.sort(key=lambda part: (-int(part.spent), part.name))
    if rest:
        usd, tokens = (sum(column) for column in zip(*rest, strict=True))
        parts.append(Part(NOT_APART, "", NanoUSD(usd), MicroTokens(tokens)))
    return tuple(part for part in parts if part.spent or part.debited)
