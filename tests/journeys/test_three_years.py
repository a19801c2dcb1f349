"""Years of companies in which people use a twentieth to a seventh of their ceilings, and every message that they read."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.period import Month
from store.reviews import drafts
from store.tables.ledger import accounts, entries, postings
from store.tables.people import people
from tests.support import books, rollout, staff, walk
from tests.support.staff import Company

if TYPE_CHECKING:
    import pytest

    from programme.app import App
    from tests.support.clock import Clock

BEGIN = date(2026, 12, 1)


def test_probe(sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.without_pictures(monkeypatch)
    size, days = int(os.environ.get("SIZE", "12")), int(os.environ.get("DAYS", "100"))
    end = BEGIN + timedelta(days=days)
    clock.now = datetime.combine(BEGIN, time(0), tzinfo=UTC) - timedelta(hours=1)
    way = walk.begin(
        sqlite_app,
        clock,
        down=walk.outages(BEGIN, end, every=17, days=3),
        dark=walk.outages(BEGIN, end, every=41, days=2),
    )
    company = Company(way, size, seed=1)
    company.settle(BEGIN)
    for i in range(days):
        day = BEGIN + timedelta(days=i)
        way.day(day, company.act, company.use)
        if day.day >= 20 or day.day <= 5:
            way.ask_balances({who: staff.slack_id(who) for who in company.hired}, day)
        if day.day == 6:
            print(day, dict(company.told), way.box.found, way.box.messages.total())
    print(way.box.messages, company.told)
    print(walk.examples(way.box.untrue))
    print(len(way.box.untrue))
    walk.proved(sqlite_app)
