"""The ledger posts balanced entries, burns lots in order, and settles debt first."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.kinds import EntryKind, LotKind
from policy.units import MicroTokens
from programme.balance import balance
from store.engine import open_database
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot, UnbalancedError
from store.tables.ledger import accounts, entries, lot_movements, lots, postings
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database, Session

pytestmark = pytest.mark.every_database

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Book:
    """Ada's wallet, a service and the treasury, by their account ids."""

    wallet: int
    service: int
    treasury: int

    def lot(
        self,
        key: str,
        amount: int,
        *,
        priority: int = 100,
        expires_at: datetime = NOON + YEAR,
        starts_at: datetime = NOON - YEAR,
    ) -> Draft:
        """A lot out of the treasury, known by its key."""
        lot = NewLot(LotKind.MANUAL, priority, starts_at, expires_at, key, "test")
        return entry(key, (self.treasury, -amount), (self.wallet, amount), lot=lot)

    def debit(self, key: str, amount: int, *, at: datetime = NOON) -> Draft:
        return entry(key, (self.wallet, -amount), (self.service, amount), at=at)


def entry(key: str, *amounts: tuple[int, int], at: datetime = NOON, lot: NewLot | None = None) -> Draft:
    return Draft(
        kind=EntryKind.GRANT if lot else EntryKind.EXPIRY,
        idempotency_key=key,
        fingerprint=key.encode(),
        effective_at=at,
        memo="",
        actor="test",
        amounts=amounts,
        lot=lot,
    )


def opened(app: App, email: str = ADA) -> Book:
    codes = [ledger.wallet_code(cast.person_id(app, email)), ledger.service_code("anthropic"), ledger.TREASURY]
    with app.database.transaction() as session:
        account_of = ledger.open_accounts(session, codes)
    return Book(*(account_of[code] for code in codes))


def post(app: App, *drafts: Draft) -> list[int]:
    with app.database.transaction() as session:
        return ledger.post(session, drafts, now=app.clock())


def burnt(app: App, debit: str) -> dict[str, int]:
    """What an entry took from each lot, by the lots' keys."""
    query = (
        sa.select(lots.c.reason, lot_movements.c.amount)
        .select_from(lot_movements.join(lots).join(entries, entries.c.id == lot_movements.c.entry_id))
        .where(entries.c.idempotency_key == debit)
    )
    return {reason: amount for reason, amount in books.rows(app, query)}


def test_a_given_lot_is_the_balance(app: App) -> None:
    """What was given is what is left, to the token."""
    cast.give(app, ADA, "1500.25")
    with app.reading() as moment:
        card = balance.of_email(moment, ADA)
    assert card is not None
    assert card.available == MicroTokens.parse("1500.25")


@pytest.mark.parametrize(
    "amounts", [(("wallet", -5), ("service", 4)), (("wallet", 5),), (("wallet", 0), ("service", 0))]
)
def test_what_does_not_balance_is_refused_with_all_that_came_with_it(
    sqlite_app: App, amounts: tuple[tuple[str, int], ...]
) -> None:
    """Postings that do not sum to zero, or move nothing, are refused, and so is the batch they came in."""
    book = opened(sqlite_app)
    sound = book.lot("sound", 10)
    crooked = entry("crooked", *((getattr(book, name), amount) for name, amount in amounts))
    with pytest.raises(UnbalancedError, match="crooked"):
        post(sqlite_app, sound, crooked)
    assert books.count(sqlite_app, entries) == books.count(sqlite_app, postings) == 0


def test_every_posting_carries_the_next_version_and_the_balance_after_it(app: App) -> None:
    """A wallet's lines are numbered from 1 without a gap, each with the balance so far, also within one batch."""
    book = opened(app)
    post(app, book.lot("a", 100), book.debit("b", 30))
    post(app, book.debit("c", 90))
    post(app, book.lot("d", 50))
    query = sa.select(postings.c.version, postings.c.amount, postings.c.balance)
    lines = books.rows(app, query.where(postings.c.account_id == book.wallet).order_by(postings.c.version))
    assert lines == [(1, 100, 100), (2, -30, 70), (3, -90, -20), (4, 50, 30)]
    stands = sa.select(accounts.c.version, accounts.c.balance).where(accounts.c.id == book.wallet)
    assert books.rows(app, stands) == [(4, 30)]
    assert not books.findings(app)


def test_lots_burn_by_priority_then_expiry_then_age(app: App) -> None:
    """A debit takes from the lowest priority first, then from what expires soonest, then from the oldest."""
    book = opened(app)
    soon, later = NOON + timedelta(days=10), NOON + timedelta(days=20)
    post(
        app,
        book.lot("older twin", 10, expires_at=later),
        book.lot("younger twin", 10, expires_at=later),
        book.lot("expires soon", 10, expires_at=soon),
        book.lot("goes first", 10, priority=1),
        book.lot("goes last", 10, priority=200, expires_at=soon),
    )
    order: list[str] = []
    for number in range(5):
        post(app, book.debit(f"debit {number}", 10))
        order += burnt(app, f"debit {number}")
    assert order == ["goes first", "expires soon", "older twin", "younger twin", "goes last"]


def test_a_debit_runs_over_several_lots(sqlite_app: App) -> None:
    """What one lot cannot cover comes out of the next, in one entry with a movement for each lot."""
    book = opened(sqlite_app)
    post(
        sqlite_app,
        book.lot("first", 10, priority=1),
        book.lot("second", 10, priority=2),
        book.lot("third", 10, priority=3),
    )
    post(sqlite_app, book.debit("debit", 15))
    assert burnt(sqlite_app, "debit") == {"first": 10, "second": 5}
    assert books.remaining(sqlite_app) == {"first": 0, "second": 5, "third": 10}


def test_a_lot_can_burn_in_the_batch_that_opens_it(sqlite_app: App) -> None:
    """A batch that grants and spends leaves the lot as two batches would."""
    book = opened(sqlite_app)
    post(sqlite_app, book.lot("lot", 100), book.debit("one", 30), book.debit("two", 30))
    assert books.remaining(sqlite_app) == {"lot": 40}
    assert burnt(sqlite_app, "one") == burnt(sqlite_app, "two") == {"lot": 30}
    assert not books.findings(sqlite_app)


def test_what_no_lot_covers_is_debt_and_the_next_lot_settles_it_first(app: App) -> None:
    """A wallet may go below zero; the grant that follows opens with what is left of it after the debt."""
    book = opened(app)
    post(app, book.lot("small", 10), book.debit("too much", 25))
    assert books.wallet(app, ADA) == MicroTokens(-15)
    assert burnt(app, "too much") == {"small": 10}
    post(app, book.lot("next", 40))
    assert burnt(app, "next") == {"next": 15}
    assert books.remaining(app) == {"small": 0, "next": 25}
    assert books.wallet(app, ADA) == MicroTokens(25)
    assert not books.findings(app)


def test_a_lot_smaller_than_the_debt_is_spent_when_it_opens(sqlite_app: App) -> None:
    """A grant that cannot cover the debt leaves no lot to spend, and the rest of the debt to the next one."""
    book = opened(sqlite_app)
    post(sqlite_app, book.debit("debt", 25), book.lot("first", 10), book.lot("second", 10), book.lot("third", 10))
    assert books.remaining(sqlite_app) == {"first": 0, "second": 0, "third": 5}
    assert not books.findings(sqlite_app)


def test_a_late_debit_spares_the_lot_that_had_expired_when_it_happened(sqlite_app: App) -> None:
    """Use after a lot's expiry is no business of that lot, whenever the news of it arrives."""
    book = opened(sqlite_app)
    expiry = NOON - timedelta(days=2)
    post(sqlite_app, book.lot("expired", 10, priority=1, expires_at=expiry), book.lot("good", 10, priority=2))
    post(sqlite_app, book.debit("at the expiry", 4, at=expiry))
    assert burnt(sqlite_app, "at the expiry") == {"good": 4}


def test_a_late_debit_burns_the_lot_that_was_good_when_it_happened(app: App) -> None:
    """Use before a lot's expiry burns that lot, even when the news of it arrives afterwards."""
    book = opened(app)
    expiry = NOON - timedelta(days=2)
    post(app, book.lot("expired", 10, priority=1, expires_at=expiry), book.lot("good", 10, priority=2))
    post(app, book.debit("just before", 4, at=expiry - timedelta(microseconds=1)))
    assert burnt(app, "just before") == {"expired": 4}


def test_an_idempotency_key_is_posted_once(app: App) -> None:
    """A second entry under a key is an error of the database itself, and takes its whole batch back."""
    book = opened(app)
    [first] = post(app, book.lot("key", 10))
    with pytest.raises(sa.exc.IntegrityError):
        post(app, book.debit("other", 3), book.lot("key", 10))
    assert books.keys(app, "grant") == {"key"}
    assert books.keys(app, "expiry") == set()
    assert books.wallet(app, ADA) == MicroTokens(10)
    with app.database.reading() as session:
        assert ledger.find_entry(session, "key") == (first, b"key")
        assert ledger.find_entry(session, "other") is None
    assert not books.findings(app)


def test_the_treasury_pays_and_services_receive(app: App) -> None:
    """What is out of the treasury is in wallets and with services: all accounts together hold nothing."""
    book = opened(app)
    post(app, book.lot("lot", 100), book.debit("debit", 30))
    assert books.account(app, "treasury") == MicroTokens(-100)
    assert books.account(app, "service:anthropic") == MicroTokens(30)
    assert books.wallet(app, ADA) == MicroTokens(70)
    assert sum(amount for (amount,) in books.rows(app, sa.select(accounts.c.balance))) == 0


def test_accounts_that_are_no_wallets_have_no_lots(sqlite_app: App) -> None:
    """A service may pay back without having been granted anything: only wallets burn lots."""
    book = opened(sqlite_app)
    post(sqlite_app, entry("refund", (book.service, -5), (book.treasury, 5)))
    assert books.count(sqlite_app, lot_movements) == 0
    assert books.account(sqlite_app, "service:anthropic") == MicroTokens(-5)
    assert not books.findings(sqlite_app)


def test_an_account_is_opened_once(sqlite_app: App) -> None:
    """Asking for accounts again gives the same ones, and only the new ones are opened."""
    book = opened(sqlite_app)
    assert opened(sqlite_app) == book
    assert opened(sqlite_app, BEN).wallet != book.wallet
    assert books.count(sqlite_app, accounts) == 4


def test_accounts_are_opened_once_also_by_many_at_once(database_url: str, app: App) -> None:
    """Whoever comes first opens an account; the others get that one."""
    codes = [ledger.wallet_code(cast.person_id(app, email)) for email in (ADA, BEN)] + ["treasury", "service:x"]
    seen: list[dict[str, int]] = []

    def open_them(database: Database) -> None:
        with database.transaction() as session:
            seen.append(ledger.open_accounts(session, codes))

    assert books.at_once(database_url, [open_them] * 8) == []
    assert len(seen) == 8
    assert all(ids == seen[0] for ids in seen)
    assert books.count(app, accounts) == 4


def test_held_accounts_are_opened_once_also_by_many_at_once(database_url: str, app: App) -> None:
    """Whoever holds accounts that are partly there gets all of them, and no one waits for someone who waits."""
    opened(app)
    codes = [ledger.TREASURY, ledger.POOL, ledger.wallet_code(cast.person_id(app, BEN))]
    seen: list[dict[str, int]] = []

    def hold_them(database: Database) -> None:
        with database.transaction() as session:
            seen.append({code: one.id for code, one in ledger.hold(session, codes).items()})

    assert books.at_once(database_url, [hold_them] * 8) == []
    assert [sorted(ids) for ids in seen] == [sorted(codes)] * 8
    assert all(ids == seen[0] for ids in seen)
    assert books.count(app, accounts) == 5


def waiting_for_a_lock(session: Session) -> int:
    query = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    waiting: int = session.exec_driver_sql(query).scalar_one()
    return waiting


def test_batches_in_opposite_order_do_not_wait_for_each_other_in_a_circle(cloned_postgres_url: str) -> None:
    """While a batch waits for one account, it holds none after it that another batch may already have."""
    database = open_database(cloned_postgres_url)
    with database.transaction() as session:
        low, high = sorted(ledger.open_accounts(session, ["service:a", "service:b"]).values())
    done: list[int] = []

    def pay(key: str, payer: int, payee: int) -> None:
        own = open_database(cloned_postgres_url)
        with own.transaction() as session:
            done.extend(ledger.post(session, [entry(key, (payer, -1), (payee, 1))], now=NOON))
        own.close()

    threads = [
        threading.Thread(target=pay, args=("up", low, high), daemon=True),
        threading.Thread(target=pay, args=("down", high, low), daemon=True),
    ]
    with database.transaction() as holder:
        ledger.lock(holder, [low])
        for thread in threads:
            thread.start()
        with database.reading() as watcher:
            deadline = time.monotonic() + books.WAIT_SECONDS
            while waiting_for_a_lock(watcher) < len(threads):
                assert time.monotonic() < deadline
        with database.transaction() as other:
            query = sa.select(accounts.c.id).where(accounts.c.id == high).with_for_update(nowait=True)
            assert other.execute(query).scalar_one() == high
    for thread in threads:
        thread.join(books.WAIT_SECONDS)
    database.close()
    assert len(done) == 2
