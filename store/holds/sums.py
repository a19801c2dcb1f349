"""The running sums that caps are judged by: what was used and is held of one scope in one window.

A sum is made when a cap first asks for it, from the days' roll-up, and kept by everyone who posts usage from then on.
Whoever posts makes it before they add to the days (docs/decisions/0045): so no use is missed, and none counts twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.caps import SumKey, days_of
from store import bulk
from store.holds.records import NoRoomError
from store.ledger.ledger import COMPANY, THE_COMPANY, company_code, wallet_code
from store.people import teams
from store.tables.holds import cap_sums
from store.tables.ledger import accounts
from store.tables.usage import usage_days

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date

    from policy.caps import Reserved
    from store.engine import Session

COLUMNS = ("first_day", "span", "scope", "key", "used_nano_usd", "held_nano_usd", "likely_nano_usd")
_s, _d = cap_sums.c, usage_days.c


class Sum(NamedTuple):
    """What was used, is held at most, and is likely of that, in nano-USD."""

    used: int = 0
    held: int = 0
    likely: int = 0


def read(session: Session, keys: Collection[SumKey], *, tail: str = "") -> dict[SumKey, Sum]:
    """The sums that are there."""
    wanted = [(key.first_day, key.window, key.scope, key.key) for key in sorted(keys)]
    rows = [row for some in bulk.chunks(wanted) for row in bulk.keyed(session, cap_sums, COLUMNS, some, tail=tail)]
    return {
        SumKey(scope, key, span, bulk.read_day(first_day)): Sum(*map(int, figures))
        for first_day, span, scope, key, *figures in rows
    }


# In the order that Python has texts in, whatever the database's language.
_LOCKED = ' ORDER BY cap_sums.scope, cap_sums.key COLLATE "C", cap_sums.span, cap_sums.first_day FOR UPDATE OF cap_sums'


def hold(session: Session, keys: Collection[SumKey], *, make: Callable[[SumKey], bool]) -> dict[SumKey, Sum]:
    """The sums, held until the transaction ends; those that are not there are made, if `make` says so.

    First all are made, and then all are locked, both in one order: two who do so never wait for each other.
    """
    there = read(session, keys)
    day = bulk.day_codec(session)
    for key in sorted(set(keys) - there.keys()):
        if make(key):
            used = spent(session, key.scope, days_of(key.window, key.first_day), only=key.key).get(key.key, 0)
            row = (day(key.first_day), key.window, key.scope, key.key, used, 0, 0)
            bulk.insert_missing(session, cap_sums, COLUMNS, [row])
            there[key] = Sum(used)
    # On SQLite whoever writes holds everything.
    return read(session, keys, tail=_LOCKED) if bulk.is_postgresql(session) else there


def add(session: Session, changes: Mapping[SumKey, Sum]) -> None:
    """Add to sums that are held; what is freed was held before."""
    for key, change in sorted(changes.items()):
        if any(change):
            _change(session, _adding, key, change)


def take(session: Session, key: SumKey, amount: Reserved, limit: int | None, *, by_likely: bool) -> None:
    """Hold an amount of a sum that is held: what is used and held, or likely, stays within its limit, if one stops."""
    change = Sum(0, *amount)
    if limit is None:
        _change(session, _adding, key, change)
    else:
        _change(session, _taking_likely if by_likely else _taking_most, key, change, limit=limit)


def _amount(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger())


_used, _held = _s.used_nano_usd + _amount("used"), _s.held_nano_usd + _amount("most")
_likely = _s.likely_nano_usd + _amount("usual")
_more = (
    sa.update(cap_sums)
    .where(_s.first_day == sa.bindparam("begin"), _s.span == sa.bindparam("window"))
    .where(_s.scope == sa.bindparam("of"), _s.key == sa.bindparam("whose"), _held >= 0, _likely >= 0)
    .values(used_nano_usd=_used, held_nano_usd=_held, likely_nano_usd=_likely)
)
_adding = bulk.Prepared(_more)
_taking_most = bulk.Prepared(_more.where(_s.used_nano_usd + _held <= _amount("limit")))
_taking_likely = bulk.Prepared(_more.where(_s.used_nano_usd + _likely <= _amount("limit")))


def _change(session: Session, how: bulk.Prepared, key: SumKey, change: Sum, **limit: int) -> None:
    of = {"begin": bulk.day_codec(session)(key.first_day), "window": key.window, "of": key.scope, "whose": key.key}
    by = {"used": change.used, "most": change.held, "usual": change.likely}
    if how.change(session, {**of, **by, **limit}) != 1:
        raise NoRoomError(key)


def forget(session: Session, before: date) -> int:
    """Drop sums of windows that began before a day and of which nothing is held."""
    return session.execute(sa.delete(cap_sums).where(_s.first_day < before, _s.held_nano_usd == 0)).rowcount


def spent(session: Session, scope: str, days: Sequence[date], *, only: str | None = None) -> Mapping[str, int]:
    """What the roll-up says was used over some days, by the key of a scope; of `only` one of them, or of all."""
    if scope == "team":
        return _of_teams(session, days, only)
    if scope in {"person", "person_service"}:
        return _of_persons(session, days, only, by_service=scope == "person_service")
    column = {"project": _d.project, "service": _d.service_key, "programme": sa.literal("")}[scope]
    query = sa.select(column, sa.func.sum(_d.cost_nano_usd)).where(_d.day >= days[0], _d.day <= days[-1])
    if only and scope != "programme":
        query = query.where(column == only)
    grouped = query if scope == "programme" else query.group_by(column)
    return {key: int(total) for key, total in session.execute(grouped) if total is not None}


def by_day(session: Session, since: date) -> dict[date, int]:
    """What the whole programme spent on each day from one on, in nano-USD."""
    query = sa.select(_d.day, sa.func.sum(_d.cost_nano_usd)).where(_d.day >= since).group_by(_d.day)
    return {day: int(total) for day, total in session.execute(query)}


def _of_persons(session: Session, days: Sequence[date], only: str | None, *, by_service: bool) -> Mapping[str, int]:
    query = sa.select(accounts.c.code, _d.service_key, sa.func.sum(_d.cost_nano_usd))
    query = query.join_from(usage_days, accounts, accounts.c.id == _d.account_id).where(_d.day.in_(days))
    if only is not None:
        person_id, _, service = only.partition("/")
        query = query.where(accounts.c.code.in_((wallet_code(person_id), company_code(person_id))))
        query = query.where(_d.service_key == service) if by_service else query
    found: Counter[str] = Counter()
    for code, service, total in session.execute(query.group_by(accounts.c.code, _d.service_key)):
        if person_id := person_of(code):
            found[f"{person_id}/{service}" if by_service else person_id] += int(total)
    return found


def person_of(code: str) -> str:
    """Whose use an account pays for; empty where it is a project's alone."""
    return "" if code == THE_COMPANY else code.removeprefix(COMPANY).removeprefix(wallet_code(""))


def _of_teams(session: Session, days: Sequence[date], only: str | None) -> Mapping[str, int]:
    query = sa.select(_d.day, accounts.c.code, sa.func.sum(_d.cost_nano_usd))
    query = query.join_from(usage_days, accounts, accounts.c.id == _d.account_id).where(_d.day.in_(days))
    lines = None
    if only is not None:
        lines = teams.lines_below(session, only)
        codes = [code(person_id) for person_id in lines for code in (wallet_code, company_code)]
        query = query.where(accounts.c.code.in_(codes))
    rows = [
        (day, person_of(code), int(total))
        for day, code, total in session.execute(query.group_by(_d.day, accounts.c.code))
    ]
    if lines is None:
        lines = teams.lines_of(session, {person_id for _, person_id, _ in rows})
    found: Counter[str] = Counter()
    for day, person_id, total in rows:
        manager = teams.manager_before(lines.get(person_id, ()), day)
        if manager is not None and only in {None, manager}:
            found[manager] += total
    return found


def persons(session: Session, account_ids: Iterable[int]) -> dict[int, str]:
    """Whose use each of some accounts pays for."""
    found: dict[int, str] = {}
    for some in bulk.chunks(sorted(set(account_ids))):
        query = sa.select(accounts.c.id, accounts.c.code).where(accounts.c.id.in_(some))
        found |= {id_: person_of(code) for id_, code in session.execute(query)}
    return found


def by_window(session: Session) -> dict[tuple[str, str, date], dict[str, Sum]]:
    """Every sum, by its scope and window."""
    found: defaultdict[tuple[str, str, date], dict[str, Sum]] = defaultdict(dict)
    for first_day, span, scope, key, *figures in session.execute(sa.select(*(_s[name] for name in COLUMNS))):
        found[scope, span, first_day][key] = Sum(*figures)
    return found
