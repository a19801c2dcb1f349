"""Twenty at once on one wallet leave what twenty one after the other would have left."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.units import MicroTokens
from policy.versions import Version
from programme.grants import by_hand
from programme.moment import Moment
from programme.usage import corrections
from programme.usage import intake as usage_intake
from store.engine import open_database
from store.ledger import ledger
from store.ledger.drafts import Draft
from store.tables.ledger import entries, lots, postings
from store.tables.usage import usage_events
from store.tables.value import token_values
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.cast import GPT, SONNET
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.metering import UsageEvent
    from programme.app import App
    from programme.usage.intake import Status
    from store.engine import Database

pytestmark = pytest.mark.every_database

CROWD = 20
NEWCOMER = "email,name,level,role_family,time_zone,hired_on\nnew@example.com,N,mid,engineering,UTC,2026-01-01\n"
ONE_EVENT = MicroTokens(540_000)
"""USD 0.0054 at USD 0.01 a token."""
YEAR = timedelta(days=365)


def intake(app: App, events: list[UsageEvent], answers: list[Status] | None = None) -> Callable[[Database], None]:
    """Work that takes in a batch on a connection of its own."""

    def work(database: Database) -> None:
        with database.transaction() as session:
            outcomes = usage_intake.take_in(app.moment(session, NOON), events)
        if answers is not None:
            answers.extend(outcome.status for outcome in outcomes)

    return work


def test_a_batch_that_arrives_twenty_times_at_once_is_posted_once(database_url: str, app: App) -> None:
    """A gateway that loses patience and sends again, and again, debits no one twice."""
    cast.give(app, ADA, "100")
    batch = [cast.event(str(number), at=NOON) for number in range(5)]
    answers: list[Status] = []
    assert books.at_once(database_url, [intake(app, batch, answers)] * CROWD) == []
    assert Counter(answers) == {"accepted": 5, "duplicate": 5 * (CROWD - 1)}
    assert books.count(app, usage_events) == 5
    assert books.wallet(app, ADA) == MicroTokens(100_000_000 - 5 * 540_000)
    assert books.findings(app) == {}


def test_twenty_different_batches_of_one_wallet_all_count(database_url: str, app: App) -> None:
    """Gateways that report the same person at the same moment debit the wallet by the sum, each event once."""
    cast.give(app, ADA, "50")
    cast.give(app, ADA, "50", days=30)
    batches = [
        [cast.event(f"{number}-{i}", at=NOON, source=f"gateway-{number}") for i in range(5)] for number in range(CROWD)
    ]
    assert books.at_once(database_url, [intake(app, batch) for batch in batches]) == []
    assert books.count(app, usage_events) == 5 * CROWD
    assert books.wallet(app, ADA) == MicroTokens(100_000_000 - 5 * CROWD * 540_000)
    versions = sa.select(sa.func.count(sa.distinct(postings.c.version)))
    assert books.rows(app, versions.where(postings.c.amount < 0, postings.c.balance > 0)) == [(CROWD,)]
    assert books.findings(app) == {}


def test_crossing_batches_of_two_wallets_and_two_days_all_count(database_url: str, app: App) -> None:
    """Batches that touch the same people, days and services in opposite order neither deadlock nor lose a debit."""
    last_month = NOON - timedelta(days=60)
    forth = [(ADA, NOON, SONNET), (BEN, last_month, GPT)]
    batches = []
    for number in range(CROWD):
        order = forth if number % 2 else forth[::-1]
        batches.append(
            [
                cast.event(f"{number}-{i}", at=at, who=who, model=model, source=f"gateway-{number}")
                for i, (who, at, model) in enumerate(order)
            ]
        )
    assert books.at_once(database_url, [intake(app, batch) for batch in batches]) == []
    assert books.wallet(app, ADA) == MicroTokens(-540_000 * CROWD)
    assert books.wallet(app, BEN) == MicroTokens(-337_500 * CROWD)
    assert books.findings(app) == {}


def putting_right(app: App, some: list[Version]) -> Callable[[Database], None]:
    """Work that takes in later versions on a connection of its own."""

    def work(database: Database) -> None:
        with database.transaction() as session:
            corrections.take_in(app.moment(session, NOON), some, actor="test")

    return work


def test_corrections_that_cross_leave_what_the_highest_say(database_url: str, app: App) -> None:
    """Versions of the same events, of two people, arrive at once among new usage: the last ones hold."""
    cast.give(app, ADA, "50")
    keys = [(str(number), source) for number in range(2) for source in ("gateway", "gateway/eu")]
    books.take_in(app, *(cast.event(id_, at=NOON, model=GPT, source=source) for id_, source in keys))
    work = []
    for revision in range(1, CROWD + 1):
        forth = [ADA, BEN] if revision % 2 else [BEN, ADA]
        right = [
            cast.event(id_, at=NOON, who=forth[int(id_)], source=source, meters={"output": 100 * revision})
            for id_, source in keys
        ]
        work.append(putting_right(app, [Version(e.source, e.event_id, revision, e, "crossed") for e in right]))
        new = [cast.event(who, at=NOON, who=who, source=f"other-{revision}") for who in forth]
        work.append(intake(app, new))
    assert books.at_once(database_url, work) == []
    assert books.wallet(app, ADA) == MicroTokens(50_000_000 - 540_000 * CROWD - 2 * 150_000 * CROWD)
    assert books.wallet(app, BEN) == MicroTokens(-540_000 * CROWD - 2 * 150_000 * CROWD)
    assert books.findings(app) == {}


def test_a_correction_and_a_retry_post_an_event_once(database_url: str, app: App) -> None:
    """What waits is released by one of the two; the other one finds it done."""
    books.take_in(app, *(cast.event(str(i), at=NOON, who="new@example.com") for i in range(10)))
    cast.hire(app, NEWCOMER)
    right = [cast.event(str(i), at=NOON, who="new@example.com", meters={"output": 1_000}) for i in range(10)]
    versions = [Version(e.source, e.event_id, 1, e, "raced") for e in right]

    def retry(database: Database) -> None:
        with database.transaction() as session:
            usage_intake.retry_quarantine(app.moment(session, NOON), limit=100)

    assert books.at_once(database_url, [retry, putting_right(app, versions)] * 3) == []
    assert books.wallet(app, "new@example.com") == MicroTokens(-15_000_000)
    assert books.findings(app) == {}


def test_free_use_does_not_stand_in_the_way_of_a_debit(cloned_postgres_url: str, app_on_postgres: App) -> None:
    """A batch of cache hits, not yet committed, holds up no batch that debits the same wallets: they could deadlock."""
    app = app_on_postgres
    books.take_in(app, cast.event("a", at=NOON), cast.event("b", at=NOON, who=BEN))
    free = [cast.event(who, at=NOON, who=who, meters={}, source="cache", project="c") for who in (ADA, BEN)]
    database = open_database(cloned_postgres_url)
    with app.transaction(NOON) as moment:
        usage_intake.take_in(moment, free)
        with database.transaction() as other:
            other.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            paid = [cast.event("c", at=NOON), cast.event("d", at=NOON, who=BEN)]
            usage_intake.take_in(app_on_postgres.moment(other, NOON), paid)
    database.close()
    assert books.wallet(app, ADA) == MicroTokens(-2 * 540_000)
    assert books.findings(app) == {}


def give(key: str, email: str) -> Callable[[Database], None]:
    def work(database: Database) -> None:
        with database.transaction() as session:
            by_hand.give(
                Moment(session, NOON, ZoneInfo("Europe/Berlin")),
                email=email,
                amount=MicroTokens.parse("10"),
                reason="Pilot",
                expires_at=NOON + YEAR,
                actor="test",
                key=key,
            )

    return work


def test_a_grant_that_is_asked_for_twenty_times_at_once_is_given_once(database_url: str, app: App) -> None:
    """The same key at the same moment is one lot, and no one is refused."""
    assert books.at_once(database_url, [give("launch", ADA)] * CROWD) == []
    assert books.count(app, lots) == 1
    assert len(books.audited(app, "grant.give")) == 1
    assert books.wallet(app, ADA) == MicroTokens.parse("10")
    assert books.findings(app) == {}


def test_grants_usage_and_other_entries_of_the_treasury_do_not_deadlock(database_url: str, app: App) -> None:
    """Whatever takes from the treasury locks it in its turn, also where a wallet is older than the treasury."""
    books.take_in(app, cast.event("first", at=NOON), cast.event("second", at=NOON, who=BEN))
    cast.give(app, ADA, "10")

    def draw(key: str, email: str) -> Callable[[Database], None]:
        person = cast.person_id(app, email)

        def work(database: Database) -> None:
            with database.transaction() as session:
                ids = ledger.open_accounts(session, [ledger.TREASURY, ledger.wallet_code(person)])
                wallet, treasury = ids[ledger.wallet_code(person)], ids[ledger.TREASURY]
                draft = Draft(EntryKind.EXPIRY, key, b"", NOON, "", "test", ((wallet, -1), (treasury, 1)))
                ledger.post(session, [draft], now=NOON)

        return work

    work = [give(f"grant {i} {email}", email) for i in range(5) for email in (ADA, BEN)]
    work += [draw(f"draw {i} {email}", email) for i in range(5) for email in (ADA, BEN)]
    assert books.at_once(database_url, work) == []
    assert len(books.keys(app, "expiry")) == 10
    assert books.count(app, entries) == 2 + 1 + 20
    assert books.findings(app) == {}


def test_a_quarters_value_is_adopted_once(database_url: str, app: App) -> None:
    """Batches that are the first to ask for the values of two quarters agree on them, in whatever order they ask."""
    quarters = [NOON - timedelta(days=100 * i) for i in range(4)]
    work = []
    for number in range(CROWD // 2):
        order = quarters if number % 2 else quarters[::-1]
        batch = [cast.event(str(i), at=at, source=f"gateway-{number}") for i, at in enumerate(order)]
        work.append(intake(app, batch))
    assert books.at_once(database_url, work) == []
    assert books.count(app, token_values) == 4
    assert books.findings(app) == {}
