"""Four hours in which everything fails that can: afterwards each message is there once, and every figure holds."""

from __future__ import annotations

import dataclasses
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from programme.usage import keys
from sandbox import Sandbox, Workspace
from store.tables.exceptions import requests
from store.tables.ledger import entries, lots
from store.tables.outbox import outbox, run_failures, runs
from store.tables.usage import usage_events
from tests.support import arrivals, books, bustle, replicas, slack, teams, weather
from tests.support import requests as asking
from tests.support.bustle import Bustle, Press, Wanted
from tests.support.clock import Clock
from tests.support.line import line
from tests.support.replicas import WallClock, replica
from tests.support.weather import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from programme.app import App

SUNDAY = datetime(2027, 1, 31, 22, 0, tzinfo=UTC)
"""Eleven in the evening in Berlin. Tomorrow is a Monday, and the first of a month."""
WATCHES, WATCH_SECONDS, A_WATCH = 16, 5.0, timedelta(minutes=15)
"""Four hours: six watches around midnight and, as if the night were slept through, ten from eight o'clock on."""
NIGHT_AFTER, NIGHT = 6, timedelta(hours=7, minutes=30)
PEOPLE = {f"U0{name.upper()}": name for name in ("kim", "lou", "max", "ned", "ola", "pia")}
PLAN = slack.PLAN | {
    "members": [
        *slack.PLAN["members"],
        *({"id": user, "name": name, "email": f"{name}@example.com"} for user, name in PEOPLE.items()),
    ],
    "channels": [
        {**channel, "members": [*channel["members"], *PEOPLE]} if channel["id"] == slack.GENERAL else channel
        for channel in slack.PLAN["channels"]
    ],
}
SEED = "TOKENS_TEST_SEED"
PATIENCE, MOST_MORNINGS, LEAST_MESSAGES = 60.0, 40, 60
UNDECIDED = {"open", "credited"}
OPEN = outbox.c.state != "sent"
FEBRUARY = datetime(2027, 1, 31, 23, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(SUNDAY)


@pytest.fixture
def seed() -> int:
    """Another one each time; a failure prints it, and the environment brings it back."""
    return int(os.environ.get(SEED) or random.SystemRandom().randrange(1_000_000))


@pytest.fixture
def company(app: App) -> App:
    """A launched company with a board, a team that is large enough to be told of, and this month's grants."""
    convened = asking.convene(app)
    teams.hire_team(convened)
    teams.work(convened, dict.fromkeys(teams.TEAM, 50), weeks=2)
    return convened


@pytest.mark.deep
def test_hours_of_faults(company: App, database_url: str, seed: int, tmp_path: Path) -> None:
    """Every message arrives once, every request is decided and credited once, all usage is posted once."""
    print(f"{SEED}={seed}")  # noqa: T201 - shown with a failure, as is what happened
    chance = random.Random(seed)  # noqa: S311 - the same faults with the same seed
    with ExitStack() as stack:
        scene = stack.enter_context(_scene(database_url, tmp_path))
        pool = stack.enter_context(ThreadPoolExecutor(4))
        app = dataclasses.replace(company, clock=scene.time)
        busy = Bustle(app, scene.sandbox, scene.replicas, _gateway_key(company), Wanted())
        scene.mend()
        for number in range(1, WATCHES + 1):
            faults = weather.drawn(chance, WATCH_SECONDS)
            bustle.more(busy.wanted, chance, scene.time() - timedelta(minutes=30))
            happening = "; ".join(f"{fault.at:.1f} {fault.says}" for fault in faults)
            print(f"{number:2} {scene.time():%d %H:%M} {happening}")  # noqa: T201 - the same
            begun = busy.begin(pool)
            weather.let_happen(scene, faults, WATCH_SECONDS)
            busy.end(begun)
            scene.go_on(A_WATCH + (NIGHT if number == NIGHT_AFTER else timedelta(0)))
        scene.mend()
        _finish(busy, pool)
        _run_on(app, scene)
        assert [one.stop() for one in scene.replicas] == [0, 0]
        assert arrivals.checked(app, scene.sandbox) > LEAST_MESSAGES
        _check_requests(busy)
        _check_usage(busy)
        _check_calendar(app)
    assert books.findings(app) == {}
    assert replicas.mistakes(tmp_path) == []


@contextmanager
def _scene(database_url: str, folder: Path) -> Iterator[Scene]:
    """A workspace, the line to it, and two bots that are not started yet."""
    with ExitStack() as stack:
        time = WallClock(folder / "time", SUNDAY)
        between = stack.enter_context(line())
        workspace = Workspace.from_dict(PLAN)
        options = {"port": between.target, "reached_at": between.url, "clock": time}
        sandbox = stack.enter_context(Sandbox(workspace, **options))
        environ = slack.environment(
            sandbox,
            database_url,
            TOKENS_GOVERNANCE_CHANNEL=slack.BOARD,
            TOKENS_ANNOUNCE_CHANNEL=slack.GENERAL,
        )
        replicas = [stack.enter_context(replica(folder, name, environ, SUNDAY)) for name in ("one", "two")]
        yield Scene(sandbox, between, replicas, time)


def _gateway_key(app: App) -> str:
    with app.transaction() as moment:
        made = keys.create(moment, name="gateway", source="gateway", scopes=["usage:write"], actor="test")
    return made.secret


def _finish(busy: Bustle, pool: ThreadPoolExecutor) -> None:
    """Everybody gets done what they wanted, and the board decides what is still open."""
    busy.sandbox.wait_for(lambda: busy.sandbox.connections == len(busy.replicas), seconds=PATIENCE)
    begun = busy.begin(pool)
    busy.sandbox.wait_for(lambda: not (busy.wanted.asks or busy.wanted.batches), seconds=PATIENCE)
    busy.end(begun)

    def decided() -> bool:
        for card in busy.open_cards():
            busy.decide(card, Press(0, bustle.BOARD, rejects=False))
        return not UNDECIDED & set(asking.states(busy.app).values())

    busy.sandbox.wait_for(decided, seconds=PATIENCE)


def _run_on(app: App, scene: Scene) -> None:
    """Time goes on until nothing is owed any more: what waits for a reader's morning gets it."""
    for _ in range(MOST_MORNINGS):
        scene.sandbox.wait_for(lambda: not _due(app), seconds=PATIENCE)
        waiting = books.rows(app, sa.select(sa.func.min(outbox.c.due_at)).where(OPEN))[0][0]
        if waiting is None:
            return
        scene.go_on(max(waiting - scene.time(), timedelta(0)) + timedelta(seconds=1))
    raise AssertionError("there is always something owed")


def _due(app: App) -> bool:
    query = sa.select(outbox.c.id).where(OPEN, outbox.c.due_at <= app.clock() + timedelta(seconds=2)).limit(1)
    return bool(books.rows(app, query))


def _check_requests(busy: Bustle) -> None:
    """Each was made once, decided once, credited once if at all, and its card says so."""
    made = books.rows(busy.app, sa.select(requests.c.purpose, requests.c.state, requests.c.entry_id))
    assert Counter(purpose for purpose, _, _ in made) == Counter(ask.purpose for ask in busy.wanted.asked)
    assert len(busy.wanted.asked) == 2 * WATCHES
    credited = {entry for _, _, entry in made if entry is not None}
    of_requests = sa.select(entries.c.id).where(entries.c.kind == "exception")
    assert credited == {entry for (entry,) in books.rows(busy.app, of_requests)}
    assert len(credited) == len([state for _, state, _ in made if state in {"approved", "ratified"}])
    assert busy.open_cards() == []


def _check_usage(busy: Bustle) -> None:
    """Each event is there once, with what it cost to the last digit."""
    costs = dict(
        books.rows(
            busy.app,
            sa.select(usage_events.c.event_id, usage_events.c.cost_nano_usd).where(usage_events.c.source == "gateway"),
        )
    )
    reported = {event: tokens * bustle.NANO_USD_A_TOKEN for event, tokens in busy.wanted.reported.items()}
    assert {event: cost for event, cost in costs.items() if event in reported} == reported
    assert set(busy.wanted.statuses) <= {"accepted", "duplicate", "503"}


def _check_calendar(app: App) -> None:
    done = set(books.rows(app, sa.select(runs.c.job, runs.c.period)))
    assert {("grants", "2027-02"), ("weekly", "2027-W05")} <= done
    assert books.rows(app, run_failures) == []
    monthly = sa.select(lots.c.account_id).where(lots.c.kind == "grant", lots.c.starts_at >= FEBRUARY)
    assert max(Counter(books.rows(app, monthly)).values()) == 1
