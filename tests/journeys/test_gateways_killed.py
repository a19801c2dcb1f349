"""Gateways, bot and courier are killed again and again: no call is lost or paid twice, and nothing is held for ever."""

from __future__ import annotations

import dataclasses
import os
import random
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
import sqlalchemy as sa

from gateways.litellm.journal import Journal
from programme.usage import keys
from store.holds.records import HELD
from store.tables.holds import cap_stops, cap_sums, holds
from store.tables.ledger import accounts
from store.tables.outbox import outbox
from store.tables.usage import quarantine, usage_events
from tests.gateways.litellm import worker
from tests.support import arrivals, books, cast, held, holding, replicas, slack, weather
from tests.support.clock import NOON
from tests.support.nursery import Mortal, nursery
from tests.support.replicas import WallClock, replica

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from programme.app import App
    from sandbox import Sandbox
    from tests.support.replicas import Replica

SEED = "TOKENS_TEST_SEED"
PROGRAM = f"""
import sys
sys.path.insert(0, {str(replicas.ROOT)!r})
from tests.gateways.litellm.worker import work
"""
CAPS = (
    'name = "Cash"\nscope = "programme"\nwindow = "month"\nusd = 100_000\naction = "stop"',
    'name = "Teams"\nscope = "team"\nwindow = "week"\nusd = 10_000\naction = "warn"',
    'name = "A day"\nscope = "person_service"\nwindow = "day"\nusd = 1\naction = "stop"',
)
COST = {"gpt-5": 3_375_000, "claude-sonnet-4-5": 6_000_000}
"""Nano-USD that a recorded call costs by the price lists."""
NANO_USD_A_MICRO_TOKEN = 10
EVERYONE = [f"{name}@example.com" for name in worker.PEOPLE]
PAUSE = timedelta(minutes=2)
"""By then leases of the dead have lapsed, and their claims on the journal."""
LEAST_CALLS, LEAST_MESSAGES = 100, 5
PATIENCE, WORK_SECONDS = 60.0, 5.0


@dataclass(frozen=True)
class Scene:
    """What runs, and what can be killed."""

    app: App
    sandbox: Sandbox
    time: WallClock
    bot: Replica
    courier: Replica
    workers: Sequence[Mortal]
    folder: Path

    def lines(self, name: str) -> int:
        return (self.folder / name).read_bytes().count(b"\n")

    def go_on(self, by: timedelta) -> None:
        for clock in (self.time, self.bot.clock, self.courier.clock):
            clock.move(by)


@pytest.mark.deep
def test_gateways_are_killed(app: App, database_url: str, tmp_path: Path, kills: int) -> None:
    """What was answered is posted once, at its price; every hold ends; every message that is owed arrives once."""
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(1_000_000))
    print(f"{SEED}={seed}")  # noqa: T201 - shown with a failure
    chance = random.Random(seed)  # noqa: S311 - the same kills with the same seed
    held.stop(app, *CAPS)
    with _scene(app, database_url, tmp_path) as scene:
        for number in range(kills):
            _give(scene, chance)
            _work(scene, chance)
            _kill(scene, chance)
            if number % 10 == 9:
                scene.go_on(PAUSE)
        _run_on(scene)
        assert arrivals.checked(scene.app, scene.sandbox) > LEAST_MESSAGES
    _check_calls(scene)
    _check_wallets(scene.app)
    _check_holds(scene.app)
    _check_notices(scene.app)
    assert books.findings(app) == {}
    assert replicas.mistakes(tmp_path) == []


@contextmanager
def _scene(app: App, database_url: str, folder: Path) -> Iterator[Scene]:
    """A workspace, a bot over HTTP, a courier with the calendar, and a proxy of two workers, all of them at work."""
    for email in EVERYONE:
        cast.give(app, email, "5")
    with app.transaction() as moment:
        key = keys.create(moment, name="gateway", source="gateway", scopes=["holds:write"], actor="test").secret
    with ExitStack() as stack:
        clock = WallClock(folder / "time", NOON)
        sandbox = stack.enter_context(slack.workspace(clock=clock))
        environ = slack.environment(sandbox, database_url)
        bot = stack.enter_context(replica(folder, "bot", environ, NOON, ["http"]))
        courier = stack.enter_context(replica(folder, "courier", environ, NOON, ["courier", "tick"]))
        said = {"URL": bot.address, "KEY": key, "JOURNAL": str(folder / "journal.db"), "ON_OUTAGE": "stop"}
        # On a busy machine an answer that takes seconds is no outage.
        said["PATIENCE"] = "10"
        lines = [f"TOKENS_BOT_{name}={value}" for name, value in said.items()]
        workers = []
        for name in ("one", "two"):
            starting = stack.enter_context(nursery(PROGRAM, str(clock.path), str(folder), *lines))
            workers.append(Mortal(starting, folder / f"{name}.begun", name))
        scene = Scene(dataclasses.replace(app, clock=clock), sandbox, clock, bot, courier, workers, folder)
        for one in (bot, courier, *workers):
            one.start()
            stack.callback(lambda one=one: one.kill() if one.is_running else None)  # type: ignore[misc]
        sandbox.wait_for((folder / "answered").exists, seconds=PATIENCE)
        yield scene


def _give(scene: Scene, chance: random.Random) -> None:
    """A few more calls for some of those who have next to nothing left, and may have been stopped."""
    for email in EVERYONE:
        if chance.random() < 0.5 and books.wallet(scene.app, email) < held.tokens("1"):
            cast.give(scene.app, email, str(chance.randint(3, 8)), reason="Go on")


def _work(scene: Scene, chance: random.Random) -> None:
    """Until the bot is there and some more calls are answered, however busy the machine is."""
    lines = scene.lines("answered") + chance.randint(1, 8)
    healthy = f"{scene.bot.address}/healthz"
    assert holding.wait_until(lambda: _is_there(healthy), PATIENCE)
    holding.wait_until(lambda: scene.lines("answered") >= lines, WORK_SECONDS)


def _is_there(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False, timeout=1).is_success
    except httpx.HTTPError:
        return False


def _kill(scene: Scene, chance: random.Random) -> None:
    """A worker with its plugin, the whole proxy, the bot, or the courier; somewhat later it is there again."""
    victims: Sequence[Mortal] = chance.choice(
        [scene.workers[:1], scene.workers[1:], scene.workers, [scene.bot], [scene.courier]]
    )
    if chance.random() < 0.5:
        _wait_for_work(scene, victims, chance)
    for one in victims:
        one.kill()
    time.sleep(chance.uniform(0, 0.8))
    for one in victims:
        one.start()


def _wait_for_work(scene: Scene, victims: Sequence[Mortal], chance: random.Random) -> None:
    """Until a victim is in the midst of something: a message is posted, or a call is about to be answered."""
    if scene.courier in victims:
        weather.wait_for_a_post(scene.sandbox)
        return
    before = scene.lines("billed")
    if holding.wait_until(lambda: scene.lines("billed") > before, 1):
        time.sleep(chance.uniform(0, worker.PAYLOAD_SECONDS))


def _run_on(scene: Scene) -> None:
    """Nobody calls any more; what is under way arrives, what is held lapses, what is owed is delivered."""
    (scene.folder / worker.STOP).touch()
    journal = Journal(scene.folder / "journal.db")
    for _ in range(3):
        scene.go_on(PAUSE)
        time.sleep(2)
    scene.sandbox.wait_for(lambda: _is_empty(journal), seconds=PATIENCE)
    for one in scene.workers:
        one.kill()
    # It may still answer those who asked and are dead.
    assert scene.bot.stop() == 0
    scene.go_on(timedelta(minutes=20))
    scene.sandbox.wait_for(lambda: not _open_holds(scene.app), seconds=PATIENCE)
    owed = sa.select(outbox.c.id).where(outbox.c.state != "sent")
    scene.sandbox.wait_for(lambda: not books.rows(scene.app, owed), seconds=PATIENCE)
    assert journal.refused() == []
    journal.close()
    assert scene.courier.stop() == 0


def _is_empty(journal: Journal) -> bool:
    standing = journal.standing()
    return not (standing.waiting or standing.releases)


def _open_holds(app: App) -> list[tuple[object, ...]]:
    return books.rows(app, sa.select(holds.c.id, holds.c.kind).where(holds.c.status == HELD))


def _check_calls(scene: Scene) -> None:
    """Each call that was answered is there once, with what it cost; whatever is there a provider charges for."""
    answered, billed = ((scene.folder / name).read_text().split() for name in ("answered", "billed"))
    e = usage_events.c
    posted = books.rows(scene.app, sa.select(e.event_id, e.model, e.cost_nano_usd, e.entry_id))
    calls = Counter(event_id.partition("@")[0] for event_id, *_ in posted)
    assert {call: times for call, times in calls.items() if times > 1} == {}
    assert set(answered) - calls.keys() == set()
    assert calls.keys() - set(billed) == set()
    assert len(answered) > LEAST_CALLS
    assert {(model, cost) for _, model, cost, _ in posted} <= set(COST.items())
    assert books.rows(scene.app, quarantine) == []


def _check_wallets(app: App) -> None:
    """Nobody spent more than they had and the calls that ran at once."""
    at_once = 2 * worker.CLIENTS * max(COST.values())
    least = min(books.wallet(app, email) for email in EVERYONE)
    assert int(least) * NANO_USD_A_MICRO_TOKEN > -at_once


def _check_holds(app: App) -> None:
    """Nothing is held any more, on no account and in no cap."""
    a, s = accounts.c, cap_sums.c
    assert _open_holds(app) == []
    assert books.rows(app, sa.select(a.code).where(sa.or_(a.held != 0, a.likely != 0))) == []
    assert books.rows(app, sa.select(s.key).where(sa.or_(s.held_nano_usd != 0, s.likely_nano_usd != 0))) == []


def _check_notices(app: App) -> None:
    """Whoever was stopped has been told, once each time."""
    stops = [key for (key,) in books.rows(app, sa.select(cap_stops.c.key))]
    told = [key for (key,) in books.rows(app, sa.select(outbox.c.key).where(outbox.c.template == "holds/stopped"))]
    assert sorted(stops) == sorted(told)
    assert len(stops) > LEAST_MESSAGES
