"""What grants follow from, dated: levels and posts, pay bands, leaves, projects, budgets."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import sqlalchemy as sa

from policy.units import NanoUSD
from policy.value.currencies import Money
from store import bulk
from store.tables.grants import budgets
from store.tables.people import absences, assignments, pay_bands, people, person_terms, projects

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from policy.period import Month
    from policy.units import Permille
    from store.engine import Session

TERMS = ("level", "role_family", "pay_band", "fte_permille")


class Participant(NamedTuple):
    """A person with the terms that held when the month began, or when they came if that was later."""

    id: str
    name: str
    time_zone: str
    hired_on: date
    left_on: date | None
    wave: int | None
    level: str
    role_family: str
    pay_band: str | None
    fte_permille: Permille


class ProjectLine(Protocol):
    """A project and one person's share of work on it, as a file tells it."""

    @property
    def project(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def complexity(self) -> str: ...
    @property
    def director_id(self) -> str | None: ...
    @property
    def sponsor_id(self) -> str | None: ...
    @property
    def person_id(self) -> str | None: ...
    @property
    def share_permille(self) -> int: ...
    @property
    def cost_centre(self) -> str | None: ...


class Assigned(NamedTuple):
    """A project that someone works on."""

    person_id: str
    project: str
    complexity: str
    share_permille: int


def record(session: Session, rows: Iterable[tuple[str, date, Mapping[str, Any]]]) -> None:
    """Note (person, from which day, terms); a second change on one day replaces the first."""
    noted = {(person_id, day): terms for person_id, day, terms in rows}
    if not noted:
        return
    c = person_terms.c
    replaced = sa.delete(person_terms).where(c.person_id == sa.bindparam("p"), c.holds_from == sa.bindparam("d"))
    session.execute(replaced, [{"p": person_id, "d": day} for person_id, day in noted])
    inserted = [
        {"person_id": person_id, "holds_from": day, **{name: terms[name] for name in TERMS}}
        for (person_id, day), terms in noted.items()
    ]
    session.execute(sa.insert(person_terms), inserted)


def participants(
    session: Session, month: Month, role_families: Iterable[str] | None, *, among: Collection[str] | None = None
) -> list[Participant]:
    """Everyone of some role families (None: of any) who is employed on a day of the month, by id.

    Or those `among` some people.
    """
    first, end = (sa.literal(day, sa.Date) for day in (month.first_day, month.next().first_day))
    query = _employed(first, end).order_by(people.c.id)
    if role_families is not None:
        query = query.where(person_terms.c.role_family.in_(list(role_families)))
    if among is None:
        return [Participant(*row) for row in session.execute(query)]
    some_by_some = (query.where(people.c.id.in_(some)) for some in bulk.chunks(sorted(among)))
    return [Participant(*row) for chunk in some_by_some for row in session.execute(chunk)]


def _employed(first: sa.ColumnElement[date], end: sa.ColumnElement[date]) -> sa.Select[Any]:
    """Everyone who is employed on a day from the first until before the end, with the terms that held then."""
    began = sa.case((people.c.hired_on > first, people.c.hired_on), else_=first)
    terms = person_terms.alias()
    of_person = sa.select(sa.func.max(terms.c.holds_from)).where(terms.c.person_id == people.c.id)
    earliest = sa.select(sa.func.min(terms.c.holds_from)).where(terms.c.person_id == people.c.id)
    held = sa.func.coalesce(of_person.where(terms.c.holds_from <= began).scalar_subquery(), earliest.scalar_subquery())
    return (
        sa.select(
            people.c.id,
            people.c.name,
            people.c.time_zone,
            people.c.hired_on,
            people.c.left_on,
            people.c.wave,
            *(person_terms.c[name] for name in TERMS),
        )
        .join_from(
            people,
            person_terms,
            sa.and_(person_terms.c.person_id == people.c.id, person_terms.c.holds_from == held),
        )
        .where(
            people.c.merged_into.is_(None),
            people.c.hired_on < end,
            sa.or_(people.c.left_on.is_(None), people.c.left_on >= first),
        )
    )


_of_some = _employed(sa.bindparam("first", type_=sa.Date), sa.bindparam("end", type_=sa.Date))
_of_some_sqlite = bulk.Prepared(_of_some.where(sa.text("people.id IN (SELECT value FROM json_each(:people))")))
_of_some_postgresql = bulk.Prepared(_of_some.where(sa.text("people.id = ANY(:people)")))


def of_some(session: Session, month: Month, people_ids: Collection[str]) -> list[Participant]:
    """The same of some people, whatever their role family; for usage, which asks at every batch."""
    day, some = bulk.day_codec(session), sorted(people_ids)
    days = {"first": day(month.first_day), "end": day(month.next().first_day)}
    if bulk.is_postgresql(session):
        return [Participant(*row) for row in _of_some_postgresql.execute(session, days | {"people": some})]
    rows = _of_some_sqlite.execute(session, days | {"people": json.dumps(some)})
    found = (Participant(*row) for row in rows)
    # SQLite gives days as text.
    return [one._replace(hired_on=_day(one.hired_on), left_on=one.left_on and _day(one.left_on)) for one in found]


def _day(given: Any) -> date:  # noqa: ANN401 - as the driver gave it
    return date.fromisoformat(given)


def midpoints(session: Session, day: date) -> dict[str, Money]:
    """The midpoint of each pay band that holds on a day, in the band's currency."""
    b = pay_bands.c
    query = sa.select(b.band, b.currency, b.midpoint_nano_usd).where(b.holds_from <= day).order_by(b.holds_from)
    return {band: Money(currency, nano) for band, currency, nano in session.execute(query)}


def bands(session: Session) -> list[str]:
    """Every pay band that has ever had a midpoint."""
    return list(session.execute(sa.select(pay_bands.c.band).distinct().order_by(pay_bands.c.band)).scalars())


def is_family(session: Session, word: str) -> bool:
    """Whether somebody is of a role family that is spelled so; mostly the first few rows answer."""
    query = sa.select(people.c.id).where(people.c.role_family == word).limit(1)
    return session.execute(query).one_or_none() is not None


def families(session: Session) -> list[str]:
    """Every role family that somebody ever had."""
    return list(session.execute(sa.select(person_terms.c.role_family).distinct()).scalars())


def set_midpoint(session: Session, band: str, *, holds_from: date, midpoint: Money) -> None:
    key = (pay_bands.c.band == band, pay_bands.c.holds_from == holds_from)
    session.execute(sa.delete(pay_bands).where(*key))
    row = {"band": band, "holds_from": holds_from, "midpoint_nano_usd": midpoint.nano, "currency": midpoint.currency}
    session.execute(sa.insert(pay_bands).values(**row))


def leaves(session: Session, month: Month) -> dict[str, list[tuple[date, date | None]]]:
    """First and last days of all leaves of those who have one that touches a month: it may be part of a longer one."""
    touching = absences.alias()
    who = sa.select(touching.c.person_id).where(
        touching.c.first_day < month.next().first_day,
        sa.or_(touching.c.last_day.is_(None), touching.c.last_day >= month.first_day),
    )
    query = sa.select(absences.c.person_id, absences.c.first_day, absences.c.last_day)
    query = query.where(absences.c.person_id.in_(who))
    found: dict[str, list[tuple[date, date | None]]] = {}
    for person_id, first, last in session.execute(query):
        found.setdefault(person_id, []).append((first, last))
    return found


def set_leave(session: Session, person_id: str, first: date, last: date | None) -> None:
    key = (absences.c.person_id == person_id, absences.c.first_day == first)
    session.execute(sa.delete(absences).where(*key))
    session.execute(sa.insert(absences).values(person_id=person_id, first_day=first, last_day=last))


def assigned(session: Session, month: Month) -> dict[str, list[Assigned]]:
    """Who works on what when the month begins, or when they come if that is later; by person."""
    first = sa.literal(month.first_day, sa.Date)
    began = sa.case((people.c.hired_on > month.first_day, people.c.hired_on), else_=first)
    a = assignments.c
    query = (
        sa.select(a.person_id, projects.c.name, projects.c.complexity, a.share_permille)
        .select_from(
            assignments.join(projects, projects.c.key == a.project_key).join(people, people.c.id == a.person_id)
        )
        .where(a.first_day <= began, sa.or_(a.last_day.is_(None), a.last_day >= began))
        .order_by(a.person_id, a.share_permille.desc(), a.project_key)
    )
    found: dict[str, list[Assigned]] = {}
    for row in session.execute(query):
        found.setdefault(row.person_id, []).append(Assigned(*row))
    return found


def projects_of(session: Session, person_id: str, day: date) -> set[str]:
    """The keys of the projects that someone works on."""
    a = assignments.c
    query = sa.select(a.project_key).where(a.person_id == person_id, a.first_day <= day)
    return set(session.execute(query.where(sa.or_(a.last_day.is_(None), a.last_day >= day))).scalars())


def budget(session: Session, month: Month) -> NanoUSD | None:
    """The budget that holds in a month: the last one that was set for it or for an earlier one."""
    query = sa.select(budgets.c.amount_nano_usd).where(budgets.c.month <= str(month))
    found = session.execute(query.order_by(budgets.c.month.desc()).limit(1)).scalar_one_or_none()
    return None if found is None else NanoUSD(found)


def set_budget(session: Session, month: Month, amount: NanoUSD, *, actor: str, now: datetime) -> None:
    session.execute(sa.delete(budgets).where(budgets.c.month == str(month)))
    session.execute(sa.insert(budgets).values(month=str(month), amount_nano_usd=int(amount), set_at=now, set_by=actor))


class Budget(NamedTuple):
    """A month's budget, and who set it."""

    month: str
    amount: NanoUSD
    set_by: str


def budgets_set(session: Session) -> list[Budget]:
    """Every budget that was set, oldest first."""
    query = sa.select(budgets.c.month, budgets.c.amount_nano_usd, budgets.c.set_by).order_by(budgets.c.month)
    return [Budget(month, NanoUSD(usd), actor) for month, usd, actor in session.execute(query)]


def people_by_email(session: Session) -> dict[str, str]:
    return {email: id_ for email, id_ in session.execute(sa.select(people.c.email, people.c.id))}


def replace_projects(session: Session, lines: Sequence[ProjectLine], *, today: date) -> int:
    """Make each project of the lines what they say, from today on; how many assignments ended."""
    for line in {line.project: line for line in lines}.values():
        columns = {
            "name": line.name,
            "complexity": line.complexity,
            "director_id": line.director_id,
            "sponsor_id": line.sponsor_id,
            "cost_centre": line.cost_centre,
        }
        changed = session.execute(sa.update(projects).where(projects.c.key == line.project).values(**columns))
        if not changed.rowcount:
            session.execute(sa.insert(projects).values(key=line.project, **columns))
    a = assignments.c
    wanted = {(line.project, line.person_id): line.share_permille for line in lines if line.person_id}
    open_ones = sa.select(a.project_key, a.person_id, a.first_day, a.share_permille).where(
        a.last_day.is_(None), a.project_key.in_({line.project for line in lines})
    )
    ended = 0
    for key, person_id, first, share in session.execute(open_ones).all():
        if wanted.get((key, person_id)) == share:
            del wanted[key, person_id]
            continue
        ended += (key, person_id) not in wanted
        _end_assignment(session, key, person_id, first, today)
    rows = [
        {"project_key": key, "person_id": person_id, "first_day": today, "share_permille": share}
        for (key, person_id), share in sorted(wanted.items())
    ]
    if rows:
        session.execute(sa.insert(assignments), rows)
    return ended


def _end_assignment(session: Session, key: str, person_id: str, first: date, today: date) -> None:
    a = assignments.c
    found = (a.project_key == key, a.person_id == person_id, a.first_day == first)
    if first >= today:
        # It began today and is over: it never held for a month.
        session.execute(sa.delete(assignments).where(*found))
    else:
        session.execute(sa.update(assignments).where(*found).values(last_day=today - timedelta(days=1)))


def set_wave(session: Session, waves: Mapping[str, int]) -> None:
    """Put people into waves."""
    bulk.update(session, people, ("id", "wave"), sorted(waves.items()))


def teams(session: Session) -> dict[str, list[str]]:
    """Person ids by team: a manager's reports; a manager without one of their own belongs to the team they lead."""
    query = sa.select(people.c.id, people.c.manager_id).where(people.c.left_on.is_(None)).order_by(people.c.id)
    rows = list(session.execute(query))
    leads = {manager for _, manager in rows if manager}
    found: dict[str, list[str]] = {}
    for person_id, manager in rows:
        team = manager or (person_id if person_id in leads else "")
        found.setdefault(team, []).append(person_id)
    return found
