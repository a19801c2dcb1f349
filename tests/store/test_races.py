"""Twenty at once on one wallet leave what twenty one after the other would have left."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.units import MicroTokens
from programme.grants import by_hand
from programme.usage import intake as usage_intake
from store.engine import open_database
from store.ledger import ledger
from store.ledger.ledger import Draft
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
    from programme.app import Desk
    from programme.usage.intake import Status
    from store.engine import Database

pytestmark = pytest.mark.every_database

CROWD = 20
ONE_EVENT = MicroTokens(540_000)
"""USD 0.0054 at USD 0.01 a token."""
YEAR = timedelta(days=365)


def intake(desk: Desk, events: list[UsageEvent], answers: list[Status] | None = None) -> Callable[[Database], None]:
    """Work that takes in a batch on a connection of its own."""

    def work(database: Database) -> None:
        with database.transaction() as session:
            outcomes = usage_intake.take_in(session, events, desk=desk, now=NOON)
        if answers is not None:
            answers.extend(outcome.status for outcome in outcomes)

    return work


def test_a_batch_that_arrives_twenty_times_at_once_is_posted_once(database_url: str, desk: Desk) -> None:
    """A gateway that loses patience and sends again, and again, debits nobody twice."""
    cast.give(desk, ADA, "100")
    batch = [cast.event(str(number), at=NOON) for number in range(5)]
    answers: list[Status] = []
    assert books.at_once(database_url, [intake(desk, batch, answers)] * CROWD) == []
    assert Counter(answers) == {"accepted": 5, "duplicate": 5 * (CROWD - 1)}
    assert books.count(desk, usage_events) == 5
    assert books.wallet(desk, ADA) == MicroTokens(100_000_000 - 5 * 540_000)
    assert books.findings(desk) == {}


def test_twenty_different_batches_of_one_wallet_all_count(database_url: str, desk: Desk) -> None:
    """Gateways that report the same person at the same moment debit the wallet by the sum, each event once."""
    cast.give(desk, ADA, "50")
    cast.give(desk, ADA, "50", days=30)
    batches = [
        [cast.event(f"{number}-{i}", at=NOON, source=f"gateway-{number}") for i in range(5)] for number in range(CROWD)
    ]
    assert books.at_once(database_url, [intake(desk, batch) for batch in batches]) == []
    assert books.count(desk, usage_events) == 5 * CROWD
    assert books.wallet(desk, ADA) == MicroTokens(100_000_000 - 5 * CROWD * 540_000)
    versions = sa.select(sa.func.count(sa.distinct(postings.c.version)))
    assert books.rows(desk, versions.where(postings.c.amount < 0, postings.c.balance > 0)) == [(CROWD,)]
    assert books.findings(desk) == {}


def test_crossing_batches_of_two_wallets_and_two_days_all_count(database_url: str, desk: Desk) -> None:
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
    assert books.at_once(database_url, [intake(desk, batch) for batch in batches]) == []
    assert books.wallet(desk, ADA) == MicroTokens(-540_000 * CROWD)
    assert books.wallet(desk, BEN) == MicroTokens(-337_500 * CROWD)
    assert books.findings(desk) == {}


def test_free_use_does_not_stand_in_the_way_of_a_debit(cloned_postgres_url: str, desk_on_postgres: Desk) -> None:
    """A batch of cache hits, not yet committed, holds up no batch that debits the same wallets: they could deadlock."""
    desk = desk_on_postgres
    books.take_in(desk, cast.event("a", at=NOON), cast.event("b", at=NOON, who=BEN))
    free = [cast.event(who, at=NOON, who=who, meters={}, source="cache", project="c") for who in (ADA, BEN)]
    database = open_database(cloned_postgres_url)
    with desk.transaction() as session:
        usage_intake.take_in(session, free, desk=desk, now=NOON)
        with database.transaction() as other:
            other.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            paid = [cast.event("c", at=NOON), cast.event("d", at=NOON, who=BEN)]
            usage_intake.take_in(other, paid, desk=desk, now=NOON)
    database.close()
    assert books.wallet(desk, ADA) == MicroTokens(-2 * 540_000)
    assert books.findings(desk) == {}


def give(key: str, email: str) -> Callable[[Database], None]:
    def work(database: Database) -> None:
        with database.transaction() as session:
            by_hand.give(
                session, email=email, amount=MicroTokens.parse("10"), reason="Pilot", expires_at=NOON + YEAR,
                actor="test", now=NOON, key=key,
            )  # fmt: skip

    return work


def test_a_grant_that_is_asked_for_twenty_times_at_once_is_given_once(database_url: str, desk: Desk) -> None:
    """The same key at the same moment is one lot, and nobody is refused."""
    assert books.at_once(database_url, [give("launch", ADA)] * CROWD) == []
    assert books.count(desk, lots) == 1
    assert len(books.audited(desk, "grant.give")) == 1
    assert books.wallet(desk, ADA) == MicroTokens.parse("10")
    assert books.findings(desk) == {}


def test_grants_usage_and_other_entries_of_the_treasury_do_not_deadlock(database_url: str, desk: Desk) -> None:
    """Whatever takes from the treasury locks it in its turn, also where a wallet is older than the treasury."""
    books.take_in(desk, cast.event("first", at=NOON), cast.event("second", at=NOON, who=BEN))
    cast.give(desk, ADA, "10")

    def draw(key: str, email: str) -> Callable[[Database], None]:
        person = cast.person_id(desk, email)

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
    assert len(books.keys(desk, "expiry")) == 10
    assert books.count(desk, entries) == 2 + 1 + 20
    assert books.findings(desk) == {}


def test_a_quarters_value_is_adopted_once(database_url: str, desk: Desk) -> None:
    """Batches that are the first to ask for the values of two quarters agree on them, in whatever order they ask."""
    quarters = [NOON - timedelta(days=100 * i) for i in range(4)]
    work = []
    for number in range(CROWD // 2):
        order = quarters if number % 2 else quarters[::-1]
        batch = [cast.event(str(i), at=at, source=f"gateway-{number}") for i, at in enumerate(order)]
        work.append(intake(desk, batch))
    assert books.at_once(database_url, work) == []
    assert books.count(desk, token_values) == 4
    assert books.findings(desk) == {}
