"""Who reported to whom, as it was known on each day; what their wallets hold and spent."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import LotKind
from store import bulk
from store.grants.monthly import Holding, holding
from store.ledger import ledger
from store.tables.exceptions import requests
from store.tables.grants import grants
from store.tables.ledger import accounts, lots
from store.tables.people import people, reporting_lines
from store.tables.usage import services, usage_days
from store.tables.value import token_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from policy.period import Week
    from store.engine import Session

    Lines = Mapping[str, Sequence[tuple[date, str | None]]]
    """Each person's managers, from the day on which they are known to be."""

_l = reporting_lines.c
MOST_LEVELS = 20
"""Deeper than any company; a circle of managers ends here."""


def record(session: Session, person_id: str, since: date, lines: Sequence[tuple[date, str | None]]) -> None:
    """A person's managers from a day on, instead of what was foreseen for then."""
    session.execute(sa.delete(reporting_lines).where(_l.person_id == person_id, _l.holds_from >= since))
    query = sa.select(_l.manager_id).where(_l.person_id == person_id).order_by(_l.holds_from.desc()).limit(1)
    last: str | None = session.execute(query).scalar_one_or_none()
    rows = []
    for day, manager in lines:
        if manager != last:
            rows.append((person_id, bulk.day_codec(session)(day), manager))
        last = manager
    bulk.insert(session, reporting_lines, ("person_id", "holds_from", "manager_id"), rows)


def is_anything_told(session: Session) -> bool:
    """Whether a team can have a figure at all: something is spent, or granted."""
    return any(
        session.execute(sa.select(column).limit(1)).one_or_none() is not None
        for column in (usage_days.c.day, lots.c.id)
    )


def lines_below(session: Session, manager_id: str) -> Lines:
    """The lines of everyone who ever was a report of a manager."""
    return _lines(session, [manager_id])


def lines_far_below(session: Session, manager_ids: Iterable[str]) -> Lines:
    """The same of some managers, with everyone below."""
    found: dict[str, Sequence[tuple[date, str | None]]] = {}
    above = set(manager_ids)
    for _ in range(MOST_LEVELS):
        more = {id_: lines for id_, lines in _lines(session, sorted(above)).items() if id_ not in found}
        if not more:
            break
        found |= more
        above = set(more)
    return found


def _lines(session: Session, manager_ids: Sequence[str]) -> Lines:
    found: defaultdict[str, list[tuple[date, str | None]]] = defaultdict(list)
    for some in bulk.chunks(manager_ids):
        reports = sa.select(_l.person_id).where(_l.manager_id.in_(some))
        query = sa.select(_l.person_id, _l.holds_from, _l.manager_id).where(_l.person_id.in_(reports))
        for person_id, day, manager in session.execute(query.order_by(_l.person_id, _l.holds_from)):
            found[person_id].append((day, manager))
    return found


def lines_of(session: Session, person_ids: Iterable[str]) -> Lines:
    """The lines of some people."""
    found: defaultdict[str, list[tuple[date, str | None]]] = defaultdict(list)
    for some in bulk.chunks(sorted(set(person_ids))):
        query = sa.select(_l.person_id, _l.holds_from, _l.manager_id).where(_l.person_id.in_(some))
        for person_id, day, manager in session.execute(query.order_by(_l.person_id, _l.holds_from)):
            found[person_id].append((day, manager))
    return found


def manager_before(lines: Sequence[tuple[date, str | None]], day: date) -> str | None:
    """Whose team someone was in when a day began: what is entered on that day itself counts from the next one."""
    return next((manager for since, manager in reversed(lines) if since < day), None)


def managers(session: Session, day: date) -> list[str]:
    """Everyone who has a report on a day."""
    latest = (
        sa.select(_l.person_id, sa.func.max(_l.holds_from).label("holds_from"))
        .where(_l.holds_from <= day)
        .group_by(_l.person_id)
        .subquery()
    )
    query = sa.select(_l.manager_id).distinct().where(_l.manager_id.is_not(None))
    held = query.join(latest, sa.and_(latest.c.person_id == _l.person_id, latest.c.holds_from == _l.holds_from))
    return sorted(session.execute(held).scalars())


class Member(NamedTuple):
    """A person, and an account that pays for their use if they have one: their wallet, or a part of the company's."""

    person_id: str
    name: str
    account_id: int | None


def members(session: Session, person_ids: Iterable[str]) -> list[Member]:
    """Some people, by wallet; those whom the company paid for as well come once more, for its account."""
    query = sa.select(people.c.id, people.c.name, accounts.c.id)
    query = query.outerjoin(accounts, accounts.c.person_id == people.c.id)
    paid = sa.select(people.c.id, people.c.name, accounts.c.id)
    paid = paid.join(accounts, accounts.c.code == sa.literal(ledger.COMPANY) + people.c.id)
    found: list[Member] = []
    for some in bulk.chunks(sorted(person_ids)):
        found += [Member(*row) for q in (query, paid) for row in session.execute(q.where(people.c.id.in_(some)))]
    return found


class DaySpent(NamedTuple):
    """What a service took from a wallet on a day: nano-USD and micro-tokens."""

    day: date
    account_id: int
    service: str
    usd: int
    tokens: int


def spent(session: Session, account_ids: Sequence[int], days: Sequence[date]) -> Iterator[DaySpent]:
    """What each service took from some wallets on some days.

    The days are named one by one: the key begins with the day, and each (day, wallet) is a short seek, whatever else
    was spent on the day, or before.
    """
    d = usage_days.c
    query = (
        sa.select(d.day, d.account_id, services.c.name, sa.func.sum(d.cost_nano_usd), sa.func.sum(d.debit_micro_tokens))
        .join(services, services.c.key == d.service_key)
        .group_by(d.day, d.account_id, services.c.name)
    )
    for some in bulk.chunks(account_ids):
        rows = session.execute(query.where(d.day.in_(days), d.account_id.in_(some)))
        yield from (
            DaySpent(day, account, service, int(usd), int(tokens)) for day, account, service, usd, tokens in rows
        )


class WeekSpent(NamedTuple):
    """What was taken from a wallet in a week: nano-USD and micro-tokens."""

    account_id: int
    usd: int
    tokens: int


def spent_in_week(session: Session, account_ids: Sequence[int], week: Week) -> Iterator[WeekSpent]:
    """What was taken from some wallets in a week; those from which nothing was are left out."""
    d = usage_days.c
    query = sa.select(d.account_id, sa.func.sum(d.cost_nano_usd), sa.func.sum(d.debit_micro_tokens))
    query = query.where(d.day.in_(list(week.days()))).group_by(d.account_id)
    for some in bulk.chunks(account_ids):
        rows = session.execute(query.where(d.account_id.in_(some)))
        yield from (WeekSpent(account, int(usd), int(tokens)) for account, usd, tokens in rows)


class Grant(NamedTuple):
    """A monthly grant in micro-tokens, and what a token was worth in nano-USD when it was made."""

    person_id: str
    month: str
    amount: int
    per_token: int


def granted(session: Session, person_ids: Iterable[str], months: Sequence[str]) -> Iterator[Grant]:
    query = sa.select(grants.c.person_id, grants.c.month, grants.c.amount, token_values.c.nano_usd_per_token)
    query = query.join(token_values, token_values.c.version == grants.c.value_version)
    for some in bulk.chunks(sorted(person_ids)):
        rows = session.execute(query.where(grants.c.month.in_(months), grants.c.person_id.in_(some)))
        yield from (Grant(*row) for row in rows)


class LotLeft(NamedTuple):
    """An open lot of a regular grant, and when it began."""

    holding: Holding
    starts_at: datetime


def open_grants(session: Session, account_ids: Sequence[int], now: datetime) -> list[LotLeft]:
    """What is left of regular grants that can be spent now, in the order in which it ends."""
    c = lots.c
    query = (
        sa.select(c.account_id, accounts.c.person_id, c.id, c.kind, c.expires_at, c.remaining, c.reason, c.starts_at)
        .join(accounts, accounts.c.id == c.account_id)
        .where(c.remaining > 0, c.kind == LotKind.MONTHLY, c.starts_at <= now, c.expires_at > now)
        .order_by(c.expires_at, c.id)
    )
    found: list[LotLeft] = []
    for some in bulk.chunks(account_ids):
        rows = session.execute(query.where(c.account_id.in_(some)))
        found += [LotLeft(holding(*row[:-1]), row[-1]) for row in rows]
    return found


def count_undecided(session: Session, person_ids: Iterable[str]) -> int:
    """How many requests of some people wait for the board."""
    wanted = set(person_ids)
    # In the words of the index, as the board's queue is read.
    query = sa.select(requests.c.person_id).where(sa.text("requests.state IN ('open', 'credited')"))
    return sum(person_id in wanted for person_id in session.execute(query).scalars())
