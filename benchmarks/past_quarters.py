"""A company with a board and quarters behind it: monthly grants, what was burnt of them, roll-ups and outcomes."""

from __future__ import annotations

import io
import random
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from benchmarks import ledgers
from benchmarks.monthly import LEVELS
from bot import settings, wiring
from policy import handbook
from policy.kinds import EntryKind
from policy.period import Quarter, first_instant
from policy.reviews.proposal import weeks_of
from policy.units import NanoUSD
from programme.grants import monthly
from programme.people import directory, terms
from store import bulk
from store.ledger import ledger
from store.ledger.drafts import Draft
from store.people import directory as people_store
from store.tables.grants import grants
from store.tables.ledger import accounts
from store.tables.outcomes import outcomes
from store.tables.usage import services, usage_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from programme.app import App
    from store.engine import Session

FIRST = Quarter(2025, 1)
HIRED = datetime(2023, 12, 1, 12, tzinfo=UTC)
TEAM, ROOM = 8, 24
"""People of a team, and managers of whom each is the next one's: the board's members lead a team each."""
ZONES = ("Europe/Berlin", "Europe/London", "America/New_York")
SERVICE = "bench"
DAY = 2
"""Of each week, on which everyone uses something."""
SEATS = {"board": 5, "chair": 1, "finance": 1}


@dataclass(slots=True)
class Company:
    """Where it is kept, and the instant that it is."""

    app: App
    url: str
    people: int
    now: datetime


@contextmanager
def company(kind: str, count: int) -> Iterator[Company]:
    """So many engineers in teams of eight in three time zones, launched long ago; nothing was granted yet."""
    with ledgers.url(kind) as at:
        made = Company(open_app(at, lambda: HIRED), at, count, HIRED)
        text = handbook.packaged().replace("# launched_on = 2027-01-01", "launched_on = 2024-01-01")
        wiring.migrate(made.app, handbook=text)
        with made.app.transaction(HIRED) as moment:
            directory.import_csv(moment, io.StringIO(_people_csv(count)), actor="bench")
            terms.set_band(moment, "B1", NanoUSD.parse("140000"), holds_from=date(2020, 1, 1), actor="bench")
            moment.session.execute(sa.insert(services), [{"key": SERVICE, "name": "Bench", "kind": "api"}])
            for number, role in enumerate(role for role, seats in SEATS.items() for _ in range(seats)):
                people_store.set_roles(moment.session, person(moment.session, f"lead{number}").id, [role])
        yield made
        made.app.database.close()


def open_app(url: str, clock: Callable[[], datetime]) -> App:
    return wiring.new_app(settings.load({"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ledgers.ZONE}), clock=clock)


def person(session: Session, name: str) -> people_store.Person:
    found = people_store.by_email(session, f"{name}@bench.example")
    assert found is not None
    return found


def _people_csv(count: int) -> str:
    rows = ["email,name,manager_email,level,role_family,pay_band,time_zone,hired_on,wave"]
    rows += [
        f"lead{i}@bench.example,Lead {i},,principal,management,B1,Europe/Berlin,2023-01-01,1"
        for i in range(max(-(-count // TEAM), sum(SEATS.values())))
    ]
    rows += [
        f"p{i}@bench.example,Person {i},lead{i // TEAM}@bench.example,{LEVELS[i % 5]},engineering,B1,"
        f"{ZONES[i // TEAM % 3]},2023-01-01,{1 + i % 4}"
        for i in range(count)
    ]
    return "\n".join(rows)


def pass_quarter(at: Company, quarter: Quarter) -> None:
    """Its months' grants, what people burnt of them, what they delivered; then it is the fourth day after.

    Who burns little, usual and much stays so for the most part, and teams differ in what they make of it.
    """
    app = at.app
    for number in range(3):
        month = quarter.first_month.plus(number)
        at.now = first_instant(month.first_day, app.zone)
        with app.transaction(at.now) as moment:
            assert monthly.run(moment, month) is not None
    at.now = datetime.combine(quarter.next().first_day + timedelta(days=3), datetime.min.time(), UTC).replace(hour=9)
    with app.database.transaction() as session:
        burnt = _burn(session, quarter, at)
        _roll_up(session, quarter, burnt)
        _deliver(session, quarter, at)
    if app.database.dialect == "postgresql":
        # What a server's own housekeeping would have done since.
        with app.database.reading() as session:
            session.exec_driver_sql("VACUUM ANALYZE")


def _burn(session: Session, quarter: Quarter, at: Company) -> Mapping[int, int]:
    """Post what each wallet spent in the quarter, in one entry; micro-tokens by account."""
    months = [str(quarter.first_month.plus(i)) for i in range(3)]
    query = (
        sa.select(accounts.c.id, sa.func.sum(grants.c.amount))
        .join(grants, grants.c.person_id == accounts.c.person_id)
        .where(grants.c.month.in_(months))
        .group_by(accounts.c.id)
        .order_by(accounts.c.id)
    )
    chance = random.Random(str(quarter))
    burnt = {}
    for wallet, granted in session.execute(query):
        usual = (0.3, 0.6, 0.6, 0.7, 0.95)[wallet % 5]
        burnt[wallet] = int(int(granted) * min(max(usual + chance.gauss(0, 0.08), 0.05), 0.99))
    [paid] = ledger.open_accounts(session, [ledger.service_code(SERVICE)]).values()
    last = at.now - timedelta(days=5)
    drafts = [
        Draft(
            EntryKind.USAGE,
            f"bench:{quarter}:{wallet}",
            b"bench",
            last,
            "bench",
            "bench",
            ((wallet, -total), (paid, total)),
        )
        for wallet, total in burnt.items()
    ]
    ledger.post(session, drafts, now=at.now)
    return burnt


def _roll_up(session: Session, quarter: Quarter, burnt: Mapping[int, int]) -> None:
    """The same on a day of each week, some weeks busier than others; each day's rows add up to its share."""
    chance = random.Random(f"days of {quarter}")
    days = [day for day in quarter.days() if day.weekday() == DAY]
    coded = bulk.day_codec(session)
    shares = {day: chance.uniform(0.5, 1.5) for day in days}
    whole = sum(shares.values())
    rows = [
        (
            coded(day),
            wallet,
            SERVICE,
            "model",
            "",
            9,
            9_000,
            900,
            10**9,
            int(total * shares[day] / whole * chance.uniform(0.7, 1.3)),
        )
        for day in days
        for wallet, total in burnt.items()
    ]
    bulk.insert(session, usage_days, [column.name for column in usage_days.columns], rows)


_OUTCOME = (
    "source",
    "outcome_id",
    "fingerprint",
    "kind",
    "occurred_at",
    "day",
    "as_of",
    "state",
    "project",
    "figure",
    "metric",
    "unit",
    "unit_id",
    "received_at",
)


def _deliver(session: Session, quarter: Quarter, at: Company) -> None:
    """One task of each person a week, known to be their team's."""
    chance = random.Random(f"work of {quarter}")
    instant, coded = bulk.instant_codec(session), bulk.day_codec(session)
    leads = [person(session, f"lead{i}").id for i in range(-(-at.people // TEAM))]
    rows = []
    for monday in weeks_of(quarter):
        for number in range(at.people):
            day = monday + timedelta(days=number % 5)
            done = instant(datetime.combine(day, datetime.min.time(), UTC).replace(hour=12))
            team = number // TEAM
            figure = int(500 * (1 + team % 7 / 4) * chance.uniform(0.6, 1.4))
            rows.append(
                (
                    "bench",
                    f"{monday}-{number}",
                    b"bench",
                    "task",
                    done,
                    coded(day),
                    done,
                    "done",
                    "shop",
                    figure,
                    "",
                    "team",
                    leads[team],
                    done,
                )
            )
    bulk.insert(session, outcomes, _OUTCOME, rows)
