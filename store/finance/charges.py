"""What entries of usage paid for, added up in the database, and what was granted: no event is read by us."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy import bills
from policy.kinds import EntryKind
from policy.metering import INPUT_METERS
from store import bulk, digests
from store.ledger.ledger import COMPANY, service_code
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.usage import services, usage_days

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from store.engine import Session

Instants = tuple["datetime", "datetime"]
"""From the first up to the second, which is not included."""
_en = entries.c
_AT_ONCE = 10_000
SERVICE = service_code("")


class Of(NamedTuple):
    """What debits are told apart by."""

    account_id: int
    service_key: str
    value_version: str
    provider: str
    model: str
    tier: str
    project: str
    price_id: str
    context: int
    """The number of input tokens above which a price of its own holds; 0 for the usual one."""


class Debits:
    """Adds up what entries debited for events, by payer, product and price, with the count of each meter.

    A row is an `Of`, then calls, nano-USD, micro-tokens, how many calls counted their requests, and the counts. What an
    entry debited stays in its sums when it is given back: that is in the sums of the entry that gave it back.
    """

    def __init__(self, session: Session, meters: Sequence[str], tiers: Mapping[str, Sequence[int]]) -> None:
        """`tiers` are the numbers of input tokens above which a price changes, by the price's id."""
        self._session = session
        self._meters = tuple(meters)
        self._prices: defaultdict[int, list[str]] = defaultdict(list)
        for id_, starts in sorted(tiers.items()):
            for start in starts:
                self._prices[start].append(id_)
        self._mark = "%s" if bulk.is_postgresql(session) else "?"
        self._statements = [self._statement(*part) for part in (_STANDING, _UNDONE, _UNDOING)]

    def within(self, effective: Instants, posted: Instants) -> Iterator[bulk.Row]:
        """Of the entries that took effect in some time, and were posted in some time."""
        instant = bulk.instant_codec(self._session)
        tiered = [id_ for start in self._starts for id_ in self._prices[start]]
        values = [*tiered, *(instant(at) for at in (*effective, *posted))]
        for statement in self._statements:
            yield from bulk.each(self._session, statement, values)

    @property
    def _starts(self) -> list[int]:
        return sorted(self._prices, reverse=True)

    def _statement(self, tables: str, said: str, events: str, sign: str) -> str:
        mark, counts = self._mark, [self._count(events, meter) for meter in self._meters]
        told = [self._said(said, name) for name in ("provider", "model", "tier", "project")]
        key = [f"{events}.account_id", "n.memo", "n.value_version", *told, f"{events}.price_id", self._context(events)]
        sums = [f"sum({one})" for one in (f"{events}.cost_nano_usd", f"{events}.debit_micro_tokens")]
        sums += [f"count({self._count(events, 'requests')})", *(f"coalesce(sum({one}), 0)" for one in counts)]
        figures = ", ".join(f"{sign}CAST({one} AS BIGINT)" for one in ("count(*)", *sums))
        places = ", ".join(str(number + 1) for number in range(len(key)))
        in_words = digests.on_postgresql if bulk.is_postgresql(self._session) else digests.on_sqlite
        tables = tables.format(digest=in_words("r.source", "r.event_id"))
        return (
            f"SELECT {', '.join(key)}, {figures} FROM {tables}"  # noqa: S608 - our own words
            f" AND n.effective_at >= {mark} AND n.effective_at < {mark}"
            f" AND n.posted_at >= {mark} AND n.posted_at < {mark}"
            f" GROUP BY {places}"
        )

    def _said(self, table: str, name: str) -> str:
        """What an event said by the version that was debited."""
        if table == "e":
            return f"e.{name}"
        version = (
            f"v.content ->> '{name}'" if bulk.is_postgresql(self._session) else f"json_extract(v.content, '$.{name}')"
        )
        return f"coalesce({version}, e.{name})"

    def _count(self, table: str, meter: str) -> str:
        if bulk.is_postgresql(self._session):
            return f"CAST({table}.meters ->> '{meter}' AS BIGINT)"
        return f"json_extract({table}.meters, '$.{meter}')"

    def _context(self, events: str) -> str:
        """Most calls are told by their first comparison to be in no tier."""
        if not self._prices:
            return "0"
        inputs = [self._count(events, meter) for meter in self._meters if meter in INPUT_METERS]
        told = " + ".join(f"coalesce({one}, 0)" for one in inputs)
        whens = [f"WHEN {told} <= {self._starts[-1]} THEN 0"]
        for start in self._starts:
            marks = ", ".join(self._mark for _ in self._prices[start])
            whens.append(f"WHEN {told} > {start} AND {events}.price_id IN ({marks}) THEN {start}")
        return f"CASE {' '.join(whens)} ELSE 0 END"


_STANDING = ("entries n JOIN usage_events e ON e.entry_id = n.id WHERE true", "e", "e", "")
"""Where events are that an entry debited, who says what they are, who what they cost, and the sign."""
# They are few, so that they come first; SQLite takes a cross join's tables as they are named.
_REVERSALS = (
    "usage_reversals r CROSS JOIN entries n JOIN usage_ids i ON i.digest = {digest}"
    " JOIN usage_events e ON e.id = i.event"
    " LEFT JOIN usage_versions v ON v.source = r.source AND v.event_id = r.event_id AND v.revision = r.revision"
)
_UNDONE = (f"{_REVERSALS} WHERE n.id = r.entry_id", "v", "r", "")
_UNDOING = (f"{_REVERSALS} WHERE n.id = r.reversal_entry_id", "v", "r", "-")


def late(session: Session, effective: Instants, posted: Instants) -> Iterator[datetime]:
    """When entries of usage took effect that did so in some time, and were posted in another."""
    query = sa.select(_en.effective_at).where(_en.kind.in_((EntryKind.USAGE, EntryKind.REVERSAL)))
    query = query.where(*_within(effective, posted)).execution_options(yield_per=_AT_ONCE)
    yield from session.execute(query).scalars()


class Adjusted(NamedTuple):
    """What an adjustment to a vendor's bill took from a payer for a service; below zero what it gave back."""

    account_id: int
    service_key: str
    value_version: str
    effective_at: datetime
    posted_at: datetime
    micro_tokens: int
    key: str
    """The entry's."""

    @property
    def difference(self) -> list[str]:
        """Vendor, month, cause and gateway of the difference that it was posted for."""
        return self.key.removeprefix(f"{EntryKind.ADJUSTMENT}:").split(":")


def adjusted(session: Session, effective: Instants, posted: Instants) -> Iterator[Adjusted]:
    """The adjustments that took effect in some time, and were posted in some time."""
    payer, service, account = postings.alias("payer"), postings.alias("service"), accounts.alias("account")
    query = (
        sa.select(
            payer.c.account_id,
            account.c.code,
            _en.value_version,
            _en.effective_at,
            _en.posted_at,
            -payer.c.amount,
            _en.idempotency_key,
        )
        .join_from(entries, payer, payer.c.entry_id == _en.id)
        .join(service, sa.and_(service.c.entry_id == _en.id, service.c.account_id != payer.c.account_id))
        .join(account, sa.and_(account.c.id == service.c.account_id, account.c.code.startswith(SERVICE)))
        .where(_en.kind == EntryKind.ADJUSTMENT, *_within(effective, posted))
        .order_by(_en.id, payer.c.account_id)
    )
    for account_id, code, *rest in session.execute(query.execution_options(yield_per=_AT_ONCE)):
        yield Adjusted(account_id, code.removeprefix(SERVICE), *rest)


def differences(session: Session, effective: Instants, posted: Instants) -> Iterator[Adjusted]:
    """Those of them that were posted for differences with bills, and not for bills that were taken in."""
    return (one for one in adjusted(session, effective, posted) if not one.key.startswith(bills.ENTRIES))


def _within(effective: Instants, posted: Instants) -> list[sa.ColumnElement[bool]]:
    return [
        _en.effective_at >= effective[0],
        _en.effective_at < effective[1],
        _en.posted_at >= posted[0],
        _en.posted_at < posted[1],
    ]


def payers(session: Session) -> dict[int, str]:
    """Whose use each account pays for, by its number."""
    query = sa.select(accounts.c.id, accounts.c.code, accounts.c.person_id)
    of_people = query.where(accounts.c.person_id.is_not(None) | accounts.c.code.startswith(COMPANY))
    return {id_: person or code.removeprefix(COMPANY) for id_, code, person in session.execute(of_people)}


class Used(NamedTuple):
    """What one account used of one service for one project on one day, in nano-USD and micro-tokens."""

    account_id: int
    service_key: str
    project: str
    day: date
    nano_usd: int
    micro_tokens: int


def used(session: Session, days: tuple[date, date]) -> Iterator[Used]:
    """What was used from one day up to another: from the roll-up."""
    d = usage_days.c
    key = (d.account_id, d.service_key, d.project, d.day)
    query = sa.select(*key, sa.func.sum(d.cost_nano_usd), sa.func.sum(d.debit_micro_tokens)).group_by(*key)
    within = query.where(d.day >= days[0], d.day < days[1])
    for account_id, service, project, day, cost, debit in session.execute(within.execution_options(yield_per=_AT_ONCE)):
        yield Used(account_id, service, project, day, int(cost), int(debit))


def users(session: Session, days: tuple[date, date]) -> Iterator[tuple[int, str, date]]:
    """Which accounts used something for which project on which day: from the roll-up."""
    d = usage_days.c
    query = sa.select(d.account_id, d.project, d.day).distinct().where(d.day >= days[0], d.day < days[1])
    yield from session.execute(query.execution_options(yield_per=_AT_ONCE))


def granted(session: Session, effective: Instants, posted: Instants) -> list[tuple[str, int, int]]:
    """(kind of lot, person's account, micro-tokens) of the lots that were opened in some time."""
    query = (
        sa.select(lots.c.kind, lots.c.account_id, sa.func.sum(lots.c.amount))
        .join_from(lots, entries, lots.c.entry_id == _en.id)
        .where(_en.kind != EntryKind.REVERSAL, *_within(effective, posted))
        .group_by(lots.c.kind, lots.c.account_id)
    )
    return [(kind, account_id, int(amount)) for kind, account_id, amount in session.execute(query)]


def service_kinds(session: Session) -> dict[str, tuple[str, str]]:
    """(name, kind) of each service that was ever approved, by its key."""
    rows = session.execute(sa.select(services.c.key, services.c.name, services.c.kind))
    return {key: (name, kind) for key, name, kind in rows}
