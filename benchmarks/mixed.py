"""Everything at once on one bot: balances, decisions, holds and batches of usage, each alone and all together.

Each kind of work comes at its own pace, whether the one before is done or not, and a wait is counted from the moment at
which it came: what a queue costs its last in line is part of the figure. Decisions and batches come at the same
instants.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from benchmarks import balance, held, intake, traffic, votes
from handlers import slack_app
from store.tables.exceptions import requests
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from programme.app import App

SECONDS = 10
BATCH = 500
PACES = {"balances": 10.0, "decisions": 2.0, "holds": 10.0, "usage": 2.0}
"""A second, of a company of 5,000: far more balances and decisions than it asks for, and a thousand calls reported."""
THREADS = 8
"""Of each kind, as the bot has them."""
PAST = 1_000
PEOPLE = range(traffic.PEOPLE)


class Waits(NamedTuple):
    """What a kind of work took those who wait for it, in seconds."""

    p50: float
    p99: float


def measure(kind: str) -> dict[str, tuple[Waits, Waits]]:
    """(alone, together) by kind of work; the totals are asserted."""
    with votes.company(kind, PAST) as (app, office):
        each = round(SECONDS * PACES["decisions"])
        waiting = votes.open_requests(app, office, 2 * each)
        work = _work(app, waiting)
        alone = {name: _waits({name: doing})[name] for name, doing in work.items()}
        together = _waits(work)
        _assert_totals(app, waiting)
    return {name: (alone[name], together[name]) for name in work}


def _assert_totals(app: App, decided: list[votes.Vote]) -> None:
    """Nothing is held any more, the books balance, and whatever came in is there once."""
    twice = {name: 2 * round(SECONDS * pace) for name, pace in PACES.items()}
    statements = {
        "SELECT sum(balance) FROM accounts": 0,
        "SELECT sum(held) FROM accounts": 0,
        "SELECT count(*) FROM usage_events": twice["holds"] + twice["usage"] * BATCH,
    }
    with app.database.reading() as session:
        for statement, expected in statements.items():
            assert session.exec_driver_sql(statement).scalar_one() == expected, statement
        states = sa.select(requests.c.state).where(requests.c.id.in_([vote.request_id for vote in decided]))
        assert set(session.execute(states).scalars()) == {"approved"}


def _work(app: App, open_votes: list[votes.Vote]) -> Mapping[str, Callable[[], None]]:
    bolt = slack_app.build(app, signing_secret=balance.SECRET, authorize=balance.authorize, rate=balance.AT_ANY_RATE)
    with app.database.reading() as session:
        users = session.execute(sa.select(people.c.slack_user_id).order_by(people.c.id)).scalars().all()
    presses = iter([votes.press_of(app, vote, "fast_track_approve") for vote in open_votes])
    calls, readers = count(), count()
    seconds = 2 * SECONDS
    bodies = traffic.batches(round(PACES["usage"] * seconds) * BATCH, BATCH, people=PEOPLE)
    reports = iter([body for body, _, _ in bodies])

    def ask() -> None:
        answer = bolt.dispatch(balance.asked(users[next(readers) % len(users)]))
        assert answer.status == 200

    def decide() -> None:
        votes.dispatch(bolt, next(presses))

    def hold() -> None:
        number = next(calls)
        held.reserve(app, number)
        held.settle(app, number)

    return {
        "balances": ask,
        "decisions": decide,
        "holds": hold,
        "usage": lambda: intake.take_in(app, next(reports)),
    }


def _waits(work: Mapping[str, Callable[[], None]]) -> dict[str, Waits]:
    """Each kind at its own pace for some seconds, all at the same time."""
    with ThreadPoolExecutor(len(work)) as clocks:
        taken = {name: clocks.submit(_paced, doing, PACES[name]) for name, doing in work.items()}
        wait(taken.values())
    return {name: _of(future.result()) for name, future in taken.items()}


def _paced(work: Callable[[], None], pace: float) -> list[float]:
    begun = time.perf_counter() + 0.1
    with ThreadPoolExecutor(THREADS) as pool:
        waits = []
        for number in range(round(SECONDS * pace)):
            due = begun + number / pace
            time.sleep(max(due - time.perf_counter(), 0))
            waits.append(pool.submit(_since, due, work))
        return [one.result() for one in waits]


def _since(due: float, work: Callable[[], None]) -> float:
    work()
    return time.perf_counter() - due


def _of(waits: list[float]) -> Waits:
    return Waits(median(waits), quantiles(waits, n=100, method="inclusive")[98])
