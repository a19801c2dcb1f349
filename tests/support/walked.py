"""Walks of companies from a first of December on, and what holds of each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.period import Month, day_of
from store.people import directory as people_store
from store.reviews import drafts
from store.tables.grants import grants
from store.tables.ledger import accounts, entries, postings
from store.tables.people import people
from tests.support import books, cast, staff, walk
from tests.support.staff import Company
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from tests.support.clock import Clock
    from tests.support.walk import Walk

BEGIN = date(2026, 12, 1)
ASKED_ON = frozenset({1, 3, 5, 20, 25})
"""And on the last day of each month."""
READERS = 40
LATEST = timedelta(days=3)
"""A joiner waits no longer, though the calendar was away for two days."""


@dataclass(frozen=True)
class Way:
    """A company's size, and how far it goes."""

    size: int
    days: int
    seed: int
    hours: tuple[time, ...] = walk.HOURS


def go(app: App, clock: Clock, way: Way) -> Company:
    """Let the days pass; each month everything is proved."""
    clock.now = datetime.combine(BEGIN, time(), tzinfo=UTC) - timedelta(hours=1)
    end = BEGIN + timedelta(days=way.days)
    down, dark = walk.outages(BEGIN, end, every=17, days=3), walk.outages(BEGIN, end, every=41, days=2)
    company = Company(walk.begin(app, clock, down, dark, way.hours), way.size, way.seed)
    company.settle(BEGIN)
    if way.size > READERS * 2:
        company.walk.readers = frozenset(cast.person_id(app, who) for who in readers(company))
    for day in (BEGIN + timedelta(days=i) for i in range(way.days)):
        company.walk.day(day, company.act, company.use)
        # At once: what follows from it would be told of for years.
        assert not company.walk.box.untrue, walk.examples(company.walk.box.untrue)
        if day.day in ASKED_ON or day == Month.containing(day).next().first_day - timedelta(days=1):
            company.walk.ask_balances({who: staff.slack_of(who) for who in readers(company)}, day)
        if day.day == 6 and day.month % 6 == 1:
            walk.proved(app)
    return company


def readers(company: Company) -> list[str]:
    """Whose messages and balances are read: everyone's, but for a large company."""
    return [*list(company.hired)[:READERS], *list(company.hired)[READERS:][-READERS:]]


def went(company: Company) -> None:
    """What holds of every walk."""
    way = company.walk
    assert way.box.found.times > len(way.box.messages)
    assert list(unannounced(company)) == []
    assert list(waiting(company)) == []
    assert cut(way) - {staff.IDLE} == set()
    walk.proved(way.app)


def unannounced(company: Company) -> Iterator[tuple[str, str]]:
    """(whose, which) lapses that are more than the balance said on the day before."""
    query = sa.select(people.c.email, entries.c.idempotency_key, entries.c.effective_at, postings.c.amount)
    query = query.join(accounts, accounts.c.person_id == people.c.id).join(
        postings, postings.c.account_id == accounts.c.id
    )
    query = query.join(entries, entries.c.id == postings.c.entry_id).where(entries.c.kind == EntryKind.LAPSE)
    asked = set(readers(company))
    for email, key, at, amount in books.rows(company.walk.app, query):
        eve = day_of(at, company.walk.app.zone) - timedelta(days=1)
        card = company.walk.seen.get((email, eve))
        if email in asked and (card is None or card.lapse is None or int(card.lapse.amount) < -amount):
            yield email, key


def waiting(company: Company) -> Iterator[tuple[str, str]]:
    """(who, which month) of those who were there and got no grant, or got it late."""
    app = company.walk.app
    today = day_of(app.clock(), app.zone)
    query = sa.select(people.c.email, grants.c.month, entries.c.posted_at).join(
        people, people.c.id == grants.c.person_id
    )
    query = query.join(entries, entries.c.id == grants.c.entry_id)
    given = {(email, month): day_of(at, app.zone) for email, month, at in books.rows(app, query)}
    month = Month.containing(BEGIN)
    while month.first_day <= today:
        for who in company.hired:
            here = [day for day in month.days() if company.is_here(who, day) and day <= today - LATEST]
            # Who is entered on a month's last day has the next one's grant a day later.
            got = min(given.get((who, str(one)), date.max) for one in (month, month.next()))
            if here and got > here[0] + LATEST:
                yield who, str(month)
        month = month.next()


def cut(way: Walk) -> set[str]:
    """Whose grants any adopted review cut."""
    with way.app.database.reading() as session:
        emails = {str(person["id"]): email for email, person in people_store.all_by_email(session).items()}
        return {
            emails[one.case.person_id]
            for review in drafts.all_of(session)
            if review.state == ADOPTED
            for one in drafts.cases(session, review.quarter)
            if one.factor < one.case.factor_before
        }
