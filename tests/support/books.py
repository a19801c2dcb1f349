"""Short ways to use a ledger in tests, and to ask whether everything in it can be proved."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy import handbook
from policy.units import MicroTokens
from programme import handbooks
from programme.handbook import applying
from programme.usage import intake
from store.engine import open_database
from store.proof import verify
from store.tables.audit import audit_log
from store.tables.ledger import accounts, entries, lots
from store.tables.people import people
from tests.support import lock_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from policy.metering import UsageEvent
    from programme.app import App
    from programme.moment import Moment
    from programme.usage.intake import Status
    from store.engine import Database

ADA, BEN, MARA = "ada@example.com", "ben@example.com", "mara@example.com"
WAIT_SECONDS = 20
OWN_PRICE = """
[[prices]]
provider = "anthropic"
model = "claude-sonnet-4-5"
per = "million"
usd = { output = 10 }
from = 2026-11-01
until = 2026-12-01
"""
"""A company's own price for a model in a handbook: two thirds of the price list's, for one month."""


def take_in(app: App, *events: UsageEvent) -> list[Status]:
    """Take in one batch in a transaction of its own, once all of it has happened; what became of each event."""
    with app.transaction(max([app.clock(), *(event.occurred_at for event in events)])) as moment:
        outcomes = intake.take_in(moment, events)
    return [outcome.status for outcome in outcomes]


def retry(app: App) -> tuple[int, int]:
    """Try everything in quarantine again: (released, still held)."""
    with app.transaction() as moment:
        tried = intake.retry_quarantine(moment, limit=1_000)
    return tried.released, tried.held


def rows(app: App, query: sa.Select[Any] | sa.Table) -> list[tuple[Any, ...]]:
    """Everything that a query or a table gives."""
    with app.database.reading() as session:
        return [tuple(row) for row in session.execute(query if isinstance(query, sa.Select) else sa.select(query))]


def count(app: App, table: sa.Table) -> int:
    total: int = rows(app, sa.select(sa.func.count()).select_from(table))[0][0]
    return total


def wallet(app: App, email: str) -> MicroTokens:
    """What stands in someone's wallet."""
    query = sa.select(accounts.c.balance).join(people, people.c.id == accounts.c.person_id)
    return MicroTokens(sum(balance for (balance,) in rows(app, query.where(people.c.email == email))))


def account(app: App, code: str) -> MicroTokens:
    query = sa.select(accounts.c.balance).where(accounts.c.code == code)
    return MicroTokens(sum(balance for (balance,) in rows(app, query)))


def remaining(app: App) -> dict[str, MicroTokens]:
    """What remains of each lot, by its reason."""
    return {reason: MicroTokens(left) for reason, left in rows(app, sa.select(lots.c.reason, lots.c.remaining))}


def keys(app: App, kind: str) -> set[str]:
    """The idempotency keys of all entries of a kind."""
    return {key for (key,) in rows(app, sa.select(entries.c.idempotency_key).where(entries.c.kind == kind))}


def audited(app: App, action: str) -> list[dict[str, Any]]:
    """The rows of the audit log with an action, oldest first."""
    log = audit_log
    with app.database.reading() as session:
        query = sa.select(log).where(log.c.action == action).order_by(log.c.seq)
        return [dict(row) for row in session.execute(query).mappings()]


def findings_in(moment: Moment) -> dict[str, list[str]]:
    """What each check finds wrong, for those that find anything."""
    found = {check.__name__: list(check(moment.session)) for check in verify.CHECKS}
    found["costs_and_days"] = list(verify.costs_and_days(moment.session, moment.zone, lambda _rows: None))
    return {name: sentences for name, sentences in found.items() if sentences}


def found_by(moment: Moment, name: str) -> list[str]:
    """What one check finds wrong: there are many, and each reads the whole ledger."""
    if name == verify.costs_and_days.__name__:
        return list(verify.costs_and_days(moment.session, moment.zone, lambda _rows: None))
    [check] = [one for one in verify.CHECKS if one.__name__ == name]
    return list(check(moment.session))


def findings(app: App) -> dict[str, list[str]]:
    with app.database.snapshot() as session:
        return findings_in(app.moment(session))


@contextmanager
def rolled_back(app: App) -> Iterator[Moment]:
    """A transaction that leaves nothing, for tests that share a ledger."""
    with app.database.undone() as session:
        yield app.moment(session)


def handbook_text(version: str, effective_from: date, *, usd_per_token: str = "0.01", more: str = "") -> str:
    """The packaged handbook as another version, with another value and more tables at its end."""
    text = handbook.packaged()
    text = text.replace('version = "2026.1"', f'version = "{version}"')
    text = text.replace("effective_from = 2026-01-01", f"effective_from = {effective_from}")
    return text.replace("usd_per_token = 0.01", f"usd_per_token = {usd_per_token}") + more


def apply_handbook(
    app: App, version: str, effective_from: date, *, usd_per_token: str = "0.01", more: str = ""
) -> None:
    apply_text(app, handbook_text(version, effective_from, usd_per_token=usd_per_token, more=more))


def apply_text(app: App, text: str) -> None:
    with app.transaction() as moment:
        applying.apply(moment, text, actor=handbooks.SYSTEM)


def at_once(url: str, work: Sequence[Callable[[Database], object]]) -> list[BaseException]:
    """Do all the work at the same moment, each in a thread with a database of its own; what it raised.

    Each transaction has to take its locks in their order, whether others happen to cross it or not.
    """
    barrier = threading.Barrier(len(work))
    raised: list[BaseException] = []

    def run(one: Callable[[Database], object]) -> None:
        database = open_database(url)
        lock_order.watch(database)
        try:
            with database.reading():
                barrier.wait(WAIT_SECONDS)
            one(database)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=run, args=(one,), daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return raised


def account_id(app: App, email: str) -> int:
    """The number of someone's wallet."""
    query = sa.select(accounts.c.id).join(people, people.c.id == accounts.c.person_id).where(people.c.email == email)
    [(found,)] = rows(app, query)
    return int(found)
