"""What has to be so afterwards: nothing that was acknowledged is lost or there twice, every figure is proved."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks.failover.company import SOURCE, TOKENS_BOT
from benchmarks.failover.machines import waited
from store.tables.exceptions import requests
from store.tables.holds import holds
from store.tables.ledger import accounts, entries
from store.tables.outbox import outbox
from store.tables.usage import usage_events
from tests.support import arrivals, books, replicas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.failover.company import Company
    from benchmarks.failover.load import Book, Load

DECIDE_SECONDS, DELIVER_SECONDS, COMMAND_SECONDS = 180, 600, 300
AWAY = (": OperationalError", ": InternalError", ": TimeoutError")
"""How it is logged that the database did not answer."""
UNDECIDED = ("open", "credited")


def settle(load: Load) -> None:
    """The board decides what is still open, and the couriers deliver all that is due."""
    company = load.company

    def decided() -> bool:
        load.vote(*load.approvers)
        query = sa.select(requests.c.id).where(requests.c.state.in_(UNDECIDED)).limit(1)
        return not books.rows(company.app, query)

    waited("the board decided everything", DECIDE_SECONDS, decided)
    waited("everything that is due is delivered", DELIVER_SECONDS, lambda: not _owed(company))
    # Slack has a message before the bot has written that down.
    time.sleep(1)


def _owed(company: Company) -> int:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    query = sa.select(sa.func.count()).where(outbox.c.state.in_(("waiting", "leased")), outbox.c.due_at <= soon)
    return int(books.rows(company.app, query)[0][0])


def lost(company: Company, book: Book) -> list[str]:
    """Events that were acknowledged and are not there, or at another cost."""
    query = sa.select(usage_events.c.event_id, usage_events.c.cost_nano_usd).where(usage_events.c.source == SOURCE)
    there = dict(books.rows(company.app, query))
    return [event for event in book.taken if there.get(event) != book.sent[event]]


def problems(load: Load) -> Iterator[str]:
    """Everything that is not as it has to be."""
    company, book = load.company, load.book
    yield from (f"{what} ({times} x)" for what, times in book.wrong.items())
    yield from (f"a worker of the load failed: {error!r}" for error in load.failed)
    yield from _of_usage(company, book)
    yield from _of_holds(company, book)
    yield from _of_requests(load)
    yield from _of_messages(company)
    yield from _of_commands(company)
    yield from (f"logged: {line} ({times} x)" for line, times in logged(company).items() if not line.endswith(AWAY))


def _of_usage(company: Company, book: Book) -> Iterator[str]:
    if missing := lost(company, book):
        yield f"{len(missing)} events were acknowledged and are lost, or cost something else"
    of_gateway = usage_events.c.source == SOURCE
    figures: Any = (sa.func.count(), sa.func.sum(usage_events.c.cost_nano_usd))
    [found] = books.rows(company.app, sa.select(*figures).where(of_gateway))
    expected = (len(book.sent), sum(book.sent.values()))
    if tuple(map(int, found)) != expected:
        yield f"the ledger has {found} (events, nano-USD), and {expected} were sent"


def _of_holds(company: Company, book: Book) -> Iterator[str]:
    states = dict(books.rows(company.app, sa.select(holds.c.id, holds.c.status)))
    if states != dict.fromkeys(book.settled, "settled"):
        yield f"of {len(book.settled)} settled holds the ledger has {Counter(states.values())}"
    [[held]] = books.rows(company.app, sa.select(sa.func.sum(accounts.c.held)))
    if held:
        yield f"{held} micro-tokens are held for nothing"


def _of_requests(load: Load) -> Iterator[str]:
    app = load.company.app
    made = books.rows(app, sa.select(requests.c.purpose, requests.c.state, requests.c.entry_id))
    asked = {ask.purpose for ask in load.office.wanted.asked}
    purposes = {purpose for purpose, _, _ in made}
    if len(made) > len(purposes) or not asked <= purposes <= asked | load.given_up:
        yield f"{len(made)} requests were made, {len(asked)} were asked for"
    credited = [entry for _, _, entry in made if entry is not None]
    of_requests = [entry for (entry,) in books.rows(app, sa.select(entries.c.id).where(entries.c.kind == "exception"))]
    if sorted(credited) != sorted(of_requests) or {state for _, state, _ in made} - {"approved"}:
        yield f"requests are {Counter(state for _, state, _ in made)}, {len(of_requests)} were credited"


def _of_messages(company: Company) -> Iterator[str]:
    try:
        arrivals.checked(company.app, company.sandbox, due_by=datetime.now(UTC))
    except AssertionError as error:
        yield f"messages: {error}"


def _of_commands(company: Company) -> Iterator[str]:
    verdict = json.loads(command(company, "verify", "--json") or "null")
    if verdict != {"holds": True, "findings": []}:
        yield f"verify: {verdict}"


def command(company: Company, *words: str) -> str:
    """What one of our commands prints."""
    done = subprocess.run(
        [TOKENS_BOT, *words],
        env=company.environ,
        cwd=company.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )
    return done.stdout or done.stderr


def logged(company: Company) -> Counter[str]:
    """What the bot logged as errors, without their times and ids."""
    lines = replicas.mistakes(company.folder)
    return Counter(re.sub(r" \([0-9a-f]{8}\)", "", line.partition(" ERROR ")[2])[:300] for line in lines)


def arrived(company: Company) -> int:
    return int(books.rows(company.app, sa.select(sa.func.count()).where(outbox.c.state == "sent"))[0][0])
